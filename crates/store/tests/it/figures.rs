use std::time::Duration;

use mis_sync_domain::{JobKind, JobState, Lane, OutageReason};
use mis_sync_store::{
    figures::{self, Point, Window},
    jobs, refresh,
};

use crate::{
    fixture::{TestStore, failure, new_sync},
    rows,
};

/// Jobs that ended this long ago, `jobs` in each of these states, each after running the given
/// seconds and waiting one.
async fn ended(store: &TestStore, ago: &str, state: &str, ran: &[u32]) {
    let seconds = ran.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, state, max_attempts,
            created_at, started_at, finished_at, deadline_at)
        SELECT gen_random_uuid(), 'sync-school', 'bulk', 'oak', '', 'test', '{state}', 5,
            ended - (ran + 1) * interval '1 second', ended - ran * interval '1 second', ended, ended
        FROM unnest(ARRAY[{seconds}]) ran, (SELECT now() - interval '{ago}' AS ended) e"
    );
    rows::change(&store.pool, &sql).await;
}

/// Syncs that succeeded, failed and were cancelled in all buckets together.
fn total(points: &[Point]) -> (i64, i64, i64) {
    let syncs = points.iter().map(|point| &point.kinds[0]);
    syncs.fold((0, 0, 0), |(succeeded, failed, cancelled), of| {
        (succeeded + of.succeeded, failed + of.failed, cancelled + of.cancelled)
    })
}

#[tokio::test]
async fn every_window_counts_and_times_what_ended_in_it_filled_or_not() {
    let store = TestStore::start().await;
    store.school("oak").await;
    ended(&store, "10 minutes", "succeeded", &[1, 2, 3]).await;
    ended(&store, "5 hours", "failed", &[10; 20]).await;
    ended(&store, "20 days", "cancelled", &[100; 7]).await;
    ended(&store, "40 days", "succeeded", &[1; 9]).await;
    let mut before: Vec<Vec<Point>> = Vec::new();
    for filled in [false, true] {
        if filled {
            while figures::fill_periods(&store.pool).await.unwrap() > 0 {}
        }
        for (n, (window, expected, buckets)) in [
            (Window::Minutes15, (3, 0, 0), 60),
            (Window::Hours24, (3, 20, 0), 48),
            (Window::Days30, (3, 20, 7), 120),
        ]
        .into_iter()
        .enumerate()
        {
            let points = figures::series(&store.pool, window).await.unwrap();
            assert_eq!(total(&points), expected, "{window:?}, filled: {filled}");
            assert_eq!(points.len(), buckets);
            assert!(points.iter().all(|point| point.kinds.len() == JobKind::SHOWN.len()));
            assert!(points.is_sorted_by(|a, b| b.at - a.at == window_width(window)));
            let failed = points.iter().map(|point| &point.kinds[0]).find(|of| of.failed > 0);
            if let Some(of) = failed {
                assert_eq!((of.failed, of.waited_p95_ms), (20, Some(1000.0)));
                assert_eq!(of.ran_p95_ms, Some(10_000.0));
            }
            if filled && window != Window::Minutes15 {
                assert_eq!(points, before[n]);
            }
            before.push(points);
        }
    }
}

fn window_width(window: Window) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(window.width()).unwrap()
}

#[tokio::test]
async fn a_period_is_written_once_and_missed_ones_are_made_up_in_steps() {
    let store = TestStore::start().await;
    store.school("oak").await;
    ended(&store, "2 hours", "succeeded", &[1, 2, 9]).await;
    let mut steps = 0;
    while figures::fill_periods(&store.pool).await.unwrap() > 0 {
        steps += 1;
        assert!(steps < 40, "it never ends");
    }
    assert!(steps > 5, "all of it at once");
    let periods = "SELECT width_seconds || ' ' || starts_at::text || kind || succeeded || ' '
            || coalesce(ran_p50_ms, -1)
        FROM job_period ORDER BY width_seconds, starts_at, kind";
    let written = rows::texts(&store.pool, periods).await;
    // At some times of day the longer period that they lie in is over as well.
    let of_half_an_hour = written.iter().filter(|line| line.starts_with("1800 "));
    assert_eq!(of_half_an_hour.filter(|line| line.ends_with("sync-school3 2000")).count(), 1);

    // Jobs that end in a period that was already stored are not counted.
    ended(&store, "2 hours", "succeeded", &[1]).await;
    assert_eq!(figures::fill_periods(&store.pool).await.unwrap(), 0);
    assert_eq!(rows::texts(&store.pool, periods).await, written);

    // No worker was the leader for ten days, or for a year.
    for away in [
        "DELETE FROM job_period WHERE starts_at > now() - interval '10 days'",
        "UPDATE job_period SET starts_at = starts_at - interval '1 year'",
    ] {
        rows::change(&store.pool, away).await;
        let mut filled = 0;
        loop {
            let step = figures::fill_periods(&store.pool).await.unwrap();
            filled += step;
            if step == 0 {
                break;
            }
        }
        assert!((20..=170).contains(&filled), "{filled} periods after {away}");
        let last = "SELECT extract(epoch FROM now() - max(starts_at))::float8 / 60 FROM job_period";
        let minutes: f64 = rows::value(&store.pool, last).await;
        assert!(minutes < 62.0, "{minutes}");
        let old = "SELECT count(*) FROM job_period WHERE starts_at < now() - interval '61 days'";
        assert_eq!(rows::value::<i64>(&store.pool, old).await, 0);
    }
}

#[tokio::test]
async fn now_says_how_things_stand() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    ended(&store, "3 hours", "succeeded", &[1, 1]).await;
    ended(&store, "25 hours", "failed", &[1]).await;
    let lease = store.claim(store.enqueue(&oak).await).await;
    jobs::fail(&store.pool, lease, &failure("database")).await.unwrap();
    store.enqueue(&oak).await;
    rows::change(
        &store.pool,
        "UPDATE job SET created_at = now() - interval '1 minute' WHERE state = 'queued'",
    )
    .await;
    let held = jobs::NewJob { unique_key: "held".into(), ..new_sync(&elm) };
    let held = store.enqueue_new(&held).await;
    rows::change(&store.pool, &format!("UPDATE job SET state = 'held' WHERE id = '{held}'")).await;
    let reason = OutageReason::RateLimited;
    refresh::note_outage(&store.pool, &elm, reason, Duration::from_mins(1)).await.unwrap();

    let now = figures::now(&store.pool).await.unwrap();
    let jobs = |state| {
        now.unfinished.iter().find(|(lane, is, _)| (*lane, *is) == (Lane::Bulk, state)).unwrap().2
    };
    assert_eq!((jobs(JobState::Queued), jobs(JobState::Held), jobs(JobState::Running)), (1, 1, 0));
    assert_eq!(now.held, 1);
    assert_eq!(
        now.ended,
        [(JobState::Succeeded, 2), (JobState::Failed, 1), (JobState::Cancelled, 0)]
    );
    let causes: Vec<_> =
        now.failures.iter().map(|cause| (cause.code.as_str(), cause.jobs)).collect();
    assert_eq!(causes, [("database", 1)]);
    // What was stored meanwhile counts once, and the day begins where it should.
    ended(&store, "23 hours 59 minutes", "succeeded", &[1]).await;
    ended(&store, "24 hours 1 minute", "succeeded", &[1]).await;
    while figures::fill_periods(&store.pool).await.unwrap() > 0 {}
    let later = figures::now(&store.pool).await.unwrap();
    assert_eq!(
        later.ended,
        [(JobState::Succeeded, 3), (JobState::Failed, 1), (JobState::Cancelled, 0)]
    );
    let [outage] = &now.outages[..] else { panic!("{:?}", now.outages) };
    assert_eq!((&outage.school_id, outage.reason), (&elm, reason));
    let waiting = now.oldest_waiting.iter().find(|(lane, _)| *lane == Lane::Bulk).unwrap().1;
    assert!(waiting >= Duration::from_mins(1) && waiting < Duration::from_mins(2));
}

#[tokio::test]
async fn people_who_were_changed_are_counted_and_dry_runs_change_none() {
    let store = TestStore::start().await;
    store.school("oak").await;
    ended(&store, "5 hours", "succeeded", &[1, 2]).await;
    let report = r#"{"created": 3, "updated": 4, "deactivated": 2, "restored": 1}"#;
    rows::change(&store.pool, &format!("UPDATE job SET report = '{report}'")).await;
    ended(&store, "5 hours", "succeeded", &[3]).await;
    let dry = format!(
        r#"UPDATE job SET report = '{report}', options = '{{"dry_run": true}}' WHERE report IS NULL"#
    );
    rows::change(&store.pool, &dry).await;
    let changed = async || {
        let points = figures::series(&store.pool, Window::Hours24).await.unwrap();
        points.iter().flat_map(|point| &point.kinds).map(|of| of.people_changed).sum::<i64>()
    };
    assert_eq!(changed().await, 20);
    while figures::fill_periods(&store.pool).await.unwrap() > 0 {}
    assert_eq!(changed().await, 20, "filled");
}

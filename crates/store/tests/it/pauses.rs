use std::time::Duration;

use mis_sync_domain::{Clock, JobId, JobState, Lane, SchoolId, StaffId};
use mis_sync_store::{
    audit::Actor,
    jobs::{self, NewJob},
    pauses::{self, Pause, Scope},
    refresh::{self, Login},
};

use crate::{
    fixture::{LONG, TestStore, failure, new_sync},
    rows,
};

fn operator() -> Actor {
    Actor::command("opal", Some("maintenance".into()))
}

async fn claims(store: &TestStore, job: JobId) -> bool {
    jobs::claim(&store.pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().is_some()
}

async fn delivers(store: &TestStore) -> Vec<JobId> {
    let due = jobs::take_due(&store.pool, Duration::from_secs(5), 100).await.unwrap();
    due.into_iter().map(|due| due.id).collect()
}

/// Seconds from now to the deadline.
async fn time_left(store: &TestStore, job: JobId) -> f64 {
    let sql = format!(
        "SELECT extract(epoch FROM deadline_at - now())::float8 FROM job WHERE id = '{job}'"
    );
    rows::value(&store.pool, &sql).await
}

async fn began_ago(store: &TestStore, table: &str, column: &str, ago: &str) {
    let sql = format!("UPDATE {table} SET {column} = now() - interval '{ago}'");
    rows::change(&store.pool, &sql).await;
}

#[tokio::test]
async fn what_is_paused_is_not_taken_in_any_way_and_is_due_at_once_on_resume() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    for (scope, others) in [(Scope::School(oak.clone()), 1), (Scope::Lane(Lane::Bulk), 0)] {
        let (job, other) = (store.enqueue(&oak).await, store.enqueue(&elm).await);
        began_ago(&store, "job", "delivered_at", "1 minute").await;
        assert!(pauses::pause(&store.pool, &scope, &operator()).await.unwrap());
        assert!(!claims(&store, job).await, "{scope}");
        assert_eq!(delivers(&store).await.len(), others);
        for _ in 0..2 {
            let next = jobs::claim_next(
                &store.pool,
                Lane::Bulk,
                "w",
                LONG,
                Duration::ZERO,
                jobs::Leaves::NOTHING,
            )
            .await
            .unwrap();
            assert!(next.is_none_or(|claimed| claimed.job.id == other && others == 1), "{scope}");
        }
        assert!(pauses::resume(&store.pool, &scope, &operator()).await.unwrap());
        assert!(delivers(&store).await.contains(&job));
        assert!(claims(&store, job).await);
        rows::change(&store.pool, "DELETE FROM job").await;
    }
}

#[tokio::test]
async fn what_runs_goes_on_and_presses_are_accepted() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let running = store.enqueue(&oak).await;
    let lease = store.claim(running).await;
    pauses::pause(&store.pool, &Scope::School(oak.clone()), &operator()).await.unwrap();
    jobs::heartbeat(&store.pool, lease, LONG).await.unwrap();
    jobs::fail(&store.pool, lease, &failure("broken")).await.unwrap();
    store.enqueue(&oak).await;
    let [pause] = &pauses::list(&store.pool).await.unwrap()[..] else { panic!("one pause") };
    let Pause { scope, actor, reason, waiting, .. } = pause;
    assert_eq!((scope, actor.as_str()), (&Scope::School(oak), "opal"));
    assert_eq!((reason.as_deref(), *waiting), (Some("maintenance"), 1));
}

#[tokio::test]
async fn deadlines_do_not_run_while_paused() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    let late = store.enqueue_new(&NewJob { unique_key: "late".into(), ..new_sync(&oak) }).await;
    let scope = Scope::School(oak.clone());
    pauses::pause(&store.pool, &scope, &operator()).await.unwrap();
    began_ago(&store, "pause", "paused_at", "90 minutes").await;
    // One was pressed a minute before the pause and one an hour after, both with an hour to go.
    for (job, pressed) in [(job, "-1 minute"), (late, "1 hour")] {
        let sql = format!(
            "UPDATE job SET created_at = paused_at + interval '{pressed}',
            deadline_at = paused_at + interval '{pressed}' + interval '1 hour'
            FROM pause WHERE id = '{job}'"
        );
        rows::change(&store.pool, &sql).await;
    }
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 0);
    pauses::resume(&store.pool, &scope, &operator()).await.unwrap();
    for (job, left) in [(job, 59.0), (late, 60.0)] {
        let minutes = time_left(&store, job).await / 60.0;
        assert!((left - 0.1..=left).contains(&minutes), "{minutes} of {left}");
    }
    assert!(claims(&store, job).await);
}

#[tokio::test]
async fn a_pause_ends_at_its_time_as_if_a_person_ended_it() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    let scope = Scope::School(oak.clone());
    let until = Clock::system().now() + chrono::TimeDelta::hours(1);
    assert!(pauses::pause_until(&store.pool, &scope, Some(until), &operator()).await.unwrap());
    assert_eq!(pauses::end_due(&store.pool).await.unwrap(), 0);
    let left = time_left(&store, job).await;
    began_ago(&store, "pause", "paused_at", "2 hours").await;
    rows::change(&store.pool, "UPDATE job SET created_at = now() - interval '1 day'").await;
    rows::change(&store.pool, "UPDATE pause SET until = now() - interval '1 minute'").await;
    assert!(!claims(&store, job).await, "it lasts until a worker ends it");
    assert_eq!(pauses::end_due(&store.pool).await.unwrap(), 1);
    assert_eq!(pauses::end_due(&store.pool).await.unwrap(), 0);
    let hours = (time_left(&store, job).await - left) / 3600.0;
    assert!((1.99..=2.0).contains(&hours), "the deadline moves: {hours}");
    assert!(claims(&store, job).await);
    let lines = "SELECT actor || ' ' || action FROM audit_log ORDER BY position OFFSET 1";
    assert_eq!(rows::texts(&store.pool, lines).await, ["opal pause", "schedule resume"]);
}

#[tokio::test]
async fn a_second_pause_makes_the_first_only_longer() {
    let store = TestStore::start().await;
    let scope = Scope::School(store.school("oak").await);
    let hour = |hours| Some(Clock::system().now() + chrono::TimeDelta::hours(hours));
    let until = async || pauses::list(&store.pool).await.unwrap()[0].until;
    let pause = async |until| {
        pauses::pause_until(&store.pool, &scope, until, &operator()).await.unwrap();
    };
    pause(hour(2)).await;
    let first = until().await;
    pause(hour(1)).await;
    assert_eq!(until().await, first);
    pause(hour(3)).await;
    assert!(until().await > first);
    pause(None).await;
    assert_eq!(until().await, None);
    pause(hour(9)).await;
    assert_eq!(until().await, None);
}

#[tokio::test]
async fn two_pauses_at_once_count_the_time_once() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    for lane_first in [true, false] {
        let job = store.enqueue(&oak).await;
        rows::change(&store.pool, "UPDATE job SET created_at = now() - interval '1 day'").await;
        let (lane, school) = (Scope::Lane(Lane::Bulk), Scope::School(oak.clone()));
        let before = time_left(&store, job).await;
        for (scope, ago) in [(&lane, "3 hours"), (&school, "2 hours")] {
            pauses::pause(&store.pool, scope, &operator()).await.unwrap();
            let sql = format!(
                "UPDATE pause SET paused_at = now() - interval '{ago}'
                WHERE target = '{}'",
                scope.target()
            );
            rows::change(&store.pool, &sql).await;
        }
        let order = if lane_first { [&lane, &school] } else { [&school, &lane] };
        for scope in order {
            assert!(!claims(&store, job).await);
            pauses::resume(&store.pool, scope, &operator()).await.unwrap();
        }
        let hours = (time_left(&store, job).await - before) / 3600.0;
        assert!((2.99..=3.0).contains(&hours), "{hours}; lane first: {lane_first}");
        rows::change(&store.pool, "DELETE FROM job").await;
    }
}

#[tokio::test]
async fn an_attempt_that_ends_in_a_pause_is_not_late() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    for snoozed in [true, false] {
        let job = store.enqueue(&oak).await;
        let lease = store.claim(job).await;
        let scope = Scope::School(oak.clone());
        pauses::pause(&store.pool, &scope, &operator()).await.unwrap();
        began_ago(&store, "job", "deadline_at", "1 minute").await;
        if snoozed {
            jobs::snooze(&store.pool, lease, &failure("wait"), Duration::ZERO).await.unwrap();
        } else {
            jobs::retry(&store.pool, lease, &failure("broken"), Duration::ZERO).await.unwrap();
        }
        let now = jobs::get(&store.pool, job).await.unwrap().unwrap();
        assert_eq!(now.state, JobState::Retrying);
        pauses::resume(&store.pool, &scope, &operator()).await.unwrap();
        rows::change(&store.pool, "DELETE FROM job").await;
    }
}

#[tokio::test]
async fn pausing_twice_is_pausing_once_and_each_change_is_written_down() {
    let store = TestStore::start().await;
    let scope = Scope::School(store.school("oak").await);
    let unknown = Scope::School("nobody".parse().unwrap());
    assert!(!pauses::pause(&store.pool, &unknown, &operator()).await.unwrap());
    for _ in 0..2 {
        assert!(pauses::pause(&store.pool, &scope, &operator()).await.unwrap());
    }
    assert!(pauses::resume(&store.pool, &scope, &operator()).await.unwrap());
    assert!(!pauses::resume(&store.pool, &scope, &operator()).await.unwrap());
    let sql = "SELECT action || ' ' || coalesce(school_id, '') || ' ' || actor FROM audit_log
        WHERE action IN ('pause', 'resume') ORDER BY position";
    assert_eq!(rows::texts(&store.pool, sql).await, ["pause oak opal", "resume oak opal"]);
}

#[tokio::test]
async fn a_login_knows_of_a_pause() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let person = "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
        VALUES ('01985bb3-d16d-7a13-92dd-9b0131ca3f1d', 'oak', 'r@oak.example', 'R', 'O', '')";
    rows::change(&store.pool, person).await;
    let is_paused = async |school: &SchoolId| {
        let id: StaffId = "01985bb3-d16d-7a13-92dd-9b0131ca3f1d".parse().unwrap();
        match refresh::look(&store.pool, school, id).await.unwrap() {
            Login::Known(standing) => standing.is_paused,
            other => panic!("{other:?}"),
        }
    };
    assert!(!is_paused(&oak).await);
    for (scope, paused) in [
        (Scope::Lane(Lane::Bulk), false),
        (Scope::Lane(Lane::Interactive), true),
        (Scope::School(oak.clone()), true),
    ] {
        pauses::pause(&store.pool, &scope, &operator()).await.unwrap();
        assert_eq!(is_paused(&oak).await, paused, "{scope}");
        pauses::resume(&store.pool, &scope, &operator()).await.unwrap();
    }
}

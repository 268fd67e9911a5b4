//! Failures that several schools share, and how logins were answered meanwhile.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use mis_sync_domain::Clock;
use mis_sync_store::{
    incidents,
    login_minutes::{self, LoginCount},
};

use crate::{fixture::TestStore, rows};

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// A sync of a school, an attempt of which failed so many minutes ago.
async fn failed(store: &TestStore, school: &str, minutes: i32, code: &str, state: &str) {
    let sql = format!(
        r#"
        WITH new AS (
            INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, state,
                max_attempts, deadline_at, finished_at, next_attempt_at)
            VALUES (gen_random_uuid(), 'sync-school', 'bulk', '{school}', gen_random_uuid()::text,
                'test', '{state}', 5, now(), CASE '{state}' WHEN 'failed' THEN now() END,
                CASE '{state}' WHEN 'retrying' THEN now() END)
            RETURNING id
        )
        INSERT INTO job_attempt (job_id, fence, attempt, worker, ended_at, outcome, error)
        SELECT id, 1, 1, 'w', now() - interval '{minutes} minutes', 'retry',
            '{{"type": "{code}", "title": "", "detail": ""}}' FROM new
        "#
    );
    rows::change(&store.pool, &sql).await;
}

#[tokio::test]
async fn failures_of_several_schools_without_a_long_pause_are_one_incident() {
    let store = TestStore::start().await;
    for school in ["oak", "elm", "ash"] {
        store.school(school).await;
    }
    for (school, minutes, code, state) in [
        ("oak", 300, "wonde_unavailable", "failed"),
        ("elm", 285, "wonde_unavailable", "retrying"),
        ("oak", 270, "wonde_unavailable", "failed"),
        // Half an hour later, another one of a single school.
        ("ash", 200, "wonde_unavailable", "failed"),
        // These have a reason of their own.
        ("oak", 290, "wonde_unauthorized", "failed"),
        ("elm", 290, "wonde_unauthorized", "failed"),
        // Too long ago.
        ("oak", 1500, "wonde_unavailable", "failed"),
        ("elm", 1500, "wonde_unavailable", "failed"),
    ] {
        failed(&store, school, minutes, code, state).await;
    }
    let minute = (now() - TimeDelta::minutes(280)).duration_trunc(TimeDelta::minutes(1)).unwrap();
    let logins = |outcome: &str, logins| LoginCount {
        minute,
        outcome: outcome.into(),
        within_ms: 100,
        logins,
    };
    let counted = [logins("stale", 20), logins("fresh", 5)];
    for _ in 0..2 {
        login_minutes::add(&store.pool, &counted).await.unwrap();
    }
    let found = incidents::list(&store.pool).await.unwrap();
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((only.code.as_str(), only.schools, only.syncs), ("wonde_unavailable", 2, 3));
    assert_eq!((only.retrying, only.stale_logins), (1, 40));
    assert_eq!((only.until - only.from).num_minutes(), 30);

    let listed = login_minutes::list(&store.pool, minute, now(), 3600).await.unwrap();
    let numbers: Vec<i64> = listed.iter().map(|count| count.logins).collect();
    assert_eq!(numbers, [10, 40], "fresh, stale: {listed:?}");
}

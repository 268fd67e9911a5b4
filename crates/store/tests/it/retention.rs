//! Old rows are removed, and what is still needed stays.

use chrono::{DateTime, TimeDelta, Utc};
use mis_sync_domain::{JobId, SchoolId, StaffRecord};
use mis_sync_store::{
    jobs,
    retention::{self, Removed, Retention},
    undo::{self, Undone},
};
use mis_sync_testing::a_person;

use crate::{
    fixture::{TestStore, failure, person},
    rows,
};

const ALL: Retention = Retention {
    refreshes: Some(TimeDelta::days(30)),
    syncs: Some(TimeDelta::days(400)),
    webhook_events: Some(TimeDelta::days(90)),
    alerts: Some(TimeDelta::days(400)),
    idempotency_keys: Some(TimeDelta::days(2)),
    approvals: Some(TimeDelta::days(90)),
};

async fn sweep(store: &TestStore, keep: &Retention) -> Removed {
    let now: DateTime<Utc> = rows::value(&store.pool, "SELECT now()").await;
    retention::sweep(&store.pool, now, keep).await.unwrap()
}

/// Makes a job as old as this.
async fn age(store: &TestStore, job: JobId, days: u32) {
    let sql =
        format!("UPDATE job SET finished_at = now() - interval '{days} days' WHERE id = '{job}'");
    assert_eq!(rows::change(&store.pool, &sql).await, 1);
}

async fn jobs_left(store: &TestStore) -> Vec<JobId> {
    let ids = rows::texts(&store.pool, "SELECT id::text FROM job ORDER BY id").await;
    ids.into_iter().map(|id| id.parse().unwrap()).collect()
}

fn named(surname: &str) -> StaffRecord {
    StaffRecord { surname: surname.into(), ..person("ada") }
}

/// A sync of this age that changes ada.
async fn old_sync(store: &TestStore, school: &SchoolId, surname: &str, days: u32) -> JobId {
    let (job, _) = store.sync(school, &[named(surname)]).await;
    age(store, job, days).await;
    job
}

async fn set_mode(store: &TestStore, job: JobId, mode: &str) {
    let sql = format!(
        "UPDATE job SET report = jsonb_set(report, '{{mode}}', '\"{mode}\"') WHERE id = '{job}'"
    );
    rows::change(&store.pool, &sql).await;
}

#[tokio::test]
async fn the_last_syncs_of_a_school_stay_however_old_they_are() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let first = old_sync(&store, &oak, "One", 900).await;
    let full = old_sync(&store, &oak, "Two", 800).await;
    let older_delta = old_sync(&store, &oak, "Three", 700).await;
    let delta = old_sync(&store, &oak, "Four", 600).await;
    set_mode(&store, older_delta, "delta").await;
    set_mode(&store, delta, "delta").await;
    let (dry, _) = store.preview(&oak, &[named("Five")]).await;
    age(&store, dry, 550).await;
    let mut failed = Vec::new();
    for days in [540, 500] {
        let job = store.enqueue(&oak).await;
        let lease = store.claim(job).await;
        jobs::fail(&store.pool, lease, &failure("away")).await.unwrap();
        age(&store, job, days).await;
        failed.push(job);
    }
    let only = old_sync(&store, &elm, "Six", 900).await;
    let waiting = store.enqueue(&elm).await;
    // The dry run is what explain knows; without it that would be the last sync.
    let kept = [full, delta, dry, failed[1], only, waiting];

    assert_eq!(sweep(&store, &Retention::default()).await, Removed::default(), "for ever");
    let removed = sweep(&store, &ALL).await;
    assert_eq!(removed, Removed { syncs: 3, ..Removed::default() });
    assert_eq!(jobs_left(&store).await, kept);
    let orphans =
        format!("SELECT count(*) FROM job_change WHERE job_id IN ('{first}', '{older_delta}')");
    assert_eq!(rows::value::<i64>(&store.pool, &orphans).await, 0);
    assert_eq!(sweep(&store, &ALL).await, Removed::default());
}

#[tokio::test]
async fn what_is_young_stays_and_an_undo_outlives_what_it_undid() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let first = old_sync(&store, &oak, "One", 401).await;
    let second = old_sync(&store, &oak, "Two", 399).await;
    let Undone::Done(undo) = undo::undo(&store.pool, second, None, &a_person()).await.unwrap()
    else {
        panic!("it can be undone");
    };
    age(&store, undo.id, 900).await;
    let third = old_sync(&store, &oak, "Three", 1).await;
    assert_eq!(sweep(&store, &ALL).await.syncs, 1);
    assert!(!jobs_left(&store).await.contains(&first));
    assert_eq!(jobs_left(&store).await, [second, undo.id, third]);
    let again = undo::undo(&store.pool, second, None, &a_person()).await.unwrap();
    assert!(matches!(again, Undone::Nothing), "the undo is known as long as what it undid");
    age(&store, second, 401).await;
    assert_eq!(sweep(&store, &ALL).await.syncs, 1);
    assert_eq!(sweep(&store, &ALL).await.syncs, 1, "then the undo");
    assert_eq!(jobs_left(&store).await, [third]);
    let lines = "SELECT count(*) FROM audit_log WHERE action = 'undo'";
    assert_eq!(rows::value::<i64>(&store.pool, lines).await, 1, "the audit log keeps it");
}

#[tokio::test]
async fn logins_go_early_unless_they_changed_something() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    store.sync(&oak, &[person("ada")]).await;
    // Inserted by hand, because it does not matter what the refresh did.
    let insert = |days: u32, state: &str| {
        let ended = if state == "queued" {
            "NULL".to_owned()
        } else {
            format!("now() - interval '{days} days'")
        };
        format!("INSERT INTO job (id, kind, lane, school_id, options, unique_key, requested_by,
            max_attempts, deadline_at, state, finished_at)
            VALUES (gen_random_uuid(), 'refresh-user', 'interactive', 'oak', '{{}}', 'r{days}{state}',
                'test', 1, now() - interval '{days} days', '{state}', {ended})")
    };
    for (days, state) in [
        (29, "succeeded"),
        (31, "succeeded"),
        (31, "failed"),
        (32, "cancelled"),
        (40, "queued"),
        (50, "succeeded"),
        (401, "succeeded"),
    ] {
        rows::change(&store.pool, &insert(days, state)).await;
    }
    let change = "INSERT INTO job_change (job_id, staff_id, field) SELECT j.id, s.id, 'surname'
        FROM job j, staff s WHERE j.unique_key IN ('r50succeeded', 'r401succeeded')";
    assert_eq!(rows::change(&store.pool, change).await, 2);
    assert_eq!(sweep(&store, &ALL).await, Removed { refreshes: 4, ..Removed::default() });
    let left = "SELECT unique_key FROM job WHERE kind = 'refresh-user' ORDER BY 1";
    assert_eq!(rows::texts(&store.pool, left).await, ["r29succeeded", "r40queued", "r50succeeded"]);
}

#[tokio::test]
async fn webhooks_alerts_and_idempotency_keys_go_once_nothing_waits_for_them() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    for sql in [
        "INSERT INTO webhook_event (id, kind, sealed_token, body_hash, state, handled_at,
            last_received_at)
        SELECT gen_random_uuid(), 'schoolApproved', CASE WHEN state = 'kept' THEN '\\x00'::bytea END,
            sha256((state || days)::bytea), state,
            CASE WHEN state <> 'received' THEN now() - days * interval '1 day' END,
            now() - days * interval '1 day'
        FROM (VALUES ('received'), ('applied'), ('kept'), ('refused')) s (state),
            (VALUES (89), (91)) d (days)",
        "INSERT INTO alert (id, school_id, kind, reason, detail, cleared_at)
        SELECT gen_random_uuid(), 'oak', 'sync.failed', days::text, '',
            now() - NULLIF(days, 0) * interval '1 day'
        FROM (VALUES (0), (399), (401)) d (days)",
    ] {
        rows::change(&store.pool, sql).await;
    }
    let keys = format!(
        "WITH key AS (INSERT INTO api_key (id, name, role, secret_hash)
            VALUES (gen_random_uuid(), 'k', 'app', '\\x00') RETURNING id)
        INSERT INTO idempotency_key (api_key_id, key, request_hash, job_id, created_at)
        SELECT key.id, hours::text, '', '{job}', now() - hours * interval '1 hour'
        FROM key, (VALUES (47), (49)) h (hours)"
    );
    rows::change(&store.pool, &keys).await;

    let removed = sweep(&store, &ALL).await;
    let expected = Removed {
        webhook_events: 2,
        approvals: 2,
        alerts: 1,
        idempotency_keys: 1,
        ..Removed::default()
    };
    assert_eq!(removed, expected);
    let events = "SELECT state || (sealed_token IS NOT NULL) FROM webhook_event ORDER BY 1";
    let left = [
        "appliedfalse",
        "ignoredfalse",
        "ignoredfalse",
        "kepttrue",
        "receivedfalse",
        "refusedfalse",
    ];
    assert_eq!(rows::texts(&store.pool, events).await, left);
    let alerts = "SELECT reason FROM alert ORDER BY 1";
    assert_eq!(rows::texts(&store.pool, alerts).await, ["0", "399"]);
    assert_eq!(rows::texts(&store.pool, "SELECT key FROM idempotency_key").await, ["47"]);
}

#[tokio::test]
async fn actions_on_many_jobs_go_with_their_results_unless_they_are_under_way() {
    let store = TestStore::start().await;
    store.school("oak").await;
    // The old one that never ended has a job that failed or one that still waits.
    for sql in [
        "INSERT INTO bulk (id, action, filter, actor, total, reason, started_at, finished_at)
        SELECT gen_random_uuid(), 'retry', '{}', 'opal', 2, name, now() - began * interval '1 day',
            now() - ended * interval '1 day'
        FROM (VALUES ('young', 402, 399), ('old', 402, 401), ('given up', 401, NULL),
            ('waiting', 401, NULL), ('running', 399, NULL)) b (name, began, ended)",
        "INSERT INTO job (id, kind, lane, options, unique_key, requested_by, max_attempts,
            deadline_at, state, finished_at)
        SELECT gen_random_uuid(), 'act-on-jobs', 'internal', '{}', 'act-on-jobs:' || id, 'opal', 1,
            now(), CASE reason WHEN 'waiting' THEN 'queued' ELSE 'failed' END,
            CASE reason WHEN 'waiting' THEN NULL ELSE now() END
        FROM bulk WHERE finished_at IS NULL",
        "INSERT INTO bulk_result SELECT id, gen_random_uuid(), 'done' FROM bulk",
        "INSERT INTO bulk_job SELECT id, gen_random_uuid() FROM bulk",
    ] {
        rows::change(&store.pool, sql).await;
    }
    let removed = sweep(&store, &ALL).await;
    assert_eq!(removed, Removed { bulks: 2, ..Removed::default() });
    for table in ["bulk_result", "bulk_job"] {
        let left = format!("SELECT reason FROM {table} JOIN bulk ON id = bulk_id ORDER BY 1");
        assert_eq!(rows::texts(&store.pool, &left).await, ["running", "waiting", "young"]);
        let all = format!("SELECT count(*) FROM {table}");
        assert_eq!(rows::value::<i64>(&store.pool, &all).await, 3, "{table}");
    }
    assert_eq!(sweep(&store, &ALL).await, Removed::default());
}

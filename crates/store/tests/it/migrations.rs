use std::time::Duration;

use mis_sync_domain::{ActOnJobs, HandleWebhook, JobKind, Lane, SendAlert};
use mis_sync_store::{
    Error, Schema, check_schema, connect,
    jobs::{self, Leaves},
    migrate, revert_all_migrations, schema_fingerprint,
};

use crate::{
    fixture::{LONG, TestStore},
    rows,
};

/// Every column, constraint, index and view of ours, one text each.
const CATALOGUE: &str = "
    SELECT format('%s %s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
        AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT definition FROM pg_views WHERE schemaname = 'public'
    ORDER BY line";

#[tokio::test]
async fn up_all_down_and_up_again_give_the_same_schema() {
    let store = TestStore::start().await;
    let before = rows::texts(&store.pool, CATALOGUE).await;
    assert!(before.iter().any(|line| line.contains("staff_login")));

    revert_all_migrations(&store.pool).await.unwrap();
    let left = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relname NOT LIKE '\\_sqlx%'";
    assert_eq!(rows::texts(&store.pool, left).await, Vec::<String>::new());
    let behind = check_schema(&store.pool).await;
    assert!(matches!(behind, Err(Error::SchemaBehind { found: 0, .. })), "{behind:?}");

    for _ in 0..2 {
        migrate(&store.pool).await.unwrap();
        check_schema(&store.pool).await.unwrap();
        assert_eq!(rows::texts(&store.pool, CATALOGUE).await, before);
    }
}

#[tokio::test]
async fn every_table_view_and_column_says_what_it_is() {
    let store = TestStore::start().await;
    let tables = "SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
            AND relname <> '_sqlx_migrations' AND obj_description(oid, 'pg_class') IS NULL";
    let columns = "SELECT format('%s.%s', c.relname, a.attname)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND c.relname <> '_sqlx_migrations' AND a.attnum > 0 AND NOT a.attisdropped
            AND col_description(c.oid, a.attnum) IS NULL";
    for without_comment in [tables, columns] {
        assert_eq!(rows::texts(&store.pool, without_comment).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_empty_database_is_behind_until_it_is_migrated() {
    let store = TestStore::start().await;
    rows::change(&store.pool, "CREATE DATABASE empty").await;
    let empty = connect(&store.servers.postgres.url("empty"), 2).unwrap();
    let Err(Error::SchemaBehind { found: 0, needed }) = check_schema(&empty).await else {
        panic!("an empty database passed as migrated");
    };
    migrate(&empty).await.unwrap();
    check_schema(&empty).await.unwrap();

    rows::change(&empty, &format!("DELETE FROM _sqlx_migrations WHERE version = {needed}")).await;
    let behind = check_schema(&empty).await.unwrap_err();
    assert!(behind.to_string().contains("mis-sync migrate"), "{behind}");
}

#[tokio::test]
async fn a_release_that_is_rolled_back_to_works_on_the_newer_schema() {
    let store = TestStore::start().await;
    let of_newer = "INSERT INTO _sqlx_migrations
            (version, description, success, checksum, execution_time)
        VALUES (9999, 'of a newer release', true, '', 0)";
    rows::change(&store.pool, of_newer).await;
    assert_eq!(migrate(&store.pool).await.unwrap(), Schema::Newer);
    check_schema(&store.pool).await.unwrap();
}

#[tokio::test]
async fn schools_that_share_a_wonde_id_are_named_before_it_becomes_unique() {
    let store = TestStore::start().await;
    let pool = &store.pool;
    rows::migrate_down_to(pool, 13).await;
    rows::change(
        pool,
        "INSERT INTO school (id, name, wonde_school_id, wonde_token)
         VALUES ('oak', 'Oak', 'A1', 'x'), ('elm', 'Elm', 'A1', 'x'), ('fir', 'Fir', 'A1', NULL),
             ('ash', 'Ash', 'A2', 'x')",
    )
    .await;
    let refused = migrate(pool).await.unwrap_err().to_string();
    assert!(refused.contains("A1 has elm, oak") && !refused.contains("A2"), "{refused}");
    assert!(refused.contains("Disconnect all but one"), "{refused}");
    rows::change(pool, "UPDATE school SET wonde_token = NULL WHERE id = 'oak'").await;
    migrate(pool).await.unwrap();
}

#[tokio::test]
async fn what_waited_in_a_queue_of_its_own_is_a_job_after_the_upgrade_and_back_again() {
    let store = TestStore::start().await;
    let pool = &store.pool;
    store.school("oak").await;
    rows::migrate_down_to(pool, 24).await;
    for sql in [
        "INSERT INTO webhook_event (id, kind, body_hash, state, handled_at)
         SELECT gen_random_uuid(), 'accessRevoked', state::bytea, state,
             CASE WHEN state <> 'received' THEN now() END
         FROM (VALUES ('received'), ('applied')) s (state)",
        "INSERT INTO alert (id, school_id, kind, reason, detail)
         VALUES (gen_random_uuid(), 'oak', 'sync.failed', '', ''),
             (gen_random_uuid(), 'oak', 'sync.stale', '', '')",
        "INSERT INTO alert_message (id, alert_id, body, state)
         SELECT gen_random_uuid(), id, format('{\"type\": \"%s%s\"}', kind, suffix), state
         FROM alert, (VALUES ('', 'delivered'), ('.recovered', 'waiting')) m (suffix, state)
         WHERE kind = 'sync.failed'",
        "INSERT INTO bulk (id, action, filter, actor, total, finished_at)
         VALUES (gen_random_uuid(), 'cancel', '{}', 'opal', 1, NULL),
             (gen_random_uuid(), 'cancel', '{}', 'opal', 1, now())",
    ] {
        rows::change(pool, sql).await;
    }
    migrate(pool).await.unwrap();
    let jobs =
        "SELECT concat_ws(' ', kind, school_id, split_part(unique_key, ':', 3), requested_by,
            options ->> 'is_over')
        FROM job WHERE lane = 'internal' AND state = 'queued' ORDER BY kind";
    let found = rows::texts(pool, jobs).await;
    assert_eq!(
        found,
        ["act-on-jobs  opal", "handle-webhook  wonde", "send-alert oak over alerts true"]
    );
    let told = "SELECT kind FROM alert WHERE told";
    assert_eq!(rows::texts(pool, told).await, ["sync.failed"]);
    let mut readable = 0;
    while let Some(claimed) =
        jobs::claim_next(pool, Lane::Internal, "w", LONG, Duration::ZERO, Leaves::NOTHING)
            .await
            .unwrap()
    {
        readable += usize::from(match claimed.job.kind {
            JobKind::ActOnJobs => claimed.payload::<ActOnJobs>().is_some(),
            JobKind::HandleWebhook => claimed.payload::<HandleWebhook>().is_some(),
            _ => claimed.payload::<SendAlert>().is_some(),
        });
    }
    assert_eq!(readable, 3);

    rows::migrate_down_to(pool, 24).await;
    let waiting = "SELECT body::jsonb ->> 'type' FROM alert_message WHERE state = 'waiting'";
    assert_eq!(rows::texts(pool, waiting).await, ["sync.failed.recovered"]);
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() {
    let store = TestStore::start().await;
    revert_all_migrations(&store.pool).await.unwrap();
    let (first, second) = tokio::join!(migrate(&store.pool), migrate(&store.pool));
    first.unwrap();
    second.unwrap();
    check_schema(&store.pool).await.unwrap();
}

#[test]
fn the_fingerprint_is_a_short_text_that_stays() {
    assert_eq!(schema_fingerprint(), schema_fingerprint());
    assert_eq!(schema_fingerprint().len(), 16);
}

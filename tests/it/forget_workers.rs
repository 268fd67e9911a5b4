//! Workers that are long gone are no longer listed.

use mis_sync_testing::{TestApp, eventually};

use crate::rows::{execute, number};

#[tokio::test]
async fn a_worker_that_was_not_seen_for_days_is_forgotten() {
    let app = TestApp::start().await;
    execute(
        &app,
        "INSERT INTO worker (name, host, pid, version, lanes, seen_at)
         VALUES ('old', 'h', 1, '0', '{}', now() - interval '2 days')",
    )
    .await;
    execute(
        &app,
        "INSERT INTO job (id, kind, lane, unique_key, requested_by, max_attempts, deadline_at)
         VALUES (gen_random_uuid(), 'forget-workers', 'internal', 'test', 'test', 5,
             now() + interval '1 hour')",
    )
    .await;
    let old = "SELECT count(*) FROM worker WHERE name = 'old'";
    eventually("it is forgotten", async || (number(&app, old).await == 0).then_some(())).await;
}

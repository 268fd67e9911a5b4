//! A ledger full of finished jobs costs the unfinished ones nothing.

use std::time::Duration;

use mis_sync_domain::Lane;
use mis_sync_store::{Pool, connect, figures, jobs};
use mis_sync_testing::eventually;

use crate::{
    fixture::{LONG, TestStore, new_sync},
    rows,
};

const FINISHED: &str = "
    INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, state, attempt,
        max_attempts, deadline_at, finished_at, created_at, delivered_at)
    SELECT ('01000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'sync-school', 'bulk',
        'oak', 'old', 'test', 'succeeded', 1, 5,
        now() - interval '1 day', now() - interval '1 day', now() - interval '2 days',
        now() - interval '2 days'
    FROM generate_series(1, 200000) n";

/// Scans of the whole ledger, and rows of it read through indexes.
#[derive(Clone, Copy)]
pub(crate) struct Reads {
    pub(crate) scans: i64,
    pub(crate) rows: i64,
}

impl Reads {
    /// All reads up to now, in a store that [counts](count_reads) them.
    pub(crate) async fn so_far(pool: &Pool) -> Self {
        // A session keeps its counts to itself for up to a second, unless it is told otherwise.
        rows::change(pool, "SELECT pg_stat_force_next_flush()").await;
        let of = |column| {
            format!("SELECT {column}::int8 FROM pg_stat_user_tables WHERE relname = 'job'")
        };
        let (scans, rows) = (of("seq_scan"), of("idx_tup_fetch"));
        Self { scans: rows::value(pool, &scans).await, rows: rows::value(pool, &rows).await }
    }

    /// The reads since then.
    pub(crate) async fn since(self, pool: &Pool) -> Self {
        let now = Self::so_far(pool).await;
        Self { scans: now.scans - self.scans, rows: now.rows - self.rows }
    }
}

/// From now on everything uses one session, so that its reads can be counted exactly.
pub(crate) async fn count_reads(store: &mut TestStore) {
    store.pool.close().await;
    store.pool = connect(&store.servers.database_url(), 1).unwrap();
    rows::change(&store.pool, "SET max_parallel_workers_per_gather = 0").await;
    let others = "SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("the other sessions are over, and counted", async || {
        (rows::value::<i64>(&store.pool, others).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_step_of_the_ledger_reads_finished_jobs() {
    let mut store = TestStore::start().await;
    count_reads(&mut store).await;
    let pool = &store.pool;
    let school = store.school("oak").await;
    rows::change(pool, FINISHED).await;
    // First as right after a bulk load, then with statistics.
    for analyzed in [false, true] {
        if analyzed {
            rows::change(pool, "ANALYZE job").await;
        }
        let job = store.enqueue(&school).await;
        let age = "UPDATE job SET delivered_at = now() - interval '1 day'";
        rows::change(pool, &format!("{age} WHERE id = '{job}'")).await;
        let before = Reads::so_far(pool).await;
        // Often enough for the generic plans of prepared statements too.
        for _ in 0..8 {
            jobs::fail_exhausted(pool).await.unwrap();
            jobs::take_due(pool, Duration::from_hours(2), 1000).await.unwrap();
            let claimed =
                jobs::claim(pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().unwrap();
            jobs::enqueue(pool, &new_sync(&school), None).await.unwrap();
            assert!(
                jobs::claim_next(
                    pool,
                    Lane::Bulk,
                    "w",
                    LONG,
                    Duration::ZERO,
                    jobs::Leaves::NOTHING
                )
                .await
                .unwrap()
                .is_none()
            );
            jobs::heartbeat(pool, claimed.lease, LONG).await.unwrap();
            jobs::release(pool, claimed.lease).await.unwrap();
            let claimed = jobs::claim_next(
                pool,
                Lane::Bulk,
                "w",
                LONG,
                Duration::ZERO,
                jobs::Leaves::NOTHING,
            )
            .await
            .unwrap()
            .unwrap();
            jobs::release(pool, claimed.lease).await.unwrap();
        }
        let Reads { scans, rows } = before.since(pool).await;
        assert_eq!(scans, 0, "a step scanned the whole table; analyzed: {analyzed}");
        assert!(rows < 2000, "{rows} rows were read for one living job; analyzed: {analyzed}");
        rows::change(pool, &format!("DELETE FROM job WHERE id = '{job}'")).await;
    }
}

#[tokio::test]
async fn the_figures_read_no_history() {
    let mut store = TestStore::start().await;
    count_reads(&mut store).await;
    let pool = &store.pool;
    let school = store.school("oak").await;
    rows::change(pool, FINISHED).await;
    while figures::fill_periods(pool).await.unwrap() > 0 {}
    let job = store.enqueue(&school).await;
    store.claim(job).await;
    for analyzed in [false, true] {
        if analyzed {
            rows::change(pool, "ANALYZE job").await;
        }
        let before = Reads::so_far(pool).await;
        for _ in 0..8 {
            figures::read(pool).await.unwrap();
            figures::now(pool).await.unwrap();
        }
        let Reads { scans, rows } = before.since(pool).await;
        assert_eq!(scans, 0, "the whole table was scanned; analyzed: {analyzed}");
        assert!(rows < 2000, "{rows} rows were read for one living job; analyzed: {analyzed}");
    }
}

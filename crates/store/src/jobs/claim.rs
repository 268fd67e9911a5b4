use std::time::Duration;

use mis_sync_domain::{BackgroundJob, Job, JobId, JobKind, Lane, Lease};
use serde_json::Value;
use sqlx::PgPool;

use super::{
    enqueue::interval,
    row::{JobRow, query_jobs},
};
use crate::Error;

/// A job that this worker has to run.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub job: Job,
    /// The right to write its results.
    pub lease: Lease,
    /// How long the job waited from the request to this claim, if it is the first one.
    pub waited: Option<Duration>,
    /// The trace of the request that asked for the job.
    pub traceparent: Option<String>,
    options: Value,
}

impl Claimed {
    /// The payload of the job; `None` if its row is not of this kind.
    pub fn payload<J: BackgroundJob>(&self) -> Option<J> {
        J::of_row(&self.job, &self.options)
    }
}

/// What a claim leaves to other workers, or for later.
#[derive(Debug, Clone, Copy)]
pub struct Leaves<'a> {
    /// Jobs during which a worker died.
    pub suspects: bool,
    /// Jobs of these schools.
    pub schools: &'a [String],
}

impl Leaves<'_> {
    /// Takes everything that is due.
    pub const NOTHING: Self = Leaves { suspects: false, schools: &[] };
}

/// The names of the kinds that this release can run.
pub(super) fn known_kinds() -> Vec<String> {
    JobKind::KNOWN.iter().map(ToString::to_string).collect()
}

/// Claims at most one job that is due, in one statement. `$which` says among which jobs, `$order`
/// which of them comes first. `$1` is the worker, `$2` the lease, `$3` the known kinds, `$4` and
/// `$5` what is left to others; `$6` and further ones belong to `$which`. Rows that another claim
/// has locked are skipped, so parallel claims do not wait for each other.
macro_rules! claim_due {
    ($pool:expr, $worker:expr, $lease:expr, $leaves:expr,
     $which:tt $order:tt, $($argument:expr),+) => {
        query_jobs!(
            (r#"
            WITH due AS (
                SELECT id, state, fence FROM job
                -- A job that was running when its worker died pays with a crash, not with an attempt;
                -- however many attempts it has, five crashes are enough.
                WHERE CASE state WHEN 'running' THEN crashes + 1 ELSE attempt - crashes END
                        < least(max_attempts, CASE state WHEN 'running' THEN 5 END)
                    AND deadline_at > now()
                    -- What a newer release put there is left to its workers.
                    AND kind = ANY($3)
                    AND NOT ($4 AND (crashes > 0 OR state = 'running'))
                    AND coalesce(school_id <> ALL($5), true)
                    AND NOT is_paused(lane, school_id)
                    AND (state = 'queued'
                        OR (state = 'retrying' AND next_attempt_at <= now())
                        OR (state = 'running' AND lease_is_over(lease_until, lease_length))
                        OR (state = 'held' AND approved_at IS NOT NULL))
                    AND "# + $which + " " + $order + r#"
                FOR UPDATE SKIP LOCKED
            ), lost AS (
                UPDATE job_attempt a SET ended_at = now(), outcome = 'lost'
                FROM due WHERE due.state = 'running' AND a.job_id = due.id AND a.fence = due.fence
            ), claimed AS (
                UPDATE job SET state = 'running', attempt = attempt + 1,
                    crashes = crashes + (due.state = 'running')::int,
                    fence = nextval('job_fence'), worker = $1, lease_until = now() + $2, lease_length = $2,
                    next_attempt_at = NULL, started_at = coalesce(started_at, now()),
                    stage = 'fetching', progress_done = 0, progress_total = NULL
                FROM due WHERE job.id = due.id
                RETURNING job.*
            ), opened AS (
                INSERT INTO job_attempt (job_id, fence, attempt, worker)
                SELECT id, fence, attempt, worker FROM claimed
            )
            SELECT "#),
            " FROM claimed",
            $worker,
            interval($lease),
            &known_kinds(),
            $leaves.suspects,
            $leaves.schools,
            $($argument),+
        )
        .fetch_optional($pool)
        .await
    };
}

/// Claims a job if it is due: queued, retrying and due, held and approved, or running with an
/// expired lease. Returns `None` if another worker has it, it is not due, its lane or school is
/// paused, or it is left to others; then nothing is changed.
///
/// The attempt is counted here, before it runs, so that a job which kills its worker does not do so
/// for ever.
pub async fn claim(
    pool: &PgPool,
    id: JobId,
    worker: &str,
    lease: Duration,
    leaves: Leaves<'_>,
) -> Result<Option<Claimed>, Error> {
    into_claimed(claim_due!(pool, worker, lease, leaves, "id = $6" "", id.0)?, lease)
}

/// Claims the next due job of a lane without Redis: the sync that has waited longest, or the newest
/// login, because the person who logged in last is still waiting. Jobs that were delivered within
/// `patience` are left to Redis. This is how work continues while Redis does not deliver.
pub async fn claim_next(
    pool: &PgPool,
    lane: Lane,
    worker: &str,
    lease: Duration,
    patience: Duration,
    leaves: Leaves<'_>,
) -> Result<Option<Claimed>, Error> {
    let (name, patience) = (lane.as_str(), interval(patience));
    into_claimed(
        match lane {
            Lane::Bulk | Lane::Internal => claim_due!(
                pool, worker, lease, leaves,
                "lane = $6 AND delivered_at NOT BETWEEN now() - $7::interval AND now()"
                "ORDER BY id LIMIT 1",
                name, patience
            ),
            Lane::Interactive => claim_due!(
                pool, worker, lease, leaves,
                "lane = $6 AND delivered_at NOT BETWEEN now() - $7::interval AND now()"
                "ORDER BY id DESC LIMIT 1",
                name, patience
            ),
        }?,
        lease,
    )
}

fn into_claimed(row: Option<JobRow>, length: Duration) -> Result<Option<Claimed>, Error> {
    let Some(row) = row else { return Ok(None) };
    let fence = row.fence.expect("the claim has just drawn it");
    let lease = Lease { job_id: JobId(row.id), fence };
    let options = row.options.clone();
    let claimed_at = row.lease_until.map(|until| until - length);
    let is_first = row.started_at.is_some() && row.started_at == claimed_at;
    let waited = claimed_at.filter(|_| is_first).map(|at| at - row.created_at);
    let waited = waited.map(|waited| waited.to_std().unwrap_or_default());
    let traceparent = row.traceparent.clone();
    Ok(Some(Claimed { job: row.try_into()?, lease, waited, traceparent, options }))
}

/// Renews a lease. [`Error::LeaseLost`] means: stop at once, the job no longer belongs to this
/// worker.
pub async fn heartbeat(pool: &PgPool, lease: Lease, length: Duration) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        UPDATE job SET lease_until = now() + $3, lease_length = $3
        WHERE id = $1 AND fence = $2 AND state = 'running'
        "#,
        lease.job_id.0,
        lease.fence,
        interval(length),
    )
    .execute(pool)
    .await?;
    super::transitions::require_one(done.rows_affected())
}

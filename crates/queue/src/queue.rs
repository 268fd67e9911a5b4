use std::{collections::BTreeMap, time::Duration};

use mis_sync_domain::{Job, JobId, JobState, Lane};
use mis_sync_store::{Pool, fetches, jobs, pauses};
use mis_sync_telemetry::metrics;

use crate::{
    Ending, Enqueued, Error, Idempotency, NewJob, Redis, RedisError, RedisTrouble, endings::Endings,
};

/// How long a delivered job may wait before its id is delivered again, in case Redis lost it.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most jobs that one sweep delivers.
const SWEEP_LIMIT: i64 = 1000;

/// Why a sweep sends a job to Redis: its wait is over, its worker is gone, or no worker took it.
pub(crate) const REDELIVERY_REASONS: [&str; 3] = ["retry_due", "lease_expired", "not_taken"];

/// The ledger and its delivery.
#[derive(Debug, Clone)]
pub struct Queue {
    pool: Pool,
    redis: Redis,
    endings: Endings,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Ids that were delivered again.
    pub redelivered: usize,
    /// Jobs that may not start another attempt.
    pub failed: u64,
    /// Ids that Redis did not accept; workers find these jobs in the ledger.
    pub undelivered: usize,
    /// Jobs whose staged records were discarded.
    pub discarded: u64,
}

impl Queue {
    /// A queue with this ledger and this Redis.
    pub fn new(pool: Pool, redis: Redis) -> Self {
        Self { pool, redis, endings: Endings::default() }
    }

    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The Redis that delivers.
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Sets the gauges of the connections to Postgres and Redis to what they are now.
    pub fn observe(&self) {
        mis_sync_store::observe(&self.pool);
        let trouble = self.redis.trouble();
        metrics::REDIS_UP.set(metrics::NO_LABELS, if trouble.is_none() { 1.0 } else { 0.0 });
        for reason in RedisTrouble::ALL {
            let is_so = trouble == Some(*reason);
            metrics::REDIS_TROUBLE.set([reason.as_str()], if is_so { 1.0 } else { 0.0 });
        }
    }

    /// Adds a job to the ledger and its id to Redis, or finds the unfinished one.
    ///
    /// Once the row is there, the job is accepted. It is not an error if Redis is away: the sweeper
    /// delivers the id later.
    pub async fn enqueue(
        &self,
        new: &NewJob,
        idempotency: Option<&Idempotency>,
    ) -> Result<Enqueued, Error> {
        let enqueued = jobs::enqueue(&self.pool, new, idempotency).await?;
        if let Enqueued::New(job) = &enqueued {
            self.deliver_new(job).await;
        }
        Ok(enqueued)
    }

    /// Delivers a job that is in the ledger. If Redis is away, the sweeper does it later.
    pub async fn deliver_new(&self, job: &Job) {
        if let Err(error) = self.redis.push(job.lane, &[job.id]).await {
            tracing::debug!(job.id = %job.id, %error, "accepted; a worker finds it in the ledger");
        }
    }

    /// Listens for the end of an attempt at a job. Earlier ends are not heard, so read the ledger
    /// once after this.
    pub fn ending(&self, id: JobId) -> Ending {
        self.endings.listen(&self.redis, id)
    }

    /// Wakes all requests that wait for this job, in all processes. A lost wake-up only costs time.
    pub(crate) async fn announce_end(&self, id: JobId) {
        if let Err(error) = self.redis.publish_end(id).await {
            tracing::debug!(job.id = %id, %error, "no request was woken");
        }
    }

    /// Delivers one job again, after a worker handed it back.
    pub(crate) async fn deliver(&self, lane: Lane, id: JobId) -> Result<(), RedisError> {
        self.redis.push(lane, &[id]).await
    }

    /// Ends the pauses whose time has come, sends every job that should be running to Redis again,
    /// ends the exhausted ones, and discards what dead runs staged. Every worker does this
    /// continuously. It is not an error if Redis does not accept an id: workers ask the ledger for it.
    pub async fn redeliver_due(&self) -> Result<Swept, Error> {
        // First, because deadlines stand still while a pause lasts.
        pauses::end_due(&self.pool).await?;
        let failed = jobs::fail_exhausted(&self.pool).await?;
        let discarded = fetches::discard_leftovers(&self.pool).await?;
        let mut swept = Swept { failed, discarded, ..Swept::default() };
        if self.redis.trouble().is_some() {
            // They stay as they are, and are delivered as soon as Redis is back.
            return Ok(swept);
        }
        let due = jobs::take_due(&self.pool, PATIENCE, SWEEP_LIMIT).await?;
        let mut by_lane: BTreeMap<&str, (Lane, Vec<JobId>)> = BTreeMap::new();
        for job in &due {
            let [retry_due, lease_expired, not_taken] = REDELIVERY_REASONS;
            let reason = match job.state {
                JobState::Retrying => retry_due,
                JobState::Running => lease_expired,
                _ => not_taken,
            };
            metrics::JOBS_REDELIVERED.add([reason], 1);
            by_lane.entry(job.lane.as_str()).or_insert((job.lane, Vec::new())).1.push(job.id);
        }
        for (lane, ids) in by_lane.into_values() {
            match self.redis.push(lane, &ids).await {
                Ok(()) => swept.redelivered += ids.len(),
                Err(error) => {
                    tracing::debug!(%error, %lane, "not delivered; workers ask the ledger");
                    swept.undelivered += ids.len();
                }
            }
        }
        Ok(swept)
    }
}

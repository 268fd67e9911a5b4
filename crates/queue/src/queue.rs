use std::{collections::BTreeMap, time::Duration};

use mis_sync_domain::{Job, JobId, Lane};
use mis_sync_store::{Pool, fetches, jobs};

use crate::{Ending, Enqueued, Error, Idempotency, NewJob, Redis, RedisError, endings::Endings};

/// How long a delivered job may wait before its id is delivered again, in case Redis lost it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many jobs one sweep delivers at the most.
const SWEEP_LIMIT: i64 = 1000;

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
    /// Ids delivered again.
    pub redelivered: usize,
    /// Jobs that may not start another attempt.
    pub failed: u64,
    /// Ids that Redis did not take; workers find these jobs in the ledger.
    pub undelivered: usize,
    /// Jobs whose staged records were thrown away.
    pub discarded: u64,
}

impl Queue {
    /// A queue over this ledger and this Redis.
    pub fn new(pool: Pool, redis: Redis) -> Self {
        Self { pool, redis, endings: Endings::default() }
    }

    /// The ledger's database.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The Redis that delivers.
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Puts a job in the ledger and its id on Redis, or finds the unfinished one.
    ///
    /// Once the row is there the job is accepted: that Redis is away is no error, the
    /// sweeper delivers it later.
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

    /// Delivers a job that the ledger has; if Redis is away, the sweeper does it later.
    pub async fn deliver_new(&self, job: &Job) {
        if let Err(error) = self.redis.push(job.lane, &[job.id]).await {
            tracing::debug!(job.id = %job.id, %error, "accepted; a worker finds it in the ledger");
        }
    }

    /// Listens for the end of an attempt at a job. What ended before is not heard: look into the
    /// ledger once after this.
    pub fn ending(&self, id: JobId) -> Ending {
        self.endings.listen(&self.redis, id)
    }

    /// Wakes whoever waits for this job, in all processes. A wake-up that gets lost costs them
    /// their patience, and nothing else.
    pub(crate) async fn announce_end(&self, id: JobId) {
        if let Err(error) = self.redis.publish_end(id).await {
            tracing::debug!(job.id = %id, %error, "nobody was woken");
        }
    }

    /// Delivers one job again, after a worker handed it back.
    pub(crate) async fn deliver(&self, lane: Lane, id: JobId) -> Result<(), RedisError> {
        self.redis.push(lane, &[id]).await
    }

    /// Puts every job that should be running back on Redis, ends the exhausted ones, and
    /// throws away what dead runs staged. Every worker does this all the time. What Redis does
    /// not take is no error: workers ask the ledger for it.
    pub async fn redeliver_due(&self) -> Result<Swept, Error> {
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

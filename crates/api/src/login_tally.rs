//! Counts how logins are answered. A login never waits for the count: it is written to the database
//! every two seconds.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use mis_sync_domain::Clock;
use mis_sync_store::{
    Pool,
    login_minutes::{self, LoginCount, WITHIN_MS},
};
use tokio_util::sync::CancellationToken;

use crate::views::LoginOutcome;

const FLUSH: Duration = Duration::from_secs(2);

/// Numbers of logins by minute, outcome and time.
type Counts = HashMap<(DateTime<Utc>, LoginOutcome, i32), i64>;

/// Logins that are counted and not written yet.
#[derive(Debug, Default)]
pub(crate) struct LoginTally(Mutex<Counts>);

impl LoginTally {
    /// Counts one login.
    pub(crate) fn count(&self, outcome: LoginOutcome, took: Duration) {
        let minute = TimeDelta::minutes(1);
        let now = Clock::system().now();
        let took = i32::try_from(took.as_millis()).unwrap_or(i32::MAX);
        let within = WITHIN_MS.into_iter().find(|limit| took <= *limit);
        let within = within.unwrap_or(WITHIN_MS[WITHIN_MS.len() - 1]);
        let key = (now.duration_trunc(minute).unwrap_or(now), outcome, within);
        *self.counts().entry(key).or_default() += 1;
    }

    /// Writes what is counted, again and again until `stop`, and a last time then.
    pub(crate) async fn write_until(&self, pool: &Pool, stop: CancellationToken) {
        let mut tick = tokio::time::interval(FLUSH);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            self.write(pool).await;
        }
        self.write(pool).await;
    }

    /// If the database is away, the counts are kept for the next time.
    async fn write(&self, pool: &Pool) {
        let counts = std::mem::take(&mut *self.counts());
        if counts.is_empty() {
            return;
        }
        let row = |(&(minute, outcome, within_ms), &logins): (&_, &_)| LoginCount {
            minute,
            outcome: LoginOutcome::as_str(outcome).to_owned(),
            within_ms,
            logins,
        };
        let rows: Vec<LoginCount> = counts.iter().map(row).collect();
        if let Err(error) = login_minutes::add(pool, &rows).await {
            tracing::debug!(%error, "counted logins wait for the database");
            let mut later = self.counts();
            for (key, logins) in counts {
                *later.entry(key).or_default() += logins;
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

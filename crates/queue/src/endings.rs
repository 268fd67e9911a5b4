//! Wake-ups: a request that waits for a job learns at once that an attempt at it has ended.
//!
//! A worker publishes the id on one Redis channel. Each process that waits has one subscription,
//! made at its first wait, which wakes the requests that wait for that id. A wake-up only says that
//! it is worth reading the ledger. It may get lost, and while there is no subscription, waiting
//! requests read the ledger repeatedly, but slowly.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use mis_sync_domain::JobId;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Redis, RedisError};

/// The time between two reads of the ledger while there are no wake-ups.
const POLL: Duration = Duration::from_millis(200);
/// The time between two attempts to subscribe.
const PAUSE: Duration = Duration::from_secs(1);
/// The time between two checks that the other side is still there.
const PING: Duration = Duration::from_secs(2);

/// The waiting requests of this process. Clones share them, and the subscription ends with the
/// last.
#[derive(Debug, Clone)]
pub(crate) struct Endings(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Arc<Waiting>,
    start: Once,
    stop: CancellationToken,
    _stop: DropGuard,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Whether wake-ups can come.
    subscribed: AtomicBool,
    by_job: Mutex<HashMap<JobId, watch::Sender<()>>>,
}

impl Default for Endings {
    fn default() -> Self {
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let waiting = Arc::default();
        Self(Arc::new(Shared { waiting, start: Once::new(), stop, _stop: guard }))
    }
}

impl Endings {
    /// Listens for the end of an attempt at a job. Earlier ends are not heard, so read the ledger
    /// once after this.
    pub(crate) fn listen(&self, redis: &Redis, id: JobId) -> Ending {
        let Shared { waiting, start, stop, .. } = &*self.0;
        start.call_once(|| {
            let (redis, waiting, stop) = (redis.clone(), Arc::clone(waiting), stop.clone());
            tokio::spawn(async move {
                stop.run_until_cancelled(subscribe_for_ever(&redis, &waiting)).await;
            });
        });
        Ending::enter(waiting, id)
    }
}

impl Waiting {
    fn wake(&self, id: JobId) {
        if let Some(waiting) = self.lock().get(&id) {
            waiting.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, watch::Sender<()>>> {
        self.by_job.lock().expect("no code panics while it is locked")
    }
}

/// The next end of an attempt at one job.
#[derive(Debug)]
pub struct Ending {
    id: JobId,
    woken: watch::Receiver<()>,
    waiting: Arc<Waiting>,
}

impl Ending {
    fn enter(waiting: &Arc<Waiting>, id: JobId) -> Self {
        let woken = waiting.lock().entry(id).or_default().subscribe();
        Self { id, woken, waiting: Arc::clone(waiting) }
    }

    /// Waits until it is worth reading the ledger: an attempt has ended, or it is not known whether
    /// one has.
    pub async fn heard(&mut self) {
        loop {
            let woken = tokio::time::timeout(POLL, self.woken.changed()).await;
            if woken.is_ok() || !self.waiting.subscribed.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut by_job = self.waiting.lock();
        // Only this one is left.
        if by_job.get(&self.id).is_some_and(|waiting| waiting.receiver_count() == 1) {
            by_job.remove(&self.id);
        }
    }
}

async fn subscribe_for_ever(redis: &Redis, waiting: &Waiting) {
    loop {
        let ended = subscribe(redis, waiting).await;
        waiting.subscribed.store(false, Ordering::Relaxed);
        match ended {
            Ok(()) => tracing::debug!("the subscription to ends of jobs broke"),
            Err(error) => tracing::debug!(%error, "no wake-ups: those who wait ask the ledger"),
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a server that is away has no event to await"
        )]
        tokio::time::sleep(PAUSE).await;
    }
}

async fn subscribe(redis: &Redis, waiting: &Waiting) -> Result<(), RedisError> {
    let mut subscription = redis.endings().await?;
    let mut lost = pin!(subscription.lost());
    let mut ping = tokio::time::interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    waiting.subscribed.store(true, Ordering::Relaxed);
    loop {
        let message = tokio::select! {
            message = subscription.messages.next() => message,
            () = &mut lost => return Ok(()),
            _ = ping.tick() => {
                subscription.ping().await?;
                continue;
            }
        };
        let Some(message) = message else { return Ok(()) };
        let id = message.get_payload::<String>().ok().and_then(|text| text.parse().ok());
        if let Some(id) = id {
            waiting.wake(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken_and_nothing_is_left_behind() {
        let waiting = Arc::new(Waiting::default());
        waiting.subscribed.store(true, Ordering::Relaxed);
        let (id, other) = (JobId::new(), JobId::new());
        let ending = |id| Ending::enter(&waiting, id);
        let (mut first, mut second, mut stranger) = (ending(id), ending(id), ending(other));
        waiting.wake(id);
        tokio::join!(first.heard(), second.heard());
        assert!(tokio::time::timeout(POLL * 2, stranger.heard()).await.is_err(), "not its job");
        drop((first, second, stranger));
        assert!(waiting.lock().is_empty());
    }

    #[tokio::test]
    async fn without_a_subscription_one_looks_now_and_then() {
        let waiting = Arc::new(Waiting::default());
        Ending::enter(&waiting, JobId::new()).heard().await;
    }
}

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// So many processes share a limit as long as nobody has said how many there are.
const UNKNOWN: u32 = 4;

/// The limits of one process for the time without Redis, by the same arithmetic: each process
/// keeps to its part, because it cannot know what the others do.
#[derive(Debug)]
pub(crate) struct Alone {
    processes: AtomicU32,
    keys: Mutex<HashMap<String, Slot>>,
}

/// How fast the calls of one key may come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// From one call to the next.
    pub(crate) interval: Duration,
    /// How far ahead of the even pace a burst may run.
    pub(crate) tolerance: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// When the next call would come at an even pace.
    arrival: Instant,
    /// Until then nobody calls.
    paused_until: Instant,
}

impl Default for Alone {
    fn default() -> Self {
        Self { processes: AtomicU32::new(UNKNOWN), keys: Mutex::default() }
    }
}

impl Alone {
    pub(crate) fn share_among(&self, processes: u32) {
        self.processes.store(processes.max(1), Ordering::Relaxed);
    }

    /// Reserves the next free slot and says how long to wait for it. `Err`: that would be longer
    /// than the longest wait; nothing is reserved.
    pub(crate) fn reserve(
        &self,
        now: Instant,
        key: &str,
        pace: Pace,
        longest: Duration,
    ) -> Result<Duration, Duration> {
        let processes = self.processes.load(Ordering::Relaxed);
        let (interval, tolerance) = (pace.interval * processes, pace.tolerance * processes);
        let mut keys = self.lock();
        let slot = slot_of(&mut keys, key, now);
        // Waiting because one was asked to earns no burst.
        let paused = slot.paused_until > now;
        let earliest = if paused { slot.paused_until + tolerance } else { now };
        let arrival = slot.arrival.max(earliest);
        let wait = (arrival - now).saturating_sub(tolerance);
        if wait > longest {
            return Err(wait);
        }
        slot.arrival = arrival + interval;
        Ok(wait)
    }

    /// Notes a slot that was reserved in Redis.
    pub(crate) fn hold(&self, now: Instant, key: &str, until_the_next: Duration) {
        let mut keys = self.lock();
        let slot = slot_of(&mut keys, key, now);
        slot.arrival = slot.arrival.max(now + until_the_next);
    }

    /// Lets nobody call for so long.
    pub(crate) fn pause(&self, now: Instant, key: &str, length: Duration) {
        let mut keys = self.lock();
        let slot = slot_of(&mut keys, key, now);
        slot.paused_until = slot.paused_until.max(now + length);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.keys.lock().expect("nobody panics with this lock")
    }
}

/// The slot of a key, made if it is new. Those whose times are over are forgotten on the way.
fn slot_of<'a>(keys: &'a mut HashMap<String, Slot>, key: &str, now: Instant) -> &'a mut Slot {
    if !keys.contains_key(key) {
        keys.retain(|_, slot| slot.arrival > now || slot.paused_until > now);
        keys.insert(key.to_owned(), Slot { arrival: now, paused_until: now });
    }
    keys.get_mut(key).expect("it was made if it was not there")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1);

    /// Seconds that calls wait which all come now.
    fn waits(alone: &Alone, now: Instant, key: &str, burst: u32, calls: u32) -> Vec<u64> {
        let pace = Pace { interval: INTERVAL, tolerance: INTERVAL * (burst - 1) };
        let reserve = |_| alone.reserve(now, key, pace, Duration::from_hours(1)).unwrap();
        (0..calls).map(reserve).map(|wait| wait.as_secs()).collect()
    }

    #[test]
    fn calls_are_as_far_apart_as_processes_share_the_limit() {
        let (alone, now) = (Alone::default(), Instant::now());
        assert_eq!(waits(&alone, now, "one", 1, 3), [0, 4, 8], "carefully, until it is known");
        alone.share_among(2);
        assert_eq!(waits(&alone, now, "two", 3, 5), [0, 0, 0, 2, 4]);
        alone.share_among(0);
        assert_eq!(waits(&alone, now, "three", 1, 3), [0, 1, 2]);
    }

    #[test]
    fn after_a_pause_nobody_bursts_and_who_would_wait_too_long_takes_no_place() {
        let (alone, now) = (Alone::default(), Instant::now());
        alone.share_among(1);
        alone.pause(now, "one", Duration::from_secs(10));
        alone.pause(now, "one", Duration::from_secs(1));
        let pace = Pace { interval: INTERVAL, tolerance: INTERVAL };
        let refused = alone.reserve(now, "one", pace, Duration::from_secs(5));
        assert_eq!(refused, Err(Duration::from_secs(10)));
        assert_eq!(waits(&alone, now, "one", 2, 3), [10, 11, 12]);
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let (alone, now) = (Alone::default(), Instant::now());
        for key in 0..1000 {
            alone.hold(now, &key.to_string(), INTERVAL);
        }
        alone.hold(now + INTERVAL * 2, "new", INTERVAL);
        assert_eq!(alone.lock().len(), 1);
    }
}

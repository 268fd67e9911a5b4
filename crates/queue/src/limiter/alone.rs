use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use mis_sync_store::workers::Place;
use tokio::time::Instant;

use super::{FRESH, RateLimit, WINDOW};

/// The limits of one process for the time without Redis. Each process uses only its share, because
/// it cannot know what the others do.
///
/// It uses none of it for a window after Redis was lost, because what Redis granted counts as well.
/// Nor does it before it has learnt how many processes there are.
#[derive(Debug, Default)]
pub(crate) struct Alone(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The processes that share the limits, and when this was learnt.
    place: Option<(Place, Instant)>,
    /// When the first of the failed calls to Redis was made; `None` if the last one succeeded.
    lost_at: Option<Instant>,
    /// When a call was last granted that Redis does not know of.
    let_out_at: Option<Instant>,
    /// The time since when Redis knows of every call, as it last said.
    known_since: Option<i64>,
    keys: HashMap<String, Window>,
}

/// The use of one key.
#[derive(Debug, Default)]
struct Window {
    /// The oldest first.
    calls: VecDeque<Call>,
    /// Until then no call is made.
    paused_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Call {
    at: Instant,
    is_of_sync: bool,
}

impl Alone {
    /// Tells this process its place among those that share the limits.
    pub(crate) fn share(&self, now: Instant, place: Place) {
        self.lock().place = Some((place, now));
    }

    /// Records that Redis did not answer, or not correctly.
    pub(crate) fn lost_redis(&self, now: Instant) {
        self.lock().lost_at.get_or_insert(now);
    }

    /// Records that Redis answered, and whether it now knows that calls were granted without it.
    pub(crate) fn has_redis(&self, is_told: bool) {
        let mut state = self.lock();
        state.lost_at = None;
        if is_told {
            state.let_out_at = None;
        }
    }

    /// Whether calls in the last window were granted that Redis does not know of.
    pub(crate) fn has_let_out(&self, now: Instant) -> bool {
        self.lock().let_out_at.is_some_and(|at| now < at + WINDOW)
    }

    /// Whether Redis has said this for the first time.
    pub(crate) fn is_news(&self, known_since: i64) -> bool {
        self.lock().known_since.replace(known_since) != Some(known_since)
    }

    /// Blocks calls for this long.
    pub(crate) fn pause(&self, now: Instant, key: &str, length: Duration) {
        let mut state = self.lock();
        let paused_until = &mut state.window(now, key).paused_until;
        *paused_until = (*paused_until).max(Some(now + length));
    }

    /// Whether there is room for a call, or how long to wait before asking again.
    pub(crate) fn room(&self, now: Instant, key: &str, limit: RateLimit) -> Result<(), Duration> {
        self.lock().room(now, key, limit)
    }

    /// Grants a call if there is room for it.
    pub(crate) fn take(&self, now: Instant, key: &str, limit: RateLimit) -> Result<(), Duration> {
        let mut state = self.lock();
        state.room(now, key, limit)?;
        let is_of_sync = limit.kept_for_logins > 0;
        state.window(now, key).calls.push_back(Call { at: now, is_of_sync });
        state.let_out_at = Some(now);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it is locked")
    }
}

impl State {
    fn room(&mut self, now: Instant, key: &str, limit: RateLimit) -> Result<(), Duration> {
        let spent_until = *self.lost_at.get_or_insert(now) + WINDOW;
        let Some((place, told_at)) = self.place else { return Err(WINDOW) };
        let processes = place.present.max(1);
        let window = self.window(now, key);
        let open_at = spent_until.max(window.paused_until.unwrap_or(now));
        if open_at > now {
            return Err(open_at - now);
        }
        let share = limit.per_second.get() / processes;
        if share == 0 {
            let clock = place.clock + (now - told_at);
            return window.is_moment(now, clock, place.before, (processes, limit));
        }
        window.forget(now - WINDOW);
        let kept = part(limit, share);
        let of_syncs = window.calls.iter().filter(|call| call.is_of_sync);
        let room = room(window.calls.iter(), share).max(match limit.kept_for_logins {
            0 => None,
            _ => room(of_syncs, share - kept),
        });
        room.map_or(Ok(()), |at| Err(at - now))
    }

    /// The window of a key, which is created if it is new. Old windows are deleted at the same
    /// time.
    fn window(&mut self, now: Instant, key: &str) -> &mut Window {
        if !self.keys.contains_key(key) {
            self.keys.retain(|_, window| window.is_of_use(now));
            self.keys.insert(key.to_owned(), Window::default());
        }
        self.keys.get_mut(key).expect("it was made if it was not there")
    }
}

impl Window {
    /// If more processes share the limit than it has calls, each has its own moment, by the clock
    /// of the ledger. A window has as many of these moments as the limit has calls.
    fn is_moment(
        &mut self,
        now: Instant,
        clock: Duration,
        place: u32,
        (processes, limit): (u32, RateLimit),
    ) -> Result<(), Duration> {
        let apart = WINDOW / limit.per_second.get();
        let (round, mine) = (apart * processes, apart * (place % processes));
        let late = (clock + round).saturating_sub(mine).as_nanos() % round.as_nanos();
        let late = Duration::from_nanos(u64::try_from(late).unwrap_or(u64::MAX));
        self.forget(now - round / 2);
        let is_mine = late <= FRESH && self.calls.is_empty();
        if is_mine { Ok(()) } else { Err(round.saturating_sub(late)) }
    }

    fn forget(&mut self, before: Instant) {
        while self.calls.front().is_some_and(|call| call.at <= before) {
            self.calls.pop_front();
        }
    }

    fn is_of_use(&self, now: Instant) -> bool {
        let is_new = |call: &Call| now < call.at + WINDOW;
        self.calls.back().is_some_and(is_new) || self.paused_until.is_some_and(|until| until > now)
    }
}

/// When there is room among these calls for one more; `None` if there is room now.
fn room<'a>(calls: impl DoubleEndedIterator<Item = &'a Call>, most: u32) -> Option<Instant> {
    calls.rev().nth(most as usize - 1).map(|call| call.at + WINDOW)
}

/// The part of one process' share that is reserved for logins: the same percentage as of the whole,
/// and at least one, unless the share is one.
fn part(limit: RateLimit, share: u32) -> u32 {
    let (kept, all) = (u64::from(limit.kept_for_logins), u64::from(limit.per_second.get()));
    let part = u32::try_from(kept * u64::from(share) / all).unwrap_or(share);
    part.max(u32::from(kept > 0 && share > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(per_second: u32, kept_for_logins: u32) -> RateLimit {
        let per_second = per_second.try_into().unwrap();
        RateLimit { per_second, kept_for_logins, longest_wait: SECOND }
    }

    fn place(present: u32, before: u32) -> Place {
        Place { present, before, clock: Duration::from_hours(500_000) }
    }

    /// A process that lost Redis a window ago.
    fn among(present: u32, before: u32, now: Instant) -> Alone {
        let alone = Alone::default();
        alone.share(now, place(present, before));
        alone.lost_redis(now - WINDOW);
        alone
    }

    /// How many calls are granted at one time.
    fn calls(alone: &Alone, now: Instant, limit: RateLimit) -> usize {
        (0..100).take_while(|_| alone.take(now, "one", limit).is_ok()).count()
    }

    #[test]
    fn each_process_has_its_part_of_a_window_and_logins_theirs_of_that() {
        let now = Instant::now() + WINDOW;
        for (present, whole, of_syncs) in [(1, 20, 14), (0, 20, 14), (8, 2, 1), (20, 1, 1)] {
            assert_eq!(calls(&among(present, 0, now), now, limit(20, 0)), whole, "{present}");
            let alone = among(present, 0, now);
            assert_eq!(calls(&alone, now, limit(20, 6)), of_syncs, "{present}");
            assert_eq!(calls(&alone, now, limit(20, 0)), whole - of_syncs, "{present}");
            let wait = alone.room(now + WINDOW / 2, "one", limit(20, 0));
            assert_eq!(wait, Err(WINDOW / 2), "{present}");
            assert_eq!(calls(&alone, now + WINDOW, limit(20, 0)), whole, "{present}");
        }
    }

    #[test]
    fn nothing_is_let_out_for_a_window_after_redis_was_lost_nor_by_who_knows_no_others() {
        let (alone, now) = (Alone::default(), Instant::now());
        assert_eq!(alone.room(now, "one", limit(20, 0)), Err(WINDOW));
        assert_eq!(alone.room(now + WINDOW, "one", limit(20, 0)), Err(WINDOW), "untold");
        alone.share(now, place(2, 0));
        assert_eq!(alone.room(now + WINDOW, "one", limit(20, 0)), Ok(()));
        alone.has_redis(false);
        alone.lost_redis(now + WINDOW);
        alone.lost_redis(now + SECOND * 2);
        assert_eq!(alone.room(now + WINDOW, "one", limit(20, 0)), Err(WINDOW), "lost again");
        assert!(!alone.has_let_out(now + WINDOW));
        alone.take(now + WINDOW * 2, "one", limit(20, 0)).unwrap();
        assert!(alone.has_let_out(now + WINDOW * 2));
        alone.has_redis(true);
        assert!(!alone.has_let_out(now + WINDOW * 2), "Redis knows now");
    }

    #[test]
    fn more_processes_than_calls_take_turns() {
        let start = Instant::now() + WINDOW;
        let processes: Vec<Alone> = (0..12).map(|n| among(12, n, start)).collect();
        let mut times = Vec::new();
        for ms in 0..10_000 {
            let now = start + Duration::from_millis(ms);
            for alone in &processes {
                times.extend(alone.take(now, "one", limit(5, 2)).ok().map(|()| now));
            }
        }
        assert!(times.windows(6).all(|six| six[5] - six[0] >= SECOND), "{times:?}");
        assert!(times.len() >= 5 * 8, "and nearly the whole limit is used: {}", times.len());
        let wait = processes[0].room(start, "two", limit(5, 0)).err().unwrap_or_default();
        assert!(wait < WINDOW * 12 / 5, "each has its turn: {wait:?}");
    }

    #[test]
    fn the_longer_pause_counts_and_what_is_over_is_forgotten() {
        let now = Instant::now() + WINDOW;
        let alone = among(1, 0, now);
        alone.pause(now, "one", SECOND * 10);
        alone.pause(now, "one", SECOND);
        assert_eq!(alone.room(now, "one", limit(20, 0)), Err(SECOND * 10));
        for key in 0..1000 {
            alone.take(now, &key.to_string(), limit(20, 0)).unwrap();
        }
        alone.room(now + SECOND * 10, "new", limit(20, 0)).unwrap();
        assert_eq!(alone.lock().keys.len(), 1);
    }
}

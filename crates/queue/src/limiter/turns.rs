use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard},
    time::timeout,
};

/// The calls of one process that wait for the same token, in order. Only the first asks Redis.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Arc<Line>>>);

#[derive(Debug, Default)]
struct Line {
    waiting: AtomicU32,
    turn: Arc<Turn<()>>,
}

/// A call that waits, or whose turn it is.
#[derive(Debug)]
struct Place(Arc<Line>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// It is the holder's turn until this is dropped.
#[derive(Debug)]
pub(super) struct MyTurn {
    _of: (Place, OwnedMutexGuard<()>),
}

impl Turns {
    /// Waits for a turn. `Err` if that takes longer than `longest`, or would, because of the calls
    /// before it, which are granted at best at `per_window` in each `window`.
    pub(super) async fn wait(
        &self,
        key: &str,
        longest: Duration,
        (per_window, window): (u32, Duration),
    ) -> Result<MyTurn, Duration> {
        let line = self.line(key);
        let before = line.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&line));
        let at_best = window * (before / per_window);
        if at_best > longest {
            return Err(at_best);
        }
        match timeout(longest, Arc::clone(&line.turn).lock_owned()).await {
            Ok(turn) => Ok(MyTurn { _of: (place, turn) }),
            // If no call is before it, its turn comes at once, however short its patience is.
            Err(_) => Err(at_best.max(window)),
        }
    }

    /// The line of a token, which is created if it is new. Empty lines are deleted at the same
    /// time.
    fn line(&self, key: &str) -> Arc<Line> {
        let mut lines = self.0.lock().expect("no code panics while it is locked");
        if let Some(line) = lines.get(key) {
            return Arc::clone(line);
        }
        lines.retain(|_, line| Arc::strong_count(line) > 1);
        Arc::clone(lines.entry(key.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn turns_come_in_order_and_who_would_wait_too_long_is_told_so() {
        let turns = Turns::default();
        let wait = |longest| turns.wait("one", longest, (2, WINDOW));
        let first = wait(Duration::ZERO).await.unwrap();
        let mut second = Box::pin(wait(WINDOW));
        assert!(second.as_mut().now_or_never().is_none(), "it is the first one's turn");
        let mut third = Box::pin(wait(WINDOW));
        assert!(third.as_mut().now_or_never().is_none());
        assert_eq!(wait(WINDOW / 2).await.unwrap_err(), WINDOW, "three are before");
        turns.wait("two", Duration::ZERO, (2, WINDOW)).await.unwrap();
        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "the second comes first");
        drop(second.await.unwrap());
        third.await.unwrap();
    }

    #[tokio::test]
    async fn lines_without_anybody_are_forgotten() {
        let turns = Turns::default();
        for key in 0..100 {
            turns.wait(&key.to_string(), WINDOW, (1, WINDOW)).await.unwrap();
        }
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}

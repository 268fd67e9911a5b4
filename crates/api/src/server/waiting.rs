use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::{Notify, futures::Notified};
use tokio_util::sync::CancellationToken;

/// The connections that wait for a request or for the rest of its head, longest first. They can be
/// closed without losing an answer.
#[derive(Default)]
pub(super) struct Waiting {
    connections: Mutex<Connections>,
    /// Notified when a connection begins to wait.
    begun: Notify,
}

#[derive(Default)]
struct Connections {
    last: u64,
    by_turn: BTreeMap<u64, CancellationToken>,
}

impl Waiting {
    /// The next time that a connection begins to wait.
    pub(super) fn begun(&self) -> Notified<'_> {
        self.begun.notified()
    }

    /// Tells the connection that has waited longest to close.
    pub(super) fn close_longest(&self) {
        if let Some((_, close)) = self.lock().by_turn.pop_first() {
            close.cancel();
        }
    }

    fn enter(&self, close: &CancellationToken) -> u64 {
        let mut connections = self.lock();
        connections.last += 1;
        let turn = connections.last;
        connections.by_turn.insert(turn, close.clone());
        drop(connections);
        self.begun.notify_waiters();
        turn
    }

    fn leave(&self, turn: u64) {
        self.lock().by_turn.remove(&turn);
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().expect("nothing panics while it holds this lock")
    }
}

/// One connection's place among those that wait.
pub(super) struct Turn {
    waiting: Arc<Waiting>,
    close: CancellationToken,
    held: Mutex<Option<u64>>,
}

impl Turn {
    pub(super) fn new(waiting: Arc<Waiting>) -> Self {
        Self { waiting, close: CancellationToken::new(), held: Mutex::default() }
    }

    /// The connection waits for a request from now on.
    pub(super) fn begin(&self) {
        self.replace(Some(self.waiting.enter(&self.close)));
    }

    /// The connection is handling a request.
    pub(super) fn end(&self) {
        self.replace(None);
    }

    /// Whether the connection waits for a request.
    pub(super) fn is_waiting(&self) -> bool {
        self.held().is_some()
    }

    /// Resolves when the connection has to make room for another.
    pub(super) async fn over(&self) {
        self.close.cancelled().await;
    }

    fn replace(&self, turn: Option<u64>) {
        if let Some(before) = std::mem::replace(&mut *self.held(), turn) {
            self.waiting.leave(before);
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<u64>> {
        self.held.lock().expect("nothing panics while it holds this lock")
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}

//! Detects a write whose connection is dead: a firewall forgot it, a cable was pulled, or a server
//! vanished. Its client waits for an answer that never comes, while the lease is renewed on another
//! connection and no other worker takes over. The ledger's server can tell this from a write that
//! takes long.

use std::time::{Duration, Instant};

use mis_sync_domain::Lease;
use mis_sync_store::{
    Pool, Writing,
    jobs::{self, Session},
};
use tokio::time::timeout;

/// No client takes this long from one statement of a transaction to the next.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(2);

/// Watches one attempt.
pub(crate) struct Silence {
    writing: Writing,
    patience: Duration,
    /// The transaction that was open when the server knew nothing about it.
    unknown: Option<Instant>,
}

impl Silence {
    pub(crate) fn new(writing: Writing, lease: Duration) -> Self {
        Self { writing, patience: (lease / 3).max(SHORTEST_PATIENCE), unknown: None }
    }

    /// Whether the attempt writes on a dead connection. The server is asked only if a transaction
    /// has been open for a while. If it does not know the transaction, it is asked twice, because
    /// the transaction may have just ended.
    pub(crate) async fn is_heard(&mut self, pool: &Pool, lease: Lease) -> bool {
        let Some(since) = self.writing.since() else { return false };
        if since.elapsed() < self.patience {
            return false;
        }
        let looked = jobs::end_silent_session(pool, lease, self.patience);
        match timeout(self.patience, looked).await {
            Ok(Ok(Session::AtWork)) => self.unknown = None,
            Ok(Ok(Session::Silent)) => return self.writing.since() == Some(since),
            Ok(Ok(Session::Absent)) => {
                let before = self.unknown.replace(since);
                return before == Some(since) && self.writing.since() == before;
            }
            Ok(Err(error)) => tracing::debug!(%error, "the server does not know the write"),
            Err(_) => tracing::debug!("the server does not say how the write is"),
        }
        false
    }
}

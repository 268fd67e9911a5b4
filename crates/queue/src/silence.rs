//! Knows a write whose connection died without a word: a firewall forgot it, a cable was pulled, a
//! server vanished. Its client waits for an answer that never comes, while the lease is renewed on
//! another connection and nobody takes over. The ledger's server tells the difference to a write
//! that takes long.

use std::time::{Duration, Instant};

use mis_sync_domain::Lease;
use mis_sync_store::{
    Pool, Writing,
    jobs::{self, Session},
};
use tokio::time::timeout;

/// No client takes so long from one statement of a transaction to the next.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(2);

/// Listens to one attempt.
pub(crate) struct Silence {
    writing: Writing,
    patience: Duration,
    /// The transaction that was open when the server knew nothing of it.
    unknown: Option<Instant>,
}

impl Silence {
    pub(crate) fn new(writing: Writing, lease: Duration) -> Self {
        Self { writing, patience: (lease / 3).max(SHORTEST_PATIENCE), unknown: None }
    }

    /// Whether the attempt writes on a connection that is dead. The server is asked only where a
    /// transaction is open for a while; one that it does not know is asked about twice, because it
    /// may have ended just now.
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
            Ok(Err(error)) => tracing::debug!(%error, "nobody knows how the write is"),
            Err(_) => tracing::debug!("nobody says how the write is"),
        }
        false
    }
}

//! The shared connection of a process, and whether it works.
//!
//! One task makes the connection, checks each second that Redis still accepts a write, and makes a
//! new one if it does not. All others only use what is there: while Redis is away, a call fails at
//! once instead of waiting, and only this task tries to connect.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use redis::RedisResult;
use tokio::{
    sync::watch,
    time::{Instant, interval_at, timeout, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    RedisError, RedisTrouble,
    server::{Connection, Server},
};

/// The time between two checks that Redis accepts a write.
const LOOK: Duration = Duration::from_secs(1);
/// How long such a check may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time between two attempts to reach a Redis that is away.
const RETRY: Duration = Duration::from_millis(500);
/// After this many checks, another Sentinel is asked whether the master has moved.
const LOOKS_PER_MASTER: u32 = 3;
/// The longest that an answer on the shared connection may take; most calls allow less.
const ANSWER: Duration = Duration::from_secs(2);

/// Clones share the connection; the task ends with the last.
#[derive(Clone)]
pub(super) struct Link(Arc<Inner>);

struct Inner {
    server: Server,
    /// The key that is written to check that writes are accepted.
    probe_key: String,
    state: watch::Sender<State>,
    start: Once,
    stop: CancellationToken,
    _stop: DropGuard,
}

/// What is known. At first that is nothing.
#[derive(Clone, Default)]
struct State {
    /// Increases with each new connection.
    generation: u64,
    /// It stays while Redis is in trouble but answers.
    connection: Option<Connection>,
    trouble: Option<RedisTrouble>,
}

impl State {
    fn is_known(&self) -> bool {
        self.connection.is_some() || self.trouble.is_some()
    }

    fn lets_pop(&self) -> bool {
        self.trouble.is_none_or(RedisTrouble::lets_pop)
    }
}

impl Link {
    pub(super) fn new(server: Server, probe_key: String) -> Self {
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let state = watch::Sender::new(State::default());
        Self(Arc::new(Inner { server, probe_key, state, start: Once::new(), stop, _stop: guard }))
    }

    /// Runs a command that may take this long, including the wait for a first connection. A failure
    /// that shows trouble is remembered, so the next call fails at once.
    pub(super) async fn call<T, F>(
        &self,
        longest: Duration,
        run: impl FnOnce(Connection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let deadline = Instant::now() + longest;
        let State { generation, connection, trouble } = self.known(deadline).await;
        let (None, Some(connection)) = (trouble, connection) else {
            return Err(RedisError::Away(trouble.unwrap_or(RedisTrouble::Away)));
        };
        let failed = match timeout_at(deadline, run(connection)).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => RedisError::Failed(error),
            Err(_) => RedisError::Away(RedisTrouble::Away),
        };
        let trouble = match &failed {
            RedisError::Failed(error) => RedisTrouble::of(error),
            other => Some(other.trouble()),
        };
        if let Some(trouble) = trouble {
            self.lose(generation, trouble);
        }
        Err(failed)
    }

    /// The connection, even if Redis accepts no writes.
    pub(super) async fn any_connection(&self, longest: Duration) -> Result<Connection, RedisError> {
        let State { connection, trouble, .. } = self.known(Instant::now() + longest).await;
        connection.ok_or(RedisError::Away(trouble.unwrap_or(RedisTrouble::Away)))
    }

    /// What is wrong with Redis, as far as it is known.
    pub(super) fn trouble(&self) -> Option<RedisTrouble> {
        self.start();
        self.0.state.borrow().trouble
    }

    /// The generation of the newest connection, if Redis answers. Other connections are made again
    /// together with the shared one, so that none stays with a server that is no longer the master.
    pub(super) async fn generation(&self, longest: Duration) -> Result<u64, RedisError> {
        let state = self.known(Instant::now() + longest).await;
        match state.trouble {
            Some(trouble) if !trouble.lets_pop() => Err(RedisError::Away(trouble)),
            _ => Ok(state.generation),
        }
    }

    /// Waits until a connection of this generation no longer works.
    pub(super) async fn lost(&self, generation: u64) {
        let is_lost = |state: &State| state.generation != generation || !state.lets_pop();
        let mut state = self.0.state.subscribe();
        let _closed_with_us = state.wait_for(is_lost).await;
    }

    async fn known(&self, deadline: Instant) -> State {
        self.start();
        let mut state = self.0.state.subscribe();
        if let Ok(Ok(state)) = timeout_at(deadline, state.wait_for(State::is_known)).await {
            return state.clone();
        }
        // The first connection takes time, and the next caller should not wait for it.
        self.0.state.send_if_modified(|state| {
            let is_slow = !state.is_known();
            if is_slow {
                state.trouble = Some(RedisTrouble::Away);
            }
            is_slow
        });
        self.0.state.borrow().clone()
    }

    fn lose(&self, generation: u64, trouble: RedisTrouble) {
        lose(&self.0.state, generation, trouble);
    }

    fn start(&self) {
        self.0.start.call_once(|| {
            let Inner { server, probe_key, state, stop, .. } = &*self.0;
            let (server, key) = (server.clone(), probe_key.clone());
            let (state, stop) = (state.clone(), stop.clone());
            tokio::spawn(async move {
                stop.run_until_cancelled(keep(&server, &key, &state)).await;
            });
        });
    }
}

/// Records that the connection of this generation is in trouble.
fn lose(state: &watch::Sender<State>, generation: u64, trouble: RedisTrouble) {
    state.send_if_modified(|state| {
        let is_news = state.generation == generation && state.trouble.is_none();
        if is_news {
            tracing::warn!(trouble = trouble.as_str(), "working without Redis");
            state.trouble = Some(trouble);
            if !trouble.lets_pop() {
                state.connection = None;
            }
        }
        is_news
    });
}

/// Maintains the connection, for ever.
async fn keep(server: &Server, key: &str, state: &watch::Sender<State>) {
    loop {
        match renew(server, key).await {
            Ok(connection) => {
                let generation = state.borrow().generation + 1;
                if let Some(trouble) = state.borrow().trouble {
                    tracing::info!(trouble = trouble.as_str(), "Redis is back");
                }
                let up = State { generation, connection: Some(connection.clone()), trouble: None };
                state.send_replace(up);
                watch_over(server, key, state, connection, generation).await;
                // A single slow answer is no reason to give up the connection.
                continue;
            }
            Err((trouble, connection)) => note(state, trouble, connection),
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a server that is away has no event to await"
        )]
        tokio::time::sleep(RETRY).await;
    }
}

/// Records why Redis is still away.
fn note(state: &watch::Sender<State>, trouble: RedisTrouble, connection: Option<Connection>) {
    state.send_modify(|state| {
        if state.trouble != Some(trouble) {
            tracing::warn!(trouble = trouble.as_str(), "working without Redis");
        }
        state.trouble = Some(trouble);
        state.connection = connection.filter(|_| trouble.lets_pop());
    });
}

/// A new connection to a Redis that accepts writes.
async fn renew(
    server: &Server,
    key: &str,
) -> Result<Connection, (RedisTrouble, Option<Connection>)> {
    let connection = server.connect(ANSWER).await.map_err(|error| {
        tracing::debug!(%error, "no connection to Redis");
        (error.trouble(), None)
    })?;
    match probe(connection.clone(), key).await {
        Ok(()) => Ok(connection),
        Err(trouble) => Err((trouble, Some(connection))),
    }
}

/// Returns once the connection no longer works and that is recorded.
async fn watch_over(
    server: &Server,
    key: &str,
    state: &watch::Sender<State>,
    connection: Connection,
    generation: u64,
) {
    let master = server.master().await;
    let mut changes = state.subscribe();
    let mut tick = interval_at(Instant::now() + LOOK, LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for look in 1_u32.. {
        tokio::select! {
            _ = changes.wait_for(|state| state.trouble.is_some()) => return,
            _ = tick.tick() => {}
        }
        if let Err(trouble) = probe(connection.clone(), key).await {
            return lose(state, generation, trouble);
        }
        if master.is_some() && look % LOOKS_PER_MASTER == 0 {
            let now = server.master().await;
            if now.is_some() && now != master {
                tracing::info!("Sentinel names another master");
                return lose(state, generation, RedisTrouble::Away);
            }
        }
    }
}

/// Writes something tiny, which is the only way to learn whether writes are accepted.
async fn probe(mut connection: Connection, key: &str) -> Result<(), RedisTrouble> {
    match timeout(PATIENCE, write_probe(&mut connection, key)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "Redis did not take a write");
            Err(RedisError::from(error).trouble())
        }
        Err(_) => Err(RedisTrouble::Away),
    }
}

pub(super) async fn write_probe(connection: &mut Connection, key: &str) -> RedisResult<()> {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(1).arg("PX").arg(60_000).query_async(connection).await
}

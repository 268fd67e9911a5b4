use std::{fmt, time::Duration};

use mis_sync_domain::{JobId, Lane};
use redis::{
    AsyncCommands, Client,
    aio::{ConnectionManager, ConnectionManagerConfig, PubSubStream},
};

/// How long one `BZPOPMIN` waits for an id. Also the longest that a stopping worker waits
/// for its last pop to come back.
const POP_WAIT: Duration = Duration::from_secs(1);
/// How long an answer may take; well above [`POP_WAIT`].
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// The channel on which ends of attempts are told.
const ENDED: &str = "ended";

/// The Redis of this service: connections, and the names of the keys under one prefix.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    shared: ConnectionManager,
    prefix: String,
}

/// Redis cannot be reached or did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RedisError(#[from] redis::RedisError);

impl RedisError {
    /// Whether the address itself is wrong, rather than the server away.
    pub fn is_configuration(&self) -> bool {
        matches!(self.0.kind(), redis::ErrorKind::InvalidClientConfig)
    }
}

impl Redis {
    /// Prepares connections to `url` (`redis://`, `rediss://` or `redis+unix://`); they are
    /// made when they are needed, and made anew when they break. All keys begin with `prefix`.
    pub fn open(url: &str, prefix: &str) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let shared = ConnectionManager::new_lazy_with_config(client.clone(), settings())?;
        Ok(Self { client, shared, prefix: prefix.to_owned() })
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let mut connection = self.shared();
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(())
    }

    /// Puts ids of due jobs where their workers take them. An id that waits already stays
    /// where it is.
    pub(crate) async fn push(&self, lane: Lane, ids: &[JobId]) -> Result<(), RedisError> {
        let members: Vec<(u8, String)> = ids.iter().map(|id| (0, id.to_string())).collect();
        self.shared().zadd_multiple::<_, _, _, ()>(self.ready_key(lane), &members).await?;
        Ok(())
    }

    /// A connection of its own for a lane, because a blocking pop holds up all that share it.
    pub(crate) fn popper(&self, lane: Lane) -> Result<Popper, RedisError> {
        let connection = ConnectionManager::new_lazy_with_config(self.client.clone(), settings())?;
        Ok(Popper { connection, key: self.ready_key(lane), lane })
    }

    /// Tells everybody that an attempt at this job has ended.
    pub(crate) async fn publish_end(&self, id: JobId) -> Result<(), RedisError> {
        self.shared().publish::<_, _, ()>(self.key(ENDED), id.to_string()).await?;
        Ok(())
    }

    /// Ids of jobs as [`Redis::publish_end`] tells them, until the connection breaks.
    pub(crate) async fn endings(&self) -> Result<PubSubStream, RedisError> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(self.key(ENDED)).await?;
        Ok(subscription.into_on_message())
    }

    pub(crate) fn shared(&self) -> ConnectionManager {
        self.shared.clone()
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }

    fn ready_key(&self, lane: Lane) -> String {
        self.key(&format!("ready:{lane}"))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn settings() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        .set_number_of_retries(1)
}

/// Takes one id of a lane after the other: the oldest of the syncs, the newest of the logins. Where
/// there are more logins than the workers can bear, the one who came last is the one who still
/// waits.
pub(crate) struct Popper {
    connection: ConnectionManager,
    key: String,
    lane: Lane,
}

impl Popper {
    /// Waits up to a second; `None`: nothing came. What is no job id is dropped.
    pub(crate) async fn pop(&mut self) -> Result<Option<JobId>, RedisError> {
        let (key, wait) = (&self.key, POP_WAIT.as_secs_f64());
        let popped: Option<(String, String, f64)> = match self.lane {
            Lane::Bulk => self.connection.bzpopmin(key, wait).await?,
            Lane::Interactive => self.connection.bzpopmax(key, wait).await?,
        };
        Ok(popped.and_then(|(_, member, _)| member.parse().ok()))
    }
}

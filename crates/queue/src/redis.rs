//! Redis as this service uses it: the commands, and the names of the keys.

mod address;
mod error;
mod link;
mod server;

use std::{fmt, sync::Arc, time::Duration};

use mis_sync_domain::{JobId, Lane};
use mis_sync_store::workers::Place;
use redis::{
    AsyncCommands, ConnectionAddr, RedisResult, TlsCertificates,
    aio::{PubSubSink, PubSubStream},
};
use tokio::time::{Instant, timeout};

use crate::limiter::Alone;
pub use error::{RedisError, RedisTrouble};
use link::Link;
pub(crate) use server::Connection;
use server::Server;

/// How long a call may take that other work waits for. Everything continues without Redis, so this
/// is short.
const CALL: Duration = Duration::from_millis(250);
/// How long the answer to an operator's query may take.
const LOOK: Duration = Duration::from_secs(1);
/// How much longer than its wait for an id a pop may take.
const POP_PATIENCE: Duration = Duration::from_secs(1);

/// The channel on which ends of attempts are published.
const ENDED: &str = "ended";

/// The Redis of this service: connections, and the names of the keys under one prefix.
#[derive(Clone)]
pub struct Redis {
    server: Server,
    link: Link,
    prefix: Arc<str>,
    alone: Arc<Alone>,
}

impl Redis {
    /// Prepares connections to `url`: `redis://`, `rediss://` or `redis+unix://`,
    /// `redis+sentinel://host,host/master`, `redis+cluster://host,host` (the last two also with
    /// `rediss`). They are made when they are needed, and made again when they break. All keys
    /// begin with `prefix`.
    pub fn open(url: &str, prefix: &str) -> Result<Self, RedisError> {
        Self::open_with_roots(url, prefix, None)
    }

    /// The same with TLS: the server's certificate must come from one of these roots (PEM), and not
    /// from one that the system trusts.
    pub fn open_with_roots(
        url: &str,
        prefix: &str,
        roots: Option<Vec<u8>>,
    ) -> Result<Self, RedisError> {
        let roots = roots.map(|pem| TlsCertificates { client_tls: None, root_cert: Some(pem) });
        let server = Server::open(url, roots)?;
        let prefix: Arc<str> = server.prefix(prefix).into();
        let link = Link::new(server.clone(), format!("{prefix}:probe"));
        Ok(Self { server, link, prefix, alone: Arc::default() })
    }

    /// Checks that Redis accepts a write, within this time. If Redis was in trouble a moment ago,
    /// the answer is immediate.
    pub async fn check(&self, patience: Duration) -> Result<(), RedisError> {
        let key = self.key("probe");
        let write =
            async |mut connection: Connection| link::write_probe(&mut connection, &key).await;
        self.link.call(patience, write).await
    }

    /// What is wrong with Redis, as far as this process knows.
    pub(crate) fn trouble(&self) -> Option<RedisTrouble> {
        self.link.trouble()
    }

    /// Whether ids can be taken. That can be so even if no new ones are accepted.
    pub(crate) fn lets_pop(&self) -> bool {
        self.trouble().is_none_or(RedisTrouble::lets_pop)
    }

    /// Runs a command that other work waits for.
    pub(crate) async fn call<T, F>(
        &self,
        run: impl FnOnce(Connection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.link.call(CALL, run).await
    }

    /// Runs an operator's query.
    pub(crate) async fn look<T, F>(
        &self,
        run: impl FnOnce(Connection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connection = self.link.any_connection(LOOK).await?;
        match timeout(LOOK, run(connection)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(RedisError::Away(RedisTrouble::Away)),
        }
    }

    /// Adds ids of due jobs where their workers take them. An id that is already there keeps its
    /// place.
    pub(crate) async fn push(&self, lane: Lane, ids: &[JobId]) -> Result<(), RedisError> {
        let members: Vec<(u8, String)> = ids.iter().map(|id| (0, id.to_string())).collect();
        let key = self.ready_key(lane);
        self.call(async |mut connection| connection.zadd_multiple(key, &members).await).await
    }

    /// A separate connection for a lane, because a blocking pop blocks every user of its
    /// connection.
    pub(crate) fn popper(&self, lane: Lane) -> Popper {
        Popper { redis: self.clone(), connection: None, key: self.ready_key(lane), lane }
    }

    /// Tells all processes that an attempt at this job has ended.
    pub(crate) async fn publish_end(&self, id: JobId) -> Result<(), RedisError> {
        let channel = self.ended_channel();
        self.call(async |mut connection| connection.publish(channel, id.to_string()).await).await
    }

    /// Ids of jobs as published by [`Redis::publish_end`], until the connection breaks.
    pub(crate) async fn endings(&self) -> Result<Subscription, RedisError> {
        let generation = self.link.generation(CALL).await?;
        let mut subscriber = self.server.subscriber().await?;
        let answer = timeout(LOOK, subscriber.subscribe(self.ended_channel())).await;
        answer.map_err(|_| RedisError::Away(RedisTrouble::Away))??;
        let (sink, messages) = subscriber.split();
        Ok(Subscription { redis: self.clone(), generation, sink, messages })
    }

    /// Whether subscribing is permitted.
    pub(crate) async fn subscribe_and_leave(&self) -> Result<(), RedisError> {
        let mut subscriber = self.server.subscriber().await?;
        let answer = timeout(LOOK, subscriber.subscribe(self.ended_channel())).await;
        Ok(answer.map_err(|_| RedisError::Away(RedisTrouble::Away))??)
    }

    /// A connection beside the shared one.
    pub(crate) async fn new_connection(&self) -> Result<Connection, RedisError> {
        self.server.connect(LOOK).await
    }

    /// Where the server is, if the address names one server.
    pub(crate) fn address_of_one(&self) -> Option<&ConnectionAddr> {
        self.server.address_of_one()
    }

    /// The channel on which ends of attempts are published.
    pub(crate) fn ended_channel(&self) -> String {
        self.key(ENDED)
    }

    /// The rate limits of this process for the time without Redis.
    pub(crate) fn alone(&self) -> &Alone {
        &self.alone
    }

    /// Tells this process its place among those that share the rate limits. While Redis is away,
    /// each uses only its share.
    pub fn share_limits(&self, place: Place) {
        self.alone.share(Instant::now(), place);
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

/// A subscription to the ends of attempts.
pub(crate) struct Subscription {
    redis: Redis,
    generation: u64,
    sink: PubSubSink,
    pub(crate) messages: PubSubStream,
}

impl Subscription {
    /// Whether the other side still answers. A connection that only listens would never know.
    pub(crate) async fn ping(&mut self) -> Result<(), RedisError> {
        match timeout(LOOK, self.sink.ping::<redis::Value>()).await {
            Ok(answer) => Ok(answer.map(drop)?),
            Err(_) => Err(RedisError::Away(RedisTrouble::Away)),
        }
    }

    /// Waits until Redis is found to be away, or is another server than before.
    pub(crate) fn lost(&self) -> impl Future<Output = ()> + use<> {
        let (link, generation) = (self.redis.link.clone(), self.generation);
        async move { link.lost(generation).await }
    }
}

/// Takes the ids of a lane one by one: the oldest of the syncs, the newest of the logins. If there
/// are more logins than the workers can handle, the person who came last is the one who is still
/// waiting.
pub(crate) struct Popper {
    redis: Redis,
    /// With the generation of the shared connection at the time.
    connection: Option<(u64, Connection)>,
    key: String,
    lane: Lane,
}

impl Popper {
    /// Waits this long for an id; `None` if nothing came. An invalid id is dropped.
    pub(crate) async fn pop(&mut self, wait: Duration) -> Result<Option<JobId>, RedisError> {
        let (generation, mut connection) = self.connection().await?;
        let (key, seconds) = (&self.key, wait.as_secs_f64());
        let pop = async {
            let popped: Option<(String, String, f64)> = match self.lane {
                Lane::Bulk | Lane::Internal => connection.bzpopmin(key, seconds).await?,
                Lane::Interactive => connection.bzpopmax(key, seconds).await?,
            };
            Ok(popped)
        };
        let popped = tokio::select! {
            biased;
            popped = timeout(wait + POP_PATIENCE, pop) => {
                popped.unwrap_or(Err(RedisError::Away(RedisTrouble::Away)))
            }
            () = self.redis.link.lost(generation) => Err(RedisError::Away(RedisTrouble::Away)),
        };
        if popped.is_err() {
            // An answer that is still on its way must not be mistaken for that of the next pop.
            self.connection = None;
        }
        Ok(popped?.and_then(|(_, member, _)| member.parse().ok()))
    }

    async fn connection(&mut self) -> Result<(u64, Connection), RedisError> {
        let generation = self.redis.link.generation(CALL).await?;
        if let Some((made_at, connection)) = &self.connection
            && *made_at == generation
        {
            return Ok((generation, connection.clone()));
        }
        self.connection = None;
        let connection = self.redis.server.connect(POP_PATIENCE * 3).await?;
        self.connection = Some((generation, connection.clone()));
        Ok((generation, connection))
    }
}

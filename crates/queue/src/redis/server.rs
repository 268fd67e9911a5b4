//! How connections are made, whatever kind of Redis it is.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, Pipeline, ProtocolVersion,
    RedisConnectionInfo, RedisFuture, RedisResult, TlsCertificates, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection, PubSub},
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::{sync::Mutex, time::timeout};

use super::{RedisError, RedisTrouble, address::Address};

/// How long it may take to reach a server and log in.
const CONNECT: Duration = Duration::from_secs(2);

/// Makes connections. For each the name is resolved again.
#[derive(Clone)]
pub(super) enum Server {
    One(Box<Client>),
    Sentinel(Arc<Mutex<SentinelClient>>),
    /// The client, and one for each node in the configuration.
    Cluster(Box<ClusterClient>, Vec<Client>),
}

impl Server {
    /// With roots every connection uses TLS and trusts only these.
    pub(super) fn open(url: &str, roots: Option<TlsCertificates>) -> Result<Self, RedisError> {
        let address = Address::parse(url)?;
        if roots.is_some() && !address.uses_tls() {
            let wanted = "with redis.ca the address begins with rediss (or rediss+sentinel, …)";
            return Err(RedisError::Address(wanted.into()));
        }
        let open = |info| match &roots {
            Some(roots) => Client::build_with_tls(info, roots.clone()),
            None => Client::open(info),
        };
        Ok(match address {
            Address::One(info) => Self::One(Box::new(open(info)?)),
            Address::Sentinel { sentinels, master, node } => {
                Self::Sentinel(Arc::new(Mutex::new(sentinel(&sentinels, &master, &node, roots)?)))
            }
            Address::Cluster(nodes) => {
                let clients = nodes.iter().cloned().map(open).collect::<Result<_, _>>()?;
                let settings = nodes[0].tcp_settings().clone();
                let mut builder = ClusterClient::builder(nodes);
                if let Some(roots) = roots.clone() {
                    builder = builder.certs(roots);
                }
                let client = builder
                    .use_protocol(ProtocolVersion::RESP2)
                    .tcp_settings(settings)
                    .connection_timeout(CONNECT / 2)
                    .overall_response_timeout(None)
                    .retries(2)
                    .max_retry_wait(100)
                    .build()?;
                Self::Cluster(Box::new(client), clients)
            }
        })
    }

    /// Where the server is, if the address names one server.
    pub(super) fn address_of_one(&self) -> Option<&ConnectionAddr> {
        match self {
            Self::One(client) => Some(client.get_connection_info().addr()),
            Self::Sentinel(_) | Self::Cluster(..) => None,
        }
    }

    /// In a cluster all keys of a script have to be on one node. They are if their names have the
    /// same part in braces.
    pub(super) fn prefix(&self, prefix: &str) -> String {
        match self {
            Self::Cluster(..) if !prefix.contains('{') => format!("{{{prefix}}}"),
            _ => prefix.to_owned(),
        }
    }

    /// A new connection, whose answers may each take this long.
    pub(super) async fn connect(&self, answer: Duration) -> Result<Connection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(answer));
        in_time(async {
            Ok(match self {
                Self::One(client) => Connection::Node(
                    client.get_multiplexed_async_connection_with_config(&config).await?,
                ),
                Self::Sentinel(client) => {
                    let master = client.lock().await.async_get_client().await?;
                    Connection::Node(
                        master.get_multiplexed_async_connection_with_config(&config).await?,
                    )
                }
                Self::Cluster(client, _) => {
                    let config = ClusterConfig::new().set_response_timeout(answer);
                    Connection::Cluster(client.get_async_connection_with_config(config).await?)
                }
            })
        })
        .await
    }

    /// A new connection for subscriptions. In a cluster every node passes on what is published.
    pub(super) async fn subscriber(&self) -> Result<PubSub, RedisError> {
        in_time(async {
            match self {
                Self::One(client) => client.get_async_pubsub().await,
                Self::Sentinel(client) => {
                    let master = client.lock().await.async_get_client().await?;
                    master.get_async_pubsub().await
                }
                Self::Cluster(_, nodes) => first_subscriber(nodes).await,
            }
        })
        .await
    }

    /// Where the master is, if known. With Sentinel it may move while the old one still answers.
    pub(super) async fn master(&self) -> Option<String> {
        let Self::Sentinel(client) = self else { return None };
        let found = in_time(async { client.lock().await.async_get_client().await }).await;
        found.ok().map(|master| master.get_connection_info().addr().to_string())
    }
}

/// A client that asks the sentinels where the master is, and logs in there as `node` says.
fn sentinel(
    sentinels: &[ConnectionInfo],
    master: &str,
    node: &ConnectionInfo,
    roots: Option<TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let places = sentinels.iter().map(|sentinel| sentinel.addr().clone());
    let settings = node.redis_settings();
    let mut client = SentinelClientBuilder::new(places, master, SentinelServerType::Master)?
        .set_client_to_redis_db(settings.db())
        .set_client_to_redis_tcp_settings(node.tcp_settings().clone())
        .set_client_to_sentinel_tcp_settings(node.tcp_settings().clone());
    if let Some(user) = settings.username() {
        client = client.set_client_to_redis_username(user);
    }
    if let Some(password) = settings.password() {
        client = client.set_client_to_redis_password(password);
    }
    // All sentinels have the same login.
    let settings = sentinels.first().map(ConnectionInfo::redis_settings);
    if let Some(user) = settings.and_then(RedisConnectionInfo::username) {
        client = client.set_client_to_sentinel_username(user);
    }
    if let Some(password) = settings.and_then(RedisConnectionInfo::password) {
        client = client.set_client_to_sentinel_password(password);
    }
    if let ConnectionAddr::TcpTls { insecure, .. } = node.addr() {
        let mode = if *insecure { TlsMode::Insecure } else { TlsMode::Secure };
        client = client.set_client_to_redis_tls_mode(mode);
    }
    if let Some(roots) = roots {
        client = client
            .set_client_to_redis_certificates(roots.clone())
            .set_client_to_sentinel_certificates(roots);
    }
    client.build()
}

async fn first_subscriber(nodes: &[Client]) -> RedisResult<PubSub> {
    let share = CONNECT / u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let mut last = None;
    for node in nodes {
        match timeout(share, node.get_async_pubsub()).await {
            Ok(Ok(subscriber)) => return Ok(subscriber),
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }
    Err(last.expect("a cluster has one node at the least"))
}

async fn in_time<T>(connect: impl Future<Output = RedisResult<T>>) -> Result<T, RedisError> {
    match timeout(CONNECT, connect).await {
        Ok(connected) => Ok(connected?),
        Err(_) => Err(RedisError::Away(RedisTrouble::Away)),
    }
}

/// A connection to a server, or to all nodes of a cluster. Clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Asks the one server that has `key`.
    pub(crate) async fn ask_owner_of(&mut self, key: &str, command: Cmd) -> RedisResult<Value> {
        match self {
            Self::Node(connection) => connection.send_packed_command(&command).await,
            Self::Cluster(connection) => {
                let owner = Route::with_key(key, SlotAddr::Master);
                let owner = SingleNodeRoutingInfo::SpecificNode(owner);
                connection.route_command(command, RoutingInfo::SingleNode(owner)).await
            }
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

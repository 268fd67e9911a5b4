//! The whole system for a short time: private servers, a simulated Wonde, API and worker in this
//! process. `demo` shows it, `bench` measures it.

use std::net::SocketAddr;

use mis_sync_cli::{Config, Failure, Parts, actor, open_database};
use mis_sync_devservices::{
    Binaries, DATABASE, Postgres, PostgresOptions, Redis, RedisOptions, free_port,
};
use mis_sync_domain::Role;
use mis_sync_store::{Pool, api_keys, scratch::ScratchDatabase};
use mis_sync_wonde_sim::{RunningSimulator, Simulator};
use secrecy::SecretString;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bench::installation::Installation;

/// What to start.
pub(crate) struct PrivateOptions {
    /// The simulated schools.
    pub(crate) simulator: Simulator,
    /// Where the API listens.
    pub(crate) listen: SocketAddr,
    /// Further settings, as configuration keys.
    pub(crate) settings: &'static [(&'static str, u64)],
    /// How to reach our own Postgres and Redis.
    pub(crate) transport: Transport,
}

/// How to reach a server on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// By a unix socket, which other users of the machine cannot open.
    Socket,
    /// By TCP, as a server on another machine is.
    Tcp,
}

/// A running system.
pub(crate) struct PrivateSystem {
    pub(crate) simulator: RunningSimulator,
    pub(crate) pool: Pool,
    pub(crate) api_url: String,
    pub(crate) api_key: SecretString,
    stop: CancellationToken,
    api: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<Result<(), mis_sync_queue::Error>>,
    worker_pool: Pool,
    servers: Servers,
}

impl PrivateSystem {
    /// Starts everything; `say` is told what takes its time.
    pub(crate) async fn start(options: PrivateOptions, say: fn(&str)) -> Result<Self, Failure> {
        let servers = Servers::start(say, options.transport).await?;
        let simulator = RunningSimulator::serve(options.simulator).await?;
        let config = Config::built_in_with(|figment| {
            let figment = figment
                .merge(("database.url", servers.database_url.as_str()))
                .merge(("redis.url", servers.redis_url.as_str()))
                .merge(("redis.prefix", format!("mis-sync-{}", Uuid::now_v7().simple())))
                .merge(("encryption.key", throw_away_key()))
                .merge(("dashboard.environment", "demo"))
                .merge(("wonde.base_url", simulator.base_url()))
                .merge(("wonde.allow_loopback", true))
                // A sync is shown or measured here, and nothing else should run.
                .merge(("scheduler.enabled", false));
            options.settings.iter().fold(figment, |figment, setting| figment.merge(*setting))
        })?;
        mis_sync_store::migrate(&open_database(&config)?).await?;
        let parts = Parts::connect(&config).await?;
        let pool = parts.queue.pool().clone();
        parts.queue.redis().vouch().await.map_err(Failure::work)?;
        let (_, api_key) =
            api_keys::create(&pool, &api_keys::NewApiKey::new("demo", Role::Admin), &actor(None))
                .await?;

        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            Failure::usage(format!("cannot listen on {}: {error}", options.listen))
        })?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let api = tokio::spawn(mis_sync_api::serve(listener, parts.api(&config), stop.clone()));
        // As in a separate process, the worker has its own connections: however busy it is, the API
        // gets one.
        let parts = Parts::connect(&config).await?;
        let worker_pool = parts.queue.pool().clone();
        let (context, leader, worker) = parts.worker(&config)?;
        let worker = tokio::spawn(mis_sync_worker::run(context, leader, worker, stop.clone()));
        Ok(Self { simulator, pool, api_url, api_key, stop, api, worker, worker_pool, servers })
    }

    /// The same as a load sees it.
    pub(crate) fn installation(&self) -> Result<Installation, Failure> {
        Ok(Installation {
            api_urls: vec![self.api_url.clone()],
            api_key: self.api_key.clone(),
            pool: self.pool.clone(),
            simulator: self.simulator.simulator().clone(),
            http: reqwest::Client::builder().build()?,
        })
    }

    /// Starts everything, does some work with it, and stops it again whatever happened to the work.
    pub(crate) async fn run<T>(
        options: PrivateOptions,
        work: impl AsyncFnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let system = Self::start(options, |_| {}).await?;
        let done = work(&system).await;
        let stopped = system.stop().await;
        done.and_then(|done| stopped.map(|()| done))
    }

    /// Stops everything in order, and waits for it.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.stop.cancel();
        let (api, worker) = tokio::join!(self.api, self.worker);
        // Before the servers go, so that no connection breaks visibly.
        tokio::join!(self.pool.close(), self.worker_pool.close());
        api.map_err(Failure::work)??;
        worker.map_err(Failure::work)??;
        self.servers.stop().await
    }
}

/// Where Postgres and Redis are: our own servers, or those that the environment names.
pub(crate) struct Servers {
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    private: Option<(Postgres, Redis)>,
    scratch: Option<ScratchDatabase>,
}

impl Servers {
    pub(crate) async fn start(say: fn(&str), transport: Transport) -> Result<Self, Failure> {
        if let Some((database, redis_url)) = Config::own_servers()? {
            say(
                "Using the Postgres and Redis of DATABASE_URL and REDIS_URL, in a database of its own",
            );
            let scratch = ScratchDatabase::create(&database).await?;
            let database_url = scratch.url.clone();
            return Ok(Self { database_url, redis_url, private: None, scratch: Some(scratch) });
        }
        let ports = match transport {
            Transport::Socket => None,
            Transport::Tcp => Some((free_port()?, free_port()?)),
        };
        let servers = tokio::task::spawn_blocking(move || {
            let binaries = Binaries::locate(&say)?;
            for line in binaries.describe().lines() {
                say(&format!("Starting {line}"));
            }
            start_servers(&binaries, ports)
        })
        .await
        .map_err(Failure::work)?
        .map_err(Failure::dependency)?;
        let (postgres, redis, redis_url) = servers;
        Ok(Self {
            database_url: postgres.url(DATABASE),
            redis_url,
            private: Some((postgres, redis)),
            scratch: None,
        })
    }

    /// The processes of Postgres and Redis, where they are our own.
    pub(crate) fn pids(&self) -> Option<(u32, u32)> {
        self.private.as_ref().map(|(postgres, redis)| (postgres.pid(), redis.pid()))
    }

    pub(crate) async fn stop(self) -> Result<(), Failure> {
        if let Some(scratch) = self.scratch {
            scratch.remove().await?;
        }
        if let Some(private) = self.private {
            tokio::task::spawn_blocking(move || drop(private)).await.map_err(Failure::work)?;
        }
        Ok(())
    }
}

/// Both servers, and the address of Redis. With ports (of Postgres and of Redis) they listen on TCP.
fn start_servers(
    binaries: &Binaries,
    ports: Option<(u16, u16)>,
) -> Result<(Postgres, Redis, String), mis_sync_devservices::Error> {
    let durable = PostgresOptions::durable();
    let Some((of_postgres, of_redis)) = ports else {
        let redis = Redis::start(binaries, RedisOptions::persistent())?;
        let url = redis.url();
        return Ok((Postgres::create(binaries, &durable)?, redis, url));
    };
    let options = PostgresOptions { port: Some(of_postgres), ..durable };
    let postgres = Postgres::create(binaries, &options)?;
    let port = of_redis.to_string();
    let redis = Redis::start_with(binaries, RedisOptions::persistent(), &["--port", &port])?;
    Ok((postgres, redis, format!("redis://127.0.0.1:{port}")))
}

/// It only encrypts the simulator's tokens, and the database is removed with it.
pub(crate) fn throw_away_key() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

use std::{
    fs::Permissions,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
};

use mis_sync_devservices::{
    Binaries, DATABASE, Postgres, PostgresOptions, PostgresTemplate, Redis, RedisOptions,
    TemplateState,
};
use mis_sync_store::Pool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// A Postgres with our schema and an empty Redis, private to one test.
pub struct Servers {
    /// The Postgres; its database is [`Servers::database_url`].
    pub postgres: Postgres,
    pub redis: Redis,
}

impl Servers {
    /// Starts both. The first test on a machine also creates the template that all others copy.
    pub async fn start() -> Self {
        let binaries = blocking(|| Binaries::locate(&say).unwrap()).await;
        let template = template(binaries.clone()).await;
        blocking(move || {
            let postgres = template.launch().unwrap();
            let redis = Redis::start(&binaries, RedisOptions::volatile()).unwrap();
            Self { postgres, redis }
        })
        .await
    }

    pub fn database_url(&self) -> String {
        self.postgres.url(DATABASE)
    }

    pub fn redis_url(&self) -> String {
        self.redis.url()
    }

    pub fn pool(&self) -> Pool {
        mis_sync_store::connect(&self.database_url(), 12).unwrap()
    }

    /// Removes everything from the Redis.
    pub async fn empty_redis(&self) {
        let mut redis = UnixStream::connect(self.redis.socket()).await.unwrap();
        redis.write_all(b"FLUSHALL\r\n").await.unwrap();
        let mut answer = [0; 5];
        redis.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    /// The Redis as the system uses it.
    pub fn open_redis(&self) -> mis_sync_queue::Redis {
        mis_sync_queue::Redis::open(&self.redis_url(), "test").unwrap()
    }
}

/// Starts one more, empty Postgres, which listens on this port of loopback and has this certificate
/// and key (PEM).
pub async fn another_postgres(port: u16, certificate: Vec<u8>, key: Vec<u8>) -> Postgres {
    blocking(move || {
        let binaries = Binaries::locate(&say).unwrap();
        let options = PostgresOptions { port: Some(port), ..PostgresOptions::quick() };
        let mut postgres = Postgres::create(&binaries, &options).unwrap();
        let data = postgres.socket_dir().join("data");
        let owner = std::fs::metadata(&data).unwrap();
        for (name, content) in [
            ("server.crt", &certificate[..]),
            ("server.key", &key),
            ("postgresql.auto.conf", b"ssl = on\n"),
        ] {
            let file = data.join(name);
            std::fs::write(&file, content).unwrap();
            chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        }
        postgres.restart().unwrap();
        postgres
    })
    .await
}

/// Starts one more Redis with these arguments.
pub async fn another_redis(arguments: &[&str]) -> Redis {
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let binaries = Binaries::locate(&say).unwrap();
        Redis::start_with(&binaries, RedisOptions::volatile(), &arguments).unwrap()
    })
    .await
}

/// Starts a Sentinel with this configuration.
pub async fn sentinel(configuration: String) -> Redis {
    blocking(move || {
        Redis::start_sentinel(&Binaries::locate(&say).unwrap(), &configuration).unwrap()
    })
    .await
}

/// A port of loopback that nothing listens on.
pub fn free_port() -> u16 {
    mis_sync_devservices::free_port().unwrap()
}

#[expect(clippy::print_stdout, reason = "the first test of a machine may fetch its servers")]
fn say(step: &str) {
    println!("{step}");
}

async fn template(binaries: Binaries) -> PostgresTemplate {
    let key = mis_sync_store::schema_fingerprint();
    match blocking(move || PostgresTemplate::open(&binaries, &key).unwrap()).await {
        TemplateState::Ready(template) => template,
        TemplateState::Empty(builder) => {
            let pool = mis_sync_store::connect(&builder.url(DATABASE), 1).unwrap();
            mis_sync_store::migrate(&pool).await.unwrap();
            pool.close().await;
            blocking(move || builder.finish().unwrap()).await
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

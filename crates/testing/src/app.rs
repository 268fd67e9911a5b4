use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use mis_sync_api::{ApiState, WebhookSecrets};
use mis_sync_domain::{AllowedHosts, MisTable, Role, STALE_AFTER, SchoolId, WondeHosts};
use mis_sync_queue::{Actor, Intake, Queue, RateLimiter, RetryPolicy, WorkerOptions};
use mis_sync_store::{
    Address, Pool, TokenCipher, api_keys,
    schools::{Connector, OnlyIf},
};
use mis_sync_wonde::{ClientConfig, WondeClient};
use mis_sync_wonde_sim::{RunningSimulator, SchoolSummary, Simulator};
use mis_sync_worker::{
    AlertOptions, AllowedAddresses, Callbacks, Context, LeaderOptions, LoginLimits, Receiver,
    RetentionOptions, SchedulerOptions, SharedRateLimit, SyncLimits, Turns,
};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Servers, TestAppOptions, eventually};

/// How long an absent Wonde is not asked again.
const PROBE_AFTER: Duration = Duration::from_hours(1);

/// The key that encrypts tokens in tests.
const ENCRYPTION_KEY: &str = "0a0b0c0d0e0f0a0b0c0d0e0f0a0b0c0d0e0f0a0b0c0d0e0f0a0b0c0d0e0f0a0b";

/// The secret that authenticates Wonde's webhooks.
pub const WEBHOOK_SECRET: &str = "a-webhook-secret-of-tests";

/// The whole system: servers, simulator, API and worker.
pub struct TestApp {
    pub servers: Servers,
    pub simulator: RunningSimulator,
    pub pool: Pool,
    /// The ledger and its delivery.
    pub queue: Queue,
    /// Encrypts and decrypts tokens.
    pub cipher: Arc<TokenCipher>,
    /// Root of the API, without a trailing slash.
    pub api_url: String,
    /// A key with the role `admin`.
    pub admin_key: SecretString,
    hosts: Arc<WondeHosts>,
    http: Client,
    options: TestAppOptions,
    worker: Option<RunningWorker>,
    stop_api: CancellationToken,
}

/// A worker inside this process. Dropping it aborts it.
pub struct RunningWorker {
    stop: CancellationToken,
    task: Option<JoinHandle<Result<(), mis_sync_queue::Error>>>,
}

impl RunningWorker {
    /// Asks the worker to stop, and waits until it has.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.task.take().expect("it is taken here only").await.unwrap().unwrap();
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl TestApp {
    /// Starts the default app.
    pub async fn start() -> Self {
        Self::start_with(TestAppOptions::default()).await
    }

    /// Starts an app with these options.
    pub async fn start_with(options: TestAppOptions) -> Self {
        let http = http_client();
        let servers = Servers::start().await;
        let simulator =
            RunningSimulator::serve(Simulator::new(options.simulator.clone())).await.unwrap();
        let pool = servers.pool();
        let queue = Queue::new(pool.clone(), servers.open_redis());
        // No test should wait a second for its first request.
        queue.redis().vouch().await.unwrap();
        let cipher = Arc::new(TokenCipher::from_hex(&ENCRYPTION_KEY.into()).unwrap());
        let (_, admin_key) =
            api_keys::create(&pool, &api_keys::NewApiKey::new("test", Role::Admin), &a_person())
                .await
                .unwrap();

        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let api_url = format!("http://{}", listener.local_addr().unwrap());
        let stop_api = CancellationToken::new();
        let secrets = WebhookSecrets::parse(&WEBHOOK_SECRET.into()).unwrap();
        let base_url = simulator.base_url().parse().unwrap();
        let hosts = Arc::new(WondeHosts::new(base_url, &["*.wonde.com"], true).unwrap());
        let state = ApiState::new(queue.clone(), Arc::clone(&cipher))
            .with_wonde_hosts(Arc::clone(&hosts))
            .with_callback_hosts(callback_hosts())
            .with_scheduler(options.clock.clone())
            .with_probe_after(PROBE_AFTER)
            .with_wonde_limit(RateLimiter::new(&queue, options.rate_limit()))
            .with_webhook_secrets(secrets);
        tokio::spawn(mis_sync_api::serve(listener, state, stop_api.clone()));

        let mut app = Self {
            servers,
            simulator,
            pool,
            queue,
            cipher,
            api_url,
            admin_key,
            hosts,
            http,
            options,
            worker: None,
            stop_api,
        };
        if app.options.worker {
            app.start_worker();
        }
        app
    }

    /// Starts a worker inside this process.
    ///
    /// # Panics
    ///
    /// If one is running.
    pub fn start_worker(&mut self) {
        assert!(self.worker.is_none(), "there is a worker already");
        self.worker = Some(self.spawn_worker());
    }

    /// Starts one more worker beside the one that may be running. It works until it is dropped.
    pub fn another_worker(&self) -> RunningWorker {
        self.spawn_worker()
    }

    /// Starts a worker that sends alerts to this receiver.
    pub fn worker_with_alerts(&self, receiver: Receiver) -> RunningWorker {
        self.spawn(Context { alert_receiver: Some(Arc::new(receiver)), ..self.context() })
    }

    fn spawn_worker(&self) -> RunningWorker {
        self.spawn(self.context())
    }

    fn spawn(&self, context: Context) -> RunningWorker {
        let stop = CancellationToken::new();
        let options = WorkerOptions {
            name: format!("test-{}", Uuid::now_v7().simple()),
            concurrency: 2,
            interactive_concurrency: 8,
            lease: self.options.lease,
            drain: self.options.drain,
            retry: RetryPolicy { base: Duration::from_millis(20), max: Duration::from_millis(200) },
            intake: Intake::default(),
        };
        let work = mis_sync_worker::run(context, self.leader(), options, stop.clone());
        let task = tokio::spawn(work);
        RunningWorker { stop, task: Some(task) }
    }

    /// Asks the worker to stop, and waits until it has.
    pub async fn stop_worker(&mut self) {
        self.worker.take().expect("no worker is running").stop().await;
    }

    /// Ends the worker at once, as if its process were killed.
    pub fn kill_worker(&mut self) {
        self.worker = None;
    }

    fn context(&self) -> Context {
        let limit = self.options.rate_limit();
        let limiter = |limit| SharedRateLimit(RateLimiter::new(&self.queue, limit));
        let (syncs, logins) = (limiter(limit.keeping_percent(30)), limiter(limit));
        let addresses = || Arc::new(AllowedAddresses(Arc::clone(&self.hosts)));
        let config = ClientConfig {
            base_url: self.simulator.base_url().parse().unwrap(),
            page_size: self.options.page_size,
            parallel_requests: self.options.parallel_requests,
            initial_backoff_ms: 1,
            max_backoff_ms: 10,
            second_look_ms: 20,
            ..ClientConfig::default()
        };
        Context {
            queue: self.queue.clone(),
            wonde: WondeClient::new(config.clone(), Arc::new(syncs), addresses()).unwrap(),
            wonde_at_login: WondeClient::new(
                ClientConfig { max_tries: 2, ..config },
                Arc::new(logins),
                addresses(),
            )
            .unwrap(),
            wonde_hosts: Arc::clone(&self.hosts),
            cipher: Arc::clone(&self.cipher),
            mis: Arc::new(MisTable::built_in()),
            clock: self.options.clock.clone(),
            syncs: SyncLimits {
                pages_max_age: Duration::from_mins(10),
                delta_overlap: Duration::from_hours(6),
            },
            logins: LoginLimits {
                timeout: self.options.refresh_timeout,
                turns: Turns::default(),
                probe_after: PROBE_AFTER,
            },
            alert_receiver: self.options.alert_receiver.clone(),
            callbacks: Arc::new(
                Callbacks::new(self.options.callback_receiver.clone(), callback_hosts()).unwrap(),
            ),
        }
    }

    fn leader(&self) -> LeaderOptions {
        LeaderOptions {
            database: Address::parse(&self.servers.database_url(), None).unwrap(),
            token_probe_after: self.options.token_probe_after,
            scheduler: SchedulerOptions {
                enabled: self.options.scheduler,
                every: Duration::from_millis(50),
                max_unfinished: 100,
            },
            alerts: AlertOptions { stale_after: STALE_AFTER, every: Duration::from_millis(50) },
            retention: RetentionOptions {
                keep: self.options.retention,
                every: Duration::from_millis(50),
            },
        }
    }

    /// The environment variables with which a process uses the same servers.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", self.servers.database_url()),
            ("REDIS_URL", self.servers.redis_url()),
            ("MIS_SYNC__REDIS__PREFIX", "test".into()),
            ("MIS_SYNC__ENCRYPTION__KEY", ENCRYPTION_KEY.into()),
            ("MIS_SYNC__WONDE__BASE_URL", self.simulator.base_url()),
            ("MIS_SYNC__WONDE__ALLOW_LOOPBACK", "true".into()),
            ("MIS_SYNC__WONDE__PAGE_SIZE", self.options.page_size.to_string()),
            ("MIS_SYNC__WONDE__PARALLEL_REQUESTS", self.options.parallel_requests.to_string()),
            ("MIS_SYNC__WONDE__RATE_PER_SECOND", self.options.rate_per_second.to_string()),
            ("MIS_SYNC__SCHEDULER__ENABLED", self.options.scheduler.to_string()),
            ("MIS_SYNC__WORKER__LEASE_SECONDS", self.options.lease.as_secs().max(1).to_string()),
        ]
    }

    /// The simulator's school at `index`.
    pub fn simulated_school(&self, index: usize) -> SchoolSummary {
        self.simulator.simulator().schools().swap_remove(index)
    }

    /// Connects the simulator's school at `index` through the API, under Wonde's id.
    pub async fn connect_school(&self, index: usize) -> SchoolId {
        self.connect_school_with(index, json!({})).await
    }

    /// Connects the school with some of its own settings.
    pub async fn connect_school_with(&self, index: usize, settings: Value) -> SchoolId {
        let school = self.simulated_school(index);
        let body = json!({
            "name": school.name,
            "wonde_school_id": school.id,
            "token": school.token,
            "mis": school.mis,
            "settings": settings,
        });
        let answer = self.put(&format!("/v1/schools/{}", school.id)).json(&body).send().await;
        let answer = answer.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        school.id.parse().unwrap()
    }

    /// Presses *Sync Data*, and returns the job's id.
    pub async fn press_sync(&self, school: &SchoolId) -> String {
        let answer = self.post(&format!("/v1/schools/{school}/sync")).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        job_id(&answer.json().await.unwrap())
    }

    /// Posts a webhook as Wonde would, and returns the id of the event.
    pub async fn post_webhook(&self, body: &Value) -> String {
        let path = format!("/v1/webhooks/wonde?secret={WEBHOOK_SECRET}");
        let answer = self.http.post(self.url(&path)).json(body).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
        let answer: Value = answer.json().await.unwrap();
        answer["event_id"].as_str().unwrap().to_owned()
    }

    /// The job as the API shows it.
    pub async fn job(&self, id: &str) -> Value {
        let answer = self.get(&format!("/v1/jobs/{id}")).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// Polls the job until `done` returns true.
    pub async fn wait_for_job(&self, id: &str, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || Some(self.job(id).await).filter(|job| done(job))).await
    }

    /// Polls the job until it has finished, successfully or not.
    pub async fn wait_until_finished(&self, id: &str) -> Value {
        let finished = |job: &Value| {
            ["succeeded", "failed", "cancelled"].iter().any(|state| job["state"] == **state)
        };
        self.wait_for_job(id, "the job ends", finished).await
    }

    /// A request with the admin key.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.authorized(self.http.get(self.url(path)))
    }

    /// A request with another key.
    pub fn get_with(&self, key: &SecretString, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(key.expose_secret())
    }

    /// A request with the admin key.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.authorized(self.http.post(self.url(path)))
    }

    /// A request with the admin key.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.authorized(self.http.put(self.url(path)))
    }

    /// A request with the admin key.
    pub fn patch(&self, path: &str) -> RequestBuilder {
        self.authorized(self.http.patch(self.url(path)))
    }

    /// A request with the admin key.
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.authorized(self.http.delete(self.url(path)))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.admin_key.expose_secret())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api_url)
    }
}

impl Drop for TestApp {
    /// Stops the worker and the API before the servers go.
    fn drop(&mut self) {
        self.stop_api.cancel();
        self.worker = None;
    }
}

/// An actor for tests that do not care who acts.
pub fn a_person() -> Actor {
    Actor::command("a test", None)
}

/// Schools' receivers of callbacks may be on this machine.
fn callback_hosts() -> Arc<AllowedHosts> {
    Arc::new(AllowedHosts::new(&["*.ip.example"], true).unwrap())
}

/// A connector for tests that do not care who connects a school. Wonde has its default address.
pub fn connector<'a>(cipher: &'a TokenCipher, actor: &'a Actor) -> Connector<'a> {
    static HOSTS: LazyLock<WondeHosts> = LazyLock::new(WondeHosts::default);
    Connector { cipher, hosts: &HOSTS, actor, keeps_wonde_id: false, only_if: &OnlyIf::Always }
}

/// A Wonde id for this school.
pub fn wonde_id_of(school: &str) -> String {
    if school == "oak" {
        return "A1930499544".to_owned();
    }
    format!("A{}", school.replace(|c: char| !c.is_ascii_alphanumeric(), "0"))
}

/// A plain HTTP client.
pub fn http_client() -> Client {
    mis_sync_wonde::install_crypto_provider();
    Client::builder().build().unwrap()
}

fn job_id(job: &Value) -> String {
    job["id"].as_str().unwrap().to_owned()
}

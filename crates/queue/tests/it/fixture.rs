//! A ledger, a Redis, and workers that run what a test tells them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{FutureExt, TryFutureExt};
use mis_sync_domain::{
    ConnectSchool, Job, JobFailure, JobId, JobState, Report, SchoolId, SyncOptions, SyncSchool,
    Update,
};
use mis_sync_queue::{
    Claimed, Done, Enqueued, Error, Handler, Intake, JobError, NewJob, Queue, RetryPolicy,
    WorkerOptions, run_worker,
};
use mis_sync_store::{Pool, TokenCipher, jobs, schools};
use mis_sync_testing::{Servers, a_person, connector, eventually, wonde_id_of};
use redis::{FromRedisValue, aio::MultiplexedConnection};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Long enough that no lease and no deadline ends by itself.
pub(crate) const LONG: Duration = Duration::from_hours(1);
/// Where ids wait for a worker.
pub(crate) const READY: &str = "test:ready:bulk";

pub(crate) struct TestQueue {
    pub(crate) servers: Servers,
    pub(crate) pool: Pool,
    pub(crate) queue: Queue,
}

impl TestQueue {
    /// Servers, and the school `oak`.
    pub(crate) async fn start() -> Self {
        let servers = Servers::start().await;
        let pool = servers.pool();
        let queue = Queue::new(pool.clone(), servers.open_redis());
        let test = Self { servers, pool, queue };
        test.connect("oak", "Oakfield").await;
        test
    }

    pub(crate) async fn connect(&self, id: &str, name: &str) -> SchoolId {
        let cipher = TokenCipher::from_hex(&"0a".repeat(32).into()).unwrap();
        let school = ConnectSchool {
            id: id.parse().unwrap(),
            name: name.into(),
            wonde_school_id: wonde_id_of(id),
            wonde_base_url: None,
            mis: Update::Keep,
            settings: None,
            callback_url: Update::Keep,
        };
        let token = "t0ken".into();
        schools::connect(&self.pool, connector(&cipher, &a_person()), &school, Some(&token))
            .await
            .unwrap()
            .unwrap();
        school.id
    }

    /// A new job, in the ledger and, if Redis is there, delivered.
    pub(crate) async fn enqueue(&self) -> JobId {
        match self.queue.enqueue(&new_job(), None).await.unwrap() {
            Enqueued::New(job) => job.id,
            Enqueued::Existing(job) => panic!("{} has a key of its own", job.id),
        }
    }

    pub(crate) async fn enqueue_many(&self, count: usize) -> Vec<JobId> {
        let mut jobs = Vec::new();
        for _ in 0..count {
            jobs.push(self.enqueue().await);
        }
        jobs
    }

    pub(crate) fn worker(&self, handler: Handler) -> TestWorker {
        self.worker_with(options(), handler)
    }

    pub(crate) fn worker_with(&self, options: WorkerOptions, handler: Handler) -> TestWorker {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run_worker(self.queue.clone(), options, handler, stop.clone()));
        TestWorker { stop, task }
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        jobs::get(&self.pool, id).await.unwrap().unwrap()
    }

    /// Waits until the jobs are in this state.
    pub(crate) async fn wait_for(&self, ids: &[JobId], state: JobState) {
        for id in ids {
            let what = format!("{id} is {state}");
            eventually(&what, async || (self.job(*id).await.state == state).then_some(())).await;
        }
    }

    /// The same while sweepers are running, as they always are in production.
    pub(crate) async fn sweep_until(&self, id: JobId, state: JobState) {
        let what = format!("{id} is {state}");
        eventually(&what, async || {
            self.queue.redeliver_due().await.unwrap();
            (self.job(id).await.state == state).then_some(())
        })
        .await;
    }

    /// Makes every job look as if it was delivered a minute ago.
    pub(crate) async fn age_deliveries(&self) {
        let sql = "UPDATE job SET delivered_at = delivered_at - interval '1 minute'";
        crate::rows::change(&self.pool, sql).await;
    }

    pub(crate) async fn redis(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.servers.redis_url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Runs one Redis command, its words separated by blanks.
    pub(crate) async fn redis_command<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>());
        command.query_async(&mut self.redis().await).await.unwrap()
    }
}

pub(crate) struct TestWorker {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), Error>>,
}

impl TestWorker {
    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap().unwrap();
    }
}

impl Drop for TestWorker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A job of `oak` that is unlike any other.
pub(crate) fn new_job() -> NewJob {
    let sync = SyncSchool { school_id: "oak".parse().unwrap(), options: SyncOptions::default() };
    let unique_key = Uuid::now_v7().to_string();
    NewJob { unique_key, deadline: LONG, ..NewJob::of(&sync, "test") }
}

/// Two slots, and leases that do not end by themselves.
pub(crate) fn options() -> WorkerOptions {
    WorkerOptions {
        name: format!("test-{}", Uuid::now_v7().simple()),
        concurrency: 2,
        interactive_concurrency: 2,
        lease: LONG,
        drain: LONG,
        retry: RetryPolicy { base: Duration::from_millis(1), max: Duration::from_millis(10) },
        intake: Intake::default(),
    }
}

pub(crate) fn failure(code: &str) -> JobFailure {
    JobFailure { code: code.into(), title: "It failed".into(), detail: "On purpose.".into() }
}

/// Makes a handler of an async function.
pub(crate) fn handler<F>(run: impl Fn(Claimed) -> F + Send + Sync + 'static) -> Handler
where
    F: Future<Output = Result<(), JobError>> + Send + 'static,
{
    Arc::new(move |claimed| run(claimed).map_ok(|()| Done::Succeeded).boxed())
}

/// Ends a job successfully, as the work itself does.
pub(crate) async fn succeed(pool: &Pool, claimed: &Claimed) -> Result<(), JobError> {
    let written = async {
        let mut connection = pool.acquire().await?;
        jobs::succeed(&mut connection, claimed.lease, &Report::default()).await
    };
    written.await.map_err(|error| match error {
        mis_sync_store::Error::LeaseLost => JobError::LeaseLost,
        other => JobError::Retry(failure(&other.to_string())),
    })
}

/// Which jobs ran, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Arc<Mutex<Vec<JobId>>>);

impl Runs {
    pub(crate) fn note(&self, claimed: &Claimed) {
        self.0.lock().unwrap().push(claimed.job.id);
    }

    pub(crate) fn all(&self) -> Vec<JobId> {
        self.0.lock().unwrap().clone()
    }

    /// A handler that records the job and succeeds.
    pub(crate) fn handler(&self, pool: &Pool) -> Handler {
        let (runs, pool) = (self.clone(), pool.clone());
        handler(move |claimed| {
            let (runs, pool) = (runs.clone(), pool.clone());
            async move {
                runs.note(&claimed);
                succeed(&pool, &claimed).await
            }
        })
    }
}

/// Tells a test that a job's work has ended, in whatever way.
pub(crate) struct OnDrop(pub(crate) Arc<Semaphore>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

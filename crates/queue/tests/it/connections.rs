//! Connections that end in other ways than by being closed.

use mis_sync_domain::JobId;
use mis_sync_queue::{Queue, Redis};
use mis_sync_testing::eventually;

use crate::{
    fixture::{Runs, TestQueue},
    proxy::Proxy,
};

impl TestQueue {
    /// Waits until a worker waits in Redis for an id of this lane.
    pub(crate) async fn until_someone_pops(&self) {
        eventually("a worker waits in Redis", async || {
            let clients: String = self.redis_command("CLIENT LIST").await;
            clients.contains("cmd=bzpopmin").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn connections_that_died_without_a_word_are_made_anew() {
    let mut test = TestQueue::start().await;
    let proxy = Proxy::to(test.servers.redis.socket()).await;
    test.queue = Queue::new(test.pool.clone(), Redis::open(proxy.url(), "test").unwrap());
    let worker = test.worker(Runs::default().handler(&test.pool));
    let _stranger = test.queue.ending(JobId::new());
    test.listeners(1).await;
    test.jobs_run().await;

    proxy.cut();
    test.jobs_run().await;
    // The server was not told either, so it still counts the subscription that died.
    test.listeners(2).await;
    test.until_redis_is(None).await;
    let () = test.redis_command("CLIENT KILL TYPE normal").await;
    test.until_someone_pops().await;
    test.ends_are_heard().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_process_that_starts_without_redis_joins_it_later() {
    let mut test = TestQueue::start().await;
    test.servers.redis.kill().unwrap();
    let redis = Redis::open(&test.servers.redis_url(), "test").unwrap();
    test.queue = Queue::new(test.pool.clone(), redis);
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.jobs_run().await;
    test.servers.redis.restart().unwrap();
    test.until_redis_is(None).await;
    test.until_someone_pops().await;
    test.jobs_run().await;
    worker.stop().await;
}

//! Another server becomes the master, while jobs run.

use std::time::Duration;

use mis_sync_queue::{Queue, Redis};
use mis_sync_store::workers::Place;
use mis_sync_testing::{RedisServer, another_redis, eventually, free_port, sentinel};
use redis::{FromRedisValue, RedisResult};

use crate::fixture::{Runs, TestQueue};

/// Runs one command on a server, its words separated by blanks.
async fn tell<T: FromRedisValue>(url: &str, command: &str) -> RedisResult<T> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    command.arg(words.collect::<Vec<_>>()).query_async(&mut connection).await
}

async fn is_master_with_our_keys(url: &str) -> Option<()> {
    let info: String = tell(url, "INFO replication").await.ok()?;
    let held: i64 = tell(url, "EXISTS test:probe").await.ok()?;
    (info.contains("role:master") && held == 1).then_some(())
}

#[tokio::test]
async fn what_sentinel_says_is_followed() {
    let [first, second, watch] = [(); 3].map(|()| free_port().to_string());
    let login = ["--requirepass", "s@fe", "--masterauth", "s@fe"];
    let start = async |port: &str, more: &[&str]| {
        let arguments = [&["--port", port, "--bind", "127.0.0.1"], &login[..], more].concat();
        another_redis(&arguments).await
    };
    let mut servers =
        [start(&first, &[]).await, start(&second, &["--replicaof", "127.0.0.1", &first]).await];
    let _watch = sentinel(format!(
        "port {watch}\nbind 127.0.0.1\nrequirepass watch\n\
         sentinel monitor main 127.0.0.1 {first} 1\nsentinel auth-pass main s@fe\n\
         sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 2000\n"
    ))
    .await;
    let mut test = TestQueue::start().await;
    let url = format!(
        "redis+sentinel://:s%40fe@127.0.0.1:1,127.0.0.1:{watch}/main?sentinel_password=watch"
    );
    test.queue = Queue::new(test.pool.clone(), Redis::open(&url, "test").unwrap());
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.until_redis_is(None).await;
    test.jobs_run().await;

    // The old master continues as a replica, and can be reached.
    let of = |port: &str| format!("redis://:s%40fe@127.0.0.1:{port}");
    let watch = format!("redis://:watch@127.0.0.1:{watch}");
    eventually("Sentinel knows the replica", async || {
        tell::<()>(&watch, "SENTINEL FAILOVER main").await.ok()
    })
    .await;
    test.jobs_run().await;
    eventually("the new master is used", async || is_master_with_our_keys(&of(&second)).await)
        .await;
    let () = tell(&of(&second), "DEL test:probe").await.unwrap();
    eventually("the new master is used", async || is_master_with_our_keys(&of(&second)).await)
        .await;
    test.jobs_run().await;

    // The new master dies; Sentinel needs a while to go back to the first.
    eventually("the first is a replica", async || {
        let info: String = tell(&of(&first), "INFO replication").await.ok()?;
        (info.contains("role:slave") && info.contains("master_link_status:up")).then_some(())
    })
    .await;
    servers[1].kill().unwrap();
    test.jobs_run().await;
    eventually("the first is used again", async || {
        tell::<()>(&of(&first), "DEL test:probe").await.ok()
    })
    .await;
    eventually("the first is used again", async || is_master_with_our_keys(&of(&first)).await)
        .await;
    test.until_redis_is(None).await;
    test.jobs_run().await;
    worker.stop().await;
}

/// Three masters, and a replica of the one that has the keys of prefix `test`.
struct Cluster {
    nodes: Vec<(String, RedisServer)>,
    owner: usize,
}

impl Cluster {
    async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..4 {
            let port = free_port().to_string();
            let arguments = ["--port", &port, "--bind", "127.0.0.1", "--cluster-enabled", "yes"];
            let timeouts = ["--cluster-node-timeout", "2000"];
            nodes.push((port.clone(), another_redis(&[&arguments[..], &timeouts].concat()).await));
        }
        let url = |n: usize| nodes[n].1.url();
        let slots = [0..5461_u16, 5461..10_923, 10_923..16_384];
        for (n, slots) in slots.iter().enumerate() {
            let list: Vec<String> = slots.clone().map(|slot| slot.to_string()).collect();
            let () = tell(&url(n), &format!("CLUSTER ADDSLOTS {}", list.join(" "))).await.unwrap();
        }
        for (port, _) in &nodes[1..] {
            let () = tell(&url(0), &format!("CLUSTER MEET 127.0.0.1 {port}")).await.unwrap();
        }
        let slot: u16 = tell(&url(0), "CLUSTER KEYSLOT {test}").await.unwrap();
        let owner = slots.iter().position(|slots| slots.contains(&slot)).unwrap();
        let id: String = tell(&url(owner), "CLUSTER MYID").await.unwrap();
        eventually("the replica has met its master", async || {
            tell::<()>(&url(3), &format!("CLUSTER REPLICATE {id}")).await.ok()
        })
        .await;
        for n in 0..4 {
            eventually("the cluster is well", async || {
                let info: String = tell(&url(n), "CLUSTER INFO").await.ok()?;
                let is_whole = info.contains("cluster_known_nodes:4");
                (is_whole && info.contains("cluster_state:ok")).then_some(())
            })
            .await;
        }
        eventually("the replica follows", async || {
            let info: String = tell(&url(3), "INFO replication").await.ok()?;
            info.contains("master_link_status:up").then_some(())
        })
        .await;
        Self { nodes, owner }
    }

    /// Two of the masters, the one with our keys among them.
    fn url(&self) -> String {
        let port = |n: usize| &self.nodes[n].0;
        let other = (self.owner + 1) % 3;
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", port(self.owner), port(other))
    }
}

#[tokio::test]
async fn a_cluster_serves_and_its_failover_is_followed() {
    let mut cluster = Cluster::start().await;
    let mut test = TestQueue::start().await;
    let redis = Redis::open(&cluster.url(), "test").unwrap();
    test.queue = Queue::new(test.pool.clone(), redis.clone());
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.until_redis_is(None).await;
    test.jobs_run().await;
    redis.share_limits(Place { present: 1, before: 0, clock: Duration::ZERO });
    let limiter = crate::limiter::in_a_hurry(&test.queue);
    limiter.acquire_as("one", "oak").await.unwrap();
    assert_eq!(limiter.traffic().await.unwrap().keys[0].sent, 1, "counted on one node");
    assert!(redis.health().await.unwrap().version.is_some());
    test.ends_are_heard().await;

    let owner = cluster.owner;
    cluster.nodes[owner].1.kill().unwrap();
    test.jobs_run().await;
    limiter.acquire_as("one", "oak").await.unwrap();
    test.until_redis_is(None).await;
    test.jobs_run().await;
    let replica = cluster.nodes[3].1.url();
    let found: i64 = tell(&replica, "EXISTS {test}:probe").await.unwrap();
    assert_eq!(found, 1, "the replica is the master now");
    worker.stop().await;
}

//! What Wonde sees in its busiest second, whatever happens to Redis: eight workers that always have
//! more requests than they may send.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::future::join_all;
use mis_sync_domain::Lane;
use mis_sync_queue::{Queue, RateLimit, RateLimiter};
use mis_sync_store::workers::{self, Heartbeat};
use mis_sync_testing::{TestApp, TestAppOptions, eventually, http_client};
use mis_sync_wonde_sim::{SchoolSummary, Simulator};

const LIMIT: u32 = 20;
const WORKERS: u32 = 8;
/// Requests that each worker would have in flight.
const AT_ONCE: u32 = 4;

/// Workers in the ledger, without jobs.
struct Fleet {
    workers: Vec<RateLimiter>,
    base_url: String,
    school: SchoolSummary,
}

impl Fleet {
    async fn of(app: &TestApp) -> Self {
        let names: Vec<String> = (0..WORKERS).map(|n| format!("worker-{n}")).collect();
        for name in &names {
            let beat = Heartbeat {
                name: name.clone(),
                host: "here".into(),
                pid: 1,
                version: "1",
                lanes: vec![(Lane::Bulk, AT_ONCE as usize)],
            };
            workers::beat(&app.pool, &beat, false).await.unwrap();
        }
        let mut limiters = Vec::new();
        for (n, name) in (0..).zip(&names) {
            let redis = app.servers.open_redis();
            redis.share_limits(workers::place(&app.pool, name).await.unwrap());
            let limit = RateLimit {
                per_second: LIMIT.try_into().unwrap(),
                kept_for_logins: 0,
                longest_wait: Duration::from_secs(30),
            };
            let limit = if n % 2 == 0 { limit } else { limit.keeping_percent(30) };
            limiters.push(RateLimiter::new(&Queue::new(app.pool.clone(), redis), limit));
        }
        let (base_url, school) = (app.simulator.base_url(), app.simulated_school(0));
        Self { workers: limiters, base_url, school }
    }

    /// Sends this many requests, as soon as they may be sent.
    async fn send(&self, requests: usize) {
        let (http, sent) = (http_client(), AtomicUsize::new(0));
        let url = format!("{}/schools/{}", self.base_url, self.school.id);
        let one_after_the_other = |worker: usize| {
            let (http, url, sent) = (&http, &url, &sent);
            async move {
                while sent.fetch_add(1, Ordering::Relaxed) < requests {
                    self.workers[worker].acquire("a-token").await.unwrap();
                    http.get(url).bearer_auth(&self.school.token).send().await.unwrap();
                }
            }
        };
        join_all((0..WORKERS * AT_ONCE).map(|n| one_after_the_other((n % WORKERS) as usize))).await;
    }
}

async fn start() -> (TestApp, Fleet) {
    let app = TestApp::start_with(TestAppOptions { worker: false, ..Default::default() }).await;
    let fleet = Fleet::of(&app).await;
    (app, fleet)
}

async fn until_sent(simulator: &Simulator, requests: u64) {
    eventually("requests arrive", async || (simulator.requests().total >= requests).then_some(()))
        .await;
}

/// The most requests in any one second.
fn most(app: &TestApp) -> usize {
    let requests = app.simulator.simulator().requests();
    requests.per_token.values().map(|token| token.max_per_second).max().unwrap()
}

#[tokio::test]
async fn the_whole_limit_of_a_quiet_token_goes_out_at_once() {
    let (app, fleet) = start().await;
    fleet.send(LIMIT as usize * 3).await;
    assert_eq!(most(&app), LIMIT as usize);
}

#[tokio::test]
async fn an_emptied_redis_lets_no_second_see_more() {
    let (app, fleet) = start().await;
    let empty = async {
        for requests in [30, 70] {
            until_sent(app.simulator.simulator(), requests).await;
            app.servers.empty_redis().await;
        }
    };
    tokio::join!(fleet.send(110), empty);
    assert!(most(&app) <= LIMIT as usize, "{}", most(&app));
}

#[tokio::test]
async fn a_redis_that_dies_and_comes_back_lets_no_second_see_more() {
    let (mut app, fleet) = start().await;
    let simulator = app.simulator.simulator().clone();
    let die = async {
        for requests in [30, 90] {
            until_sent(&simulator, requests).await;
            app.servers.redis.kill().unwrap();
            until_sent(&simulator, requests + 30).await;
            app.servers.redis.restart().unwrap();
        }
    };
    tokio::join!(fleet.send(150), die);
    assert!(most(&app) <= LIMIT as usize, "{}", most(&app));
}

#[tokio::test]
async fn a_redis_that_freezes_lets_no_second_see_more() {
    let (mut app, fleet) = start().await;
    let simulator = app.simulator.simulator().clone();
    let freeze = async {
        until_sent(&simulator, 30).await;
        app.servers.redis.pause().unwrap();
        until_sent(&simulator, 60).await;
        app.servers.redis.resume().unwrap();
    };
    tokio::join!(fleet.send(110), freeze);
    assert!(most(&app) <= LIMIT as usize, "{}", most(&app));
}

#[tokio::test]
async fn eight_workers_without_redis_share_the_limit() {
    let (mut app, fleet) = start().await;
    app.servers.redis.kill().unwrap();
    fleet.send(60).await;
    assert!(most(&app) <= LIMIT as usize, "{}", most(&app));
}

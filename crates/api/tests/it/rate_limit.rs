//! How many requests a key may send.

use std::num::NonZeroU32;

use mis_sync_domain::Role;

use crate::support::{self, App, Ask};

#[tokio::test]
async fn a_key_that_asks_too_often_waits_and_the_others_do_not() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await;
    let limited = app.state.clone().with_requests_per_second_per_key(NonZeroU32::new(1));
    let router = mis_sync_api::router(limited);
    let (key, other) = (app.key(Role::App, None).await, app.key(Role::App, None).await);
    let ask = async |key: &str| support::send(&router, Ask::get("/v1/schools/oak").key(key)).await;
    let first = ask(&key).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit-policy"), "\"key\";q=5;w=5");
    assert_eq!(first.header("ratelimit"), "\"key\";r=4;t=1");
    let mut refused = ask(&key).await;
    while refused.status == 200 {
        refused = ask(&key).await;
    }
    refused.problem(429, "too-many-requests");
    assert_eq!(refused.header("ratelimit"), "\"key\";r=0;t=5");
    let wait: u16 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(ask(&other).await.status, 200, "each key has its own limit");
    // A login is let through and not counted.
    let login = Ask::post(&format!("/v1/schools/oak/staff/{person}/refresh")).key(&key);
    let login = support::send(&router, login).await;
    assert_eq!((login.status, login.header("ratelimit")), (200, ""));
    // Without a valid key there is nothing to count.
    let stranger = support::send(&router, Ask::get("/v1/schools/oak").key("misk_x")).await;
    assert_eq!((stranger.status, stranger.header("ratelimit")), (401, ""));
    // By default, the tests' router has no limit.
    assert_eq!(app.admin(Ask::get("/v1/schools/oak")).await.header("ratelimit"), "");
}

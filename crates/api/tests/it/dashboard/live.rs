//! When an open page loads itself again.

use std::time::Duration;

use axum::response::Response;
use futures::StreamExt;
use mis_sync_testing::PATIENCE;
use tokio::time::timeout;

use super::{SignedIn, between};
use crate::support::{App, Ask};

/// Two of the checks that a page's events make.
const TWO_CHECKS: Duration = Duration::from_millis(2_500);

/// The events that a page watches.
async fn watch(app: &App, who: &SignedIn, address: &str) -> Response {
    let ask = Ask::new("GET", &address.replace("&amp;", "&")).cookie(&who.cookie);
    app.begin(ask).await
}

async fn first_event(events: Response, patience: Duration) -> Option<String> {
    let mut chunks = events.into_body().into_data_stream();
    let event = async {
        loop {
            let chunk = chunks.next().await.expect("the stream goes on").unwrap();
            let text = String::from_utf8(chunk.to_vec()).unwrap();
            if text.contains("event:") {
                return text;
            }
        }
    };
    timeout(patience, event).await.ok()
}

#[tokio::test]
async fn a_page_is_not_fetched_again_before_something_happens() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let job = app.job(&oak).await.id;
    for path in
        ["/dashboard", "/dashboard/jobs", "/dashboard/queues", &format!("/dashboard/jobs/{job}")]
    {
        let page = who.get(&app, path).await.text;
        let address = between(&page, "hx-sse:connect=\"", "\"");
        let same = watch(&app, &who, &address).await;
        assert_eq!(first_event(same, TWO_CHECKS).await, None, "{path}: nothing has happened");
        let (watched, _) = address.split_once("&amp;seen=").expect("the page says what it shows");
        let other = watch(&app, &who, &format!("{watched}&seen=0-0")).await;
        assert!(first_event(other, PATIENCE).await.unwrap().contains("changed"), "{path}");
    }
}

#[tokio::test]
async fn pauses_and_lost_workers_are_seen_as_soon_as_jobs() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    let mut seen = String::new();
    for change in [
        "INSERT INTO pause (scope, target, actor) VALUES ('lane', 'bulk', 'a test')",
        "INSERT INTO worker (name, host, pid, version, lanes) VALUES ('w', 'h', 1, '1', '{}')",
        "UPDATE worker SET seen_at = now() - interval '11 seconds'",
        "UPDATE worker SET stopped_at = now()",
    ] {
        app.sql(change.to_owned()).await;
        let page = who.get(&app, "/dashboard").await.text;
        let now = between(&page, "&amp;seen=", "\"");
        assert_ne!(now, seen, "{change}");
        seen = now;
        let vanished = change.contains("11 seconds");
        assert_eq!(page.contains("A worker has vanished"), vanished, "{change}");
    }
}

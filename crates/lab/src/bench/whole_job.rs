//! The product as the iP app sees it: press the button, ask until it is done.

use std::time::{Duration, Instant};

use mis_sync_cli::Failure;
use mis_sync_domain::SchoolId;
use mis_sync_wonde_sim::SchoolSummary;
use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::private::PrivateSystem;

/// Between two looks at the job.
const POLL: Duration = Duration::from_millis(2);

/// Connects a simulated school; in iP it has the same id as in the simulator.
pub(super) async fn connect(
    system: &PrivateSystem,
    http: &Client,
    school: &SchoolSummary,
    settings: Value,
) -> Result<SchoolId, Failure> {
    let body = json!({
        "name": school.name,
        "wonde_school_id": school.id,
        "token": school.token,
        "mis": school.mis.to_string(),
        "settings": settings,
    });
    let request = http.put(format!("{}/v1/schools/{}", system.api_url, school.id)).json(&body);
    ask(system, request).await?;
    school.id.parse().map_err(Failure::work)
}

/// From the press to the first answer that says `succeeded`.
pub(super) async fn sync(
    system: &PrivateSystem,
    http: &Client,
    school: &SchoolId,
) -> Result<Duration, Failure> {
    let started = Instant::now();
    let press = http.post(format!("{}/v1/schools/{school}/sync", system.api_url));
    let mut job = ask(system, press).await?;
    let id = job["id"].as_str().ok_or_else(|| Failure::work("a job without an id"))?;
    let url = format!("{}/v1/jobs/{id}", system.api_url);
    let mut tick = interval(POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match job["state"].as_str() {
            Some("succeeded") => return Ok(started.elapsed()),
            Some("queued" | "running") => {}
            other => {
                let state = other.unwrap_or("without a state");
                return Err(Failure::work(format!("a sync is {state}: {}", job["error"])));
            }
        }
        tick.tick().await;
        job = ask(system, http.get(&url)).await?;
    }
}

async fn ask(system: &PrivateSystem, request: RequestBuilder) -> Result<Value, Failure> {
    let answer = request.bearer_auth(system.api_key.expose_secret()).send().await?;
    Ok(answer.error_for_status()?.json().await?)
}

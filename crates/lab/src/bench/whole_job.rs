//! The product as the iP app sees it: press the button, ask until it is done.

use std::time::{Duration, Instant};

use mis_sync_cli::Failure;
use mis_sync_domain::SchoolId;
use tokio::time::{MissedTickBehavior, interval};

use super::installation::Installation;

/// Between two looks at the job.
const POLL: Duration = Duration::from_millis(2);

/// From the press to the first answer that says `succeeded`.
pub(super) async fn sync(
    installation: &Installation,
    school: &SchoolId,
) -> Result<Duration, Failure> {
    let started = Instant::now();
    let (http, api_url) = (&installation.http, &installation.api_urls[0]);
    let press = http.post(format!("{api_url}/v1/schools/{school}/sync"));
    let mut job = installation.ask(press).await?;
    let id = job["id"].as_str().ok_or_else(|| Failure::work("a job without an id"))?;
    let url = format!("{api_url}/v1/jobs/{id}");
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
        job = installation.ask(http.get(&url)).await?;
    }
}

//! Presses *Sync Data* for a school and waits for the end. Needs the crates `serde_json` and `ureq`
//! (with its feature `json`).
//!
//! `MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… press oakfield`

use std::{env, error::Error, thread::sleep, time::Duration};

use serde_json::Value;
use ureq::{Agent, http::Request};

/// Sends a request; gives the job of the answer and how long to wait before the next one.
fn call(agent: &Agent, method: &str, path: &str) -> Result<(Value, Duration), Box<dyn Error>> {
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", env::var("MIS_SYNC_URL")?))
        .header("Authorization", format!("Bearer {}", env::var("MIS_SYNC_KEY")?))
        .body(())?;
    let mut answer = agent.run(request)?;
    let wait =
        answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body: Value = answer.body_mut().read_json()?;
    if answer.status().is_success() {
        Ok((body, Duration::from_secs(wait.unwrap_or(1))))
    } else {
        Err(format!("{}: {}", body["title"], body["detail"]).into())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let school = env::args().nth(1).ok_or("usage: press SCHOOL")?;
    let agent = Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build());

    // A second press while a sync is under way finds the same job, so pressing twice does no harm.
    let (mut job, mut wait) = call(&agent, "POST", &format!("/v1/schools/{school}/sync"))?;
    let id = job["id"].as_str().ok_or("the answer is no job")?.to_owned();
    while matches!(job["state"].as_str(), Some("queued" | "running" | "retrying")) {
        sleep(wait);
        (job, wait) = call(&agent, "GET", &format!("/v1/jobs/{id}"))?;
    }

    if job["state"] != "succeeded" {
        // Held is an unusually large change: nothing is written until someone approves it.
        return Err(format!("{}: {}", job["state"], job["error"]["title"]).into());
    }
    println!("succeeded: {} new, {} changed", job["report"]["created"], job["report"]["updated"]);
    Ok(())
}

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mis_sync_domain::SchoolId;
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::interval;

use crate::{commands::print, exit::Failure, private::PrivateSystem};

/// Presses *Sync Data* and follows the job until it ends; returns the job.
pub(super) async fn sync(
    system: &PrivateSystem,
    http: &Client,
    school: &SchoolId,
) -> Result<Value, Failure> {
    let key = system.api_key.expose_secret();
    let pressed = http
        .post(format!("{}/v1/schools/{school}/sync", system.api_url))
        .bearer_auth(key)
        .send()
        .await?
        .error_for_status()?;
    let mut job: Value = pressed.json().await?;
    let url = format!("{}/v1/jobs/{}", system.api_url, job["id"].as_str().unwrap_or_default());

    let mut progress = Progress::begin();
    let mut tick = interval(Duration::from_millis(50));
    while !["succeeded", "failed", "cancelled"].iter().any(|state| job["state"] == **state) {
        progress.show(&job)?;
        tick.tick().await;
        job = http.get(&url).bearer_auth(key).send().await?.error_for_status()?.json().await?;
    }
    progress.end(&job)?;
    Ok(job)
}

/// A bar on a terminal, a line for each stage elsewhere.
struct Progress {
    bar: ProgressBar,
    last: String,
}

impl Progress {
    fn begin() -> Self {
        let style = ProgressStyle::with_template("  {bar:40.green} {percent:>3}%  {msg}")
            .expect("the template is fixed and a test run shows it");
        Self { bar: ProgressBar::new(100).with_style(style), last: String::new() }
    }

    fn show(&mut self, job: &Value) -> Result<(), Failure> {
        let running = job["state"] == "running";
        let busy_with = if running { &job["progress"]["stage"] } else { &job["state"] };
        let stage = busy_with.as_str().unwrap_or_default();
        self.bar.set_position(job["progress"]["percent"].as_u64().unwrap_or_default());
        self.bar.set_message(match job["progress"]["done"].as_u64() {
            Some(done) if done > 0 => format!("{stage}, {done} records"),
            _ => stage.to_owned(),
        });
        if self.bar.is_hidden() && stage != self.last {
            let ended = job["finished_at"].is_string();
            print(&format!("  {stage}{}", if ended { "" } else { " …" }))?;
        }
        stage.clone_into(&mut self.last);
        Ok(())
    }

    fn end(&mut self, job: &Value) -> Result<(), Failure> {
        self.show(job)?;
        self.bar.finish();
        Ok(())
    }
}

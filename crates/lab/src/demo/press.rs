use mis_sync_cli::{Failure, Shown, follow};
use mis_sync_domain::{Job, JobId, SchoolId};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::private::PrivateSystem;

/// Presses *Sync Data*, as the iP app would, and follows the job until it ends.
pub(super) async fn sync(
    system: &PrivateSystem,
    http: &Client,
    school: &SchoolId,
) -> Result<Job, Failure> {
    let pressed = http
        .post(format!("{}/v1/schools/{school}/sync", system.api_url))
        .bearer_auth(system.api_key.expose_secret())
        .send()
        .await?
        .error_for_status()?;
    let job: Value = pressed.json().await?;
    let id: JobId = job["id"].as_str().unwrap_or_default().parse().map_err(Failure::work)?;
    follow(&system.pool, id, Shown::Progress).await
}

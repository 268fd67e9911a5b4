//! The schools of the measurement: connected, synced once, and synced again and again.

use std::time::Duration;

use mis_sync_cli::Failure;
use mis_sync_domain::SchoolId;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{bench::database, private::PrivateSystem};

/// Between two presses of every school's button; a school whose sync is unfinished gets that one.
const PRESS_EVERY: Duration = Duration::from_millis(500);
/// Between two looks whether all syncs are done.
const POLL: Duration = Duration::from_millis(100);

/// A person who logs in.
pub(super) struct Person {
    pub(super) school_id: String,
    pub(super) id: Uuid,
}

/// Connects every simulated school and syncs it; returns the people, one of each school in turn.
pub(super) async fn connect_and_sync(system: &PrivateSystem) -> Result<Vec<Person>, Failure> {
    let http = Client::builder().build()?;
    for school in system.simulator.simulator().schools() {
        let body = json!({
            "name": school.name,
            "wonde_school_id": school.id,
            "token": school.token,
            "mis": school.mis.to_string(),
            "settings": { "refresh_freshness_minutes": 0 },
        });
        let url = format!("{}/v1/schools/{}", system.api_url, school.id);
        ask(&system.api_key, http.put(url).json(&body)).await?;
        press(&http, &system.api_url, &system.api_key, &school.id).await?;
    }
    let mut tick = interval(POLL);
    while count(system, "state <> 'succeeded'").await? > 0 {
        tick.tick().await;
    }
    read_people(system).await
}

async fn read_people(system: &PrivateSystem) -> Result<Vec<Person>, Failure> {
    #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "SELECT school_id, id FROM staff WHERE active
         ORDER BY row_number() OVER (PARTITION BY school_id ORDER BY id), school_id",
    )
    .fetch_all(&system.pool)
    .await
    .map_err(database)?;
    Ok(rows.into_iter().map(|(school_id, id)| Person { school_id, id }).collect())
}

async fn count(system: &PrivateSystem, condition: &str) -> Result<i64, Failure> {
    let statement = format!("SELECT count(*) FROM job WHERE kind = 'sync-school' AND {condition}");
    #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
    let statement = sqlx::query_scalar(sqlx::AssertSqlSafe(statement));
    statement.fetch_one(&system.pool).await.map_err(database)
}

/// Presses every school's button again and again, so that each has an unfinished sync.
pub(super) struct KeepSyncing<'a> {
    system: &'a PrivateSystem,
    stop: CancellationToken,
    task: JoinHandle<Result<(), Failure>>,
}

impl<'a> KeepSyncing<'a> {
    pub(super) fn start(system: &'a PrivateSystem) -> Self {
        let stop = CancellationToken::new();
        let schools: Vec<String> =
            system.simulator.simulator().schools().into_iter().map(|school| school.id).collect();
        let (api_url, api_key) = (system.api_url.clone(), system.api_key.clone());
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            let http = Client::builder().build()?;
            let mut tick = interval(PRESS_EVERY);
            while stopping.run_until_cancelled(tick.tick()).await.is_some() {
                for school in &schools {
                    press(&http, &api_url, &api_key, school).await?;
                }
            }
            Ok(())
        });
        Self { system, stop, task }
    }

    /// Stops pressing; returns how many syncs were done, beyond the first of each school.
    pub(super) async fn stop(self) -> Result<i64, Failure> {
        self.stop.cancel();
        self.task.await.map_err(Failure::work)??;
        let schools = self.system.simulator.simulator().schools().len();
        let done = count(self.system, "state = 'succeeded'").await?;
        Ok(done - i64::try_from(schools).expect("a small number"))
    }
}

async fn press(
    http: &Client,
    api_url: &str,
    api_key: &SecretString,
    school: &str,
) -> Result<(), Failure> {
    let school: SchoolId = school.parse().map_err(Failure::work)?;
    ask(api_key, http.post(format!("{api_url}/v1/schools/{school}/sync"))).await.map(drop)
}

async fn ask(api_key: &SecretString, request: RequestBuilder) -> Result<Value, Failure> {
    let answer = request.bearer_auth(api_key.expose_secret()).send().await?;
    Ok(answer.error_for_status()?.json().await?)
}

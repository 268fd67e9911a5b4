//! What a measurement works on: the API, the ledger behind it, and the schools of the simulator.

use std::time::Duration;

use mis_sync_cli::Failure;
use mis_sync_domain::SchoolId;
use mis_sync_store::Pool;
use mis_sync_wonde_sim::{SchoolSummary, Simulator};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::database;

/// Between two presses of every school's button; a school whose sync is unfinished gets that one.
const PRESS_EVERY: Duration = Duration::from_millis(500);
/// Between two looks whether all syncs are done.
const POLL: Duration = Duration::from_millis(100);

/// A running mis-sync, of one process or of many.
#[derive(Clone)]
pub(crate) struct Installation {
    /// The addresses of its APIs. Schools and logins are spread over them.
    pub(crate) api_urls: Vec<String>,
    /// Opens all of them.
    pub(crate) api_key: SecretString,
    /// Its ledger.
    pub(crate) pool: Pool,
    /// Its Wonde.
    pub(crate) simulator: Simulator,
    /// For requests to its API.
    pub(crate) http: Client,
}

/// A person who logs in.
pub(super) struct Person {
    pub(super) school_id: String,
    pub(super) id: Uuid,
}

impl Installation {
    /// Connects a simulated school; in iP it has the same id as in the simulator.
    pub(super) async fn connect(
        &self,
        school: &SchoolSummary,
        settings: &Value,
    ) -> Result<SchoolId, Failure> {
        let body = json!({
            "name": school.name,
            "wonde_school_id": school.id,
            "token": school.token,
            "mis": school.mis.to_string(),
            "settings": settings,
        });
        let request = self.http.put(format!("{}/v1/schools/{}", self.api_urls[0], school.id));
        self.ask(request.json(&body)).await?;
        school.id.parse().map_err(Failure::work)
    }

    /// Connects every simulated school.
    pub(super) async fn connect_all(&self, settings: &Value) -> Result<(), Failure> {
        for school in self.simulator.schools() {
            self.connect(&school, settings).await?;
        }
        Ok(())
    }

    /// Presses the button of every school, at each API in turn.
    pub(super) async fn press_all(&self) -> Result<(), Failure> {
        for (number, school) in self.simulator.schools().iter().enumerate() {
            let api_url = &self.api_urls[number % self.api_urls.len()];
            let url = format!("{api_url}/v1/schools/{}/sync", school.id);
            self.ask(self.http.post(url)).await?;
        }
        Ok(())
    }

    /// Presses the button of every school, and waits until all syncs have succeeded.
    pub(super) async fn sync_all(&self) -> Result<(), Failure> {
        self.press_all().await?;
        self.synced().await
    }

    /// Waits until all syncs have succeeded.
    pub(super) async fn synced(&self) -> Result<(), Failure> {
        let mut tick = interval(POLL);
        while self.count_syncs("state <> 'succeeded'").await? > 0 {
            if self.count_syncs("state IN ('failed', 'held', 'cancelled')").await? > 0 {
                return Err(Failure::work("a sync did not succeed"));
            }
            tick.tick().await;
        }
        Ok(())
    }

    /// Everyone who can log in, one of each school in turn.
    pub(super) async fn people(&self) -> Result<Vec<Person>, Failure> {
        #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
        let rows: Vec<(String, Uuid)> = sqlx::query_as(
            "SELECT school_id, id FROM staff WHERE active
             ORDER BY row_number() OVER (PARTITION BY school_id ORDER BY id), school_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(database)?;
        Ok(rows.into_iter().map(|(school_id, id)| Person { school_id, id }).collect())
    }

    /// How many syncs are as this condition of SQL says.
    pub(super) async fn count_syncs(&self, condition: &str) -> Result<i64, Failure> {
        let statement =
            format!("SELECT count(*) FROM job WHERE kind = 'sync-school' AND {condition}");
        #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
        let statement = sqlx::query_scalar(sqlx::AssertSqlSafe(statement));
        statement.fetch_one(&self.pool).await.map_err(database)
    }

    /// Sends a request with the key; returns the JSON of a good answer.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = request.bearer_auth(self.api_key.expose_secret()).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

/// Presses every school's button again and again, so that each has an unfinished sync.
pub(super) struct KeepSyncing<'a> {
    installation: &'a Installation,
    stop: CancellationToken,
    task: JoinHandle<Result<(), Failure>>,
}

impl<'a> KeepSyncing<'a> {
    pub(super) fn start(installation: &'a Installation) -> Self {
        let stop = CancellationToken::new();
        let (stopping, pressed) = (stop.clone(), installation.clone());
        let task = tokio::spawn(async move {
            let mut tick = interval(PRESS_EVERY);
            while stopping.run_until_cancelled(tick.tick()).await.is_some() {
                pressed.press_all().await?;
            }
            Ok(())
        });
        Self { installation, stop, task }
    }

    /// Stops pressing; returns how many syncs were done, beyond the first of each school.
    pub(super) async fn stop(self) -> Result<i64, Failure> {
        self.stop.cancel();
        self.task.await.map_err(Failure::work)??;
        let schools = self.installation.simulator.schools().len();
        let done = self.installation.count_syncs("state = 'succeeded'").await?;
        Ok(done - i64::try_from(schools).expect("a small number"))
    }
}

//! Logins at an even pace, whatever becomes of them.

use std::time::Duration;

use mis_sync_cli::Failure;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::installation::{Installation, Person};

/// How long a login waits.
pub(super) const WAIT_MS: u32 = 800;
/// Far longer than any login may take: a login that takes this long counts as an error.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// What a login was answered.
pub(super) struct Answer {
    /// From when it was due.
    pub(super) took: Duration,
    /// The outcome; `Err`: what was the matter.
    pub(super) outcome: Result<String, String>,
}

impl Answer {
    pub(super) fn said(&self, outcome: &str) -> bool {
        self.outcome.as_deref() == Ok(outcome)
    }
}

/// People who log in, one after the other and again from the first, at each API in turn.
pub(super) struct Load {
    http: Client,
    api_urls: Vec<String>,
    api_key: SecretString,
    people: Vec<Person>,
    next: usize,
    rate: u32,
    seconds: u32,
}

impl Load {
    pub(super) fn new(
        installation: &Installation,
        people: Vec<Person>,
        rate: u32,
        seconds: u32,
    ) -> Result<Self, Failure> {
        let http = Client::builder().timeout(GIVEN_UP).build()?;
        let api_urls = installation.api_urls.clone();
        let api_key = installation.api_key.clone();
        Ok(Self { http, api_urls, api_key, people, next: 0, rate, seconds })
    }

    /// So many logins, each after the answer to the one before.
    pub(super) async fn one_by_one(&mut self, logins: usize) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in 0..logins {
            let request = self.next_request();
            let started = Instant::now();
            let outcome = ask(request).await;
            answers.push(Answer { took: started.elapsed(), outcome });
        }
        answers
    }

    fn next_request(&mut self) -> RequestBuilder {
        let person = &self.people[self.next % self.people.len()];
        let api_url = &self.api_urls[self.next % self.api_urls.len()];
        self.next += 1;
        let url = format!(
            "{api_url}/v1/schools/{}/staff/{}/refresh?wait_ms={WAIT_MS}",
            person.school_id, person.id
        );
        self.http.post(url).bearer_auth(self.api_key.expose_secret())
    }

    /// One measurement.
    pub(super) async fn run(&mut self) -> Vec<Answer> {
        let mut due = interval_at(Instant::now(), Duration::from_secs(1) / self.rate);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut logins = JoinSet::new();
        for _ in 0..u64::from(self.rate) * u64::from(self.seconds) {
            let started = due.tick().await;
            let request = self.next_request();
            logins.spawn(async move {
                let outcome = ask(request).await;
                Answer { took: started.elapsed(), outcome }
            });
        }
        logins.join_all().await
    }
}

async fn ask(request: RequestBuilder) -> Result<String, String> {
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("HTTP {}", status.as_u16()));
    }
    let body: Value = answer.json().await.map_err(|error| error.without_url().to_string())?;
    let outcome = body["outcome"].as_str();
    outcome.map(str::to_owned).ok_or_else(|| "no outcome".to_owned())
}

//! A plain HTTP client for one running simulator.

use mis_sync_wonde_sim::{Mis, RunningSimulator, SchoolSummary, Simulator, SimulatorOptions};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

/// A running simulator and a client of one of its schools.
pub(crate) struct World {
    pub(crate) running: RunningSimulator,
    pub(crate) school: SchoolSummary,
    pub(crate) http: Client,
}

/// One school of that MIS with that many people.
pub(crate) fn one_school(mis: Mis, staff: usize) -> SimulatorOptions {
    SimulatorOptions { schools: 1, staff, mis: Some(mis), ..SimulatorOptions::default() }
}

impl World {
    pub(crate) async fn start(options: SimulatorOptions) -> Self {
        let running = RunningSimulator::start(options).await.unwrap();
        let school = running.simulator().schools().remove(0);
        // reqwest needs one even for plain HTTP. A second installation in the same process changes
        // nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { running, school, http }
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.running.simulator()
    }

    /// A request of a path below `/v1.0` without a token.
    pub(crate) fn bare(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.running.base_url()))
    }

    /// The answer to the school's own token.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.bare(path).bearer_auth(&self.school.token).send().await.unwrap()
    }

    /// The JSON of a good answer to the school's own token; `path` is below the school.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer = self.get(&format!("/schools/{}{path}", self.school.id)).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// All items of a list, page after page by `next`.
    pub(crate) async fn read_all(&self, path: &str) -> Vec<Value> {
        let mut page = self.read(path).await;
        let mut items = Vec::new();
        loop {
            items.append(page["data"].as_array_mut().unwrap());
            let pagination = &page["meta"]["pagination"];
            assert_eq!(pagination["more"].as_bool().unwrap(), pagination["next"].is_string());
            let Some(next) = pagination["next"].as_str() else { return items };
            assert!(next.starts_with(&self.running.base_url()), "{next}");
            let answer = self.http.get(next).bearer_auth(&self.school.token).send().await.unwrap();
            page = answer.json().await.unwrap();
        }
    }

    /// Posts to the control API: the status and the answer, null when empty.
    pub(crate) async fn order(&self, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.running.control_url());
        let answer = self.http.post(url).body(body.to_owned()).send().await.unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null),
        )
    }
}

/// The ids of a list.
pub(crate) fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

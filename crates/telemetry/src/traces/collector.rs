use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

/// The receiver of traces. The exporter has a thread of its own, and requests need the runtime.
#[derive(Debug)]
pub(super) struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    is_away: AtomicBool,
}

impl Collector {
    pub(super) fn new(http: reqwest::Client, runtime: Handle) -> Self {
        Self { http, runtime, is_away: AtomicBool::new(false) }
    }

    /// Says once that spans are lost, and once that they arrive again.
    fn note(&self, failure: Option<String>) {
        let was_away = self.is_away.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !was_away => {
                tracing::warn!(reason, "traces are not taken and are lost");
            }
            None if was_away => tracing::info!("traces are taken again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (http, request) = (self.http.clone(), reqwest::Request::try_from(request)?);
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let sent = sent.await?.map_err(reqwest::Error::without_url);
        self.note(match &sent {
            Ok((status, _)) if status.is_success() => None,
            Ok((status, _)) => Some(format!("the collector answered {status}")),
            Err(error) if error.is_timeout() => Some("the collector did not answer in time".into()),
            Err(_) => Some("the collector cannot be reached".into()),
        });
        let (status, body) = sent?;
        Ok(Response::builder().status(status).body(body)?)
    }
}

//! A scripted server, a recording rate limiter, and clients that use them.

use std::num::NonZeroU8;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use mis_sync_wonde::{
    AnyAddress, ClientConfig, EmployeeInclude, EmployeeQuery, LimitKey, RateLimit, SchoolClient,
    Throttled, Unlimited, WondeClient, WondeId,
};
use secrecy::SecretString;
use tokio::sync::watch;
use url::Url;

pub(crate) const TOKEN: &str = "5ecre7t0ken5ecre7t0ken5ecre7t0ken5ecre70";

/// One answer of the script. `{base}` in bodies and headers is replaced by the server's own base
/// URL.
#[derive(Clone)]
pub(crate) enum Reply {
    Whole {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// Announces more than it sends, then breaks the connection.
    Truncated,
    /// Never answers.
    Hang,
}

pub(crate) fn json(status: u16, body: impl Into<String>) -> Reply {
    Reply::Whole {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: Bytes::from(body.into()),
    }
}

/// A page with one employee and possibly the address of the next page.
pub(crate) fn page(id: &str, next: Option<&str>) -> Reply {
    let next = next.map_or("null".to_owned(), |next| format!("\"{next}\""));
    let more = next != "null";
    json(
        200,
        format!(
            r#"{{"data":[{{"id":"{id}"}}],"meta":{{"pagination":{{"next":{next},"more":{more}}}}}}}"#
        ),
    )
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
}

/// The answer to a request, given its number from 1, its path and its query.
type Script = dyn Fn(usize, &str) -> BoxFuture<'static, Reply> + Send + Sync;

pub(crate) struct Fake {
    pub(crate) base: Url,
    state: Arc<FakeState>,
    server: tokio::task::JoinHandle<()>,
}

struct FakeState {
    base: Url,
    script: Box<Script>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
    arrived: watch::Sender<usize>,
    given_up: watch::Sender<usize>,
}

impl Fake {
    /// Answers request n with reply n, and every later one with the last.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        Self::scripted(move |number, _| {
            let reply = replies[(number - 1).min(replies.len() - 1)].clone();
            std::future::ready(reply).boxed()
        })
        .await
    }

    pub(crate) async fn scripted(
        script: impl Fn(usize, &str) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base = Url::parse(&format!("http://{address}/v1.0")).unwrap();
        let state = Arc::new(FakeState {
            base: base.clone(),
            script: Box::new(script),
            in_flight: AtomicUsize::default(),
            most_in_flight: AtomicUsize::default(),
            seen: Mutex::default(),
            arrived: watch::Sender::new(0),
            given_up: watch::Sender::new(0),
        });
        let router = Router::new().fallback(answer).with_state(state.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, state, server }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The greatest number of requests that were answered at the same time.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.state.most_in_flight.load(Ordering::SeqCst)
    }

    /// Waits until `count` requests have arrived in all.
    pub(crate) async fn arrived(&self, count: usize) {
        reached(self.state.arrived.subscribe(), count).await;
    }

    /// Waits until the client has abandoned `count` requests.
    pub(crate) async fn given_up(&self, count: usize) {
        reached(self.state.given_up.subscribe(), count).await;
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn reached(mut counter: watch::Receiver<usize>, count: usize) {
    let waiting = counter.wait_for(|reached| *reached >= count);
    let outcome = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(outcome.is_ok(), "{count} was never reached");
}

async fn answer(State(state): State<Arc<FakeState>>, request: Request) -> Response {
    let number = {
        let mut seen = state.seen.lock().unwrap();
        let authorization = request.headers().get("authorization");
        seen.push(Seen {
            target: request.uri().to_string(),
            authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
        });
        seen.len()
    };
    let in_flight = state.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    state.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
    state.arrived.send_replace(number);
    let mut guard = CountOnDrop { state: state.clone(), answered: false };
    let reply = (state.script)(number, &request.uri().to_string()).await;
    let response = match reply {
        Reply::Whole { status, headers, body } => whole(&state.base, status, headers, body),
        Reply::Truncated => truncated(),
        Reply::Hang => std::future::pending().await,
    };
    guard.answered = true;
    response
}

fn whole(base: &Url, status: u16, headers: Vec<(&'static str, String)>, body: Bytes) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value.replace("{base}", base.as_str()));
    }
    let body = match std::str::from_utf8(&body) {
        Ok(text) => Bytes::from(text.replace("{base}", base.as_str())),
        Err(_) => body,
    };
    response.body(Body::from(body)).unwrap()
}

fn truncated() -> Response {
    let half = Bytes::from_static(br#"{"data":[{"id":"A1","#);
    let chunks = [Ok(half), Err(std::io::Error::other("broken on purpose"))];
    Response::builder()
        .header("content-length", "1000")
        .body(Body::from_stream(futures::stream::iter(chunks)))
        .unwrap()
}

/// The handler of a request is dropped when its client goes away.
struct CountOnDrop {
    state: Arc<FakeState>,
    answered: bool,
}

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::SeqCst);
        if !self.answered {
            self.state.given_up.send_modify(|count| *count += 1);
        }
    }
}

/// Counts grants and records pauses, or refuses everything.
#[derive(Default)]
pub(crate) struct RecordingLimit {
    pub(crate) refuse: Option<Duration>,
    pub(crate) granted: Mutex<Vec<String>>,
    pub(crate) pauses: Mutex<Vec<Duration>>,
}

impl RateLimit for RecordingLimit {
    fn acquire<'a>(&'a self, key: &'a LimitKey) -> BoxFuture<'a, Result<(), Throttled>> {
        async move {
            if let Some(retry_after) = self.refuse {
                return Err(Throttled { retry_after });
            }
            self.granted.lock().unwrap().push(key.to_string());
            Ok(())
        }
        .boxed()
    }

    fn pause<'a>(&'a self, _key: &'a LimitKey, pause: Duration) -> BoxFuture<'a, ()> {
        self.pauses.lock().unwrap().push(pause);
        std::future::ready(()).boxed()
    }
}

/// Tries again quickly, so that the tests are quick, and sends one request at a time, because most
/// scripts use its number.
pub(crate) fn config() -> ClientConfig {
    ClientConfig {
        request_timeout_ms: 10_000,
        parallel_requests: NonZeroU8::MIN,
        initial_backoff_ms: 1,
        max_backoff_ms: 5,
        second_look_ms: 1,
        ..ClientConfig::default()
    }
}

pub(crate) fn school(fake: &Fake) -> SchoolClient {
    school_with(fake, config(), Arc::new(Unlimited))
}

pub(crate) fn school_with(
    fake: &Fake,
    config: ClientConfig,
    limit: Arc<dyn RateLimit>,
) -> SchoolClient {
    mis_sync_wonde::install_crypto_provider();
    WondeClient::new(config, limit, Arc::new(AnyAddress))
        .unwrap()
        .school(&id("A100"), &SecretString::from(TOKEN), Some(&fake.base))
        .unwrap()
}

pub(crate) fn id(text: &str) -> WondeId {
    WondeId::try_from(text).unwrap()
}

pub(crate) fn including(include: &[EmployeeInclude]) -> EmployeeQuery {
    EmployeeQuery { include: include.to_vec(), ..EmployeeQuery::default() }
}

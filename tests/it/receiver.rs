//! A receiver of messages that trusts only the signature.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use mis_sync_store::SigningSecret;
use mis_sync_testing::eventually;
use mis_sync_worker::Receiver as Sender;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use tokio::net::TcpListener;

const KEY: [u8; 32] = *b"thirty-two bytes to sign with ..";

/// A server that records what is posted to it and answers as told.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    /// The next answers; after them always 204.
    pub(crate) answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) body: String,
    pub(crate) is_signed: bool,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
}

impl Receiver {
    pub(crate) fn answering(answers: &[u16]) -> Self {
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        Self { answers, ..Self::default() }
    }

    /// Listens; returns what a worker needs to know.
    pub(crate) async fn listen(&self) -> Sender {
        let url = self.address().await.parse().unwrap();
        Sender::new(url, SigningSecret::parse(&secret().into()).unwrap()).unwrap()
    }

    /// Listens; returns its address.
    pub(crate) async fn address(&self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let app = Router::new().route("/hooks", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    /// Waits for this many posts.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} messages have come");
        eventually(&what, async || {
            let received = self.received.lock().unwrap().clone();
            (received.len() >= count).then_some(received)
        })
        .await
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.received.lock().unwrap().iter().map(Received::kind).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let expected = hmac_sha256(&KEY, format!("{id}.{timestamp}.{body}").as_bytes());
    let is_signed = header("webhook-signature") == format!("v1,{}", STANDARD.encode(expected))
        && header("content-type") == "application/json";
    receiver.received.lock().unwrap().push(Received { id, timestamp, body, is_signed });
    let answer = receiver.answers.lock().unwrap().pop_front().unwrap_or(204);
    StatusCode::from_u16(answer).unwrap()
}

/// RFC 2104, written out, so that the sender's code does not check itself.
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| -> Vec<u8> {
        (0..64).map(|at| key.get(at).copied().unwrap_or_default() ^ byte).collect()
    };
    let inner = digest(&SHA256, &[&pad(0x36)[..], message].concat());
    digest(&SHA256, &[&pad(0x5c)[..], inner.as_ref()].concat()).as_ref().to_vec()
}

/// The secret of every receiver here.
pub(crate) fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(KEY))
}

//! Many clients that connect and send nothing.

use std::net::SocketAddr;

use mis_sync_testing::{Process, TestApp, TestAppOptions, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::process::MIS_SYNC;

const HALF_A_REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: api\r\n";

/// A server in its own process, and its address.
pub(crate) async fn serving(app: &TestApp, extra: &[(&str, &str)]) -> (Process, SocketAddr) {
    let listen = ("MIS_SYNC__API__LISTEN", "127.0.0.1:0");
    let process = MIS_SYNC.start(app, &["serve"], &[&[listen], extra].concat());
    let address = eventually("it listens", async || {
        let printed = process.printed();
        let (_, rest) = printed.split_once(r#""listen":""#)?;
        rest.split('"').next()?.parse().ok()
    })
    .await;
    (process, address)
}

async fn half_open(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(HALF_A_REQUEST).await.unwrap();
        clients.push(client);
    }
    clients
}

async fn is_healthy(address: SocketAddr) -> bool {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(HALF_A_REQUEST).await.unwrap();
    client.write_all(b"Connection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer.starts_with("HTTP/1.1 200 OK\r\n")
}

async fn app() -> TestApp {
    TestApp::start_with(TestAppOptions { worker: false, ..TestAppOptions::default() }).await
}

#[tokio::test]
async fn health_is_told_beside_ten_times_as_many_half_open_connections_as_are_allowed() {
    let app = app().await;
    let (_process, address) = serving(&app, &[("MIS_SYNC__API__MAX_CONNECTIONS", "100")]).await;
    let clients = half_open(address, 1_000).await;
    assert!(is_healthy(address).await);
    drop(clients);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_idle_connection_costs_at_most_twenty_kilobytes() {
    let app = app().await;
    let (process, address) = serving(&app, &[]).await;
    assert!(is_healthy(address).await);
    let before = process.resident_kilobytes();
    let clients = half_open(address, 1_000).await;
    // Connections are accepted in turn, so all of them are when this one is answered.
    assert!(is_healthy(address).await);
    let each = (process.resident_kilobytes() - before) / 1_000;
    drop(clients);
    assert!(each <= 20, "{each} KB");
}

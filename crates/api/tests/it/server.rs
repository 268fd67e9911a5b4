//! Serving, and stopping in order.

use std::net::SocketAddr;

use mis_sync_testing::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::support::App;

/// The API of `state` on a port of its own.
async fn serve(state: mis_sync_api::ApiState) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(mis_sync_api::serve(listener, state, CancellationToken::new()));
    address
}

async fn connect(address: SocketAddr, begin: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(begin.as_bytes()).await.unwrap();
    client
}

/// What the server still sends, to the end of the connection.
async fn rest(mut client: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is cut off without an answer ends in either way.
    let _ = client.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn connections_that_send_nothing_give_way_to_one_with_a_request() {
    let app = App::start().await;
    let address = serve(app.state.clone().with_max_connections(20)).await;
    let mut silent = Vec::new();
    for begin in ["", "GET /healthz HTTP/1.1\r\nHost: ", "P"].iter().cycle().take(200) {
        silent.push(connect(address, begin).await);
    }
    let answer = rest(connect(address, HEALTH).await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // The first ones had to go; the last ones are still there.
    assert_eq!(rest(silent.remove(0)).await, "");
    let last = silent.pop().unwrap();
    assert_eq!(last.try_read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_connection_with_a_request_in_hand_keeps_its_place() {
    let app = App::start().await;
    app.school("oak").await;
    let address = serve(app.state.clone().with_max_connections(1)).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE school").execute(&mut *lock).await.unwrap();
    let request = format!(
        "GET /v1/schools/oak HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\r\n",
        app.admin
    );
    let busy = connect(address, &request).await;
    waits_for_the_table(&app).await;
    let next = connect(address, HEALTH).await;
    lock.rollback().await.unwrap();
    // It was answered, and closed only then, because the next one wanted its place.
    assert!(rest(busy).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(rest(next).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

/// A server whose clock jumps to the next deadline as soon as there is nothing else to do.
fn impatient_server(test: impl AsyncFnOnce(SocketAddr)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = App::start().await;
        let address = serve(app.state.clone()).await;
        tokio::time::pause();
        test(address).await;
    });
}

#[test]
fn a_head_that_does_not_come_closes_the_connection_after_ten_seconds() {
    for begin in ["", "GET /healthz HTTP/1.1\r\nHost: "] {
        impatient_server(async |address| {
            let client = connect(address, begin).await;
            let started = Instant::now();
            assert_eq!(rest(client).await, "");
            assert_eq!(started.elapsed().as_secs(), 10, "{begin:?}");
        });
    }
}

#[test]
fn an_idle_connection_outlasts_a_load_balancers_minute_and_is_closed() {
    impatient_server(async |address| {
        let request = HEALTH.replace("Connection: close\r\n", "");
        let client = connect(address, &request).await;
        let started = Instant::now();
        assert!(rest(client).await.starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(started.elapsed().as_secs(), 65);
    });
}

#[test]
fn half_a_second_request_has_ten_seconds_and_not_the_time_of_an_idle_connection() {
    impatient_server(async |address| {
        let request = HEALTH.replace("Connection: close\r\n", "");
        let mut client = connect(address, &request).await;
        let mut answered = [0; 12];
        client.read_exact(&mut answered).await.unwrap();
        assert_eq!(&answered, b"HTTP/1.1 200");
        client.write_all(b"GET /hea").await.unwrap();
        let started = Instant::now();
        rest(client).await;
        assert_eq!(started.elapsed().as_secs(), 10);
    });
}

async fn waits_for_the_table(app: &App) {
    eventually("the request waits for the table", async || {
        let waiting = sqlx::raw_sql("SELECT FROM pg_locks WHERE NOT granted");
        waiting.fetch_optional(&app.pool).await.unwrap().map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_stop_lets_open_requests_finish_and_takes_no_more() {
    let app = App::start().await;
    app.school("oak").await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(mis_sync_api::serve(listener, app.state.clone(), stop.clone()));

    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE school").execute(&mut *lock).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /v1/schools/oak HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\r\n",
        app.admin
    );
    client.write_all(request.as_bytes()).await.unwrap();
    waits_for_the_table(&app).await;

    stop.cancel();
    eventually("no more connections are taken", async || {
        TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    assert!(!server.is_finished(), "a request is open");
    lock.rollback().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    server.await.unwrap().unwrap();
}

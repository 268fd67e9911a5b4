//! Serving, and stopping in order.

use mis_sync_testing::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::support::App;

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
    eventually("the request waits for the table", async || {
        let waiting = sqlx::raw_sql("SELECT FROM pg_locks WHERE NOT granted");
        waiting.fetch_optional(&app.pool).await.unwrap().map(drop)
    })
    .await;

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

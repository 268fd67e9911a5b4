//! The HTTP server: a limited number of connections, and an orderly shutdown.
//!
//! `axum::serve` limits neither time nor connections, so a client that opens many connections and
//! sends nothing could take the service away from everyone else. Here each connection has a
//! deadline for its next request. When all places are taken, the connection that has been idle
//! longest gives its place to the new one.

mod connection;
mod waiting;

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{ApiState, edge::REQUEST_TIMEOUT, router};
use waiting::Waiting;

/// How long open requests may take to finish once the service stops: as long as any request, and a
/// little more to send the answer.
const DRAIN_TIMEOUT: Duration = REQUEST_TIMEOUT.saturating_add(Duration::from_secs(2));

/// How long the last count of logins may take to be written.
const LAST_COUNT: Duration = Duration::from_secs(1);

/// How long to wait before accepting again if the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves the API on `listener` until `stop`.
///
/// Then no new connection is accepted, streams of events end, open requests are finished within
/// about half a minute, and the call returns.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: CancellationToken,
) -> io::Result<()> {
    let max_connections = state.max_connections();
    // The last requests of a server that stops are counted too.
    let stopped = CancellationToken::new();
    let writing = tokio::spawn(state.clone().write_logins(stopped.clone()));
    let router = router(state.until(stop.clone()));
    let served = serve_router(listener, router, max_connections, stop).await;
    stopped.cancel();
    if timeout(LAST_COUNT, writing).await.is_err() {
        tracing::debug!("the last logins were not counted");
    }
    served
}

/// Serves a router with this many connections at most.
pub(crate) async fn serve_router(
    listener: TcpListener,
    router: Router,
    max_connections: usize,
    stop: CancellationToken,
) -> io::Result<()> {
    let server = Server {
        places: Arc::new(Semaphore::new(max_connections)),
        // With its state in place a router is cheap to clone; before that, each clone copies all
        // routes.
        router: router.with_state(()),
        waiting: Arc::default(),
        connections: TaskTracker::new(),
        stop: stop.clone(),
    };
    stop.run_until_cancelled(server.accept_for_ever(&listener)).await;
    drop(listener);
    server.connections.close();
    if timeout(DRAIN_TIMEOUT, server.connections.wait()).await.is_err() {
        tracing::warn!("stopped although some requests were still open");
    }
    Ok(())
}

struct Server {
    router: Router,
    places: Arc<Semaphore>,
    waiting: Arc<Waiting>,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    async fn accept_for_ever(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.take_in(stream).await,
                // The client had already gone.
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.waiting.close_longest();
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "no event tells of a free descriptor"
                    )]
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn take_in(&self, stream: TcpStream) {
        // Answers are small: without this the last packet of one may wait for an acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with delayed packets");
        }
        let place = self.place().await;
        let served = connection::serve(
            stream,
            self.router.clone(),
            Arc::clone(&self.waiting),
            self.stop.clone(),
        );
        self.connections.spawn(async move {
            served.await;
            drop(place);
        });
    }

    /// A place for a new connection. If all are taken, the connection that has been idle longest is
    /// closed; if each is handling a request, the first that ends makes room.
    async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            let begun = self.waiting.begun();
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return place;
            }
            self.waiting.close_longest();
            tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => {
                    return place.expect("the semaphore is never closed");
                }
                () = begun => {}
            }
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

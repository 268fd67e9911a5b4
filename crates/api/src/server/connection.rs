use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::Router;
use hyper::{
    body::Incoming,
    rt::{Sleep, Timer},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::waiting::{Turn, Waiting};

/// How long a client may take to send the head of a request, from its first byte. A new connection
/// has this long for the whole head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may stay open between two requests. Load balancers usually keep idle
/// connections for 60 seconds, and a server that closes earlier breaks their requests.
const IDLE_TIMEOUT: Duration = Duration::from_secs(65);

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    waiting: Arc<Waiting>,
    stop: CancellationToken,
) {
    let head = Arc::new(Head { turn: Turn::new(waiting), begun: AtomicBool::new(true) });
    let io = TokioIo::new(WatchedStream { stream, head: Arc::clone(&head) });
    let handlers = TowerToHyperService::new(router);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        head.turn.end();
        head.begun.store(false, Ordering::Relaxed);
        handlers.call(request)
    });
    let connection = http1::Builder::new()
        .timer(HeadTimer(Arc::clone(&head)))
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Its request may have arrived at the same moment; then it is answered first.
        () = head.turn.over() => {
            if head.turn.is_waiting() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection broke");
    }
}

/// The head of the request that a connection waits for.
struct Head {
    turn: Turn,
    /// Its first byte has arrived, or the connection is new.
    begun: AtomicBool,
}

/// Notices when the first byte of a head arrives.
struct WatchedStream {
    stream: TcpStream,
    head: Arc<Head>,
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.head.begun.store(true, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }
}

/// hyper has one time limit for a head, which starts as soon as it waits for one. This timer makes
/// two limits of it: a connection may be idle for longer than a head may take.
struct HeadTimer(Arc<Head>);

impl Timer for HeadTimer {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        self.0.turn.begin();
        let is_idle = !self.0.begun.swap(false, Ordering::Relaxed);
        let limit = if is_idle { IDLE_TIMEOUT } else { HEAD_TIMEOUT };
        #[expect(clippy::disallowed_methods, reason = "it is the deadline itself")]
        let sleep = Box::pin(tokio::time::sleep(limit));
        Box::pin(HeadDeadline { head: Arc::clone(&self.0), is_idle, sleep })
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }
}

/// When the head of the next request has to be complete.
struct HeadDeadline {
    head: Arc<Head>,
    is_idle: bool,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Sleep for HeadDeadline {}

impl Future for HeadDeadline {
    type Output = ();

    /// hyper polls this after each read that did not complete the head.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_idle && self.head.begun.load(Ordering::Relaxed) {
            self.is_idle = false;
            self.sleep.as_mut().reset(tokio::time::Instant::now() + HEAD_TIMEOUT);
        }
        self.sleep.as_mut().poll(cx)
    }
}

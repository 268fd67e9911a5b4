use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::net::{TcpListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// A path to a Redis on which connections can die silently: nothing comes through any more, and
/// neither end is told.
pub(crate) struct Proxy {
    url: String,
    alive: Arc<Mutex<CancellationToken>>,
    _stop: tokio_util::sync::DropGuard,
}

impl Proxy {
    pub(crate) async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let alive = Arc::new(Mutex::new(CancellationToken::new()));
        let stop = CancellationToken::new();
        let accept = {
            let (alive, stop) = (Arc::clone(&alive), stop.clone());
            async move {
                while let Ok((mut near, _)) = listener.accept().await {
                    let dead = alive.lock().unwrap().clone();
                    let (stop, socket) = (stop.clone(), socket.clone());
                    tokio::spawn(async move {
                        let mut far = UnixStream::connect(socket).await.unwrap();
                        let copy = tokio::io::copy_bidirectional(&mut near, &mut far);
                        if dead.run_until_cancelled(copy).await.is_none() {
                            // Both stay open.
                            stop.cancelled().await;
                        }
                    });
                }
            }
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept));
        Self { url, alive, _stop: stop.drop_guard() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Makes all present connections dead. New ones work.
    pub(crate) fn cut(&self) {
        let alive = std::mem::take(&mut *self.alive.lock().unwrap());
        alive.cancel();
    }
}

//! Serving a simulator over HTTP.

use std::future::Future;
use std::net::SocketAddr;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::options::SimulatorOptions;
use crate::simulator::Simulator;

/// Serves `simulator` on `listener` until `shutdown` resolves, then finishes the requests in
/// progress.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Small answers must not wait for the acknowledgement of the previous one.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    axum::serve(listener, simulator.router()).with_graceful_shutdown(shutdown).await
}

/// A simulator that serves on a free port of this machine until it is dropped.
#[derive(Debug)]
pub struct RunningSimulator {
    simulator: Simulator,
    address: SocketAddr,
    stop: CancellationToken,
}

impl RunningSimulator {
    /// Starts a simulator.
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub async fn start(options: SimulatorOptions) -> std::io::Result<Self> {
        Self::serve(Simulator::new(options)).await
    }

    /// Starts serving an existing simulator.
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub async fn serve(simulator: Simulator) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let (handle, stopped) = (simulator.clone(), stop.clone().cancelled_owned());
        tokio::spawn(async move {
            if let Err(error) = serve(listener, handle, stopped).await {
                tracing::error!(%error, "the simulator stopped serving");
            }
        });
        Ok(Self { simulator, address, stop })
    }

    /// The base of the Wonde API: `http://127.0.0.1:PORT/v1.0`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1.0", self.address)
    }

    /// The base of the control API: `http://127.0.0.1:PORT/_sim`.
    pub fn control_url(&self) -> String {
        format!("http://{}/_sim", self.address)
    }

    /// The handle.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }
}

impl Drop for RunningSimulator {
    /// Closes the port. Requests in progress are still answered.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

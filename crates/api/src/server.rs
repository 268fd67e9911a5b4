use std::{io, pin::pin, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{ApiState, edge::REQUEST_TIMEOUT, router};

/// How long open requests may take to finish once the service stops: as long as a request may
/// take at all, and a little to send the answer.
const DRAIN_TIMEOUT: Duration = REQUEST_TIMEOUT.saturating_add(Duration::from_secs(2));

/// Serves the API on `listener` until `stop`.
///
/// Then no new connection is taken, streams of events end, open requests are finished, for about
/// half a minute at the most, and the call returns.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: CancellationToken,
) -> io::Result<()> {
    // Answers are small: without this the last packet of one may wait for an acknowledgement.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with delayed packets");
        }
    });
    let server = axum::serve(listener, router(state.until(stop.clone())))
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let mut server = pin!(server);
    tokio::select! {
        result = &mut server => return result,
        () = stop.cancelled() => {}
    }
    timeout(DRAIN_TIMEOUT, server).await.unwrap_or_else(|_| {
        tracing::warn!("stopped although some requests were still open");
        Ok(())
    })
}

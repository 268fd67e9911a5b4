use std::net::SocketAddr;

use mis_sync_store::api_keys;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    arguments::Serve, config::Config, exit::Failure, service_manager, signals::stop_on_signal,
    wiring::Parts,
};

pub(super) async fn run(config: &Config, serve: &Serve) -> Result<(), Failure> {
    let parts = Parts::connect(config).await?;
    let api = parts.api(config);
    let worker = serve.with_worker.then(|| parts.worker(config)).transpose()?;
    if !api_keys::any_active(parts.queue.pool()).await? {
        return Err(Failure::usage(
            "there is no API key, so no one could call the API. Create one first: mis-sync keys \
             create --name iP --role app",
        ));
    }
    let listener = bind("api.listen", config.api.listen).await?;
    let stop = stop_on_signal()?;
    tracing::info!(listen = %listener.local_addr()?, with_worker = serve.with_worker, "serving");
    if let Some((context, _, options)) = &worker {
        mis_sync_worker::register(&context.queue, options).await?;
    }
    service_manager::ready("serving", stop.clone());
    let api = mis_sync_api::serve(listener, api, stop.clone());
    let Some((context, leader, options)) = worker else { return Ok(api.await?) };

    // If one ends, the other is stopped too: half a service looks alive but is not.
    let (api, worker) = tokio::join!(
        stop_after(api, stop.clone()),
        stop_after(mis_sync_worker::run(context, leader, options, stop.clone()), stop),
    );
    worker?;
    Ok(api?)
}

/// Listens on the address of this key.
pub(super) async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::usage(format!("{key}: cannot listen on {address}: {error}")))
}

/// Cancels `stop` when `part` has ended.
pub(super) async fn stop_after<T>(part: impl Future<Output = T>, stop: CancellationToken) -> T {
    let ended = part.await;
    stop.cancel();
    ended
}

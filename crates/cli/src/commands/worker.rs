use tokio_util::sync::CancellationToken;

use super::serve::{bind, stop_after};
use crate::{
    config::Config, exit::Failure, service_manager, signals::stop_on_signal, wiring::Parts,
};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let parts = Parts::connect(config).await?;
    let (context, leader, options) = parts.worker(config)?;
    let listener = match config.worker.metrics_listen {
        Some(address) => Some(bind("worker.metrics_listen", address).await?),
        None => None,
    };
    let stop = stop_on_signal()?;
    tracing::info!(worker = options.name, concurrency = options.concurrency, "working");
    mis_sync_worker::register(&context.queue, &options).await?;
    service_manager::ready("working", stop.clone());
    let work = mis_sync_worker::run(context, leader, options, stop);
    if let Some(listener) = listener {
        tracing::info!(metrics_listen = %listener.local_addr()?, "serving metrics");
        // They can be read until the last job has ended.
        let done = CancellationToken::new();
        let metrics = mis_sync_api::serve_metrics(listener, parts.queue, done.clone());
        let (worked, served) = tokio::join!(stop_after(work, done), metrics);
        worked?;
        served?;
    } else {
        work.await?;
    }
    tracing::info!("stopped; nothing is left running");
    Ok(())
}

use crate::{
    config::Config, exit::Failure, service_manager, signals::stop_on_signal, wiring::Parts,
};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let parts = Parts::connect(config).await?;
    let (context, leader, options) = parts.worker(config)?;
    let stop = stop_on_signal()?;
    tracing::info!(worker = options.name, concurrency = options.concurrency, "working");
    mis_sync_worker::register(&context.queue, &options).await?;
    service_manager::ready("working", stop.clone());
    mis_sync_worker::run(context, leader, options, stop).await?;
    tracing::info!("stopped; nothing is left running");
    Ok(())
}

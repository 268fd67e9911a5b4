use std::time::Duration;

use mis_sync_cli::{Failure, print, stop_on_signal};
use mis_sync_wonde_sim::{Simulator, SimulatorOptions};
use tokio::net::TcpListener;

use crate::arguments::Simulate;

pub(super) async fn run(arguments: &Simulate) -> Result<(), Failure> {
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        Failure::usage(format!("--listen: cannot listen on {}: {error}", arguments.listen))
    })?;
    let simulator = Simulator::new(SimulatorOptions {
        schools: arguments.schools as usize,
        staff: arguments.staff as usize,
        seed: arguments.seed,
        latency: Duration::from_millis(arguments.latency_ms),
        mis: arguments.mis,
        odd: arguments.odd,
        ..SimulatorOptions::default()
    });
    let address = listener.local_addr()?;
    print(&format!(
        "Wonde simulator on http://{address}/v1.0 (schools: http://{address}/_sim/schools)"
    ))?;
    let stop = stop_on_signal()?;
    mis_sync_wonde_sim::serve(listener, simulator, stop.cancelled_owned()).await?;
    Ok(())
}

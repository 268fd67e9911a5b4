//! A sync through a network: every answer of Wonde takes 150 ms, as the real one's do. What it takes is
//! what it waits for, so the lists are read side by side and ahead.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use mis_sync_cli::Failure;
use mis_sync_wonde_sim::{Mis, Simulator, SimulatorOptions};
use serde_json::json;

use super::{
    rounds::{SETTINGS, Times},
    whole_job,
};
use crate::private::{PrivateOptions, PrivateSystem, Transport};

/// How long every answer of Wonde takes.
const LATENCY: Duration = Duration::from_millis(150);
/// Rounds that do not count.
const WARM_UP: usize = 3;

/// A school that is synced through a network, with classes and subjects.
pub(super) struct Case {
    pub(super) staff: u32,
    /// The configuration, beside the defaults.
    settings: &'static [(&'static str, u64)],
    pub(super) of: &'static str,
    /// It is to take so long at most.
    pub(super) wanted: Duration,
}

pub(super) const CASES: [Case; 2] = [
    Case {
        staff: 120,
        settings: &[],
        of: "default configuration",
        wanted: Duration::from_millis(450),
    },
    Case { staff: 2000, settings: SETTINGS, of: "no rate limit", wanted: Duration::from_secs(1) },
];

impl Case {
    /// From the press to `succeeded`, with schools that are new in each round, and once more unchanged.
    pub(super) async fn measure(
        &self,
        rounds: u32,
        transport: Transport,
    ) -> Result<Times, Failure> {
        let options = PrivateOptions {
            simulator: Simulator::new(SimulatorOptions {
                schools: WARM_UP + rounds as usize,
                staff: self.staff as usize,
                mis: Some(Mis::Sims),
                ..SimulatorOptions::default()
            }),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            settings: self.settings,
            transport,
        };
        PrivateSystem::run(options, run).await
    }
}

async fn run(system: &PrivateSystem) -> Result<Times, Failure> {
    let installation = system.installation()?;
    let simulator = &installation.simulator;
    simulator.set_latency(LATENCY);
    let mut times = Times::default();
    for (round, school) in simulator.schools().iter().enumerate() {
        if round == WARM_UP {
            times = Times::default();
        }
        let settings = json!({ "import_subjects": true });
        let id = installation.connect(school, &settings).await?;
        times.first.push(whole_job::sync(&installation, &id).await?);
        times.again.push(whole_job::sync(&installation, &id).await?);
    }
    Ok(times)
}

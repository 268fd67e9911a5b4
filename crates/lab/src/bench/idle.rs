//! How long a job waits on an idle system: from its row in the ledger to its claim.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use mis_sync_cli::Failure;
use mis_sync_wonde_sim::{Mis, Simulator, SimulatorOptions};

use super::{
    database,
    rounds::{self, SETTINGS},
    whole_job,
};
use crate::private::{PrivateOptions, PrivateSystem, Transport};

/// How many jobs are enqueued, each after the end of the one before.
pub(super) const ENQUEUES: usize = 300;
/// Jobs that come first and do not count.
const WARM_UP: usize = 10;
/// So few people that a sync is over at once.
const STAFF: usize = 5;
const SCHOOLS: usize = 10;

/// The waits of [`ENQUEUES`] jobs, by the times in their rows.
pub(super) async fn measure(transport: Transport) -> Result<Vec<Duration>, Failure> {
    let options = PrivateOptions {
        simulator: Simulator::new(SimulatorOptions {
            schools: SCHOOLS,
            staff: STAFF,
            mis: Some(Mis::Sims),
            ..SimulatorOptions::default()
        }),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        settings: SETTINGS,
        transport,
    };
    PrivateSystem::run(options, run).await
}

async fn run(system: &PrivateSystem) -> Result<Vec<Duration>, Failure> {
    let installation = system.installation()?;
    let mut schools = Vec::new();
    for school in installation.simulator.schools() {
        schools.push(installation.connect(&school, &rounds::people_only()).await?);
    }
    for school in schools.iter().cycle().take(WARM_UP + ENQUEUES) {
        whole_job::sync(&installation, school).await?;
    }
    let newest = i64::try_from(ENQUEUES).expect("a small number");
    #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
    let waits: Vec<i64> = sqlx::query_scalar(
        "SELECT (extract(epoch FROM started_at - created_at) * 1000000)::bigint
         FROM job ORDER BY id DESC LIMIT $1",
    )
    .bind(newest)
    .fetch_all(&system.pool)
    .await
    .map_err(database)?;
    Ok(waits.into_iter().map(|wait| Duration::from_micros(wait.unsigned_abs())).collect())
}

//! Several processes of each kind, and many schools: how much processor time each part takes, and
//! what becomes of the syncs when a worker is killed.

mod fleet;

use std::time::{Duration, Instant};

use mis_sync_cli::{Failure, print, telemetry};
use mis_sync_wonde_sim::{Simulator, SimulatorOptions};
use serde_json::json;
use tokio::time::interval;

use super::{
    database,
    figures::{milliseconds, percentile},
    load::{Answer, Load},
};
use crate::arguments::Scale;
use fleet::{Fleet, Usage};

/// How long every answer of Wonde takes while people log in.
const LATENCY: Duration = Duration::from_millis(150);
/// Between two looks whether enough syncs are done to kill a worker.
const POLL: Duration = Duration::from_millis(20);

pub(crate) async fn run(options: &Scale) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::usage(
            "figures of a debug build say nothing. Run: cargo build --release -p mis-sync-cli -p \
             mis-sync-lab && target/release/mis-sync-lab bench scale",
        ));
    }
    telemetry::start_plain("error")?;
    let Scale { schools, staff, workers, apis, .. } = options;
    print(&format!(
        "\n  {schools} schools with {staff} staff each, {workers} workers and {apis} APIs, each a \
         process of its own.\n  They share this machine with Postgres, Redis, the simulated Wonde \
         and the callers,\n  so the processor time per sync and per login is the figure that \
         counts.\n"
    ))?;
    let simulator = Simulator::new(SimulatorOptions {
        schools: *schools as usize,
        staff: *staff as usize,
        ..SimulatorOptions::default()
    });
    let mut fleet = Fleet::start(simulator, options).await?;
    let measured = measure(&mut fleet, options).await;
    measured.and(fleet.stop().await)
}

async fn measure(fleet: &mut Fleet, options: &Scale) -> Result<(), Failure> {
    let installation = fleet.installation.clone();
    print(&format!(
        "  {:<28}{:>9}{:>9}   processor time of each, in ms: {:>6}{:>8}{:>10}{:>7}",
        "", "seconds", "each s", "API", "worker", "Postgres", "Redis"
    ))?;
    let schools = options.schools;
    let settings = json!({ "refresh_freshness_minutes": 0 });
    let work = installation.connect_all(&settings);
    timed(fleet, "connect a school", schools, work).await?;
    timed(fleet, "first sync", schools, installation.sync_all()).await?;
    timed(fleet, "sync, nothing changed", schools, installation.sync_all()).await?;

    let people = installation.people().await?;
    installation.simulator.set_latency(LATENCY);
    let mut load = Load::new(&installation, people, options.rate, options.seconds)?;
    let logins = options.rate * options.seconds;
    let mut alone = Vec::new();
    let work = async {
        alone = load.run().await;
        Ok(())
    };
    timed(fleet, "login", logins, work).await?;
    installation.press_all().await?;
    let beside_syncs = load.run().await;
    installation.simulator.set_latency(Duration::ZERO);
    installation.synced().await?;
    print("")?;
    let rate = options.rate;
    say_logins(&format!("{rate} logins per second"), &alone)?;
    say_logins(&format!("{rate} per second while all schools are synced"), &beside_syncs)?;
    kill_a_worker(fleet, schools).await?;
    say_size(fleet).await
}

/// Does some work and says what each of its units took.
async fn timed(
    fleet: &Fleet,
    name: &str,
    units: u32,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let (started, before) = (Instant::now(), fleet.usage()?);
    work.await?;
    let (took, after) = (started.elapsed(), fleet.usage()?);
    let each = |of: fn(&Usage) -> Duration| {
        let spent = of(&after).saturating_sub(of(&before));
        format!("{:.2}", spent.as_secs_f64() * 1000.0 / f64::from(units))
    };
    print(&format!(
        "  {name:<28}{:>9.1}{:>9.1}{:>41}{:>8}{:>10}{:>7}",
        took.as_secs_f64(),
        f64::from(units) / took.as_secs_f64(),
        each(|usage| usage.apis),
        each(|usage| usage.workers),
        each(|usage| usage.postgres),
        each(|usage| usage.redis),
    ))
}

fn say_logins(name: &str, answers: &[Answer]) -> Result<(), Failure> {
    let times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    let stale = answers.iter().filter(|answer| answer.said("stale")).count();
    let errors = answers.iter().filter(|answer| answer.outcome.is_err()).count();
    print(&format!(
        "  {name:<46}p50 {}, p99 {}, {stale} of {} stale, {errors} errors",
        milliseconds(percentile(&times, 50)),
        milliseconds(percentile(&times, 99)),
        answers.len(),
    ))
}

/// Presses every button, kills a worker when a quarter of the syncs is done, and waits for the rest.
async fn kill_a_worker(fleet: &mut Fleet, schools: u32) -> Result<(), Failure> {
    let installation = fleet.installation.clone();
    let done = installation.count_syncs("state = 'succeeded'").await?;
    let started = Instant::now();
    installation.press_all().await?;
    let mut tick = interval(POLL);
    while installation.count_syncs("state = 'succeeded'").await? < done + i64::from(schools) / 4 {
        tick.tick().await;
    }
    fleet.kill_a_worker()?;
    installation.synced().await?;
    let took = started.elapsed().as_secs_f64();
    let repeated = installation.count_syncs("crashes > 0").await?;
    print(&format!(
        "\n  A worker was killed (SIGKILL) amid {schools} syncs: all succeeded after {took:.1} s, \
         {repeated} of them at the second start."
    ))
}

async fn say_size(fleet: &Fleet) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
    let (megabytes, connections): (i64, i64) = sqlx::query_as(
        "SELECT pg_database_size(current_database()) / 1000000,
                (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')",
    )
    .fetch_one(&fleet.installation.pool)
    .await
    .map_err(database)?;
    let (api, worker) = fleet.peak_memory()?;
    print(&format!(
        "  Most memory of an API {api} MB, of a worker {worker} MB. The database has {megabytes} MB \
         and {connections} connections."
    ))
}

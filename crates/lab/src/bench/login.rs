//! The login path under load. What is measured, and what is wanted, is in the words below.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use mis_sync_cli::{Failure, print, telemetry};
use mis_sync_wonde_sim::{Fault, Mis, Simulator, SimulatorOptions};
use serde_json::json;

use super::{
    figures::{Verdict, milliseconds, percentile},
    installation::KeepSyncing,
    load::{Answer, Load},
};
use crate::private::{PrivateOptions, PrivateSystem, Transport};

/// Each of them has a sync in the queue or running, all the time.
const SCHOOLS: usize = 50;
const STAFF: usize = 40;
/// How long every answer of Wonde takes.
const LATENCY: Duration = Duration::from_millis(150);
/// Logins that nothing else is beside …
const ALONE: usize = 300;
/// … of which half are answered so soon.
const LONGEST_WHEN_ALONE: Duration = Duration::from_millis(5);
/// Ninety-nine of a hundred logins are answered so soon while Wonde is well …
const LONGEST_WHEN_WELL: Duration = Duration::from_millis(850);
/// … and so soon while it hangs.
const LONGEST_WHEN_HANGING: Duration = Duration::from_millis(850);

/// More connections than this only get into each other's way on a machine that runs everything.
const SETTINGS: &[(&str, u64)] = &[("database.max_connections", 10)];

/// Upper ends of the bars, in milliseconds.
const BARS: [u64; 11] = [10, 25, 50, 100, 200, 300, 400, 600, 800, 850, 900];
const BAR_WIDTH: usize = 40;

const WHAT: &str = "\
  POST /v1/schools/{id}/staff/{id}/refresh?wait_ms=800, one person after the other, at an even
  pace that waits for no answer; each time counts from when the login was due. No one is
  ever fresh, so every login asks Wonde. API, worker, simulated Wonde (150 ms for each answer),
  Postgres and Redis share this machine with the one who asks. A missed target is said below and
  is no failure: machines are noisy.";

pub(crate) async fn run(seconds: u32, rate: u32) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::usage(
            "figures of a debug build say nothing. Run: cargo run --release -p mis-sync-lab -- \
             bench login",
        ));
    }
    telemetry::start_plain("error")?;
    print(&format!("\n{WHAT}"))?;
    let options = PrivateOptions {
        simulator: Simulator::new(SimulatorOptions {
            schools: SCHOOLS,
            staff: STAFF,
            mis: Some(Mis::Sims),
            ..SimulatorOptions::default()
        }),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        settings: SETTINGS,
        transport: Transport::Socket,
    };
    PrivateSystem::run(options, async |system| measure(system, seconds, rate).await).await
}

async fn measure(system: &PrivateSystem, seconds: u32, rate: u32) -> Result<(), Failure> {
    let installation = system.installation()?;
    installation.connect_all(&json!({ "refresh_freshness_minutes": 0 })).await?;
    installation.sync_all().await?;
    let people = installation.people().await?;
    let mut load = Load::new(&installation, people, rate, seconds)?;
    print(&format!("\n  {ALONE} logins, one after the other, of a Wonde that answers at once\n"))?;
    let answers = load.one_by_one(ALONE).await;
    let times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    let middle = percentile(&times, 50);
    let verdict = Verdict::of(middle <= LONGEST_WHEN_ALONE);
    let wanted = format!("wanted: at most {}", milliseconds(LONGEST_WHEN_ALONE));
    line("p50", &format!("{} {verdict}", milliseconds(middle)), &wanted)?;
    line("p99", &milliseconds(percentile(&times, 99)), "")?;

    let simulator = system.simulator.simulator();
    simulator.set_latency(LATENCY);

    let syncing = KeepSyncing::start(&installation);
    let answers = load.run().await;
    let synced = syncing.stop().await?;
    print(&format!(
        "\n  {rate} logins per second for {seconds} s, {SCHOOLS} syncs queued all the time \
         ({synced} done meanwhile)\n"
    ))?;
    show(&answers)?;
    judge(&answers, LONGEST_WHEN_WELL)?;

    simulator.add_fault(Fault { hang_ms: Some(3_600_000), count: u32::MAX, ..Fault::default() });
    let answers = load.run().await;
    print(&format!("\n  The same while Wonde hangs, for {seconds} s\n"))?;
    show(&answers)?;
    judge(&answers, LONGEST_WHEN_HANGING)?;
    let stale = answers.iter().filter(|answer| answer.said("stale")).count();
    let verdict = Verdict::of(stale == answers.len());
    line("stale", &format!("{stale} of {} {verdict}", answers.len()), "wanted: all")
}

fn judge(answers: &[Answer], longest: Duration) -> Result<(), Failure> {
    let times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    let nearly_all = percentile(&times, 99);
    let verdict = Verdict::of(nearly_all <= longest);
    let wanted = format!("wanted: at most {}", milliseconds(longest));
    line("p99", &format!("{} {verdict}", milliseconds(nearly_all)), &wanted)?;
    let errors = answers.iter().filter(|answer| answer.outcome.is_err()).count();
    line("errors", &format!("{errors} {}", Verdict::of(errors == 0)), "wanted: 0")
}

fn show(answers: &[Answer]) -> Result<(), Failure> {
    let mut times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    for (name, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)] {
        line(name, &milliseconds(percentile(&times, percent)), "")?;
    }
    print("")?;
    show_histogram(&times)?;
    print("")?;
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in answers {
        let outcome = answer.outcome.as_ref().unwrap_or_else(|error| error);
        *outcomes.entry(outcome).or_default() += 1;
    }
    for (outcome, count) in outcomes {
        line(outcome, &count.to_string(), "")?;
    }
    Ok(())
}

fn show_histogram(sorted: &[Duration]) -> Result<(), Failure> {
    let mut from = 0;
    for bar in BARS.iter().map(Some).chain([None]) {
        let to = match bar {
            Some(&end) => sorted.partition_point(|time| *time <= Duration::from_millis(end)),
            None => sorted.len(),
        };
        let name = match bar {
            Some(end) => format!("up to {end} ms"),
            None => "longer".to_owned(),
        };
        let count = to - from;
        let width = (count * BAR_WIDTH).div_ceil(sorted.len().max(1));
        line(&name, &count.to_string(), &"#".repeat(width))?;
        from = to;
    }
    Ok(())
}

fn line(name: &str, value: &str, rest: &str) -> Result<(), Failure> {
    print(format!("  {name:<20}{value:>22}    {rest}").trim_end())
}

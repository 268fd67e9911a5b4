//! The whole system, for people who have never seen it.

mod press;
mod proof;
mod try_it;

use std::net::{Ipv4Addr, SocketAddr};

use mis_sync_cli::{Failure, print, stop_on_signal, telemetry, tell};
use mis_sync_domain::{MisTable, SchoolId};
use mis_sync_wonde_sim::{SchoolSummary, Simulator, SimulatorOptions};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    arguments::Demo,
    private::{PrivateOptions, PrivateSystem, Transport},
};

/// A school of the demo: how iP calls it, and what the simulator says of it.
struct DemoSchool {
    id: SchoolId,
    mis: String,
    simulated: SchoolSummary,
}

pub(super) async fn run(arguments: &Demo) -> Result<(), Failure> {
    telemetry::start_plain("warn")?;
    let simulator = Simulator::new(SimulatorOptions {
        schools: MisTable::built_in().iter().count(),
        staff: arguments.size as usize,
        odd: arguments.odd,
        ..SimulatorOptions::default()
    });
    let schools = name_schools(&simulator)?;
    let school = choose(&schools, &arguments.school)?;

    let stop = stop_on_signal()?;
    // What has been started so far is removed automatically.
    let system = stop.run_until_cancelled(start(arguments, simulator)).await;
    let system = system.ok_or_else(interrupted)??;
    let shown = stop.run_until_cancelled(show(arguments, &system, &schools, school)).await;
    let shown = shown.unwrap_or_else(|| Err(interrupted()));
    if shown.is_ok() && !arguments.exit {
        print("\n  Running until Ctrl-C.")?;
        stop.cancelled().await;
    }
    shown.and(system.stop().await)
}

fn interrupted() -> Failure {
    Failure::work("interrupted before the first sync had ended")
}

async fn start(arguments: &Demo, simulator: Simulator) -> Result<PrivateSystem, Failure> {
    let options = PrivateOptions {
        simulator,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
        // A simulator can handle more than Wonde should be asked for.
        settings: &[("wonde.rate_per_second", 200)],
        transport: Transport::Socket,
    };
    PrivateSystem::start(options, say).await
}

/// A line of the story, on standard output like the rest of the demo. A closed pipe ends nothing.
fn say(line: &str) {
    let _ = print(&format!("  {line}"));
}

async fn show(
    arguments: &Demo,
    system: &PrivateSystem,
    schools: &[DemoSchool],
    school: &DemoSchool,
) -> Result<(), Failure> {
    let http = Client::builder().build()?;
    connect_schools(system, &http, schools).await?;
    // Nothing is offered that is gone when this command ends.
    if !arguments.exit {
        let key = system.api_key.expose_secret();
        print(&format!("\n  API      {}\n  API key  {key}", system.api_url))?;
    }
    print(&format!(
        "  Wonde    {} (simulated: {} schools, {} staff each)",
        system.simulator.base_url(),
        schools.len(),
        arguments.size,
    ))?;
    print(&format!("\n  Pressing Sync Data for {} ({})", school.simulated.name, school.mis))?;
    let job = press::sync(system, &http, &school.id).await?;
    tell(&system.pool, &job, &school.simulated.name).await?;
    proof::compare(system, school).await?;
    if arguments.exit { Ok(()) } else { try_it::say(system, schools) }
}

/// The simulated schools with iP's keys; each is named after its MIS.
fn name_schools(simulator: &Simulator) -> Result<Vec<DemoSchool>, Failure> {
    let table = MisTable::built_in();
    let named = simulator.schools().into_iter().map(|simulated| {
        let spelling = simulated.mis.to_string();
        let mis = table
            .find(&spelling)
            .ok_or_else(|| Failure::work(format!("the table of MIS does not know {spelling}")))?;
        let id = mis.id.parse().map_err(Failure::work)?;
        Ok(DemoSchool { id, mis: mis.name.clone(), simulated })
    });
    named.collect()
}

/// Connects every simulated school through the API, as the iP app would.
async fn connect_schools(
    system: &PrivateSystem,
    http: &Client,
    schools: &[DemoSchool],
) -> Result<(), Failure> {
    for DemoSchool { id, simulated, .. } in schools {
        let body = json!({
            "name": simulated.name,
            "wonde_school_id": simulated.id,
            "token": simulated.token,
            "mis": simulated.mis.to_string(),
        });
        let answer = http
            .put(format!("{}/v1/schools/{id}", system.api_url))
            .bearer_auth(system.api_key.expose_secret())
            .json(&body)
            .send()
            .await?;
        answer.error_for_status()?;
    }
    Ok(())
}

fn choose<'a>(schools: &'a [DemoSchool], wanted: &str) -> Result<&'a DemoSchool, Failure> {
    let table = MisTable::built_in();
    let by_mis = table.find(wanted).map(|mis| mis.id.as_str());
    schools
        .iter()
        .find(|school| by_mis == Some(school.id.as_str()) || school.simulated.id == wanted)
        .ok_or_else(|| {
            let known: Vec<&str> = schools.iter().map(|school| school.id.as_str()).collect();
            Failure::usage(format!(
                "--school: found `{wanted}`, wanted one of {}",
                known.join(", ")
            ))
        })
}

//! The whole thing at work, for somebody who has never seen it.

mod press;
mod proof;
mod try_it;

use std::net::{Ipv4Addr, SocketAddr};

use mis_sync_domain::{MisTable, SchoolId};
use mis_sync_wonde_sim::{SchoolSummary, SimulatorOptions};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    arguments::Demo,
    commands::{print, words},
    config::{Log, LogFormat},
    exit::Failure,
    private::{PrivateOptions, PrivateSystem},
    signals::stop_on_signal,
    telemetry,
};

/// A school of the demo: how iP calls it, and what the simulator says of it.
struct DemoSchool {
    id: SchoolId,
    mis: String,
    simulated: SchoolSummary,
}

pub(super) async fn run(arguments: &Demo) -> Result<(), Failure> {
    telemetry::start(&Log { level: "warn".into(), format: LogFormat::Text })?;
    let stop = stop_on_signal()?;
    let work = async {
        let system = start(arguments).await?;
        let shown = show(arguments, &system).await;
        if shown.is_ok() && !arguments.exit {
            print("\n  Running until Ctrl-C.")?;
            stop.cancelled().await;
        }
        let stopped = system.stop().await;
        shown.and(stopped)
    };
    tokio::select! {
        // Ctrl-C before there is anything to keep: what has been started goes by itself.
        () = stop.cancelled(), if arguments.exit => Err(Failure::work("interrupted")),
        ended = work => ended,
    }
}

async fn start(arguments: &Demo) -> Result<PrivateSystem, Failure> {
    let options = PrivateOptions {
        simulator: SimulatorOptions {
            schools: MisTable::built_in().iter().count(),
            staff: arguments.size as usize,
            ..SimulatorOptions::default()
        },
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
        // A simulator bears more than Wonde should be asked for.
        settings: &[("wonde.rate_per_second", 200)],
    };
    PrivateSystem::start(options, say).await
}

/// A line of the story. On standard output, like the rest of the demo; a closed pipe ends
/// nothing.
fn say(line: &str) {
    let _ = print(&format!("  {line}"));
}

async fn show(arguments: &Demo, system: &PrivateSystem) -> Result<(), Failure> {
    let http = Client::builder().build()?;
    let schools = connect_schools(system, &http).await?;
    let school = choose(&schools, &arguments.school)?;
    let key = system.api_key.expose_secret();
    print(&format!(
        "\n  API      {}\n  API key  {key}\n  Wonde    {} (simulated: {} schools, {} staff each)",
        system.api_url,
        system.simulator.base_url(),
        schools.len(),
        arguments.size,
    ))?;
    print(&format!("\n  Pressing Sync Data for {} ({})", school.simulated.name, school.mis))?;
    let job = press::sync(system, &http, &school.id).await?;
    words::tell(&system.pool, &job, &school.simulated.name).await?;
    proof::compare(system, school).await?;
    try_it::say(system, &schools)
}

/// Connects every simulated school through the API, as the iP app would.
async fn connect_schools(
    system: &PrivateSystem,
    http: &Client,
) -> Result<Vec<DemoSchool>, Failure> {
    let table = MisTable::built_in();
    let mut schools = Vec::new();
    for simulated in system.simulator.simulator().schools() {
        let spelling = simulated.mis.to_string();
        let mis = table
            .find(&spelling)
            .ok_or_else(|| Failure::work(format!("the table of MIS does not know {spelling}")))?;
        let id: SchoolId = mis.id.parse().map_err(Failure::work)?;
        let body = json!({
            "name": simulated.name,
            "wonde_school_id": simulated.id,
            "token": simulated.token,
            "mis": spelling,
        });
        let answer = http
            .put(format!("{}/v1/schools/{id}", system.api_url))
            .bearer_auth(system.api_key.expose_secret())
            .json(&body)
            .send()
            .await?;
        answer.error_for_status()?;
        schools.push(DemoSchool { id, mis: mis.name.clone(), simulated });
    }
    Ok(schools)
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

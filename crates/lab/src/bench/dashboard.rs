//! What an operators' page asks the ledger, when the ledger is long. What is measured is in the words
//! below.

mod reads;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use mis_sync_cli::{Failure, print, telemetry};
use mis_sync_control as control;
use mis_sync_domain::{JobKind, JobState, Lane};
use mis_sync_store::{
    Pool,
    audit::Actor,
    figures,
    jobs::{self, JobFilter},
    pauses::Scope,
};
use mis_sync_wonde_sim::{Simulator, SimulatorOptions};
use reqwest::{
    Client, StatusCode,
    header::{COOKIE, HeaderValue, SET_COOKIE},
    redirect::Policy,
};
use secrecy::ExposeSecret;

use super::{
    database,
    figures::{Verdict, milliseconds, percentile},
};
use crate::private::{PrivateOptions, PrivateSystem, Transport};

/// Schools and jobs, by statements of the database itself.
const SEED: &str = include_str!("dashboard/seed.sql");
/// Each read so often.
const ROUNDS: usize = 100;
/// Ninety-nine of a hundred are done so soon.
const LONGEST: Duration = Duration::from_millis(50);

/// Pages, as a browser asks for them; `{held}` and `{synced}` are jobs with many changes. To measure one
/// more, add it.
const PAGES: &[&str] = &[
    "/v1/jobs",
    "/v1/jobs?state=failed",
    "/v1/jobs?school_id=school-7",
    "/v1/jobs?error=database&kind=sync-school",
    "/metrics",
    "/dashboard",
    "/dashboard?window=30d",
    "/dashboard/jobs",
    "/dashboard/jobs?state.failed=on&age=24h",
    "/dashboard/jobs?q=school-7",
    "/dashboard/schools",
    "/dashboard/schools?q=7&show=attention",
    "/dashboard/schools?show=stale&sort=-last_good",
    "/dashboard/schools/school-7",
    "/dashboard/schools/school-7/matches",
    "/dashboard/schools/school-7/people/A700001",
    "/dashboard/jobs/{synced}",
    "/dashboard/jobs/{held}",
    "/dashboard/find",
    "/dashboard/held",
    "/dashboard/queues",
    "/dashboard/audit",
    "/dashboard/keys",
    "/dashboard/bulk/review?state.failed=on&age=24h&action=retry",
];

const WHAT: &str = "\
  2,000 schools, 400,000 people and 1,000,000 jobs of thirty days in a Postgres of its own, which
  shares this machine with the one who asks. Each read one hundred times, one after the other.";

pub(crate) async fn run() -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::usage(
            "figures of a debug build say nothing. Run: cargo run --release -p mis-sync-lab -- \
             bench dashboard",
        ));
    }
    telemetry::start_plain("error")?;
    print(&format!("\n{WHAT}\n"))?;
    let options = PrivateOptions {
        simulator: Simulator::new(SimulatorOptions {
            schools: 1,
            staff: 5,
            ..SimulatorOptions::default()
        }),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        settings: &[],
        transport: Transport::Socket,
    };
    PrivateSystem::run(options, measure).await
}

async fn measure(system: &PrivateSystem) -> Result<(), Failure> {
    seed(system).await?;
    print(&format!("  {:<44} {:>10} {:>10}", "", "p50", "p99"))?;
    for name in reads::NAMES {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            reads::run(name, &system.pool).await?;
            times.push(start.elapsed());
        }
        tell(name, &times)?;
    }
    let http = Client::builder().redirect(Policy::none()).build()?;
    let cookie = sign_in(&http, system).await?;
    let held = JobFilter { states: vec![JobState::Held], ..JobFilter::default() };
    let synced = JobFilter {
        schools: vec!["school-7".parse().map_err(Failure::work)?],
        kinds: vec![JobKind::SyncSchool],
        states: vec![JobState::Succeeded],
        ..JobFilter::default()
    };
    let held = newest(&system.pool, &held).await?;
    let synced = newest(&system.pool, &synced).await?;
    for page in PAGES {
        let path = page.replace("{held}", &held).replace("{synced}", &synced);
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let request = http.get(format!("{}{path}", system.api_url));
            let start = Instant::now();
            let request = request.bearer_auth(system.api_key.expose_secret());
            let answer = request.header(COOKIE, &cookie).send().await?.error_for_status()?;
            if answer.status() != StatusCode::OK {
                return Err(Failure::work(format!("{path} answered {}", answer.status())));
            }
            answer.bytes().await?;
            times.push(start.elapsed());
        }
        tell(&format!("GET {page}"), &times)?;
    }
    search(&http, system, &cookie).await
}

/// The id of the newest job that matches.
async fn newest(pool: &Pool, filter: &JobFilter) -> Result<String, Failure> {
    let jobs = jobs::list(pool, filter, 1).await?;
    let job = jobs.first().ok_or_else(|| Failure::work("the seed has no such job"))?;
    Ok(job.id.to_string())
}

/// What is looked for in the box at the top, and in which school: names of people who are in iP and of those
/// who are not, an email, a Wonde id, the end of an id.
const SEARCHES: &[(&str, &str)] = &[
    ("smith", ""),
    ("sm", ""),
    ("hall", ""),
    ("hall", "school-7"),
    ("alex smith", ""),
    ("alex.smith.7@school-7.example", ""),
    ("a700001", ""),
    ("5f3a91c2", ""),
    ("nobody-like-it", ""),
];

/// The search posts a form, with the token of the session.
async fn search(
    http: &Client,
    system: &PrivateSystem,
    cookie: &HeaderValue,
) -> Result<(), Failure> {
    let url = format!("{}/dashboard/find", system.api_url);
    let page = http.get(&url).header(COOKIE, cookie).send().await?.text().await?;
    let token = page
        .split_once("name=\"form_token\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .ok_or_else(|| Failure::work("the page has no form"))?
        .0;
    for (text, school) in SEARCHES {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let fields = [("form_token", token), ("q", text), ("school", school)];
            let answer = http.post(&url).header(COOKIE, cookie).form(&fields).send().await?;
            // One exact hit leads to the person's page.
            if answer.status() != StatusCode::OK && answer.status() != StatusCode::SEE_OTHER {
                return Err(Failure::work(format!("a search answered {}", answer.status())));
            }
            answer.bytes().await?;
            times.push(start.elapsed());
        }
        tell(&format!("POST /dashboard/find: {text} {school}"), &times)?;
    }
    Ok(())
}

/// The cookie of a session.
async fn sign_in(http: &Client, system: &PrivateSystem) -> Result<HeaderValue, Failure> {
    let login = http.post(format!("{}/dashboard/login", system.api_url));
    let answer = login.form(&[("key", system.api_key.expose_secret())]).send().await?;
    let cookie = answer.headers().get(SET_COOKIE).cloned();
    cookie.ok_or_else(|| Failure::work("the dashboard did not let us in"))
}

/// No worker takes the waiting jobs, and the leader's regular work is done before.
async fn seed(system: &PrivateSystem) -> Result<(), Failure> {
    let actor = Actor::command("bench", None);
    for lane in Lane::SHOWN {
        control::pause(&system.pool, &Scope::Lane(*lane), &actor).await?;
    }
    for statement in [SEED, "VACUUM ANALYZE"] {
        let seeding = sqlx::raw_sql(statement).execute(&system.pool);
        seeding.await.map_err(database)?;
    }
    while figures::fill_periods(&system.pool).await? > 0 {}
    Ok(())
}

fn tell(name: &str, times: &[Duration]) -> Result<(), Failure> {
    let (middle, late) = (percentile(times, 50), percentile(times, 99));
    let verdict = Verdict::of(late <= LONGEST);
    print(&format!(
        "  {name:<44} {:>10} {:>10}  {verdict}",
        milliseconds(middle),
        milliseconds(late),
    ))
}

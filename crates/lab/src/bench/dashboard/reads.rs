use mis_sync_cli::Failure;
use mis_sync_domain::{JobKind, JobState};
use mis_sync_store::{
    Pool, bulk, figures,
    figures::Window,
    health,
    jobs::{self, JobFilter},
    pauses, schools, workers,
};

/// Jobs on a page.
const PAGE: i64 = 50;
/// Jobs are counted so far.
const COUNTED: i64 = 10_000;

/// What is read, each by its name.
pub(super) const NAMES: &[&str] = &[
    "jobs: all",
    "jobs: failed",
    "jobs: failed and cancelled",
    "jobs: held",
    "jobs: syncs",
    "jobs: failed syncs",
    "jobs: of a school",
    "jobs: of twenty schools",
    "jobs: of an error",
    "jobs: of an error that never was",
    "jobs: of a requester",
    "jobs: by the beginning of an id",
    "count: all",
    "count: failed",
    "count: syncs",
    "count: of twenty schools",
    "states: all",
    "states: syncs",
    "states: of a school",
    "states: of twenty schools",
    "types of errors",
    "schools: by name",
    "figures: 15 minutes",
    "figures: 24 hours",
    "figures: 30 days",
    "figures: now",
    "workers",
    "pauses",
    "bulk actions",
    "health of the database",
];

/// Reads once.
pub(super) async fn run(name: &str, pool: &Pool) -> Result<(), Failure> {
    match name.split_once(": ") {
        Some(("jobs", which)) => {
            jobs::list(pool, &filter(which)?, PAGE).await?;
        }
        Some(("count", which)) => {
            jobs::count(pool, &filter(which)?, COUNTED).await?;
        }
        Some(("states", which)) => {
            jobs::count_by_state(pool, &filter(which)?, COUNTED).await?;
        }
        Some(("schools", _)) => {
            schools::find(pool, "number 19", PAGE).await?;
        }
        Some(("figures", "15 minutes")) => drop(figures::series(pool, Window::Minutes15).await?),
        Some(("figures", "24 hours")) => drop(figures::series(pool, Window::Hours24).await?),
        Some(("figures", "30 days")) => drop(figures::series(pool, Window::Days30).await?),
        Some(("figures", "now")) => drop(figures::now(pool).await?),
        _ => others(name, pool).await?,
    }
    Ok(())
}

async fn others(name: &str, pool: &Pool) -> Result<(), Failure> {
    match name {
        "types of errors" => drop(jobs::error_codes(pool).await?),
        "workers" => drop(workers::list(pool).await?),
        "pauses" => drop(pauses::list(pool).await?),
        "bulk actions" => drop(bulk::list(pool, PAGE).await?),
        "health of the database" => drop(health(pool).await?),
        _ => return Err(Failure::work(format!("`{name}` is not read here"))),
    }
    Ok(())
}

fn filter(which: &str) -> Result<JobFilter, Failure> {
    let all = JobFilter::default();
    let school = |n: u32| format!("school-{n}").parse().map_err(Failure::work);
    Ok(match which {
        "all" => all,
        "failed" => JobFilter { states: vec![JobState::Failed], ..all },
        "failed and cancelled" => {
            JobFilter { states: vec![JobState::Failed, JobState::Cancelled], ..all }
        }
        "held" => JobFilter { states: vec![JobState::Held], ..all },
        "syncs" => JobFilter { kinds: vec![JobKind::SyncSchool], ..all },
        "failed syncs" => {
            JobFilter { kinds: vec![JobKind::SyncSchool], states: vec![JobState::Failed], ..all }
        }
        "of a school" => JobFilter { schools: vec![school(7)?], ..all },
        "of twenty schools" => {
            JobFilter { schools: (1..=20).map(school).collect::<Result<_, _>>()?, ..all }
        }
        "of an error" => JobFilter { error_code: Some("database".into()), ..all },
        "of an error that never was" => JobFilter { error_code: Some("never".into()), ..all },
        "of a requester" => JobFilter { requested_by: Some("command line".into()), ..all },
        "by the beginning of an id" => {
            JobFilter { id_prefix: Some("01".parse().map_err(Failure::work)?), ..all }
        }
        _ => return Err(Failure::work(format!("`{which}` is no filter here"))),
    })
}

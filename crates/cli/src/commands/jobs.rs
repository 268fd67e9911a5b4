mod act;

use mis_sync_control::{Act, Approve};
use mis_sync_domain::{Change, FieldValue, Job, JobId};
use mis_sync_queue::Queue;
use mis_sync_store::{
    Pool,
    issues::{self, NamedIssue},
    jobs::{self, JobFilter},
    schools,
};
use serde_json::Value;

use self::act::act;
use crate::{
    arguments::Jobs,
    commands::{print, table::table, words},
    config::Config,
    exit::Failure,
    wiring,
};

/// Rows asked for at a time.
const PAGE: i64 = 1000;

pub(super) async fn run(config: &Config, command: Jobs) -> Result<(), Failure> {
    let pool = wiring::database(config).await?;
    let queue = || Ok::<_, Failure>(Queue::new(pool.clone(), config.redis.open()?));
    match command {
        Jobs::List { filter, limit, json } => list(&pool, &filter.into(), limit, json).await,
        Jobs::Show { id, json } => show(&pool, id, json).await,
        Jobs::Changes { id, json } => changes(&pool, id, json).await,
        Jobs::Issues { id, json } => issues(&pool, id, json).await,
        Jobs::Cancel(action) => act(&queue()?, action, Act::Cancel).await,
        Jobs::Reject(action) => act(&queue()?, action, Act::Reject).await,
        Jobs::Undo { action, pause_until } => {
            act(&queue()?, action, Act::Undo { pause_until }).await
        }
        Jobs::Approve { action, only, leave } => {
            let approve = Approve { only: only.as_deref(), leave_people: &leave };
            act(&queue()?, action, Act::Approve(approve)).await
        }
        Jobs::Retry(action) => act(&queue()?, action, Act::Retry).await,
    }
}

async fn find(pool: &Pool, id: JobId) -> Result<Job, Failure> {
    jobs::get(pool, id).await?.ok_or_else(|| {
        Failure::work(format!("there is no job {id}; `mis-sync jobs list` shows the newest"))
    })
}

async fn list(pool: &Pool, filter: &JobFilter, limit: u16, json: bool) -> Result<(), Failure> {
    let found = jobs::list(pool, filter, i64::from(limit)).await?;
    if json {
        return print(&found.iter().map(mis_sync_api::json::job).collect::<Value>().to_string());
    }
    let row = |job: &Job| {
        let what = if job.options.dry_run { " (dry run)" } else { "" };
        [
            job.id.to_string(),
            school(job),
            format!("{}{what}", job.kind),
            job.state.to_string(),
            job.created_at.format("%Y-%m-%d %H:%M").to_string(),
            job.requested_by.to_string(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let headings = ["ID", "SCHOOL", "KIND", "STATE", "REQUESTED", "BY"];
    table(headings, &rows, "No jobs. Press the button: mis-sync sync SCHOOL --follow")
}

fn school(job: &Job) -> String {
    job.school_id.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)
}

async fn show(pool: &Pool, id: JobId, json: bool) -> Result<(), Failure> {
    let job = find(pool, id).await?;
    if json {
        return print(&mis_sync_api::json::job(&job).to_string());
    }
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "–".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    };
    let lines = [
        ("job", job.id.to_string()),
        ("school", school(&job)),
        ("kind", job.kind.to_string()),
        ("state", job.state.to_string()),
        ("requested", format!("{} by {}", time(Some(job.created_at)), job.requested_by)),
        ("started", time(job.started_at)),
        ("ended", time(job.finished_at)),
        ("attempts", format!("{} of {}", job.attempt, job.max_attempts)),
    ];
    for (name, value) in lines {
        print(&format!("{name:<10} {value}"))?;
    }
    if let Some(error) = &job.error {
        print(&format!("{:<10} {}: {}", "trouble", error.title, error.detail))?;
    }
    let school = match &job.school_id {
        Some(id) => schools::get(pool, id).await?,
        None => None,
    };
    let name = school.map(|school| school.name);
    words::tell_report(pool, &job, name.as_deref().unwrap_or("The school")).await
}

async fn changes(pool: &Pool, id: JobId, json: bool) -> Result<(), Failure> {
    let job = find(pool, id).await?;
    let mut all: Vec<Change> = Vec::new();
    let mut after = 0;
    loop {
        let page = jobs::changes(pool, job.id, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        all.extend(page.into_iter().map(|(_, change)| change));
    }
    if json {
        return print(
            &all.into_iter().map(mis_sync_api::json::change).collect::<Value>().to_string(),
        );
    }
    let row = |change: &Change| {
        [
            change.record.kind().to_string(),
            change.wonde_id.clone().unwrap_or_default(),
            change.field.as_str().to_owned(),
            value(change.old.as_ref()),
            value(change.new.as_ref()),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    table(["RECORD", "WONDE ID", "FIELD", "BEFORE", "AFTER"], &rows, "The job changed nothing.")
}

fn value(value: Option<&FieldValue>) -> String {
    value.map_or_else(String::new, |value| value.as_str().to_owned())
}

async fn issues(pool: &Pool, id: JobId, json: bool) -> Result<(), Failure> {
    let job = find(pool, id).await?;
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = issues::of_job(pool, job.id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        all.extend(page);
    }
    if json {
        return print(
            &all.into_iter().map(mis_sync_api::json::issue).collect::<Value>().to_string(),
        );
    }
    let row = |NamedIssue { issue, .. }: &NamedIssue| {
        [
            issue.wonde_id.clone().unwrap_or_else(|| "(whole school)".to_owned()),
            issue.code.as_str().to_owned(),
            issue.code.sentence().to_owned(),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    table(["WONDE ID", "CODE", "WHY"], &rows, "The job has no issues.")
}

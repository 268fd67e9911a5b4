//! What an operator does to a job. The state decides whether it can be done.

use mis_sync_domain::{Affected, GuardCategory, Job, JobId};
use mis_sync_queue::{Approved, Queue};
use mis_sync_store::{
    Pool, jobs,
    undo::{self, Undone},
};

use super::find;
use crate::{
    arguments::Action,
    commands::{actor, print},
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn cancel(pool: &Pool, action: Action) -> Result<(), Failure> {
    let done = jobs::cancel(pool, action.id, &actor(action.reason)).await?;
    tell(pool, action.id, done, "an unfinished job", action.json).await
}

pub(super) async fn reject(pool: &Pool, action: Action) -> Result<(), Failure> {
    let done = jobs::reject(pool, action.id, &actor(action.reason)).await?;
    tell(pool, action.id, done, "a held job", action.json).await
}

pub(super) async fn approve(
    config: &Config,
    pool: Pool,
    action: Action,
    only: Option<&[GuardCategory]>,
) -> Result<(), Failure> {
    let queue = Queue::new(pool.clone(), wiring::open_redis(config)?);
    let job = match queue.approve_categories(action.id, only, &actor(action.reason)).await? {
        Approved::Done(job) => job,
        Approved::WrongState => {
            return tell(&pool, action.id, None, "a held job", action.json).await;
        }
        Approved::NotHeldFor(categories) => {
            let named: Vec<_> = categories.iter().map(|category| category.as_str()).collect();
            return Err(Failure::work(format!(
                "the job is not held for {}; `mis-sync jobs show` says what it is held for",
                named.join(", ")
            )));
        }
    };
    if let Some(approval) = job.approval.as_ref().filter(|_| !action.json) {
        tell_affected("to be applied", &approval.approved)?;
        tell_affected("left out: iP keeps what it has", &approval.left_out)?;
    }
    tell(&pool, action.id, Some(*job), "a held job", action.json).await
}

fn tell_affected(heading: &str, all: &[Affected]) -> Result<(), Failure> {
    if !all.is_empty() {
        print(&format!("{heading}:"))?;
    }
    for affected in all {
        print(&format!("  {:24}  {}", affected.category, affected.sentence()))?;
    }
    Ok(())
}

pub(super) async fn retry(config: &Config, pool: Pool, action: Action) -> Result<(), Failure> {
    let queue = Queue::new(pool.clone(), wiring::open_redis(config)?);
    let done = queue.retry(action.id, &actor(action.reason)).await?;
    let done = done.map(|enqueued| enqueued.job().clone());
    tell(&pool, action.id, done, "a retrying, failed or cancelled job", action.json).await
}

pub(super) async fn undo(pool: &Pool, action: Action) -> Result<(), Failure> {
    let done = match undo::undo(pool, action.id, &actor(action.reason)).await? {
        Undone::Done(job) => Some(*job),
        Undone::WrongState => None,
        Undone::Nothing => {
            let why = "the job changed nothing, was a dry run, or was undone already";
            return Err(Failure::work(why));
        }
        Undone::Conflicts(conflicts) => {
            for conflict in &conflicts {
                let by = conflict.job_id.map_or_else(
                    || "changed by hand, or what it was is taken or gone".to_owned(),
                    |id| format!("changed by job {id}"),
                );
                let field = conflict.field.as_str();
                let record = conflict.record;
                let id = record.id().map(|id| id.to_string()).unwrap_or_default();
                print(&format!("{} {id} {field}: {by}", record.kind()))?;
            }
            let what =
                format!("nothing was taken back: {} fields cannot be restored", conflicts.len());
            return Err(Failure::work(what));
        }
    };
    tell(pool, action.id, done, "a job that succeeded", action.json).await
}

/// The job as it is now, or why its state forbids the action.
async fn tell(
    pool: &Pool,
    id: JobId,
    done: Option<Job>,
    allowed: &str,
    json: bool,
) -> Result<(), Failure> {
    let Some(job) = done else {
        let state = find(pool, id).await?.state;
        return Err(Failure::work(format!("the job is {state}; this needs {allowed}")));
    };
    if json {
        return print(&mis_sync_api::json::job(&job).to_string());
    }
    print(&format!("job {} is {}", job.id, job.state))
}

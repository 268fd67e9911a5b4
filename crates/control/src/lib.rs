#![doc = include_str!("../README.md")]

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    ApiKeyId, BulkId, CheckSchool, GuardCategory, Job, JobId, JobKind, JobState, PersonKey,
    Requester, School, SyncOptions, SyncSchool, plan::Conflict,
};
use mis_sync_queue::{Error, Queue};
use mis_sync_store::{
    bulk::{self, BulkAction},
    jobs::{self, Actor, Approved, Enqueued, Idempotency, JobFilter, NewJob},
    pauses::{self, Scope},
    person_search, schools,
    undo::{self, Undone},
};
use mis_sync_telemetry::metrics;

pub use mis_sync_store::{
    jobs::Approve,
    pauses::{pause, pause_until},
    workers::{drain, undrain},
};

/// An action on a job.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// Cancels it.
    Cancel,
    /// Runs it again: a job that waits for its next attempt starts now, a failed or cancelled one
    /// runs as a new job.
    Retry,
    /// Lets a held job run.
    Approve(Approve<'a>),
    /// Cancels a held job, and with it the changes that it would make.
    Reject,
    /// Reverses what it changed.
    Undo {
        /// Until when its school is paused, so that no sync does the same again meanwhile.
        pause_until: Option<DateTime<Utc>>,
    },
}

/// The result of an action.
#[derive(Debug)]
pub struct Acted {
    /// The job, or the new one that runs it again or reverses it.
    pub job: Job,
    /// Whether this added the job to the ledger.
    pub is_new: bool,
}

/// Why an action was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such job.
    #[error("There is no job with this id.")]
    UnknownJob,
    /// The job's state forbids it.
    #[error("The job is {state}; this needs {allowed}.")]
    WrongState {
        state: JobState,
        /// What the action needs.
        allowed: &'static str,
    },
    /// The job is held for other categories.
    #[error("The job is not held for {}; `report.guard` lists what it is held for.", names(.0))]
    NotHeldFor(Vec<GuardCategory>),
    /// The job changes nothing about these people.
    #[error("The job changes nothing about {} of the people in `leave_people`.", .0.len())]
    UnknownPeople(Vec<PersonKey>),
    /// There is nothing to reverse.
    #[error("The job changed nothing, was a dry run, or has already been undone.")]
    NothingToUndo,
    /// Some of it cannot be reversed, so nothing is.
    #[error("{} of the job's fields cannot be restored, so nothing was reversed.", .0.len())]
    UndoConflict(Vec<Conflict>),
    /// The school has no Wonde token.
    #[error(
        "This school has no Wonde token. Connect it with `PUT /v1/schools/{{school_id}}`, or with \
         `mis-sync schools connect`."
    )]
    NotConnected,
    /// Nothing was decided, because the database or Redis failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<mis_sync_store::Error> for Refused {
    fn from(error: mis_sync_store::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Acts on a job. Each action is one guarded change, with its line in the audit log.
pub async fn act(queue: &Queue, id: JobId, act: Act<'_>, actor: &Actor) -> Result<Acted, Refused> {
    let pool = queue.pool();
    let done = match act {
        Act::Cancel => jobs::cancel(pool, id, actor).await?.map(Acted::itself),
        Act::Reject => jobs::reject(pool, id, actor).await?.map(Acted::itself),
        Act::Approve(what) => approve(queue, id, what, actor).await?.map(Acted::itself),
        Act::Retry => retry(queue, id, actor).await?,
        Act::Undo { pause_until } => match undo::undo(pool, id, pause_until, actor).await? {
            Undone::Done(job) => Some(Acted { job: *job, is_new: true }),
            Undone::Conflicts(conflicts) => return Err(Refused::UndoConflict(conflicts)),
            Undone::Nothing => return Err(Refused::NothingToUndo),
            Undone::WrongState => None,
        },
    };
    if let Some(acted) = done {
        if acted.job.state.is_finished() {
            metrics::JOBS_ENDED.add([acted.job.kind.as_str(), acted.job.state.as_str()], 1);
        }
        return Ok(acted);
    }
    let job = jobs::get(pool, id).await?.ok_or(Refused::UnknownJob)?;
    Err(Refused::WrongState { state: job.state, allowed: act.allowed() })
}

/// Presses *Sync Data*. An unfinished sync of the school is the
/// answer; so is the job of a repeated request, even if the school was disconnected meanwhile.
pub async fn press(
    queue: &Queue,
    school: &School,
    options: SyncOptions,
    requested_by: impl Into<Requester>,
    idempotency: Option<&Idempotency>,
) -> Result<Enqueued, Refused> {
    if school.token.is_missing() {
        let seen = match idempotency {
            Some(header) => jobs::answered(queue.pool(), header).await?,
            None => None,
        };
        return seen.map(Enqueued::Existing).ok_or(Refused::NotConnected);
    }
    let sync = SyncSchool { school_id: school.id.clone(), options };
    let new = NewJob::of(&sync, requested_by);
    Ok(queue.enqueue(&new, idempotency).await?)
}

/// The job that asks Wonde what a school grants.
pub fn check(school: &School, requested_by: impl Into<Requester>) -> Result<NewJob, Refused> {
    if school.token.is_missing() {
        return Err(Refused::NotConnected);
    }
    let check = CheckSchool { school_id: school.id.clone(), version: school.version() };
    Ok(NewJob::of(&check, requested_by))
}

/// Asks the MIS of a school about a person, with a line of the audit log.
pub async fn find_person(
    queue: &Queue,
    school: &School,
    text: &str,
    asker: ApiKeyId,
    actor: &Actor,
) -> Result<Job, Refused> {
    if school.token.is_missing() {
        return Err(Refused::NotConnected);
    }
    let job = person_search::ask(queue.pool(), &school.id, text, asker, actor).await?;
    queue.deliver_new(&job).await;
    Ok(job)
}

/// Requests an action on all jobs that match now and whose state allows it.
pub async fn act_on_jobs(
    queue: &Queue,
    action: BulkAction,
    filter: &JobFilter,
    actor: &Actor,
) -> Result<BulkId, Error> {
    let (id, job) = bulk::start(queue.pool(), action, filter, actor).await?;
    if let Some(job) = job {
        queue.deliver_new(&job).await;
    }
    Ok(id)
}

/// Ends a pause and delivers waiting jobs at once; see [`pauses::resume`].
pub async fn resume(queue: &Queue, scope: &Scope, actor: &Actor) -> Result<bool, Error> {
    let resumed = pauses::resume(queue.pool(), scope, actor).await?;
    if resumed && let Err(error) = queue.redeliver_due().await {
        tracing::warn!(%error, "resumed, but the sweep did not go through");
    }
    Ok(resumed)
}

async fn approve(
    queue: &Queue,
    id: JobId,
    what: Approve<'_>,
    actor: &Actor,
) -> Result<Option<Job>, Refused> {
    match jobs::approve(queue.pool(), id, what, actor).await? {
        Approved::Done(job) => {
            queue.deliver_new(&job).await;
            Ok(Some(*job))
        }
        Approved::NotHeldFor(categories) => Err(Refused::NotHeldFor(categories)),
        Approved::UnknownPeople(people) => Err(Refused::UnknownPeople(people)),
        Approved::WrongState => Ok(None),
    }
}

async fn retry(queue: &Queue, id: JobId, actor: &Actor) -> Result<Option<Acted>, Refused> {
    let pool = queue.pool();
    let job = jobs::get(pool, id).await?.ok_or(Refused::UnknownJob)?;
    if JobKind::SHOWN.contains(&job.kind) {
        let school = match &job.school_id {
            Some(id) => schools::get(pool, id).await?,
            None => None,
        };
        if school.is_none_or(|school| school.token.is_missing()) {
            return Err(Refused::NotConnected);
        }
    }
    let retried = match jobs::retry_now(pool, id, actor).await? {
        Some(job) => Some(Enqueued::Existing(job)),
        None => jobs::retry_finished(pool, id, actor).await?,
    };
    let Some(enqueued) = retried else { return Ok(None) };
    queue.deliver_new(enqueued.job()).await;
    Ok(Some(match enqueued {
        Enqueued::New(job) => Acted { job, is_new: true },
        Enqueued::Existing(job) => Acted::itself(job),
    }))
}

impl Act<'_> {
    /// What the action needs, as the end of *this needs …*.
    fn allowed(self) -> &'static str {
        match self {
            Self::Cancel => "an unfinished job",
            Self::Retry => "a retrying, failed or cancelled job",
            Self::Approve(_) | Self::Reject => "a held job",
            Self::Undo { .. } => "a job that succeeded",
        }
    }
}

impl Acted {
    fn itself(job: Job) -> Self {
        Self { job, is_new: false }
    }
}

fn names(categories: &[GuardCategory]) -> String {
    let names: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
    names.join(", ")
}

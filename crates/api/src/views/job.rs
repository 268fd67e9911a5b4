use mis_sync_domain::{Approval, Job, JobFailure, JobId, JobKind, JobState, PersonKey, Stage};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ReportView,
    report::{AffectedView, affected},
    timestamp,
};

/// A page of jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = JobList)]
pub(crate) struct JobListView {
    pub(crate) jobs: Vec<JobView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One piece of work, from the request to its end.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    #[schema(format = "uuid")]
    id: String,
    kind: JobKind,
    /// The id of the school in iP. Jobs that the service creates itself may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    school_id: Option<String>,
    /// The person, if the job is for one person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid", nullable = false)]
    staff_id: Option<String>,
    state: JobState,
    /// When it was requested.
    #[schema(format = DateTime)]
    created_at: String,
    /// When an attempt first started.
    #[schema(format = DateTime, required)]
    started_at: Option<String>,
    /// When it finished.
    #[schema(format = DateTime, required)]
    finished_at: Option<String>,
    /// The number of attempts, including a running one.
    attempt: u16,
    /// The number of attempts after which it fails.
    max_attempts: u16,
    /// When a retrying job runs next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    next_attempt_at: Option<String>,
    progress: ProgressView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    report: Option<ReportView>,
    /// The decision that was made when it was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    approval: Option<ApprovalView>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<FailureView>,
    /// The name of the API key or command that requested it, and the person that
    /// `X-Requested-By` named: `iP · 4711`.
    requested_by: String,
    links: JobLinks,
}

/// What a person decided about a held job.
#[derive(Serialize, ToSchema)]
#[schema(as = Approval)]
struct ApprovalView {
    /// The categories that are applied, up to the numbers shown here.
    approved: Vec<AffectedView>,
    /// The categories that are not applied: iP keeps its values.
    left_out: Vec<AffectedView>,
    /// People who are left as they are in iP.
    leave_people: Vec<PersonKey>,
}

/// The progress of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressView {
    /// The current stage; null before it starts.
    #[schema(required)]
    stage: Option<Stage>,
    /// Records done in this stage.
    done: u64,
    /// Records to do in this stage; null until known.
    #[schema(required)]
    total: Option<u64>,
    /// The percentage of the whole job; 100 once it has succeeded.
    #[schema(minimum = 0, maximum = 100)]
    percent: u8,
}

/// Why an attempt failed.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
struct FailureView {
    /// The stable code, for programs.
    #[serde(rename = "type")]
    code: String,
    /// One line for people.
    title: String,
    /// What exactly happened.
    detail: String,
}

/// Links from a job.
#[derive(Serialize, ToSchema)]
struct JobLinks {
    #[serde(rename = "self")]
    this: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    school: Option<String>,
    changes: String,
    issues: String,
    /// The job that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_of: Option<String>,
    /// The job whose changes this one reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    undo_of: Option<String>,
}

fn location(id: JobId) -> String {
    format!("/v1/jobs/{id}")
}

impl JobView {
    /// The job's address.
    pub(crate) fn location(&self) -> &str {
        &self.links.this
    }
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        let this = location(job.id);
        Self {
            id: job.id.to_string(),
            kind: job.kind,
            school_id: job.school_id.as_ref().map(ToString::to_string),
            staff_id: job.staff_id.map(|id| id.to_string()),
            state: job.state,
            created_at: timestamp(job.created_at),
            started_at: job.started_at.map(timestamp),
            finished_at: job.finished_at.map(timestamp),
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            next_attempt_at: job.next_attempt_at.map(timestamp),
            progress: ProgressView::of(job),
            report: job.report.as_ref().map(ReportView::from),
            approval: job.approval.as_ref().map(ApprovalView::from),
            error: job.error.clone().map(FailureView::from),
            requested_by: job.requested_by.to_string(),
            links: JobLinks {
                retry_of: job.retry_of.map(location),
                undo_of: job.undo_of.map(location),
                school: job.school_id.as_ref().map(|id| format!("/v1/schools/{id}")),
                changes: format!("{this}/changes"),
                issues: format!("{this}/issues"),
                this,
            },
        }
    }
}

impl ProgressView {
    /// The progress of this job.
    pub(crate) fn of(job: &Job) -> Self {
        let progress = job.progress.as_ref();
        let percent = match job.state {
            JobState::Succeeded => 100,
            _ => progress.map_or(0, mis_sync_domain::Progress::percent),
        };
        Self {
            stage: progress.map(|progress| progress.stage),
            done: progress.map_or(0, |progress| progress.done),
            total: progress.and_then(|progress| progress.total),
            percent,
        }
    }
}

impl From<&Approval> for ApprovalView {
    fn from(approval: &Approval) -> Self {
        Self {
            approved: affected(&approval.approved),
            left_out: affected(&approval.left_out),
            leave_people: approval.leave_people.clone(),
        }
    }
}

impl From<JobFailure> for FailureView {
    fn from(failure: JobFailure) -> Self {
        Self { code: failure.code, title: failure.title, detail: failure.detail }
    }
}

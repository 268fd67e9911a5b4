use mis_sync_domain::{Approval, Job, JobFailure, JobId, JobKind, JobState, Stage};
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
    /// Where the next page begins; null: this is the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One piece of work, from the press of a button to its end.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    #[schema(format = "uuid")]
    id: String,
    kind: JobKind,
    /// iP's own key of the school. Jobs that the service asks for itself may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    school_id: Option<String>,
    /// The person it is for, when it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid", nullable = false)]
    staff_id: Option<String>,
    state: JobState,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When an attempt first started.
    #[schema(format = DateTime, required)]
    started_at: Option<String>,
    /// When it ended for good.
    #[schema(format = DateTime, required)]
    finished_at: Option<String>,
    /// Attempts spent, a running one included.
    attempt: u16,
    /// After so many it fails.
    max_attempts: u16,
    /// When a retrying job is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    next_attempt_at: Option<String>,
    progress: ProgressView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    report: Option<ReportView>,
    /// What was decided of it when it was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    approval: Option<ApprovalView>,
    /// Why the last attempt ended without success.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<FailureView>,
    /// Name of the API key or command that asked.
    requested_by: String,
    links: JobLinks,
}

/// What a person decided of a held job.
#[derive(Serialize, ToSchema)]
#[schema(as = Approval)]
struct ApprovalView {
    /// Applied, as much as is shown here and no more.
    approved: Vec<AffectedView>,
    /// Not applied: iP keeps what it has.
    left_out: Vec<AffectedView>,
}

/// How far a job is.
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressView {
    /// What it is busy with; null before it starts.
    #[schema(required)]
    stage: Option<Stage>,
    /// Records done in this stage.
    done: u64,
    /// Records to do in this stage; null until known.
    #[schema(required)]
    total: Option<u64>,
    /// Share of the whole job; 100 once it succeeded.
    #[schema(minimum = 0, maximum = 100)]
    percent: u8,
}

/// Why an attempt ended without success.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
struct FailureView {
    /// Stable code, for programs.
    #[serde(rename = "type")]
    code: String,
    /// One line for people.
    title: String,
    /// What exactly happened.
    detail: String,
}

/// Where to go from a job.
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
    /// The job whose changes this one took back.
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
            requested_by: job.requested_by.clone(),
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
    /// How far this job is.
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
        Self { approved: affected(&approval.approved), left_out: affected(&approval.left_out) }
    }
}

impl From<JobFailure> for FailureView {
    fn from(failure: JobFailure) -> Self {
        Self { code: failure.code, title: failure.title, detail: failure.detail }
    }
}

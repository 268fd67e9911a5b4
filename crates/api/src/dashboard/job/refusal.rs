//! What a form gets whose job has changed in between: the job's page as it is now, with a sentence.

use axum::{http::StatusCode, response::Response};
use mis_sync_control::Refused;
use mis_sync_domain::{AuditAction, Job, JobState};
use mis_sync_store::audit::{self, AuditFilter, AuditLine};

use super::{Extra, Wanted, review::Draft};
use crate::{
    ApiError,
    dashboard::{
        parts::{ago, read},
        waiting::waits_for,
    },
    state::Operator,
};

/// The latest lines of the audit log in which the cause is looked for.
const LINES: i64 = 10;

/// The job's page, with the reason why nothing was done.
pub(super) async fn show(
    operator: &Operator,
    job: &Job,
    refused: Refused,
) -> Result<Response, ApiError> {
    match refused {
        Refused::WrongState { .. } => of_state(operator, job).await,
        Refused::NothingToUndo => match last_act(operator, job).await {
            Some(line) if line.action == AuditAction::Undo => of_state(operator, job).await,
            _ => {
                let notice = "The job changed nothing, so there is nothing to undo.";
                page(operator, job, notice, Draft::default()).await
            }
        },
        refused => Err(refused.into()),
    }
}

/// The job's page, with a sentence about who changed its state.
pub(super) async fn of_state(operator: &Operator, job: &Job) -> Result<Response, ApiError> {
    let job = operator.access().job(&job.id.to_string()).await?;
    let notice = if let Some(line) = last_act(operator, &job).await {
        let (who, done) = (line.actor, done(line.action));
        format!("{who} {done} it {} ago, so nothing was done now.", ago(line.at))
    } else {
        let waits = read(waits_for(operator.access().pool(), &job)).await.ok().flatten();
        format!("By now the job {}, so nothing was done.", stands(job.state, waits))
    };
    page(operator, &job, &notice, Draft::default()).await
}

pub(super) async fn page(
    operator: &Operator,
    job: &Job,
    notice: &str,
    draft: Draft,
) -> Result<Response, ApiError> {
    let extra = Extra { notice: Some(notice.to_owned()), draft };
    let (id, wanted) = (job.id.to_string(), Wanted::default());
    let render = super::render(operator, &id, &wanted, &extra);
    let mut response = Box::pin(render).await?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}

/// What a person last did to the job.
async fn last_act(operator: &Operator, job: &Job) -> Option<AuditLine> {
    let filter = AuditFilter { job_id: Some(job.id), ..AuditFilter::default() };
    let lines = read(audit::list(operator.access().pool(), &filter, LINES)).await.ok()?;
    lines.into_iter().find(|line| !done(line.action).is_empty())
}

fn stands(state: JobState, waits: Option<&str>) -> String {
    match state {
        JobState::Queued | JobState::Retrying | JobState::Held => {
            format!("waits {}", waits.unwrap_or("to run"))
        }
        JobState::Running => "is running".into(),
        JobState::Succeeded => "has succeeded".into(),
        JobState::Failed => "has failed".into(),
        JobState::Cancelled => "is cancelled".into(),
    }
}

/// What a person did to a job; empty if it changed nothing.
pub(super) fn done(action: AuditAction) -> &'static str {
    match action {
        AuditAction::Approve => "approved",
        AuditAction::Reject => "rejected",
        AuditAction::Cancel => "cancelled",
        AuditAction::Retry => "retried",
        AuditAction::Undo => "undid",
        _ => "",
    }
}

//! What an operator does to a job, with the same functions as the API.

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};
use mis_sync_control::{self as control, Act, Refused};
use mis_sync_domain::{Action, Job, JobState, plan::Conflict};
use mis_sync_store::bulk::BulkAction;

use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        login::go,
        page::{Page, Tab},
        parts::{Deed, job_path, scroll},
    },
    parameters::PathId,
    state::Operator,
};

/// The buttons that this job's state allows.
pub(in crate::dashboard) fn offer(operator: &Operator, job: &Job, lineage: &[Job]) -> Markup {
    if !operator.is_allowed(Action::ActOnJobs) {
        return html! {};
    }
    let deed = |label, action, says, kind| deed(job, label, action, says, kind);
    let nothing = html! {};
    let is_undone = lineage.iter().any(|other| other.undo_of == Some(job.id));
    let can_undo = job.state == JobState::Succeeded
        && !job.options.dry_run
        && !is_undone
        && job.kind == mis_sync_domain::JobKind::SyncSchool;
    html! {
        div.buttons {
            @if job.state == JobState::Held && job.approval.is_none() {
                (deed(
                    "Approve",
                    "approve",
                    "The job runs again and applies the ticked categories as shown. \
                     Everything else is left unchanged in iP.",
                    "primary",
                )
                .show(operator, &categories(job)))
                (deed(
                    "Reject",
                    "reject",
                    "The job is cancelled and nothing changes. The next sync will check again.",
                    "danger",
                )
                .show(operator, &nothing))
            }
            @if BulkAction::Retry.states().contains(&job.state) {
                (retry_deed(job).show(operator, &nothing))
            }
            @if !job.state.is_finished() && job.state != JobState::Held {
                (deed(
                    "Cancel",
                    "cancel",
                    "The job stops within seconds, and nothing of it is applied.",
                    "danger",
                )
                .show(operator, &nothing))
            }
            @if can_undo {
                (deed(
                    "Undo",
                    "undo",
                    "This reverses every change, or none if any can't be reversed. \
                     The next full sync applies the values of the MIS again.",
                    "danger",
                )
                .show(operator, &nothing))
            }
        }
    }
}

/// In a list: the one button that helps a job that went wrong.
pub(in crate::dashboard) fn remedy(operator: &Operator, job: &Job) -> Markup {
    html! {
        @if matches!(job.state, JobState::Failed | JobState::Retrying) {
            (Deed { kind: "", ..retry_deed(job) }.show(operator, &html! {}))
        } @else if job.state == JobState::Held {
            a.button href=(job_path(job.id)) { "Review" }
        }
    }
}

fn deed<'a>(job: &Job, label: &'a str, action: &str, says: &'a str, kind: &'a str) -> Deed<'a> {
    Deed { label, action: format!("{}/{action}", job_path(job.id)), says, kind }
}

fn retry_deed(job: &Job) -> Deed<'_> {
    let says = match job.state {
        JobState::Retrying => "The next attempt starts now instead of waiting.",
        _ => "Run this sync again as a new job.",
    };
    deed(job, "Retry", "retry", says, "primary")
}

fn categories(job: &Job) -> Markup {
    let guard = job.report.as_ref().map(|report| report.guard.as_slice()).unwrap_or_default();
    html! {
        fieldset {
            legend { "Apply" }
            @for affected in guard {
                label {
                    input type="checkbox" name={ "category." (affected.category) } checked;
                    (affected.sentence())
                }
            }
        }
    }
}

pub(in crate::dashboard) async fn cancel(id: PathId, posted: Posted) -> Result<Response, ApiError> {
    act(id, posted, Act::Cancel).await
}

pub(in crate::dashboard) async fn retry(id: PathId, posted: Posted) -> Result<Response, ApiError> {
    act(id, posted, Act::Retry).await
}

pub(in crate::dashboard) async fn reject(id: PathId, posted: Posted) -> Result<Response, ApiError> {
    act(id, posted, Act::Reject).await
}

pub(in crate::dashboard) async fn approve(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let (access, job) = posted.job(Action::ActOnJobs, &id).await?;
    let guard = job.report.as_ref().map(|report| report.guard.as_slice()).unwrap_or_default();
    let ticked: Vec<_> = guard
        .iter()
        .map(|affected| affected.category)
        .filter(|category| posted.fields().is_set(&format!("category.{category}")))
        .collect();
    if ticked.is_empty() {
        return Err(ApiError::MalformedBody("nothing is ticked; reject the job instead".into()));
    }
    let only = (ticked.len() < guard.len()).then_some(ticked.as_slice());
    let actor = posted.actor()?;
    let acted = control::act(access.queue(), job.id, Act::Approve(only), &actor).await?;
    Ok(go(&job_path(acted.job.id), None))
}

pub(in crate::dashboard) async fn undo(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let (access, job) = posted.job(Action::ActOnJobs, &id).await?;
    match control::act(access.queue(), job.id, Act::Undo, &posted.actor()?).await {
        Ok(acted) => Ok(go(&job_path(acted.job.id), None)),
        Err(Refused::UndoConflict(conflicts)) => {
            Ok(show_conflicts(&posted.operator, &job, &conflicts))
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Acts, and shows the page of the resulting job.
async fn act(PathId(id): PathId, posted: Posted, act: Act<'_>) -> Result<Response, ApiError> {
    let (access, job) = posted.job(Action::ActOnJobs, &id).await?;
    let acted = control::act(access.queue(), job.id, act, &posted.actor()?).await?;
    Ok(go(&job_path(acted.job.id), None))
}

fn show_conflicts(operator: &Operator, job: &Job, conflicts: &[Conflict]) -> Response {
    let content = html! {
        h1 { "Nothing was reversed" }
        p {
            "Later changes affected the same fields. "
            "An undo would reverse those too, so nothing was reversed."
        }
        (scroll("Conflicts", &html! {
            table.rows {
                thead {
                    tr {
                        th { "Whose" }
                        th { "Field" }
                        th { "Changed by" }
                    }
                }
                tbody {
                    @for conflict in conflicts {
                        tr {
                            td {
                                (conflict.record.kind())
                                " "
                                code {
                                    @if let Some(id) = conflict.record.id() { (id) }
                                }
                            }
                            td { (conflict.field.as_str()) }
                            td {
                                @match conflict.job_id {
                                    Some(id) => a href=(job_path(id)) {
                                        code { (id) }
                                    },
                                    None => "a person, by hand, or the earlier value is in use or gone",
                                }
                            }
                        }
                    }
                }
            }
        }))
        p {
            a.button href=(job_path(job.id)) { "Back to the job" }
        }
    };
    let page = Page { operator, tab: Tab::Jobs, title: "Nothing was reversed", watch: None };
    let mut response = page.show(&content);
    *response.status_mut() = StatusCode::CONFLICT;
    response
}

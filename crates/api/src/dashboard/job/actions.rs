//! What an operator does to a job, with the same functions as the API.

use axum::{http::StatusCode, response::Response};
use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use maud::{Markup, html};
use mis_sync_control::{self as control, Act, Approve, Refused};
use mis_sync_domain::{Action, Job, JobState, plan::Conflict};
use mis_sync_store::bulk::BulkAction;

use super::{refusal, review::Draft};

use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        login::go,
        page::{Page, Tab},
        parts::{ActionButton, Names, job_path, now, scroll, whose},
    },
    parameters::PathId,
    state::Operator,
};

/// The buttons that this job's state allows.
pub(in crate::dashboard) fn offer(
    operator: &Operator,
    job: &Job,
    lineage: &[Job],
    names: &Names,
) -> Markup {
    if !operator.is_allowed(Action::ActOnJobs) {
        return html! {};
    }
    let button = |label, action, says, kind| button(job, names, label, action, says, kind);
    let nothing = html! {};
    let is_undone = lineage.iter().any(|other| other.undo_of == Some(job.id));
    let can_undo = job.state == JobState::Succeeded
        && !job.options.dry_run
        && !is_undone
        && job.kind == mis_sync_domain::JobKind::SyncSchool;
    html! {
        div.buttons {
            @if is_to_review(job) {
                (button(
                    "Reject",
                    "reject",
                    "The job is cancelled and nothing changes. The next sync will check again.",
                    "danger",
                )
                .show(operator, &nothing))
            }
            @if BulkAction::Retry.states().contains(&job.state) {
                (retry_button(job, names).show(operator, &nothing))
            }
            @if !job.state.is_finished() && job.state != JobState::Held {
                (button(
                    "Cancel",
                    "cancel",
                    "The job stops within seconds, and nothing of it is applied.",
                    "danger",
                )
                .show(operator, &nothing))
            }
            @if can_undo {
                (button(
                    "Undo",
                    "undo",
                    "This reverses every change, or none if any can't be reversed.",
                    "danger",
                )
                .show(operator, &pause_field(operator)))
            }
        }
    }
}

/// Whether the job waits for a person to review it.
pub(in crate::dashboard) fn is_to_review(job: &Job) -> bool {
    job.state == JobState::Held && job.approval.is_none()
}

/// The button that approves a held job by categories.
pub(in crate::dashboard) fn approval(operator: &Operator, job: &Job, names: &Names) -> Markup {
    if !is_to_review(job) || !operator.is_allowed(Action::ActOnJobs) {
        return html! {};
    }
    let says = "The job runs again and applies the ticked categories as shown. Everything else is \
                left unchanged in iP.";
    button(job, names, "Approve", "approve", says, "primary").show(operator, &categories(job))
}

/// In a list: the one button that helps a job that went wrong.
pub(in crate::dashboard) fn remedy(
    operator: &Operator,
    job: &Job,
    names: Option<&Names>,
) -> Markup {
    let no_names = Names::new();
    html! {
        @if matches!(job.state, JobState::Failed | JobState::Retrying) {
            (ActionButton { kind: "", ..retry_button(job, names.unwrap_or(&no_names)) }
                .show(operator, &html! {}))
        } @else if job.state == JobState::Held {
            a.button href=(job_path(job.id)) { "Review" }
        }
    }
}

fn button<'a>(
    job: &Job,
    names: &Names,
    label: &'a str,
    action: &str,
    says: &'a str,
    kind: &'a str,
) -> ActionButton<'a> {
    let action = format!("{}/{action}", job_path(job.id));
    ActionButton { label, whose: whose(names, job), action, says, kind }
}

fn retry_button(job: &Job, names: &Names) -> ActionButton<'static> {
    let says = match job.state {
        JobState::Retrying => "The next attempt starts now instead of waiting.",
        _ => "Run this sync again as a new job.",
    };
    button(job, names, "Retry", "retry", says, "primary")
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

/// Without a pause the next sync applies the same again, because the MIS still says so.
fn pause_field(operator: &Operator) -> Markup {
    let preferences = operator.preferences();
    html! {
        p {
            "The next sync would apply the same again unless the MIS is corrected first. \
             Until then, pause the school:"
        }
        fieldset {
            label {
                input type="checkbox" name="pause" checked;
                "Pause this school's syncs until"
            }
        }
        input
            name="pause_until"
            type="datetime-local"
            aria-label="Pause until"
            min=(preferences.field(now()))
            value=(preferences.field(next_evening(operator)));
    }
}

/// Six in the evening of the next day on which someone is at school.
fn next_evening(operator: &Operator) -> DateTime<Utc> {
    let preferences = operator.preferences();
    let today = now().with_timezone(&preferences.zone).date_naive();
    let is_school_day = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let next = today.iter_days().skip(1).find(is_school_day).unwrap_or(today);
    preferences.instant(next.and_hms_opt(18, 0, 0).expect("this is a time of day"))
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
    let draft = Draft::read(posted.fields(), &job)?;
    let approved = draft.approved(&job);
    if approved.is_empty() {
        let notice =
            "Nothing is ticked, so nothing was approved. Tick a category, or reject the job.";
        return refusal::page(&posted.operator, &job, notice, draft).await;
    }
    if job.approval.is_some() {
        return refusal::of_state(&posted.operator, &job).await;
    }
    let only = (!draft.left_out.is_empty()).then_some(approved.as_slice());
    let what = Act::Approve(Approve { only, leave_people: &draft.leave });
    match control::act(access.queue(), job.id, what, &posted.actor()?).await {
        Ok(acted) => Ok(go(&job_path(acted.job.id), None)),
        Err(refused) => refusal::show(&posted.operator, &job, refused).await,
    }
}

pub(in crate::dashboard) async fn undo(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let (access, job) = posted.job(Action::ActOnJobs, &id).await?;
    let pauses = posted.fields().is_set("pause");
    let pause_until = if pauses { posted.time_to_come("pause_until")? } else { None };
    match control::act(access.queue(), job.id, Act::Undo { pause_until }, &posted.actor()?).await {
        Ok(acted) => Ok(go(&job_path(acted.job.id), None)),
        Err(Refused::UndoConflict(conflicts)) => {
            Ok(show_conflicts(&posted.operator, &job, &conflicts))
        }
        Err(refused) => refusal::show(&posted.operator, &job, refused).await,
    }
}

/// Acts, and shows the page of the resulting job.
async fn act(PathId(id): PathId, posted: Posted, act: Act<'_>) -> Result<Response, ApiError> {
    let (access, job) = posted.job(Action::ActOnJobs, &id).await?;
    match control::act(access.queue(), job.id, act, &posted.actor()?).await {
        Ok(acted) => Ok(go(&job_path(acted.job.id), None)),
        Err(refused) => refusal::show(&posted.operator, &job, refused).await,
    }
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

//! One action on many jobs: the number before, and the progress afterwards.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_control as control;
use mis_sync_domain::{Action, BulkId};
use mis_sync_store::{
    bulk::{self, Bulk, BulkAction, BulkResult, Outcome},
    jobs::{self, Count},
};

use super::{
    form::Posted,
    jobs::{COUNT_AT_MOST, Filter, counted},
    live,
    login::go,
    page::{FRAME, Page, Tab, form_token},
    parts::{
        Names, badge, job_path, names_of, number, panel, read, school, scroll, short, state, time,
    },
};
use crate::{
    ApiError,
    parameters::{Parameters, PathId},
    state::Operator,
};

/// Asks for confirmation.
pub(super) async fn review(
    operator: Operator,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let access = operator.may(Action::ActOnJobs)?;
    let action: BulkAction = parameters.take("action", "retry or cancel")?.ok_or_else(missing)?;
    let filter = Filter::read(parameters, operator.preferences())?.newest();
    // The last box may have disappeared with its job at the moment of the click.
    if filter.is_everything() {
        return Ok(go("/dashboard/jobs", None));
    }
    let matching = match filter.resolve(access.pool()).await? {
        Some(wanted) => match bulk::narrow(&wanted, action) {
            Some(narrowed) => jobs::count(access.pool(), &narrowed, COUNT_AT_MOST).await?,
            None => NONE,
        },
        None => NONE,
    };
    let content = html! {
        h1 { (title(action)) }
        @if filter.ticked() > 0 {
            p {
                strong { (counted(matching)) }
                " of the "
                (filter.ticked())
                " ticked can be "
                (done(action))
                " now."
            }
        } @else {
            p {
                strong { (counted(matching)) }
                " of this filter can be "
                (done(action))
                " now. Jobs that are added later are not affected."
            }
            p.quiet {
                "Filter: "
                code { (filter.query_string()) }
            }
        }
        form.inline method="post" action="/dashboard/bulk" {
            (form_token(&operator))
            input type="hidden" name="action" value=(action.as_str());
            input type="hidden" name="query" value=(filter.query_string());
            label {
                "Reason"
                span.quiet { "(goes to the audit log)" }
                input #reason name="reason" maxlength="500" autocomplete="off";
            }
            div.buttons {
                button.(tone(action)) disabled[matching.number == 0] {
                    (verb(action))
                    " "
                    (counted(matching))
                }
                a.button href={ "/dashboard/jobs" (filter.query_string()) } { "Back" }
            }
        }
    };
    let page = Page { operator: &operator, tab: Tab::Jobs, title: title(action), watch: None };
    Ok(page.show(&content).into_response())
}

/// How many jobs are listed with what became of them.
const RESULTS: i64 = 200;
fn review_path(action: BulkAction, filter: &Filter) -> String {
    let query = filter.query_string();
    let and = if query.is_empty() { "?" } else { "&" };
    format!("/dashboard/bulk/review{query}{and}action={}", action.as_str())
}

const NONE: Count = Count { number: 0, is_exact: true };

fn missing() -> ApiError {
    ApiError::MalformedBody("the action is missing".into())
}

fn title(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Retry => "Retry many jobs",
        BulkAction::Cancel => "Cancel many jobs",
    }
}

fn verb(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Retry => "Retry",
        BulkAction::Cancel => "Cancel",
    }
}

fn done(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Retry => "retried",
        BulkAction::Cancel => "cancelled",
    }
}

fn tone(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Retry => "primary",
        BulkAction::Cancel => "danger",
    }
}

/// Requests the action.
pub(super) async fn start(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ActOnJobs)?;
    let fields = posted.fields();
    let action: BulkAction = fields.required("action")?.parse().map_err(|_| missing())?;
    let query = fields.text("query").unwrap_or_default().trim_start_matches('?');
    let filter = Filter::read(Parameters::parse(query)?, posted.operator.preferences())?;
    // The page says that no job of the filter can be acted on now.
    let review = || go(&review_path(action, &filter), None);
    if filter.is_everything() {
        return Ok(review());
    }
    let Some(wanted) = filter.resolve(access.pool()).await? else { return Ok(review()) };
    let id = control::act_on_jobs(access.queue(), action, &wanted, &posted.actor()?).await?;
    Ok(go(&format!("/dashboard/bulk/{id}"), None))
}

/// Shows its progress.
pub(super) async fn show(operator: Operator, PathId(id): PathId) -> Result<Response, ApiError> {
    let id: BulkId = id.parse().map_err(|_| ApiError::NotFound)?;
    let watch = live::ledger(&operator).await;
    let pool = operator.access().pool();
    let (found, results) =
        tokio::join!(read(bulk::get(pool, id)), read(bulk::results(pool, id, RESULTS)));
    let schools = results.iter().flatten().filter_map(|result| result.school_id.as_ref());
    let names = names_of(pool, schools).await;
    if matches!(found, Ok(None)) {
        return Err(ApiError::NotFound);
    }
    let content = html! {
        h1 { "Many jobs at once" }
        div #bulk
            hx-get={ "/dashboard/bulk/" (id) }
            hx-trigger="changed from:#live"
            hx-select="#bulk"
            hx-swap="outerMorph"
            hx-select-oob=(FRAME)
        { (panel("Progress", "Live", &found, |found| html! {
            @if let Some(bulk) = found { (progress(&operator, bulk)) }
        }))
            (panel("What became of each", "Live", &results, |results| of_each(results, &names)))
        }
    };
    let page = Page { operator: &operator, tab: Tab::Jobs, title: "Many jobs at once", watch };
    Ok(page.show(&content).into_response())
}

/// What became of each job; what is not well is first.
fn of_each(results: &[BulkResult], names: &Names) -> Markup {
    html! {
        (scroll("Jobs", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "School" }
                        th { "Job" }
                        th { "Result" }
                        th { "Now" }
                    }
                }
                tbody {
                    @for result in results {
                        tr {
                            td { (school(names, result.school_id.as_ref())) }
                            td {
                                a href=(job_path(result.job_id)) {
                                    code { (short(result.job_id)) }
                                }
                            }
                            td {
                                (match result.outcome {
                                    None => "waits for its turn",
                                    Some(Outcome::Done) => "done",
                                    Some(Outcome::Refused) => "no longer applicable",
                                    Some(Outcome::Failed) => "not done: an error, see the log",
                                })
                            }
                            td {
                                @if let Some((id, now)) = result.now {
                                    a.open href=(job_path(id)) { (state(now)) }
                                } @else {
                                    span.quiet { "removed" }
                                }
                            }
                        }
                    }
                }
            }
        }))
        @if results.len() >= usize::try_from(RESULTS).unwrap_or(usize::MAX) {
            p.quiet { "The first " (number(RESULTS)) " are shown." }
        }
    }
}

fn progress(operator: &Operator, bulk: &Bulk) -> Markup {
    let settled = bulk.done + bulk.refused + bulk.failed;
    html! {
        p {
            strong { (verb(bulk.action)) }
            ", requested by "
            (bulk.actor.requester)
            " "
            (time(operator, bulk.started_at))
            " "
            @match bulk.finished_at {
                Some(at) => { (badge("succeeded", "✓", "finished")) " " (time(operator, at)) }
                None => (badge("running", "◐", "in progress")),
            }
        }
        @if let Some(reason) = &bulk.actor.reason {
            p.quiet { "Reason: " (reason) }
        }
        div.standing {
            progress
                max=(bulk.total.max(1))
                value=(if bulk.total == 0 { 1 } else { settled })
                aria-label="Progress" {}
            p aria-live="polite" { (number(settled)) " of " (number(bulk.total)) }
        }
        dl.tiles {
            div {
                dt { "Done" }
                dd { (number(bulk.done)) }
            }
            div.zero[bulk.refused == 0] {
                dt { "No longer applicable" }
                dd { (number(bulk.refused)) }
            }
            div.zero[bulk.failed == 0] {
                dt { "Failed" }
                dd { (number(bulk.failed)) }
            }
        }
        p.quiet { "Runs in the background; if no worker is running, it waits." }
        p {
            a.button href={ "/dashboard/jobs" (Filter::meant_by(&bulk.filter).query_string()) } {
                "To the jobs"
            }
        }
    }
}

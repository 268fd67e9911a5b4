//! One school: its state, its syncs, the errors in its MIS, and why one person is there or not.

mod explain;
mod quality;
mod settings;
mod wonde;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_control as control;
use mis_sync_domain::{
    Action, AuditAction, Condition, IssueCode, JobState, School, SchoolId, SyncMode, SyncOptions,
    TokenState,
};
use mis_sync_store::{
    Error, Pool, audit, issues,
    jobs::{self, JobFilter},
    schools::{self as store, PastSync},
};

pub(super) use quality::download as download_quality;
pub(super) use settings::change as change_settings;

use super::{
    charts::{Bar, bars},
    form::Posted,
    jobs::table,
    login::go,
    page::{Page, Tab, form_token},
    parts::{
        badge, job_path, length, now, number, panel, read, school_path, scroll, state, time,
        time_or_dash,
    },
    schools::{condition_badge, condition_kind, conditions},
    undone,
};
use crate::{ApiError, parameters::PathId, rows::BEFORE_ALL, state::Operator};

/// Syncs in the chart.
const PAST: i64 = 40;
/// Jobs in the list.
const JOBS: i64 = 10;

pub(super) async fn show(operator: Operator, PathId(id): PathId) -> Result<Response, ApiError> {
    let school = operator.access().school(&id).await?;
    render(&operator, &school).await
}

async fn render(operator: &Operator, school: &School) -> Result<Response, ApiError> {
    let access = operator.access();
    let pool = access.pool();
    let filter = JobFilter { schools: vec![school.id.clone()], ..JobFilter::default() };
    let (wrong, past, recent, issues, withheld, traffic) = tokio::join!(
        read(conditions(pool, now(), access.state().stale_after())),
        read(store::past_syncs(pool, &school.id, PAST)),
        read(jobs::list(pool, &filter, JOBS)),
        read(issues::of_school(pool, &school.id, BEFORE_ALL, i64::MAX)),
        read(withheld(pool, &school.id)),
        read(access.state().wonde_traffic()),
    );
    let undone = undone::in_force(operator, &school.id, None).await;
    let wrong = wrong.ok().and_then(|mut all| all.remove(&school.id)).unwrap_or_default();
    let content = html! {
        div #school
            hx-get=(school_path(&school.id))
            hx-trigger="changed from:#live"
            hx-select="#school"
            hx-swap="outerMorph"
        {
            (head(operator, school, &wrong))
            (undone)
            (panel("Syncs", "Live", &past, |past| history(operator, past)))
            (panel("Latest jobs", "Live", &recent, |recent| html! {
                @if recent.is_empty() {
                    p.quiet { "There are no jobs yet." }
                } @else { (table(operator, recent, None)) }
                p {
                    a href={ "/dashboard/jobs?school=" (school.id) } { "All jobs of the school" }
                }
            }))
            (wonde::show(operator, school, &withheld, &traffic))
            (panel(
                "Data quality",
                "As of the last complete run",
                &issues,
                |issues| quality::show(operator, school, issues),
            ))
        }
        (explain::panel(operator, school))
        (settings::show(operator, school))
    };
    let page =
        Page { operator, tab: Tab::Schools, title: &school.name, watch: Some("ledger".into()) };
    Ok(page.show_about(&content, Some(&school.id)).into_response())
}

async fn withheld(pool: &Pool, id: &SchoolId) -> Result<Vec<IssueCode>, Error> {
    let mut all = store::withheld(pool, std::slice::from_ref(id)).await?;
    Ok(all.remove(id).unwrap_or_default())
}

fn head(operator: &Operator, school: &School, wrong: &[Condition]) -> Markup {
    let next = operator.access().next_sync(&school.id, school.token, &school.settings.schedule);
    html! {
        div.title {
            h1 {
                (school.name)
                " "
                code.quiet { (school.id) }
            }
            @if operator.is_allowed(Action::Sync) && school.token != TokenState::Missing {
                (buttons(operator, school))
            }
        }
        @for condition in wrong {
            p.failure data-kind=(condition_kind(condition)) {
                (condition_badge(condition))
                " "
                (condition.detail)
                @if let Some(id) = condition.job_id {
                    " "
                    a href=(job_path(id)) { "Open the job" }
                }
            }
        }
        dl.facts {
            div {
                dt { "MIS" }
                dd { (school.mis.as_deref().unwrap_or("not said")) }
            }
            div {
                dt { "Wonde id" }
                dd {
                    code { (school.wonde_school_id) }
                }
            }
            div {
                dt { "Access" }
                dd {
                    @match school.token {
                        TokenState::Held => (badge("succeeded", "✓", "approved")),
                        TokenState::Rejected => (badge("failed", "✕", "refused")),
                        TokenState::Missing => (badge("cancelled", "–", "not connected")),
                    }
                }
            }
            div {
                dt { "Last good sync" }
                dd { (time_or_dash(operator, school.last_synced_at)) }
            }
            div {
                dt { "Last full sync began" }
                dd { (time_or_dash(operator, school.last_full_sync_at)) }
            }
            div {
                dt { "Next sync" }
                dd { (time_or_dash(operator, next)) }
            }
        }
    }
}

fn buttons(operator: &Operator, school: &School) -> Markup {
    let button = |value: &str, text: &str, class: &str| {
        html! { button class=(class) name="what" value=(value) { (text) } }
    };
    html! {
        form.buttons method="post" action={ (school_path(&school.id)) "/sync" } {
            (form_token(operator))
            (button("full", "Sync now", "primary"))
            (button("dry-run", "Dry run", ""))
            (button("delta", "Delta", ""))
        }
    }
}

/// Requests a sync as the iP app's button does.
pub(super) async fn sync(PathId(id): PathId, posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::Sync)?;
    let school = access.school(&id).await?;
    let what = posted.fields().required("what")?;
    let options = SyncOptions {
        dry_run: what == "dry-run",
        mode: if what == "delta" { SyncMode::Delta } else { SyncMode::Full },
        ..SyncOptions::default()
    };
    let actor = posted.actor()?;
    let requested_by = actor.requester.clone();
    let enqueued = control::press(access.queue(), &school, options, requested_by, None).await?;
    let entry = audit::Entry::of_job(AuditAction::Sync, enqueued.job());
    audit::note(access.pool(), &actor, &entry).await?;
    Ok(go(&job_path(enqueued.job().id), None))
}

/// The last syncs: how long each took, and what it changed.
fn history(operator: &Operator, past: &[PastSync]) -> Markup {
    if past.is_empty() {
        return html! {
            p.quiet {
                "This school has never been synced. "
                strong { "Sync now" }
                " reads it from Wonde."
            }
        };
    }
    let drawn: Vec<Bar> = past
        .iter()
        .map(|sync| Bar {
            parts: vec![(sync.state.as_str(), sync.ran_ms.unwrap_or_default())],
            title: format!(
                "{}: {}, {} changed, {} issues",
                operator.preferences().exact_time(sync.created_at),
                sync.state,
                sync.changed,
                sync.issues
            ),
        })
        .collect();
    html! {
        (bars("How long the last syncs ran", &drawn, |ms| {
            length(chrono::TimeDelta::milliseconds(ms))
        }))
        p.legend {
            @for kind in JobState::ALL {
                @let syncs = past.iter().filter(|sync| sync.state == *kind).count();
                @if syncs > 0 {
                    span data-kind=(kind) { (syncs) " " (kind) }
                }
            }
            @if let Some(first) = past.first() { "since " (time(operator, first.created_at)) }
        }
        details.data {
            summary { "As a table" }
            (scroll("The last syncs", &html! {
                table.rows {
                    thead {
                        tr {
                            th { "Requested" }
                            th { "State" }
                            th.number { "Ran" }
                            th.number { "Changed" }
                            th.number { "Issues" }
                        }
                    }
                    tbody {
                        @for sync in past.iter().rev() {
                            tr {
                                td {
                                    a href=(job_path(sync.job_id)) {
                                        (time(operator, sync.created_at))
                                    }
                                }
                                td { (state(sync.state)) }
                                td.number {
                                    @match sync.ran_ms {
                                        Some(ms) => (length(chrono::TimeDelta::milliseconds(ms))),
                                        None => "–",
                                    }
                                }
                                td.number { (number(sync.changed)) }
                                td.number { (number(sync.issues)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

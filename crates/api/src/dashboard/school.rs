//! One school: its state, its syncs, the errors in its MIS, and why one person is there or not.

mod banner;
mod explain;
mod quality;
mod settings;
mod syncs;
mod token;
mod wonde;

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_control::{self as control, Act};
use mis_sync_domain::{
    Action, AuditAction, Job, JobId, JobKind, School, SyncMode, SyncOptions, TokenState,
    TokenVerdict,
};
use mis_sync_store::{
    audit, issues,
    jobs::{self, JobFilter},
    pauses::Scope,
    schools::{self as store, PastSync, Standing},
};

pub(super) use quality::download as download_quality;
pub(super) use settings::change as change_settings;
pub(super) use syncs::after_dry_run;
pub(super) use token::{check, replace, verdict};

use super::{
    form::Posted,
    jobs::table,
    live,
    login::go,
    page::{Page, Tab, form_token},
    parts::{job_path, panel, read, school_path, time_or_dash},
    undone,
    waiting::waits_for,
};
use crate::{ApiError, parameters::PathId, rows::BEFORE_ALL, state::Operator};

/// Syncs in the chart.
const PAST: i64 = 40;
/// Jobs in a list.
const JOBS: i64 = 5;

/// What a page says besides how the school is.
#[derive(Default)]
struct Said {
    /// What is wrong with the token that was typed.
    wrong_token: Option<String>,
    /// The settings that were not saved.
    tried: Option<settings::Tried>,
}

/// A school as its page shows it.
struct View<'a> {
    operator: &'a Operator,
    school: &'a School,
    standing: Result<Standing, String>,
    /// The last sync, and what it waits for if it waits.
    last: Result<Option<Job>, String>,
    waits: Option<&'static str>,
    /// The last test of its connection.
    test: Result<Option<Job>, String>,
    said: Said,
}

impl View<'_> {
    /// When Wonde refused the last sync access to the school, unless a run or a test has succeeded
    /// since.
    fn forbidden_at(&self) -> Option<DateTime<Utc>> {
        let last = self.last.as_ref().ok()?.as_ref()?;
        let at = last.finished_at?;
        let is_refused = last.error.as_ref().is_some_and(|error| error.code == "wonde_forbidden");
        let read_at = self.standing.as_ref().ok().and_then(|standing| standing.read_at);
        let check = self.school.last_check.as_ref();
        let check = check.filter(|check| check.token == TokenVerdict::Accepted);
        let good = read_at.max(check.map(|check| check.checked_at));
        (is_refused && good.is_none_or(|good| at > good)).then_some(at)
    }
}

pub(super) async fn show(operator: Operator, PathId(id): PathId) -> Result<Response, ApiError> {
    let school = operator.access().school(&id).await?;
    render(&operator, &school).await
}

async fn render(operator: &Operator, school: &School) -> Result<Response, ApiError> {
    render_with(operator, school, Said::default()).await
}

async fn render_with(
    operator: &Operator,
    school: &School,
    said: Said,
) -> Result<Response, ApiError> {
    let watch = live::ledger(operator).await;
    let access = operator.access();
    let pool = access.pool();
    let of = |kinds: &[JobKind]| JobFilter {
        schools: vec![school.id.clone()],
        kinds: kinds.to_vec(),
        ..JobFilter::default()
    };
    let filters = [JobKind::SyncSchool, JobKind::RefreshUser, JobKind::CheckSchool];
    let [syncs, logins, tests] = filters.map(|kind| of(&[kind]));
    let (standing, last, tests, past, syncs, logins, issues, traffic) = tokio::join!(
        read(store::standing(pool, &school.id)),
        read(jobs::last_sync(pool, &school.id)),
        read(jobs::list(pool, &tests, 1)),
        read(store::past_syncs(pool, &school.id, PAST)),
        read(jobs::list(pool, &syncs, JOBS)),
        read(jobs::list(pool, &logins, JOBS)),
        read(issues::of_school(pool, &school.id, BEFORE_ALL, i64::MAX)),
        read(access.state().wonde_traffic()),
    );
    let waits = match &last {
        Ok(Some(last)) => read(waits_for(pool, last)).await.ok().flatten(),
        _ => None,
    };
    let test = tests.map(|tests| tests.into_iter().next());
    let undone = undone::in_force(operator, &school.id).await;
    let view = View { operator, school, standing, last, waits, test, said };
    let content = html! {
        div #school
            hx-get=(school_path(&school.id))
            hx-trigger="changed from:#live"
            hx-select="#school"
            hx-select-oob="#school-more:outerMorph,#tabs:outerMorph"
            hx-swap="outerMorph"
        {
            (head(&view))
            (undone)
        }
        (explain::panel(operator, school))
        div #school-more {
            (panel(
                "Data quality",
                "As of the last complete run",
                &issues,
                |issues| quality::show(operator, school, issues),
            ))
            (panel("Syncs", "Live", &past, |past| history(&view, past, &syncs)))
            (wonde::show(&view, &traffic))
            (panel("Logins", "Live", &logins, |logins| html! {
                @if logins.is_empty() {
                    p.quiet { "No one's login has been refreshed lately." }
                } @else { (table(operator, logins, None)) }
            }))
        }
        (settings::show(&view))
    };
    let page = Page { operator, tab: Tab::Schools, title: &school.name, watch };
    Ok(page.show_about(&content, Some(&school.id)).into_response())
}

fn history(of: &View<'_>, past: &[PastSync], recent: &Result<Vec<Job>, String>) -> Markup {
    html! {
        (syncs::history(of.operator, past))
        @if let Ok(recent) = recent && !recent.is_empty() {
            (table(of.operator, recent, None))
            p {
                a href={ "/dashboard/jobs?school=" (of.school.id) } { "All jobs of the school" }
            }
        }
    }
}

fn head(of: &View<'_>) -> Markup {
    let View { operator, school, .. } = of;
    let next = operator.access().next_sync(&school.id, school.token, &school.settings.schedule);
    let is_paused = banner::is_paused(&of.standing);
    html! {
        div.title {
            h1 {
                (school.name)
                " "
                code.quiet { (school.id) }
            }
            @if operator.is_allowed(Action::Sync) && school.token == TokenState::Held
                && !banner::is_new(of) {
                (buttons(operator, school))
            }
        }
        (banner::show(of))
        @if let Ok(last) = &of.last && !banner::tells_last_sync(of) && !banner::is_new(of) {
            (syncs::in_words(operator, last.as_ref(), of.waits))
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
                dd { (banner::access(of)) }
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
                dd {
                    @if is_paused { "when the school is resumed" } @else {
                        (time_or_dash(operator, next))
                    }
                }
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

/// Requests a sync as the iP app's button does, or runs a failed one again.
pub(super) async fn sync(PathId(id): PathId, posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::Sync)?;
    let school = access.school(&id).await?;
    let what = posted.fields().required("what")?;
    let actor = posted.actor()?;
    let failed = posted.fields().text("again").and_then(|id| id.parse::<JobId>().ok());
    if let Some(failed) = failed
        && let Ok(acted) = control::act(access.queue(), failed, Act::Retry, &actor).await
    {
        return Ok(go(&job_path(acted.job.id), None));
    }
    let options = SyncOptions {
        dry_run: what == "dry-run",
        mode: if what == "delta" { SyncMode::Delta } else { SyncMode::Full },
        ..SyncOptions::default()
    };
    let requested_by = actor.requester.clone();
    let pressed = control::press(access.queue(), &school, options, requested_by, None).await?;
    let job = pressed.job().clone();
    let entry = audit::Entry::of_job(AuditAction::Sync, &job);
    audit::note(access.pool(), &actor, &entry).await?;
    Ok(go(&job_path(job.id), None))
}

/// Ends the school's pause. If another person was faster, the result is the same.
pub(super) async fn resume(PathId(id): PathId, posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ActOnJobs)?;
    let id = access.school_id(&id)?;
    control::resume(access.queue(), &Scope::School(id.clone()), &posted.actor()?).await?;
    Ok(go(&school_path(&id), None))
}

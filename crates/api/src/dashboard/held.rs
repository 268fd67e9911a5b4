//! Changes that wait for approval: what would happen, and the buttons.

use axum::response::Response;
use futures::{StreamExt, stream};
use maud::{Markup, html};
use mis_sync_domain::{Job, JobState};
use mis_sync_store::{
    Pool,
    jobs::{self, ChangeGroup, JobFilter},
};

use super::{
    job, live,
    page::{FRAME, Page, Tab},
    parts::{
        Names, ago, announced, count, empty, job_path, names_of, now, panel, read, school, share,
        state, time,
    },
};
use crate::{ApiError, state::Operator};

/// Held jobs per page.
const LIMIT: i64 = 50;
/// How many jobs' changes are read in parallel.
const AT_ONCE: usize = 4;

pub(super) async fn show(operator: Operator) -> Result<Response, ApiError> {
    let watch = live::ledger(&operator).await;
    let pool = operator.access().pool();
    let held = read(list(pool)).await;
    let names =
        names_of(pool, held.iter().flatten().filter_map(|(job, _)| job.school_id.as_ref())).await;
    let content = html! {
        h1 { "Held changes" }
        p.quiet {
            "A sync that would make an unusually large change waits here. "
            "Nothing changes until someone approves it; the school's next sync replaces it."
        }
        div #held
            hx-get="/dashboard/held"
            hx-trigger="changed from:#live"
            hx-select="#held"
            hx-swap="outerMorph"
            hx-select-oob=(FRAME)
        { (panel(heading(&held), "Live", &held, |held| {
            all(&operator, held, &names)
        })) }
    };
    let page = Page { operator: &operator, tab: Tab::Held, title: "Held changes", watch };
    Ok(page.show(&content))
}

async fn list(pool: &Pool) -> Result<Vec<(Job, Vec<ChangeGroup>)>, mis_sync_store::Error> {
    let filter = JobFilter { states: vec![JobState::Held], ..JobFilter::default() };
    let held = jobs::list(pool, &filter, LIMIT).await?;
    let with_groups = stream::iter(held).map(|job| async move {
        let groups = jobs::change_groups(pool, job.id).await?;
        Ok((job, groups))
    });
    let all: Vec<_> = with_groups.buffered(AT_ONCE).collect().await;
    all.into_iter().collect()
}

/// How many wait, if that could be read.
fn heading(held: &Result<Vec<(Job, Vec<ChangeGroup>)>, String>) -> Markup {
    let number = |held: &Vec<_>| i64::try_from(held.len()).unwrap_or(i64::MAX);
    html! {
        @if let Ok(held) = held {
            (announced(&format!(
                "{} for approval",
                count(number(held), "sync waits", "syncs wait")
            )))
        }
    }
}

fn all(operator: &Operator, held: &[(Job, Vec<ChangeGroup>)], names: &Names) -> Markup {
    if held.is_empty() {
        return empty(
            "Nothing waits for approval.",
            &html! {
                "When a sync is held, it is shown here, on the "
                a href="/dashboard" { "overview" }
                ", and sent as an alert if "
                code { "alerts.url" }
                " is set."
            },
        );
    }
    html! { @for (job, groups) in held { (one(operator, job, groups, names)) } }
}

fn one(operator: &Operator, job: &Job, groups: &[ChangeGroup], names: &Names) -> Markup {
    let guard = job.report.as_ref().map(|report| report.guard.as_slice()).unwrap_or_default();
    html! {
        article #{ "held-" (job.id) }.held {
            div.title {
                h2 { (school(names, job.school_id.as_ref())) " " (state(job.state)) }
                div.buttons {
                    (job::approval(operator, job, names))
                    (job::offer(operator, job, &[], names))
                }
            }
            p.quiet {
                "Requested "
                (time(operator, job.created_at))
                " by "
                (job.requested_by)
                ", waits for "
                (ago(job.started_at.unwrap_or_else(now)))
            }
            ul.guard {
                @for affected in guard {
                    li { (share(affected)) }
                }
            }
            h3 { "Everything that would change" }
            (job::summary(job, groups, &job::Wanted::default()))
            p {
                a.open href={ (job_path(job.id)) "#review" } { "Review person by person" }
            }
        }
    }
}

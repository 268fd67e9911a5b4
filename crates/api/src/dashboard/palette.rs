//! What Ctrl-K finds: pages, schools and jobs.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::html;
use mis_sync_store::{
    jobs::{self, JobFilter},
    schools,
};

use super::{
    jobs::by_id,
    page::{Tab, respond},
    parts::{job_path, school_path, state, what},
};
use crate::{ApiError, parameters::Parameters, state::Operator};

/// How many schools and how many jobs are offered.
const HITS: i64 = 6;

/// Matches for the typed text, as a part of a page.
pub(super) async fn find(
    operator: Operator,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    parameters.drop_empty();
    let q = parameters.take_text("q", "a text")?.unwrap_or_default();
    parameters.finish("`q`")?;
    let pool = operator.access().pool();
    let lower = q.to_lowercase();
    let tabs = Tab::offered_to(&operator);
    let tabs: Vec<Tab> = tabs.filter(|tab| tab.name().to_lowercase().contains(&lower)).collect();
    let schools = if q.is_empty() { Vec::new() } else { schools::find(pool, &q, HITS).await? };
    let jobs = match by_id(pool, &q, &JobFilter::default()).await? {
        None => Vec::new(),
        Some(filter) => jobs::list(pool, &filter, HITS).await?,
    };
    let hits = html! {
        ul.hits {
            @for tab in &tabs {
                li {
                    a href=(tab.path()) { (tab.name()) }
                }
            }
            @for (id, name) in &schools {
                li {
                    a href=(school_path(id)) {
                        (name)
                        " "
                        code.quiet { (id) }
                    }
                }
            }
            @for job in &jobs {
                li {
                    a href=(job_path(job.id)) {
                        (what(job))
                        @if let Some(school_id) = &job.school_id {
                            " of "
                            (school_id)
                        }
                        " "
                        (state(job.state))
                    }
                }
            }
        }
        @if tabs.is_empty() && schools.is_empty() && jobs.is_empty() {
            p.quiet { "Nothing found." }
        }
    };
    Ok(respond(StatusCode::OK, hits).into_response())
}

//! What Ctrl-K finds: pages, schools and jobs.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::html;
use mis_sync_store::{
    jobs::{self, IdPrefix, JobFilter},
    schools,
};

use super::{
    page::{Tab, respond},
    parts::{job_path, state, what},
    schools::school_path,
};
use crate::{ApiError, parameters::Parameters, state::Operator};

/// Schools, and jobs, that are offered.
const HITS: i64 = 6;
/// From so many hex digits on a text may be a job's id.
const PREFIX_DIGITS: usize = 6;

pub(super) async fn find(
    operator: Operator,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    parameters.drop_empty();
    let q = parameters.take_text("q", "a text")?.unwrap_or_default();
    parameters.finish("`q`")?;
    let pool = operator.access().pool();
    let lower = q.to_lowercase();
    let tabs: Vec<Tab> = Tab::ALL
        .into_iter()
        .filter(|tab| tab.is_offered_to(&operator) && tab.name().to_lowercase().contains(&lower))
        .collect();
    let schools = if q.is_empty() { Vec::new() } else { schools::find(pool, &q, HITS).await? };
    let prefix = q.parse::<IdPrefix>().ok().filter(|_| q.len() >= PREFIX_DIGITS);
    let jobs = match prefix {
        None => Vec::new(),
        Some(prefix) => {
            let filter = JobFilter { id_prefix: Some(prefix), ..JobFilter::default() };
            jobs::list(pool, &filter, HITS).await?
        }
    };
    let hits = html! {
        ul.hits {
            @for tab in &tabs { li { a href=(tab.path()) { (tab.name()) } } }
            @for (id, name) in &schools { li { a href=(school_path(id)) { (name) " " code.quiet { (id) } } } }
            @for job in &jobs { li { a href=(job_path(job.id)) { (what(job)) " of " (job.school_id) " " (state(job.state)) } } }
        }
        @if tabs.is_empty() && schools.is_empty() && jobs.is_empty() { p.quiet { "Nothing found." } }
    };
    Ok(respond(StatusCode::OK, hits).into_response())
}

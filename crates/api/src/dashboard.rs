//! The operators' dashboard: pages rendered here, over the same store as the API and acting
//! through the same code. No figure without its source and age; a part that cannot be read says
//! so, and the rest of the page is there.

mod assets;
mod audit;
mod bulk;
mod charts;
mod connect;
mod find;
mod form;
mod health;
mod held;
mod job;
mod jobs;
mod keys;
mod live;
mod login;
mod matches;
mod overview;
mod page;
mod palette;
mod parts;
mod person;
mod preferences;
mod queues;
mod refused;
mod school;
mod schools;
mod undone;
mod waiting;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header::REFRESH},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, any, get, post},
};
use maud::html;
use tower_http::compression::CompressionLayer;

use crate::{ApiError, ApiState};
pub(crate) use health::Health;
pub(crate) use login::ask_to_sign_in;
pub(crate) use preferences::Preferences;
pub(crate) use refused::Refusal;

/// Every path with its methods.
fn routes() -> Vec<(&'static str, MethodRouter<ApiState>)> {
    vec![
        ("/dashboard", get(overview::show)),
        ("/dashboard/login", get(login::show).post(login::sign_in)),
        ("/dashboard/logout", act(post(login::sign_out))),
        ("/dashboard/assets/{name}", get(assets::get_asset)),
        ("/dashboard/events", get(live::watch)),
        ("/dashboard/palette", get(palette::find)),
        ("/dashboard/find", get(find::show).post(find::find)),
        ("/dashboard/find/ask", act(post(find::ask))),
        ("/dashboard/find/{job_id}", get(find::answer)),
        ("/dashboard/jobs", get(jobs::show)),
        ("/dashboard/jobs/views", act(post(jobs::save_view))),
        ("/dashboard/jobs/views/forget", act(post(jobs::forget_view))),
        ("/dashboard/jobs/{job_id}", get(job::show)),
        ("/dashboard/jobs/{job_id}/changes", act(post(job::reveal_changes))),
        ("/dashboard/jobs/{job_id}/cancel", act(post(job::cancel))),
        ("/dashboard/jobs/{job_id}/retry", act(post(job::retry))),
        ("/dashboard/jobs/{job_id}/approve", act(post(job::approve))),
        ("/dashboard/jobs/{job_id}/reject", act(post(job::reject))),
        ("/dashboard/jobs/{job_id}/undo", act(post(job::undo))),
        ("/dashboard/jobs/{job_id}/review", act(post(job::review))),
        ("/dashboard/jobs/{job_id}/download", act(post(job::download_changes))),
        ("/dashboard/bulk", post(bulk::start).get(async || login::go("/dashboard/jobs", None))),
        ("/dashboard/bulk/review", get(bulk::review)),
        ("/dashboard/bulk/{bulk_id}", get(bulk::show)),
        ("/dashboard/schools", get(schools::show)),
        // Not below `schools`, where it would be the page of a school with this id.
        ("/dashboard/connect", get(connect::show).post(connect::begin)),
        ("/dashboard/connect/{draft_id}", get(connect::show_draft).post(connect::choose)),
        ("/dashboard/schools/{school_id}", get(school::show)),
        ("/dashboard/schools/{school_id}/matches", get(matches::show).post(matches::decide)),
        ("/dashboard/schools/{school_id}/settings", act(post(school::change_settings))),
        ("/dashboard/schools/{school_id}/sync", act(post(school::sync))),
        ("/dashboard/schools/{school_id}/people/{person}", get(person::show).post(person::reveal)),
        ("/dashboard/schools/{school_id}/token", act(post(school::replace))),
        ("/dashboard/schools/{school_id}/check", act(post(school::check))),
        ("/dashboard/schools/{school_id}/resume", act(post(school::resume))),
        ("/dashboard/schools/{school_id}/quality", act(post(school::download_quality))),
        ("/dashboard/held", get(held::show)),
        ("/dashboard/audit", get(audit::show)),
        ("/dashboard/audit/verify", act(post(audit::verify))),
        ("/dashboard/preferences", act(post(preferences::choose))),
        ("/dashboard/queues", get(queues::show)),
        ("/dashboard/queues/pause", act(post(queues::pause))),
        ("/dashboard/queues/resume", act(post(queues::resume))),
        ("/dashboard/queues/drain", act(post(queues::drain))),
        ("/dashboard/queues/undrain", act(post(queues::undrain))),
        ("/dashboard/keys", get(keys::show).post(keys::create)),
        ("/dashboard/keys/{key_id}", get(back)),
        ("/dashboard/keys/{key_id}/revoke", act(post(keys::revoke))),
        ("/dashboard/", any(async || login::go("/dashboard", None))),
        ("/dashboard/{*rest}", any(async || ApiError::NotFound)),
    ]
}

/// What a form posts to. If a person opens the address, as by a reload, the page with the form is
/// shown.
fn act(post: MethodRouter<ApiState>) -> MethodRouter<ApiState> {
    post.get(back)
}

/// Leads to the address above.
async fn back(uri: Uri) -> Response {
    login::go(refused::above(uri.path()), None)
}

/// Every path of the dashboard, for a caller that visits all of them.
pub fn dashboard_paths() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _)| path).collect()
}

/// All pages, ready to be merged with the API.
pub(crate) fn router(state: ApiState) -> Router {
    let pages = routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .with_state(state.clone());
    pages
        .clone()
        .layer(middleware::from_fn_with_state((state, pages), show_errors))
        .layer(CompressionLayer::new())
}

/// Seconds after which a page that needs an absent server tries again.
const TRY_AGAIN: &str = "5";

/// Turns what the API would answer as a problem into a page: if it can be, the page from which the
/// person came.
async fn show_errors(
    State((state, pages)): State<(ApiState, Router)>,
    request: Request,
    next: Next,
) -> Response {
    let preferences = Preferences::of(request.headers(), &state);
    let is_page = request.method() == Method::GET;
    let asked = refused::Asked::of(&request);
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<Arc<ApiError>>().cloned() else {
        return response;
    };
    if let Some(page) = asked.page(&pages, &error).await {
        return page;
    }
    let problem = error.problem_type();
    let away = error.absent_server();
    let title =
        away.map_or_else(|| problem.title().into(), |name| format!("{name} cannot be reached"));
    let content = html! {
        h1 { (title) }
        @if away.is_some() {
            p { "Jobs that were accepted are kept. They go on once it is back." }
            @if is_page {
                p role="status" { "This page tries again every " (TRY_AGAIN) " seconds." }
            }
        } @else {
            p { (error.to_string()) }
        }
        p.quiet {
            "Status "
            (problem.status().as_u16())
            ", "
            code { (problem) }
        }
        p {
            a.button href="/dashboard" { "To the overview" }
        }
    };
    let mut page = page::plain(problem.status(), &title, Some(&preferences), &content);
    if away.is_some() && is_page {
        page.headers_mut().insert(REFRESH, HeaderValue::from_static(TRY_AGAIN));
    }
    // The log line and the headers are written at the edge, from the error itself.
    page.extensions_mut().insert(error);
    page
}

//! The operators' dashboard: pages rendered here, over the same store as the API and acting
//! through the same code. No figure without its source and age; a part that cannot be read says
//! so, and the rest of the page is there.

mod assets;
mod audit;
mod bulk;
mod charts;
mod find;
mod form;
mod held;
mod job;
mod jobs;
mod keys;
mod live;
mod login;
mod overview;
mod page;
mod palette;
mod parts;
mod person;
mod preferences;
mod queues;
mod school;
mod schools;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, any, get, post},
};
use maud::html;
use tower_http::compression::CompressionLayer;

use crate::{ApiError, ApiState};
pub(crate) use login::ask_to_sign_in;
pub(crate) use preferences::Preferences;

/// Every path with its methods.
fn routes() -> Vec<(&'static str, MethodRouter<ApiState>)> {
    vec![
        ("/dashboard", get(overview::show)),
        ("/dashboard/login", get(login::show).post(login::sign_in)),
        ("/dashboard/logout", post(login::sign_out)),
        ("/dashboard/assets/{name}", get(assets::get_asset)),
        ("/dashboard/events", get(live::watch)),
        ("/dashboard/palette", get(palette::find)),
        ("/dashboard/find", get(find::show).post(find::find)),
        ("/dashboard/find/ask", get(find::show).post(find::ask)),
        ("/dashboard/find/{job_id}", get(find::answer)),
        ("/dashboard/jobs", get(jobs::show)),
        ("/dashboard/jobs/views", post(jobs::save_view)),
        ("/dashboard/jobs/views/forget", post(jobs::forget_view)),
        ("/dashboard/jobs/{job_id}", get(job::show)),
        ("/dashboard/jobs/{job_id}/changes", post(job::reveal_changes)),
        ("/dashboard/jobs/{job_id}/cancel", post(job::cancel)),
        ("/dashboard/jobs/{job_id}/retry", post(job::retry)),
        ("/dashboard/jobs/{job_id}/approve", post(job::approve)),
        ("/dashboard/jobs/{job_id}/reject", post(job::reject)),
        ("/dashboard/jobs/{job_id}/undo", post(job::undo)),
        ("/dashboard/bulk", post(bulk::start)),
        ("/dashboard/bulk/review", get(bulk::review)),
        ("/dashboard/bulk/{bulk_id}", get(bulk::show)),
        ("/dashboard/schools", get(schools::show)),
        ("/dashboard/schools/{school_id}", get(school::show)),
        ("/dashboard/schools/{school_id}/settings", post(school::change_settings)),
        ("/dashboard/schools/{school_id}/sync", post(school::sync)),
        ("/dashboard/schools/{school_id}/people/{person}", get(person::show).post(person::reveal)),
        ("/dashboard/schools/{school_id}/quality", post(school::download_quality)),
        ("/dashboard/held", get(held::show)),
        ("/dashboard/audit", get(audit::show)),
        ("/dashboard/audit/verify", post(audit::verify)),
        ("/dashboard/queues", get(queues::show)),
        ("/dashboard/queues/pause", post(queues::pause)),
        ("/dashboard/queues/resume", post(queues::resume)),
        ("/dashboard/queues/drain", post(queues::drain)),
        ("/dashboard/queues/undrain", post(queues::undrain)),
        ("/dashboard/keys", get(keys::show).post(keys::create)),
        ("/dashboard/keys/{key_id}/revoke", post(keys::revoke)),
        ("/dashboard/", any(async || login::go("/dashboard", None))),
        ("/dashboard/{*rest}", any(async || ApiError::NotFound)),
    ]
}

/// Every path of the dashboard, for a caller that visits all of them.
pub fn dashboard_paths() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _)| path).collect()
}

/// All pages, ready to be merged with the API.
pub(crate) fn router(state: ApiState) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .layer(middleware::from_fn_with_state(state.clone(), show_errors))
        .layer(CompressionLayer::new())
        .with_state(state)
}

/// Turns what the API would answer as a problem into a page.
async fn show_errors(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let preferences = Preferences::of(request.headers(), &state);
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<Arc<ApiError>>().cloned() else {
        return response;
    };
    let problem = error.problem_type();
    let content = html! {
        h1 { (problem.title()) }
        p { (error.to_string()) }
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
    let mut page = page::plain(problem.status(), problem.title(), Some(&preferences), &content);
    // The log line and the headers are written at the edge, from the error itself.
    page.extensions_mut().insert(error);
    page
}

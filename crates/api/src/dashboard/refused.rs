//! A request that was refused. The person gets the page from which they came, as it is now, with one
//! sentence about the reason and about what can be done.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header::LOCATION},
    response::Response,
};
use mis_sync_control::Refused;
use mis_sync_domain::{Action, Role};
use mis_sync_store::api_keys::ApiKey;
use tower::ServiceExt;

use crate::ApiError;

/// The most addresses that lead from a form to its page.
const STEPS: usize = 8;

/// Why something was not done, on its way to the page that says so.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Arc<ApiError>);

impl Refusal {
    pub(super) fn error(&self) -> &ApiError {
        &self.0
    }

    /// The sentence for a person who is signed in with this key.
    pub(super) fn words(&self, key: &ApiKey) -> String {
        match self.error() {
            ApiError::Forbidden { action, .. } => format!(
                "Only a key of the role {} may do this, and you are signed in with {} ({}), so nothing \
                 was done. Ask a colleague who has such a key, or sign in with one.",
                roles(*action),
                key.name,
                key.role
            ),
            ApiError::ForeignForm => format!(
                "Nothing was done: the form is not from this session. You are signed in with {} ({}) \
                 now, and this page offers what that role may do.",
                key.name, key.role
            ),
            ApiError::ChangedMeanwhile => {
                "Another person changed the school just now, so nothing was \
                 done. This page shows it as it is now."
                    .into()
            }
            ApiError::Refused(Refused::NotConnected) => {
                "The school has no Wonde token, so nothing was \
                 done. An administrator can connect it on the school's page."
                    .into()
            }
            ApiError::MalformedBody(reason) => format!("Nothing was done: {reason}."),
            error => error.to_string(),
        }
    }
}

/// The roles in which a person may do this.
fn roles(action: Action) -> String {
    let may = Role::ALL
        .iter()
        .copied()
        .filter(|role| role.allows(Action::UseDashboard) && role.allows(action));
    may.map(Role::as_str).collect::<Vec<_>>().join(" or ")
}

/// What is known of a request after it was refused.
pub(super) struct Asked {
    method: Method,
    place: String,
    headers: HeaderMap,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            place: request.uri().to_string(),
            headers: request.headers().clone(),
        }
    }

    /// The page of a form that was refused, or of a link that this person may not follow: the nearest
    /// one that they may open.
    pub(super) async fn page(&self, pages: &Router, error: &Arc<ApiError>) -> Option<Response> {
        let status = error.problem_type().status();
        let is_forbidden = status == StatusCode::FORBIDDEN;
        if !status.is_client_error() || (self.method != Method::POST && !is_forbidden) {
            return None;
        }
        let mut place = self.place.clone();
        for _ in 0..STEPS {
            let mut request = Request::get(&place).body(Body::empty()).ok()?;
            *request.headers_mut() = self.headers.clone();
            request.extensions_mut().insert(Refusal(Arc::clone(error)));
            let Ok(mut page) = pages.clone().oneshot(request).await;
            place = match page.status() {
                StatusCode::OK => {
                    *page.status_mut() = status;
                    // The log line and the headers are written at the edge, from the error itself.
                    page.extensions_mut().insert(Arc::clone(error));
                    return Some(page);
                }
                StatusCode::SEE_OTHER => page.headers().get(LOCATION)?.to_str().ok()?.to_owned(),
                _ => above(&place).to_owned(),
            };
        }
        None
    }
}

/// The address above this one.
pub(super) fn above(place: &str) -> &str {
    let path = place.split_once('?').map_or(place, |(path, _)| path);
    path.rsplit_once('/').map_or("/dashboard", |(above, _)| above)
}

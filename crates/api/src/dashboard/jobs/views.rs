//! Named filters: the most common ones, and those that operators saved for each other.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::Action;
use mis_sync_store::saved_views::{self, SavedView};

use super::filter::Filter;
use crate::{
    ApiError,
    dashboard::{form::Posted, login::go, page::form_token},
    state::Operator,
};

/// The most common filters.
const BUILT_IN: [(&str, &str); 5] = [
    ("All", ""),
    ("Unfinished", "?state.queued=on&state.running=on&state.retrying=on&state.held=on"),
    ("Failed today", "?state.failed=on&age=24h"),
    ("Held", "?state.held=on"),
    ("Syncs", "?kind=sync-school"),
];

/// The views, and a way to save the filter as one.
pub(super) fn show(
    operator: &Operator,
    views: &Result<Vec<SavedView>, String>,
    filter: &Filter,
) -> Markup {
    let views: &[SavedView] = views.as_deref().unwrap_or_default();
    let query = filter.query_string();
    html! {
        div #views.views {
            span.quiet { "Views" }
            @for (name, query) in BUILT_IN {
                a.chip href={ "/dashboard/jobs" (query) } { (name) }
            }
            @for view in views {
                span.chip {
                    a href={ "/dashboard/jobs" (view.query) } title={ "Saved by " (view.saved_by) } {
                        (view.name)
                    }
                    form method="post" action="/dashboard/jobs/views/forget" {
                        (form_token(operator))
                        input type="hidden" name="name" value=(view.name);
                        button.cross aria-label={ "Delete the view " (view.name) } { "×" }
                    }
                }
            }
            @if filter.ticked() > 0 {
                a.chip href={ "/dashboard/jobs" (filter.without_ticked().query_string()) } {
                    (filter.ticked())
                    " ticked"
                    span.hidden { ", show the others too" }
                    span aria-hidden="true" { "×" }
                }
            } @else if !query.is_empty() {
                details.action {
                    summary.button { "Save this view" }
                    form.sheet method="post" action="/dashboard/jobs/views" {
                        (form_token(operator))
                        input type="hidden" name="query" value=(query);
                        label {
                            "Name"
                            input name="name" required maxlength="60" autocomplete="off";
                        }
                        p.quiet { "Everyone who uses the dashboard sees it." }
                        button.primary { "Save" }
                    }
                }
            }
        }
    }
}

pub(in crate::dashboard) async fn save_view(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::UseDashboard)?;
    let fields = posted.fields();
    let (name, query) = (fields.required("name")?, fields.required("query")?);
    if name.chars().count() > 60 || query.len() > 1000 || !query.starts_with('?') {
        return Err(ApiError::MalformedBody("a name has at most 60 characters".into()));
    }
    saved_views::save(access.pool(), name, query, &access.key().name).await?;
    Ok(go(&format!("/dashboard/jobs{query}"), None))
}

pub(in crate::dashboard) async fn forget_view(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::UseDashboard)?;
    saved_views::forget(access.pool(), posted.fields().required("name")?).await?;
    Ok(go("/dashboard/jobs", None))
}

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{WebhookKind, text};
use mis_sync_store::webhooks::{self, NewWebhookEvent};
use serde_json::{Map, Value};

use crate::{
    ApiError,
    body::HashedObject,
    state::WebhookSender,
    views::{ProblemView, WebhookEventView, WebhookRequest},
};

const MAX_KIND: usize = 64;
const MAX_WONDE_ID: usize = 32;
const MAX_TOKEN: usize = 512;
/// A longer detail is cut.
const MAX_DETAIL: usize = 500;

/// Receive webhooks from Wonde
///
/// This is the address that is registered at Wonde, with one of the secrets of
/// `webhooks.wonde_secret`. The event is stored and answered at once. A worker then acts on it, and
/// believes an approval only once Wonde accepts its token. The same body again does no harm.
/// Unknown kinds are stored and ignored.
#[utoipa::path(
    post,
    path = "/v1/webhooks/wonde",
    tag = "webhooks",
    security(("webhook_secret" = [])),
    request_body(content = WebhookRequest, content_type = "application/json"),
    responses(
        (status = 202, description = "Noted", body = WebhookEventView),
        (status = 400, description = "`malformed-body`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 401, description = "`webhook-secret-missing`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 403, description = "`webhook-secret-wrong`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "`webhooks-off`: no secret is configured",
            body = ProblemView, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 500, description = "`internal`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 503, description = "`dependency-away`, `timed-out`", body = ProblemView,
            content_type = "application/problem+json", headers(
            ("Retry-After" = u32, description = "Seconds until it is worth sending again"),
        )),
    ),
)]
pub(crate) async fn receive_wonde_webhook(
    sender: WebhookSender,
    body: HashedObject,
) -> Result<Response, ApiError> {
    let event = read(body)?;
    let (id, job) = webhooks::receive(sender.pool(), sender.cipher(), &event).await?;
    if let Some(job) = job {
        sender.queue().deliver_new(&job).await;
    }
    Ok((StatusCode::ACCEPTED, Json(WebhookEventView { event_id: id.to_string() })).into_response())
}

/// The parts of a body that are worth keeping. No message quotes a value.
fn read(body: HashedObject) -> Result<NewWebhookEvent, ApiError> {
    let HashedObject { fields, hash } = body;
    let printable = |b: u8| b.is_ascii_graphic();
    let kind = text(&fields, "payload_type", MAX_KIND, printable)?
        .ok_or_else(|| missing("payload_type"))?;
    let id = text(&fields, "school_id", MAX_WONDE_ID, |b| b.is_ascii_alphanumeric());
    let (wonde_school_id, token) = match kind.parse() {
        Ok(known) => {
            let id = id?.ok_or_else(|| missing("school_id"))?;
            let token = match known {
                WebhookKind::SchoolApproved => {
                    let token = text(&fields, "school_token", MAX_TOKEN, printable)?;
                    Some(token.ok_or_else(|| missing("school_token"))?)
                }
                _ => None,
            };
            (Some(id), token)
        }
        // If the kind is unknown, the meaning of its fields is too.
        Err(_) => (id.ok().flatten(), None),
    };
    Ok(NewWebhookEvent {
        details: details(kind.parse().ok(), &fields),
        kind: kind.to_owned(),
        wonde_school_id: wonde_school_id.map(str::to_owned),
        token: token.map(Into::into),
        body_hash: hash,
    })
}

fn text<'a>(
    fields: &'a Map<String, Value>,
    name: &'static str,
    longest: usize,
    allowed: impl Fn(u8) -> bool,
) -> Result<Option<&'a str>, ApiError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text))
            if (1..=longest).contains(&text.len()) && text.bytes().all(allowed) =>
        {
            Ok(Some(text))
        }
        Some(_) => Err(ApiError::MalformedBody(format!("`{name}` is not what it should be"))),
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::MalformedBody(format!("`{name}` is missing"))
}

/// The fields of a known kind that an operator, or a later step, may need.
fn details(kind: Option<WebhookKind>, fields: &Map<String, Value>) -> Value {
    let names: &[&str] = match kind {
        Some(WebhookKind::SchoolApproved) => &["school_name"],
        Some(WebhookKind::AccessRevoked) => &["school_name", "revoke_reason"],
        Some(WebhookKind::AccessDeclined) => &["school_name", "decline_reason"],
        Some(WebhookKind::SchoolMigration) => {
            &["school_name", "migrate_from", "migrate_to", "scheduled_at", "completed_at"]
        }
        None => &[],
    };
    let kept = names.iter().filter_map(|name| {
        let cleaned = text::clean(fields.get(*name)?.as_str()?, MAX_DETAIL)?;
        Some(((*name).to_owned(), Value::from(cleaned.text)))
    });
    Value::Object(kept.collect())
}

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{WebhookKind, text};
use mis_sync_store::webhooks::{self, NewWebhookEvent};
use serde_json::Value;

use crate::{
    ApiError,
    body::{HashedObject, malformed},
    state::WebhookSender,
    views::{ProblemView, Said, WebhookEventView, WebhookRequest},
};

const MAX_KIND: usize = 64;
const MAX_WONDE_ID: usize = 32;
const MAX_TOKEN: usize = 512;
/// A longer detail is cut.
const MAX_DETAIL: usize = 500;

/// Receive webhooks from Wonde
///
/// Register this address at Wonde, with one of the secrets from `webhooks.wonde_secret`. The event is
/// stored, and the answer comes at once. A worker then handles it, and trusts an approval only once
/// Wonde accepts its token. It is safe to send the same body again. Unknown kinds are stored and
/// ignored.
#[utoipa::path(
    post,
    path = "/v1/webhooks/wonde",
    tag = "webhooks",
    security(("webhook_secret" = [])),
    request_body(content = WebhookRequest, content_type = "application/json"),
    responses(
        (status = 202, description = "The event is stored", body = WebhookEventView),
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
            ("Retry-After" = u32, description = "Seconds to wait before sending it again"),
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
    let said: WebhookRequest =
        serde_json::from_value(fields).expect("each field of Wonde's may be anything");
    let printable = |b: u8| b.is_ascii_graphic();
    let kind =
        needed("payload_type", text("payload_type", &said.payload_type, MAX_KIND, printable))?;
    let known: Option<WebhookKind> = kind.parse().ok();
    let id = text("school_id", &said.school_id, MAX_WONDE_ID, |b| b.is_ascii_alphanumeric());
    let wonde_school_id = match known {
        Some(_) => Some(needed("school_id", id)?),
        // What a field means is not known of an unknown kind either.
        None => id.ok().flatten(),
    };
    let token = match known {
        Some(WebhookKind::SchoolApproved) => {
            let token = text("school_token", &said.school_token, MAX_TOKEN, printable);
            Some(needed("school_token", token)?.into())
        }
        _ => None,
    };
    let (kind, wonde_school_id) = (kind.to_owned(), wonde_school_id.map(str::to_owned));
    let details = details(known, &said);
    Ok(NewWebhookEvent { details, kind, wonde_school_id, token, body_hash: hash })
}

fn text<'a>(
    name: &str,
    said: &'a Said,
    longest: usize,
    allowed: impl Fn(u8) -> bool,
) -> Result<Option<&'a str>, ApiError> {
    match said {
        Said::Nothing => Ok(None),
        Said::Text(text) if (1..=longest).contains(&text.len()) && text.bytes().all(allowed) => {
            Ok(Some(text))
        }
        _ => Err(malformed(name, "is not what it should be")),
    }
}

fn needed<'a>(name: &str, text: Result<Option<&'a str>, ApiError>) -> Result<&'a str, ApiError> {
    text?.ok_or_else(|| malformed(name, "is missing"))
}

/// The fields of a known kind that an operator, or a later step, may need.
fn details(kind: Option<WebhookKind>, said: &WebhookRequest) -> Value {
    let name = ("school_name", &said.school_name);
    let fields = match kind {
        Some(WebhookKind::SchoolApproved) => vec![name],
        Some(WebhookKind::AccessRevoked) => vec![name, ("revoke_reason", &said.revoke_reason)],
        Some(WebhookKind::AccessDeclined) => vec![name, ("decline_reason", &said.decline_reason)],
        Some(WebhookKind::SchoolMigration) => vec![
            name,
            ("migrate_from", &said.migrate_from),
            ("migrate_to", &said.migrate_to),
            ("scheduled_at", &said.scheduled_at),
            ("completed_at", &said.completed_at),
        ],
        None => vec![],
    };
    let kept = fields.into_iter().filter_map(|(name, said)| {
        let Said::Text(said) = said else { return None };
        Some((name.to_owned(), Value::from(text::clean(said, MAX_DETAIL)?.text)))
    });
    Value::Object(kept.collect())
}

//! The forms that the dashboard posts.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, header::HOST, header::ORIGIN, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDateTime, Utc};
use mis_sync_domain::{Action, Job};
use mis_sync_queue::Actor;
use url::{Url, form_urlencoded};

use super::{parts::now, preferences::FIELD};

use crate::{
    ApiError, ApiState,
    body::quotable,
    jobs::MAX_REASON,
    state::{Access, Operator},
    text::has_control,
};

/// Where a browser says that a request comes from.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A form that an operator posted from a page of their own session.
pub(super) struct Posted {
    pub(super) operator: Operator,
    fields: Fields,
}

/// The fields of a form. If a field is repeated, the last one counts.
#[derive(Clone, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a body, or a query.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A field without surrounding spaces; `None` if it is empty or missing.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether a box is ticked.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What follows this prefix in the names of fields.
    pub(super) fn names_after<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.keys().filter_map(move |name| name.strip_prefix(prefix))
    }

    /// A field, or an error that it is missing.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, ApiError> {
        let missing = || ApiError::MalformedBody(format!("the field `{name}` is missing"));
        self.text(name).ok_or_else(missing)
    }
}

impl Posted {
    /// Lets the operator act, if their role allows it.
    pub(super) fn may(&self, action: Action) -> Result<&Access, ApiError> {
        self.operator.may(action)
    }

    /// A time in the operator's zone that is still to come; `None` if the field is empty or missing.
    pub(super) fn time_to_come(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.fields.text(name) else { return Ok(None) };
        let local = NaiveDateTime::parse_from_str(text, FIELD).ok();
        let time = local.map(|local| self.operator.preferences().instant(local));
        let wanted = || ApiError::MalformedBody(format!("`{name}` has to be a time in the future"));
        time.filter(|time| *time > now()).ok_or_else(wanted).map(Some)
    }

    /// The operator, with the reason from the form.
    pub(super) fn actor(&self) -> Result<Actor, ApiError> {
        let reason = self.fields.text("reason").map(str::to_owned);
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON) {
            let wanted = format!("the reason has to be at most {MAX_REASON} characters");
            return Err(ApiError::MalformedBody(wanted));
        }
        Ok(self.operator.access().actor(reason))
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The job that a path names, if the operator may act on it.
    pub(super) async fn job(&self, action: Action, id: &str) -> Result<(&Access, Job), ApiError> {
        let access = self.may(action)?;
        let job = access.job(id).await?;
        tracing::Span::current().record("job.id", tracing::field::display(job.id));
        Ok((access, job))
    }
}

impl FromRequest<ApiState> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let operator = Operator::from_request_parts(&mut parts, state).await?;
        let fields = read(parts, body, state).await.map_err(IntoResponse::into_response)?;
        let is_ours = fields.text("form_token").is_some_and(|token| operator.knows(token));
        if !is_ours {
            return Err(ApiError::ForeignForm.into_response());
        }
        Ok(Self { operator, fields })
    }
}

/// A form from a visitor who is not signed in.
pub(super) struct PostedByAnybody(pub(super) Fields, pub(super) HeaderMap);

impl FromRequest<ApiState> for PostedByAnybody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers.clone();
        Ok(Self(read(parts, body, state).await?, headers))
    }
}

async fn read(parts: Parts, body: axum::body::Body, state: &ApiState) -> Result<Fields, ApiError> {
    if is_from_elsewhere(&parts.headers) {
        return Err(ApiError::ForeignForm);
    }
    let bytes = Bytes::from_request(Request::from_parts(parts, body), state)
        .await
        .map_err(|_| ApiError::BodyTooLarge)?;
    let fields = Fields::parse(&bytes);
    match fields.0.iter().find(|(name, value)| has_control(name) || has_control(value)) {
        Some((name, _)) => Err(ApiError::InvalidText { field: quotable(name).to_owned() }),
        None => Ok(fields),
    }
}

/// Whether a browser says that another site sent this request. Other programs say nothing, and
/// cannot be made to send another person's cookie.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN) else { return false };
    let Ok(origin) = Url::parse(origin) else { return true };
    let host = origin.host_str().unwrap_or_default();
    let address = origin.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    text(HOST) != Some(&address)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let value = |text| HeaderValue::from_static(text);
        pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    #[test]
    fn a_form_of_another_site_is_known_by_what_the_browser_says() {
        let here = (HOST, "ops.example:8080");
        for (says, is_foreign) in [
            (vec![], false),
            (vec![(SEC_FETCH_SITE, "same-origin")], false),
            (vec![(SEC_FETCH_SITE, "cross-site")], true),
            (vec![(SEC_FETCH_SITE, "same-site")], true),
            (vec![(ORIGIN, "http://ops.example:8080")], false),
            (vec![(ORIGIN, "http://ops.example")], true),
            (vec![(ORIGIN, "https://evil.example")], true),
            (vec![(ORIGIN, "null")], true),
        ] {
            let all = headers(&[std::slice::from_ref(&here), &says[..]].concat());
            assert_eq!(is_from_elsewhere(&all), is_foreign, "{says:?}");
        }
    }

    #[test]
    fn fields_are_trimmed_and_empty_ones_are_none() {
        let fields = Fields::parse(b"a=+x+&b=++&c=1&c=2&d");
        assert_eq!(
            (fields.text("a"), fields.text("b"), fields.text("c")),
            (Some("x"), None, Some("2"))
        );
        assert!(fields.is_set("d") && !fields.is_set("e"));
        assert!(fields.required("b").is_err());
    }
}

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::COOKIE, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use mis_sync_domain::{Action, AuditAction, Job, JobId};
use mis_sync_store::{Purpose, TokenCipher, api_keys, api_keys::ApiKey, audit::Entry, sessions};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{Access, ApiState};
use crate::{
    ApiError,
    dashboard::{Health, Preferences, Refusal},
};

/// The cookie that carries a session's id and its signature.
pub(crate) const SESSION_COOKIE: &str = "mis_sync_session";

/// What an operator asks for that is no whole page.
const WITHOUT_FRAME: [&str; 2] = ["/dashboard/events", "/dashboard/palette"];

/// A person who is signed in to the dashboard.
pub(crate) struct Operator {
    access: Access,
    session: Uuid,
    preferences: Preferences,
    health: Health,
    refusal: Option<Refusal>,
}

impl Operator {
    /// Access to what every operator may use or, for more than reading, whether they may.
    pub(crate) fn may(&self, action: Action) -> Result<&Access, ApiError> {
        let role = self.access.key().role;
        let is_allowed = role.allows(action);
        if is_allowed { Ok(&self.access) } else { Err(ApiError::Forbidden { role, action }) }
    }

    /// Database and queue, for reading.
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// Whether a page offers this.
    pub(crate) fn is_allowed(&self, action: Action) -> bool {
        self.access.key().role.allows(action)
    }

    /// Records in the audit log that they read the personal data of a job, and shows it on their pages
    /// for a while.
    pub(crate) async fn reveal(&self, job: &Job, reason: Option<String>) -> Result<(), ApiError> {
        let access = self.may(Action::SeePersonalData)?;
        let entry = Entry::of_job(AuditAction::Reveal, job);
        access.read_personal_data(&access.actor(reason), &entry).await?;
        Ok(sessions::reveal(access.pool(), self.session, job.id).await?)
    }

    /// Until when their pages show the personal data of a job; `None` if they do not.
    pub(crate) async fn sees_data_of(&self, id: JobId) -> Result<Option<DateTime<Utc>>, ApiError> {
        if !self.is_allowed(Action::SeePersonalData) {
            return Ok(None);
        }
        Ok(sessions::revealed_until(self.access.pool(), self.session, id).await?)
    }

    /// How they want pages to look.
    pub(crate) fn preferences(&self) -> &Preferences {
        &self.preferences
    }

    /// How the service and the schools are.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Why something that they asked for was not done.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// The token in each form of this session, which no other site can know.
    pub(crate) fn form_token(&self) -> String {
        let signature = self.access.cipher().sign(Purpose::Form, self.session.as_bytes());
        URL_SAFE_NO_PAD.encode(signature)
    }

    /// Whether a form came from a page of this session.
    pub(crate) fn knows(&self, form_token: &str) -> bool {
        URL_SAFE_NO_PAD.decode(form_token).is_ok_and(|signature| {
            self.access.cipher().has_signed(Purpose::Form, self.session.as_bytes(), &signature)
        })
    }
}

/// The cookie's value for a session.
fn signed(cipher: &TokenCipher, session: Uuid) -> String {
    let signature = cipher.sign(Purpose::Session, session.as_bytes());
    URL_SAFE_NO_PAD.encode([&session.as_bytes()[..], &signature].concat())
}

fn verified(cipher: &TokenCipher, cookie: &str) -> Option<Uuid> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (id, signature) = bytes.split_at_checked(16)?;
    let is_ours = cipher.has_signed(Purpose::Session, id, signature);
    is_ours.then(|| Uuid::from_slice(id).ok()).flatten()
}

/// A cookie of a request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';')).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// The result of a sign-in.
pub(crate) enum SignIn {
    /// The value of the session's cookie.
    Done(String),
    WrongKey,
    WrongRole,
    OneSchool,
}

impl ApiState {
    /// Begins a session, if the key may use the dashboard.
    pub(crate) async fn sign_in(&self, key: &SecretString) -> Result<SignIn, ApiError> {
        let pool = self.queue.pool();
        let Some(key) = api_keys::authenticate(pool, key.expose_secret()).await? else {
            return Ok(SignIn::WrongKey);
        };
        if !key.role.allows(Action::UseDashboard) {
            return Ok(SignIn::WrongRole);
        }
        if key.school_id.is_some() {
            return Ok(SignIn::OneSchool);
        }
        let id = sessions::begin(pool, &key).await?;
        tracing::Span::current().record("api_key.id", tracing::field::display(key.id));
        Ok(SignIn::Done(signed(&self.cipher, id)))
    }

    /// Ends a session.
    pub(crate) async fn sign_out(&self, operator: &Operator) -> Result<(), ApiError> {
        Ok(sessions::end(self.queue.pool(), operator.session, operator.access.key()).await?)
    }

    /// Why the session of a request is over, if it was one. If the database is away, this is not
    /// known.
    pub(crate) async fn why_over(&self, headers: &HeaderMap) -> Option<sessions::Over> {
        let id = verified(&self.cipher, cookie(headers, SESSION_COOKIE)?)?;
        sessions::why_over(self.queue.pool(), id).await.ok().flatten()
    }

    /// The session of a request, if it has one that has not ended.
    pub(crate) async fn session(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<(Uuid, ApiKey)>, ApiError> {
        let cookie = cookie(headers, SESSION_COOKIE);
        let Some(id) = cookie.and_then(|cookie| verified(&self.cipher, cookie)) else {
            return Ok(None);
        };
        let key = sessions::resume(self.queue.pool(), id).await?;
        // Roles do not change: a key that lost the right would be another key.
        Ok(key.filter(|key| key.role.allows(Action::UseDashboard)).map(|key| (id, key)))
    }
}

impl FromRequestParts<ApiState> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let found = state.session(&parts.headers).await.map_err(IntoResponse::into_response)?;
        let Some((session, key)) = found else {
            return Err(crate::dashboard::ask_to_sign_in(parts));
        };
        tracing::Span::current().record("api_key.id", tracing::field::display(key.id));
        let preferences = Preferences::of(&parts.headers, state);
        let access = Access { key, on_behalf_of: None, state: state.clone() };
        let has_frame = !WITHOUT_FRAME.contains(&parts.uri.path());
        let health = if has_frame { Health::read(&access).await } else { Health::unread() };
        let refusal = parts.extensions.get().cloned();
        Ok(Self { access, session, preferences, health, refusal })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_only_by_its_whole_name() {
        let headers: HeaderMap =
            [(COOKIE, HeaderValue::from_static("a=1; mis_sync_session=abc; xmis_sync_session=no"))]
                .into_iter()
                .collect();
        assert_eq!(cookie(&headers, SESSION_COOKIE), Some("abc"));
        assert_eq!(cookie(&headers, "session"), None);
    }

    #[test]
    fn only_a_signed_session_is_taken() {
        let cipher = TokenCipher::from_hex(&"0a".repeat(32).into()).unwrap();
        let id = Uuid::new_v4();
        let cookie = signed(&cipher, id);
        assert_eq!(verified(&cipher, &cookie), Some(id));
        let other = TokenCipher::from_hex(&"0b".repeat(32).into()).unwrap();
        assert_eq!(verified(&other, &cookie), None);
        let forged = URL_SAFE_NO_PAD.encode([id.as_bytes(), &[0_u8; 32][..]].concat());
        for bad in ["", "abc", &forged, &cookie[..cookie.len() - 1], &id.to_string()] {
            assert_eq!(verified(&cipher, bad), None, "{bad}");
        }
    }
}

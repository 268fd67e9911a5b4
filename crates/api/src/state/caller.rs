use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header::AUTHORIZATION, request::Parts},
};
use chrono::{DateTime, Utc};
use mis_sync_domain::{
    Action, Clock, Job, Mis, OnBehalfOf, Requester, Schedule, School, SchoolId, TokenState,
};
use mis_sync_queue::{Actor, Queue};
use mis_sync_store::{
    Pool, TokenCipher, api_keys,
    api_keys::ApiKey,
    jobs,
    schools::{self, Connector, OnlyIf},
};

use tokio_util::sync::CancellationToken;

use super::ApiState;
use crate::{ApiError, refresh, schools::connection::AddressRules, views::SchoolView};

/// Names the person for whom a key acts.
pub(crate) const REQUESTED_BY: HeaderName = HeaderName::from_static("x-requested-by");

/// The text after `Bearer`; two `Authorization` headers are as good as none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    let (scheme, key) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The person that a caller names. The header is UTF-8 as it is, without an encoding on top.
fn on_behalf_of(headers: &HeaderMap) -> Result<Option<OnBehalfOf>, ApiError> {
    let mut values = headers.get_all(REQUESTED_BY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let only = Some(value).filter(|_| values.next().is_none());
    let text = only.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let person = text.and_then(|text| text.parse().ok());
    person.map(Some).ok_or(ApiError::InvalidRequestedBy)
}

/// What a caller may see and use. A key that is bound to a school sees that school alone;
/// everything else is answered exactly as if it did not exist.
pub(crate) struct Access {
    pub(super) key: ApiKey,
    /// The person for whom the key acts.
    pub(super) on_behalf_of: Option<OnBehalfOf>,
    pub(super) state: ApiState,
}

/// Lets a caller on whose key is valid and of a role that allows what the route is for, as the list
/// of routes says.
impl FromRequestParts<ApiState> for Access {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let action = *parts.extensions.get::<Action>().expect("each route with a key has one");
        let text = bearer(&parts.headers).ok_or(ApiError::Unauthorized)?;
        let key = api_keys::authenticate(state.queue.pool(), text)
            .await?
            .ok_or(ApiError::Unauthorized)?;
        tracing::Span::current().record("api_key.id", tracing::field::display(key.id));
        if let Some(limit) = &state.key_limit
            && !refresh::is_login(parts)
        {
            limit.spend(key.id, parts.extensions.get())?;
        }
        if !key.role.allows(action) {
            return Err(ApiError::Forbidden { role: key.role, action });
        }
        let on_behalf_of = on_behalf_of(&parts.headers)?;
        Ok(Self { key, on_behalf_of, state: state.clone() })
    }
}

impl Access {
    /// Who asks.
    pub(crate) fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Who acts, and why, for the audit log.
    pub(crate) fn actor(&self, reason: Option<String>) -> Actor {
        Actor { requester: self.requester(), reason, ..self.key.actor() }
    }

    /// The name of the key, and the person for whom it asks.
    pub(crate) fn requester(&self) -> Requester {
        let on_behalf_of = self.on_behalf_of.clone();
        Requester { on_behalf_of, ..self.key.name.as_str().into() }
    }

    /// Whether the caller named the person for whom it asks.
    pub(crate) fn names_person(&self) -> bool {
        self.on_behalf_of.is_some()
    }

    /// The database.
    pub(crate) fn pool(&self) -> &Pool {
        self.state.queue.pool()
    }

    /// The queue.
    pub(crate) fn queue(&self) -> &Queue {
        &self.state.queue
    }

    /// What seals tokens.
    pub(crate) fn cipher(&self) -> &TokenCipher {
        &self.state.cipher
    }

    /// Which addresses a school may have.
    pub(crate) fn address_rules(&self) -> AddressRules<'_> {
        AddressRules { wonde: &self.state.wonde_hosts, callbacks: &self.state.callback_hosts }
    }

    /// Who connects a school, and by which rules.
    pub(crate) fn connector<'a>(&'a self, actor: &'a Actor, only_if: &'a OnlyIf) -> Connector<'a> {
        Connector {
            cipher: self.cipher(),
            hosts: &self.state.wonde_hosts,
            actor,
            keeps_wonde_id: self.only_school().is_some(),
            only_if,
        }
    }

    /// The MIS of a school; `None`: it is not said, or not known.
    pub(crate) fn mis_of(&self, school: &School) -> Option<&Mis> {
        self.state.mis.find(school.mis.as_deref()?)
    }

    /// A school as it is shown.
    pub(crate) fn view(&self, school: School) -> SchoolView {
        let schedule = &school.settings.schedule;
        let next_sync_at = self.next_sync(&school.id, school.token, schedule);
        SchoolView::new(school, next_sync_at)
    }

    /// When a school is next synced by itself; `None`: never, or no process here runs schedules.
    pub(crate) fn next_sync(
        &self,
        school: &SchoolId,
        token: TokenState,
        schedule: &Schedule,
    ) -> Option<DateTime<Utc>> {
        let now = self.state.scheduler.as_ref().map(Clock::now)?;
        (token == TokenState::Held).then(|| schedule.next(school, now)).flatten()
    }

    /// Cancelled once the server stops.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.state.stopping.clone()
    }

    /// What the process was started with.
    pub(crate) fn state(&self) -> &ApiState {
        &self.state
    }

    /// The one school that the key is bound to.
    pub(crate) fn only_school(&self) -> Option<&SchoolId> {
        self.key.school_id.as_ref()
    }

    /// Whether the caller may know of this school.
    pub(crate) fn sees(&self, id: &SchoolId) -> bool {
        self.only_school().is_none_or(|only| only == id)
    }

    /// The id in a path, if it can be one of a school that the caller may know of.
    pub(crate) fn school_id(&self, text: &str) -> Result<SchoolId, ApiError> {
        let id = text.parse().map_err(|_| ApiError::UnknownSchool)?;
        if self.sees(&id) { Ok(id) } else { Err(ApiError::UnknownSchool) }
    }

    /// The school that a path names.
    pub(crate) async fn school(&self, text: &str) -> Result<School, ApiError> {
        let id = self.school_id(text)?;
        schools::get(self.pool(), &id).await?.ok_or(ApiError::UnknownSchool)
    }

    /// The job that a path names.
    pub(crate) async fn job(&self, text: &str) -> Result<Job, ApiError> {
        let id = text.parse().map_err(|_| ApiError::UnknownJob)?;
        let found = jobs::get(self.pool(), id).await?;
        let sees = |job: &Job| match &job.school_id {
            Some(id) => self.sees(id),
            None => self.only_school().is_none(),
        };
        found.filter(sees).ok_or(ApiError::UnknownJob)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_key_follows_the_word_bearer_in_any_case() {
        assert_eq!(bearer(&of(&["Bearer misk_a"])), Some("misk_a"));
        assert_eq!(bearer(&of(&["bearer  misk_a"])), Some("misk_a"));
        for bad in [&[][..], &["misk_a"], &["Basic misk_a"], &["Bearer a", "Bearer b"], &["Bearer"]]
        {
            assert_eq!(bearer(&of(bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn a_person_is_named_in_utf_8_and_once() {
        let named = |values: &[&str]| {
            let value = |text: &&str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
            on_behalf_of(&values.iter().map(|text| (REQUESTED_BY, value(text))).collect())
        };
        assert!(named(&[]).unwrap().is_none());
        assert_eq!(named(&["Zoë"]).unwrap().unwrap().as_str(), "Zoë");
        for bad in [&[""][..], &["a\tb"], &["1", "1"]] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
        let latin_1 = HeaderValue::from_bytes(b"Zo\xeb").unwrap();
        assert!(on_behalf_of(&HeaderMap::from_iter([(REQUESTED_BY, latin_1)])).is_err());
    }
}

//! Faults on request: refusals, hanging and broken answers for the next requests that match.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::refusal::Refusal;
use crate::scenarios::Scenario;

/// A fault for the next `count` matching requests. Without `school` and `path` every request to the
/// Wonde API matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only requests with this school in their path.
    #[serde(default)]
    pub school: Option<String>,
    /// Only requests whose path and query contain this, as sent or decoded; `*` stands for any
    /// text.
    #[serde(default)]
    pub path: Option<String>,
    /// Answer with this status, 200 to 599.
    #[serde(default)]
    pub status: Option<u16>,
    /// Use this body instead of the usual JSON.
    #[serde(default)]
    pub body: Option<String>,
    /// Use this content type instead of `application/json`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// With the header `Location`.
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// Wait this long before anything else.
    #[serde(default)]
    pub hang_ms: Option<u64>,
    /// Break the answer; `true` is `connection`.
    #[serde(default, deserialize_with = "truncate")]
    pub truncate: Option<Truncate>,
    /// Run this scenario in the school of the path after the answer, so that a list changes between
    /// two pages.
    #[serde(default)]
    pub then: Option<Scenario>,
    /// How many requests it affects.
    #[serde(default = "once")]
    pub count: u32,
}

/// How an answer breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truncate {
    /// The full length is announced, half of the body is sent, and the connection is cut.
    Connection,
    /// Half of the JSON is sent as if it were complete.
    Body,
}

impl Default for Fault {
    /// Matches the next request and does nothing: fill in the rest.
    fn default() -> Self {
        Self {
            school: None,
            path: None,
            status: None,
            body: None,
            content_type: None,
            location: None,
            retry_after: None,
            hang_ms: None,
            truncate: None,
            then: None,
            count: once(),
        }
    }
}

impl Fault {
    /// Checks that the fault has an effect, and a possible one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let does_nothing = self.status.is_none() && self.hang_ms.is_none();
        if does_nothing && self.truncate.is_none() && self.then.is_none() {
            return Err(Error::BadFault("give at least one of status, hang_ms, truncate and then"));
        }
        if self.status.is_some_and(|status| !(200..600).contains(&status)) {
            return Err(Error::BadFault("status must be 200 to 599"));
        }
        let of_status = [&self.body, &self.content_type, &self.location];
        let needs_status = self.retry_after.is_some() || of_status.iter().any(|own| own.is_some());
        if needs_status && self.status.is_none() {
            return Err(Error::BadFault(
                "retry_after, body, content_type and location need a status, such as 429",
            ));
        }
        let headers = [&self.content_type, &self.location];
        if headers.into_iter().flatten().any(|value| HeaderValue::from_str(value).is_err()) {
            return Err(Error::BadFault("content_type and location must fit into a header"));
        }
        if self.count == 0 {
            return Err(Error::BadFault("count must be at least 1"));
        }
        Ok(())
    }

    fn matches(&self, school: Option<&str>, sent: &str, decoded: &str) -> bool {
        let school_fits = self.school.as_deref().is_none_or(|wanted| school == Some(wanted));
        let path_fits =
            self.path.as_deref().is_none_or(|path| has(sent, path) || has(decoded, path));
        school_fits && path_fits
    }

    /// The refusal that replaces the answer.
    pub(crate) fn refusal(&self) -> Option<Response> {
        let status =
            StatusCode::from_u16(self.status?).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match &self.body {
            Some(body) => {
                (status, [(header::CONTENT_TYPE, "application/json")], body.clone()).into_response()
            }
            None => Refusal::new(status, "simulated_fault", "This answer was ordered by a test.")
                .into_response(),
        };
        let own = [(header::CONTENT_TYPE, &self.content_type), (header::LOCATION, &self.location)];
        for (name, value) in own {
            if let Some(value) = value.as_deref().and_then(|value| value.parse().ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Some(response)
    }
}

impl Truncate {
    /// A good body, broken.
    pub(crate) fn break_body(self, body: &Bytes) -> Response {
        let half = body.slice(..body.len() / 2);
        let json = [(header::CONTENT_TYPE, "application/json")];
        match self {
            Self::Body => (json, half).into_response(),
            Self::Connection => {
                let length = [(header::CONTENT_LENGTH, body.len().to_string())];
                let cut = stream::once(async {
                    // The first half must reach the network before the connection breaks.
                    for _ in 0..8 {
                        tokio::task::yield_now().await;
                    }
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
                });
                (json, length, Body::from_stream(stream::iter([Ok(half)]).chain(cut)))
                    .into_response()
            }
        }
    }
}

/// The faults that have not been used up, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first fault that matches a request, with one use of it spent. Spent faults are removed.
    pub(crate) fn take(
        &mut self,
        school: Option<&str>,
        sent: &str,
        decoded: &str,
    ) -> Option<Fault> {
        let at = self
            .0
            .iter()
            .position(|fault| fault.count > 0 && fault.matches(school, sent, decoded))?;
        self.0[at].count -= 1;
        let fault = self.0[at].clone();
        self.0.retain(|fault| fault.count > 0);
        Some(fault)
    }
}

fn once() -> u32 {
    1
}

/// Whether the parts of a pattern, between its `*`, follow each other in a text.
fn has(text: &str, pattern: &str) -> bool {
    let mut rest = Some(text);
    pattern.split('*').all(|part| {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, behind)| behind);
        rest.is_some()
    })
}

fn truncate<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Truncate>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "truncate must be true, false, \"connection\" or \"body\"")]
    enum Given {
        Switch(bool),
        Kind(Truncate),
    }
    let given = Option::<Given>::deserialize(deserializer)?;
    Ok(match given {
        None | Some(Given::Switch(false)) => None,
        Some(Given::Switch(true)) => Some(Truncate::Connection),
        Some(Given::Kind(kind)) => Some(kind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_only_what_it_matches_and_only_so_often() {
        let mut faults = Faults::default();
        faults.add(Fault {
            school: Some("A1".into()),
            path: Some("include=roles,photo".into()),
            status: Some(500),
            count: 2,
            ..Fault::default()
        });
        let (sent, decoded) = (
            "/v1.0/schools/A1/employees?include=roles%2Cphoto",
            "/v1.0/schools/A1/employees?include=roles,photo",
        );
        assert!(faults.take(Some("A2"), sent, decoded).is_none());
        assert!(faults.take(Some("A1"), "/v1.0/schools/A1", "/v1.0/schools/A1").is_none());
        assert!(faults.take(Some("A1"), sent, decoded).is_some());
        assert!(faults.take(Some("A1"), sent, decoded).is_some());
        assert!(faults.take(Some("A1"), sent, decoded).is_none());
    }

    #[test]
    fn nonsense_is_refused_with_what_is_allowed() {
        let check = |json: &str| {
            serde_json::from_str::<Fault>(json)
                .map_err(|e| e.to_string())
                .and_then(|f| f.check().map_err(|e| e.to_string()))
        };
        assert!(check(r#"{"status": 503}"#).is_ok());
        assert!(check(r#"{"truncate": true}"#).is_ok());
        assert!(check(r#"{"truncate": "body"}"#).is_ok());
        for (json, hint) in [
            ("{}", "at least one of"),
            (r#"{"truncate": false}"#, "at least one of"),
            (r#"{"status": 199}"#, "200 to 599"),
            (r#"{"status": 500, "count": 0}"#, "at least 1"),
            (r#"{"hang_ms": 5, "retry_after": 1}"#, "need a status"),
            (r#"{"hang_ms": 5, "body": "x"}"#, "need a status"),
            (r#"{"status": 302, "location": "\n"}"#, "fit into a header"),
            (r#"{"truncate": "half"}"#, "connection"),
            (r#"{"stauts": 500}"#, "expected one of"),
        ] {
            let message = check(json).unwrap_err();
            assert!(message.contains(hint), "{json}: {message}");
        }
    }
}

//! Identifies the caller: Bearer in any case, or Basic with the token as user name.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::counters::{APPLICATION, UNKNOWN_TOKEN};
use crate::ids::WondeId;
use crate::refusal::Refusal;
use crate::school::{Access, School};
use crate::simulator::World;

/// The owner of the token of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The application-wide token.
    Application,
    /// The token of one school.
    School(WondeId),
    /// No token, or an unknown one.
    Unknown,
}

impl Caller {
    /// The name under which the token is counted.
    pub(super) fn name(self) -> String {
        match self {
            Self::Application => APPLICATION.to_owned(),
            Self::School(id) => id.to_string(),
            Self::Unknown => UNKNOWN_TOKEN.to_owned(),
        }
    }

    /// Whether the token is valid for the school, revoked or not.
    pub(super) fn owns(self, school: &School) -> bool {
        self == Self::Application || self == Self::School(school.id)
    }

    /// The school of that id if the token opens it.
    pub(super) fn open<'a>(self, world: &'a World, id: &str) -> Result<&'a School, Refusal> {
        let school = world.school(id);
        let Some(school) = school else {
            // A school's token cannot distinguish a missing school from another one.
            return Err(if self == Self::Application {
                Refusal::not_found()
            } else {
                Refusal::forbidden("schools.read")
            });
        };
        if !self.owns(school) || school.access == Access::Revoked {
            return Err(Refusal::forbidden("schools.read"));
        }
        Ok(school)
    }
}

/// The caller of a request.
pub(super) fn caller(world: &World, application_token: &str, headers: &HeaderMap) -> Caller {
    let Some(token) = token(headers) else { return Caller::Unknown };
    if token == application_token {
        return Caller::Application;
    }
    world
        .schools
        .iter()
        .find(|school| school.token == token)
        .map_or(Caller::Unknown, |school| Caller::School(school.id))
}

fn token(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let user_and_password = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    Some(user_and_password.split(':').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_all_forms() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            token(&headers)
        };
        let basic = STANDARD.encode("abc:");
        for value in [
            "Bearer abc",
            "bearer abc",
            "BEARER  abc",
            &format!("Basic {basic}"),
            &format!("basic {}", STANDARD.encode("abc")),
        ] {
            assert_eq!(read(value).as_deref(), Some("abc"), "{value}");
        }
        assert_eq!(read("Digest abc"), None);
        assert_eq!(read("Basic ***"), None);
        assert_eq!(token(&HeaderMap::new()), None);
    }
}

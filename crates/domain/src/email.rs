use std::fmt;

use serde::{Deserialize, Serialize};

/// A work email that can serve as a login: trimmed, case as given.
///
/// Comparison of logins is by `lower()` in the database, so that one rule decides
/// everywhere; this type only answers whether a text can be an address at all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkEmail(String);

/// Text that is no usable email address. It never carries the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct InvalidWorkEmail;

/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const MAX_LENGTH: usize = 254;

impl WorkEmail {
    /// Takes an address: exactly one `@` with something on both sides, no white space or
    /// control character, at most 254 bytes. Whether the mailbox exists is the school's matter.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkEmail> {
        let address = text.trim();
        let (local, domain) = address.split_once('@').ok_or(InvalidWorkEmail)?;
        let usable = !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && address.len() <= MAX_LENGTH
            && !address.contains(|c: char| c.is_whitespace() || c.is_control());
        usable.then(|| Self(address.to_owned())).ok_or(InvalidWorkEmail)
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WorkEmail {
    type Error = InvalidWorkEmail;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<WorkEmail> for String {
    fn from(email: WorkEmail) -> Self {
        email.0
    }
}

/// Personal data: never printed.
impl fmt::Debug for WorkEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkEmail(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_and_refuses_the_rest() {
        for good in ["a@b", " Zoë.O'Neil@oakfield.example\n", "a+b@c.example"] {
            assert!(WorkEmail::parse(good).is_ok(), "{good}");
        }
        let too_long = format!("{}@b.example", "a".repeat(250));
        for bad in ["", " ", "a", "@b", "a@", "a@@b", "a@b@c", "a b@c", "a@b\u{0}", &too_long] {
            assert_eq!(WorkEmail::parse(bad), Err(InvalidWorkEmail), "{bad}");
        }
    }

    #[test]
    fn keeps_case_trims_and_does_not_print_itself() {
        let email = WorkEmail::parse(" A.Okafor@Oakfield.example ").unwrap();
        assert_eq!(email.as_str(), "A.Okafor@Oakfield.example");
        assert_eq!(format!("{email:?}"), "WorkEmail(..)");
    }
}

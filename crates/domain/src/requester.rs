//! Who asked for something: a key or a command, and the person for whom it asked.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The person for whom a key acts, as the caller names them. It may be a name, so it is never
/// logged, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OnBehalfOf(String);

/// The text cannot name a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to {} characters in UTF-8, without control characters", OnBehalfOf::MAX)]
pub struct InvalidOnBehalfOf;

impl OnBehalfOf {
    /// The longest one, in characters.
    pub const MAX: usize = 100;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OnBehalfOf {
    type Err = InvalidOnBehalfOf;

    /// Space around it does not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let has_length = (1..=Self::MAX).contains(&text.chars().count());
        let is_valid = has_length && !text.contains(char::is_control);
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidOnBehalfOf)
    }
}

impl TryFrom<String> for OnBehalfOf {
    type Error = InvalidOnBehalfOf;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OnBehalfOf> for String {
    fn from(person: OnBehalfOf) -> Self {
        person.0
    }
}

impl fmt::Debug for OnBehalfOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnBehalfOf(..)")
    }
}

/// Who asked. It is shown as `iP`, or as `iP · 4711` if the key named a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// Name of the API key or command.
    pub name: String,
    /// The person for whom it asked; `None` if none was named.
    pub on_behalf_of: Option<OnBehalfOf>,
}

impl From<&str> for Requester {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), on_behalf_of: None }
    }
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.on_behalf_of {
            Some(person) => write!(f, " · {}", person.0),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_a_short_name_in_one_line() {
        let longest = "é".repeat(100);
        for good in ["4711", " 4711 ", "Zoë O'Neill", &longest] {
            assert_eq!(good.parse::<OnBehalfOf>().unwrap().as_str(), good.trim());
        }
        for bad in ["", "  ", "a\nb", "a\u{0}b", &"é".repeat(101)] {
            assert_eq!(bad.parse::<OnBehalfOf>(), Err(InvalidOnBehalfOf), "{bad:?}");
        }
    }

    #[test]
    fn key_and_person_are_shown_together_and_the_person_is_not_logged() {
        let named = Requester { on_behalf_of: "4711".parse().ok(), ..Requester::from("iP") };
        assert_eq!(named.to_string(), "iP · 4711");
        assert_eq!(Requester::from("iP").to_string(), "iP");
        assert!(!format!("{named:?}").contains("4711"));
    }
}

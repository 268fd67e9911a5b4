use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;

use crate::text;

/// A work email that can serve as a login: cleaned of what was written around it, in its original
/// case.
///
/// Logins are compared composed and without regard to capitals. This type only says whether a text
/// can be an address at all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkEmail(String);

/// The text is not a usable email address. The error never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct InvalidWorkEmail;

/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const MAX_LENGTH: usize = 254;
/// The longest part of a domain between two dots (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// Prefixes that mail programs and directories write before an address.
const SCHEMES: [&str; 2] = ["mailto:", "smtp:"];
/// Pairs of characters that may surround an address.
const PAIRS: [(char, char); 10] = [
    ('<', '>'),
    ('"', '"'),
    ('\'', '\''),
    ('“', '”'),
    ('‘', '’'),
    ('«', '»'),
    ('`', '`'),
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
];
/// Characters that a list or a sentence may leave after an address.
const ENDS: [char; 4] = [';', ',', '.', ':'];

impl WorkEmail {
    /// Extracts an address from what people and programs write around it (`mailto:`, `<…>`,
    /// quotation marks, brackets, a name before it, a comma after it), and checks it.
    ///
    /// The rule is that of HTML's `input type=email`, with letters and digits of any script, and a
    /// dot in the domain. Whether the mailbox exists is for the school to know.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkEmail> {
        // Such a long text cannot be an address, whatever surrounds it.
        if text.len() > 4 * MAX_LENGTH {
            return Err(InvalidWorkEmail);
        }
        let visible = text::without_invisible(text);
        let composed = text::composed(&visible);
        let address = unwrapped(composed.trim_matches(text::is_blank));
        let (local, domain) = address.rsplit_once('@').ok_or(InvalidWorkEmail)?;
        let is_address = address.len() <= MAX_LENGTH && is_local(local) && is_domain(domain);
        is_address.then(|| Self(address.to_owned())).ok_or(InvalidWorkEmail)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Removes every layer around the address.
fn unwrapped(text: &str) -> &str {
    let mut address = text;
    loop {
        let inner = without_layer(address).trim_matches(text::is_blank);
        if inner.len() == address.len() {
            return address;
        }
        address = inner;
    }
}

fn without_layer(address: &str) -> &str {
    for scheme in SCHEMES {
        let start = address.get(..scheme.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
            let rest = address[scheme.len()..].trim_start_matches('/');
            return rest.split_once('?').map_or(rest, |(address, _)| address);
        }
    }
    for (open, close) in PAIRS {
        let inner = address.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner {
            return inner;
        }
    }
    after_name(address).unwrap_or_else(|| address.trim_end_matches(ENDS))
}

/// Returns `a@b.example` for `Ann Person <a@b.example>`. A text with two addresses is not an
/// address.
fn after_name(address: &str) -> Option<&str> {
    let (name, inner) = address.strip_suffix('>')?.split_once('<')?;
    (!name.contains('@')).then_some(inner)
}

fn is_local(local: &str) -> bool {
    !local.is_empty() && local.chars().all(|c| is_letter(c) || ".!#$%&'*+/=?^_`{|}~-".contains(c))
}

/// A letter or digit. In other scripts, combining marks count too.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii() && (c.is_alphanumeric() || is_combining_mark(c))
}

fn is_domain(domain: &str) -> bool {
    let Some(domain) = in_ascii(domain) else { return false };
    let is_label = |label: &str| {
        let has_hyphen_outside = label.starts_with('-') || label.ends_with('-');
        let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && label.len() <= MAX_LABEL && is_plain && !has_hyphen_outside
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

/// The domain in the ASCII form that DNS uses.
fn in_ascii(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_owned());
    }
    idna::domain_to_ascii_strict(domain).ok()
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

/// Addresses are personal data and are never printed.
impl fmt::Debug for WorkEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkEmail(..)")
    }
}

#[cfg(test)]
mod tests;

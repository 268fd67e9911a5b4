//! Whether a record of the MIS and an account of iP belong to the same person.
//!
//! Ids, UPIs and mailboxes are handed on: a leaver's id to a new colleague, a head's address to the
//! next head. So a matching key counts only if something about the person agrees with it.

use crate::{MatchedBy, text::composed};

/// What a person is recognised by. An empty text or `None` means that it was not given.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    pub first_name: &'a str,
    pub surname: &'a str,
    pub email: &'a str,
    /// Initials.
    pub initials: Option<&'a str>,
}

/// How two texts about the same thing compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Same,
    Different,
    /// One side is missing, so it neither confirms nor contradicts.
    Unsaid,
}

/// Whether a person has to confirm a match, because the record may belong to someone else.
///
/// - By Wonde id or UPI: forename, surname and work email all differ. A person who marries keeps the
///   forename, and a person who changes both names keeps the email.
/// - By work email: forename and initials both differ. It may be the successor's mailbox.
///
/// A text that is missing on one side confirms nothing. But if no name contradicts, there is no doubt:
/// an account without names does not belong to anyone else.
pub fn is_doubtful(matched_by: MatchedBy, held: &Identity<'_>, said: &Identity<'_>) -> bool {
    use Comparison::{Different, Same};
    let first_name = compare(held.first_name, said.first_name);
    let (second, third) = match matched_by {
        MatchedBy::WondeId | MatchedBy::Upi => {
            if compare(held.email, said.email) == Same {
                return false;
            }
            (compare(held.surname, said.surname), Comparison::Unsaid)
        }
        MatchedBy::WorkEmail => {
            let (held, said) = (held.initials, said.initials);
            (Comparison::Unsaid, compare(held.unwrap_or_default(), said.unwrap_or_default()))
        }
        MatchedBy::Decision | MatchedBy::New => return false,
    };
    let compared = [first_name, second, third];
    !compared.contains(&Same) && compared.contains(&Different)
}

/// Whether both names are given and the same.
pub fn has_same_names(one: &Identity<'_>, other: &Identity<'_>) -> bool {
    let is_same = |one, other| compare(one, other) == Comparison::Same;
    is_same(one.first_name, other.first_name) && is_same(one.surname, other.surname)
}

/// Whether a UPI can tell people apart at all. Some MIS write the same placeholder for everyone.
/// Whether several people share one is checked over the whole list.
pub fn is_upi_key(upi: &str) -> bool {
    const NONE: [&str; 10] =
        ["na", "none", "null", "nil", "undefined", "unknown", "test", "temp", "tbc", "tba"];
    let text: String = folded(upi).chars().filter(|c| c.is_alphanumeric()).collect();
    let is_one_letter = text.chars().all(|letter| text.starts_with(letter));
    let is_counted = text.len() > 3 && "01234567890".contains(&text);
    !is_one_letter && !is_counted && !NONE.contains(&text.as_str())
}

fn compare(held: &str, said: &str) -> Comparison {
    let (held, said) = (folded(held), folded(said));
    if held.is_empty() || said.is_empty() {
        Comparison::Unsaid
    } else if held == said {
        Comparison::Same
    } else {
        Comparison::Different
    }
}

/// The text as it is compared: trimmed, composed, and without regard to capitals.
pub fn folded(text: &str) -> String {
    // Upper case first: ß becomes SS, and a final sigma becomes a normal one.
    let folded = composed(text.trim()).to_lowercase().to_uppercase().to_lowercase();
    composed(&folded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(names: &'a str, email: &'a str) -> Identity<'a> {
        let mut parts = names.split('/');
        let mut next = || parts.next().unwrap_or_default();
        Identity { first_name: next(), surname: next(), initials: Some(next()), email }
    }

    #[test]
    fn an_id_is_believed_while_one_of_names_and_email_agrees() {
        // Current record, new record, and whether there is doubt.
        let table = [
            (of("Ada/Leaver", "ada@x"), of("Bob/Joiner", "bob@x"), true),
            // Initials cannot confirm an id, because too many people share them.
            (of("Ada/Leaver/AL", "ada@x"), of("Ann/Lane/AL", "ann@x"), true),
            (of("Ada/Leaver", "ada@x"), of("Ada/Joiner", "bob@x"), false),
            (of("Ada/Leaver", "ada@x"), of("Bob/Leaver", "bob@x"), false),
            (of("Ada/Leaver", "ada@x"), of("Bob/Joiner", "ADA@X "), false),
            (of("ada /LEAVER", "ada@x"), of("Ada/Joiner", "bob@x"), false),
            // One name is missing, and the other differs.
            (of("Ada/Leaver", "ada@x"), of("/Joiner", "bob@x"), true),
            (of("/Leaver", "ada@x"), of("Bob/Joiner", "bob@x"), true),
            (of("/Leaver", "ada@x"), of("Bob/", "bob@x"), false),
            // An account without names does not belong to anyone else.
            (of("/", "home@x"), of("Bob/Joiner", "bob@x"), false),
            (of(" / ", "home@x"), of("Bob/Joiner", "bob@x"), false),
        ];
        for (held, said, expected) in table {
            for by in [MatchedBy::WondeId, MatchedBy::Upi] {
                assert_eq!(is_doubtful(by, &held, &said), expected, "{by:?} {held:?} {said:?}");
                assert_eq!(is_doubtful(by, &said, &held), expected, "the other way round");
            }
        }
    }

    #[test]
    fn an_email_is_believed_while_forename_or_initials_agree() {
        let head = |names| of(names, "head@x");
        let table = [
            (head("Imran/Khan/IK"), head("Sara/Khan/SK"), true),
            (head("Imran/Khan/IK"), head("imran/Malik/IM"), false),
            (head("Robert/Day/RD"), head("Bob/Day/RD"), false),
            // Initials that are missing on one side confirm nothing.
            (head("Imran/Khan/IK"), head("Sara/Khan/"), true),
            (head("Imran/Khan"), head("Sara/Khan"), true),
            // Neither does a missing forename.
            (head("Imran/Khan/IK"), head("/Khan/SK"), true),
            (head("Imran/Khan/IK"), head("/Khan/"), false),
            (head("/"), head("Sara/Khan/SK"), false),
            (head("/Head"), head("Sara/Khan/SK"), false),
        ];
        for (held, said, expected) in table {
            let by = MatchedBy::WorkEmail;
            assert_eq!(is_doubtful(by, &held, &said), expected, "{held:?} {said:?}");
            assert_eq!(is_doubtful(by, &said, &held), expected, "the other way round");
        }
    }

    #[test]
    fn what_a_person_decided_and_what_is_new_is_not_in_doubt() {
        for by in [MatchedBy::Decision, MatchedBy::New] {
            assert!(!is_doubtful(by, &of("Ada/Leaver", "ada@x"), &of("Bob/Joiner", "bob@x")));
        }
    }

    #[test]
    fn names_are_compared_whatever_their_spelling() {
        for (one, other) in
            [("Zoë", "zoe\u{308}"), ("GROẞMANN", "grossmann"), ("Groß", "GROSS"), (" Ann ", "ANN")]
        {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        assert_ne!(folded("Zoe"), folded("Zoë"));
        assert!(has_same_names(&of("Ann/Twice", "a@x"), &of("ann/TWICE", "b@x")));
        assert!(!has_same_names(&of("Ann/", "a@x"), &of("Ann/", "b@x")));
    }

    #[test]
    fn a_placeholder_is_no_upi() {
        for none in ["", " ", "0", "00000000", "1", "xxxx", "-", "--/--", "N/A", "None", "UNKNOWN"]
        {
            assert!(!is_upi_key(none), "{none}");
        }
        for key in ["u1", "u77", "upi-3", "10", "123", "4711", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"] {
            assert!(is_upi_key(key), "{key}");
        }
    }
}

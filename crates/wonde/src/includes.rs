//! Which includes a refusal is about. Pure.

/// Whether a text mentions includes.
pub(crate) fn names_includes(text: &str) -> bool {
    let squashed: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    squashed.to_ascii_lowercase().contains("include")
}

/// The includes of `asked` (separated by commas) that a text names, in any spelling:
/// `contactDetails`, `contact details`, and `hierarchy.employment_details` for `hierarchy`. Nothing
/// of the text itself is returned.
pub(crate) fn named(asked: &str, text: &str) -> Vec<String> {
    let said = words(text);
    let is_named = |include: &&str| {
        let wanted = words(include);
        !wanted.is_empty() && said.windows(wanted.len()).any(|found| same(found, &wanted))
    };
    asked.split(',').filter(is_named).map(str::to_owned).collect()
}

fn same(found: &[String], wanted: &[String]) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| stem(found) == stem(wanted))
}

/// The same stem for `class` and `classes`, `role` and `roles`.
fn stem(word: &str) -> &str {
    word.trim_end_matches(['e', 's'])
}

/// The words of a text in lower case. Of a dotted name only the first part is used.
fn words(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let names = text
        .split(|c: char| !is_part(c))
        .filter_map(|name| name.split('.').find(|part| !part.is_empty()));
    names.flat_map(|name| name.split(['_', '-'])).flat_map(humps).collect()
}

/// Splits `contactDetails` into two words.
fn humps(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut after_small = false;
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !(after_small && c.is_ascii_uppercase()) => {
                word.push(c.to_ascii_lowercase());
            }
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
        after_small = c.is_ascii_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_is_known_in_any_spelling() {
        let asked = "contact_details,employment_details,roles,hierarchy,photo,classes";
        for (text, found) in [
            ("roles", "roles"),
            ("ROLES", "roles"),
            ("Role", "roles"),
            ("photos", "photo"),
            ("class", "classes"),
            ("classes.subject", "classes"),
            ("employees.roles", ""),
            ("hierarchy.employment_details", "hierarchy"),
            ("employmentDetails", "employment_details"),
            ("EmploymentDetails, Roles", "employment_details,roles"),
            ("Employment details cannot be included.", "employment_details"),
            ("details", ""),
            ("registration_group", ""),
            ("", ""),
        ] {
            assert_eq!(named(asked, text).join(","), found, "{text:?}");
        }
        assert!(named("", "roles").is_empty());
    }

    #[test]
    fn includes_are_spoken_of_in_any_spelling() {
        for text in ["invalid_include", "Invalid includes", "InvalidInclude", "invalid-include"] {
            assert!(names_includes(text), "{text}");
        }
        for text in ["", "invalid_request", "Bad Request"] {
            assert!(!names_includes(text), "{text}");
        }
    }
}

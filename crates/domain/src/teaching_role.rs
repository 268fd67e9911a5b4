//! What the name of a role says about its holder.

use crate::identity::folded;

/// Words after "teacher" in roles that are not teachers, or before "to the teacher".
const HELPERS: [&str; 14] = [
    "admin",
    "administrator",
    "aide",
    "aides",
    "assistant",
    "assistants",
    "clerk",
    "coordinator",
    "helper",
    "pa",
    "secretary",
    "support",
    "trainer",
    "training",
];
/// Words before "teacher" in roles that are not teachers.
const NOT: [&str; 5] = ["ex", "for", "former", "non", "to"];

/// Whether a role is that of a teacher: one of its words is, or ends in, *teacher*, as in *Class
/// Teacher* and *Headteacher*. A teaching assistant is not one, and neither is a teacher's
/// secretary.
pub fn is_of_teacher(role: &str) -> bool {
    let role = folded(role).replace('’', "'");
    let words: Vec<&str> = role
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty() && *word != "the" && *word != "a")
        .collect();
    let is_teacher = |at: usize| {
        // A plural counts too. `Headteacher's` belongs to another person, for example the PA.
        let word = words[at].strip_suffix('s').unwrap_or(words[at]);
        let before = at.checked_sub(1).map(|before| words[before]);
        let after = words.get(at + 1);
        let is_helper = after.is_some_and(|after| HELPERS.contains(after));
        // `Head Teacher` is one, so the word before `head` counts.
        let before = match before {
            Some("head") => at.checked_sub(2).map(|before| words[before]),
            before => before,
        };
        let helps = words[..at].windows(2).any(|two| HELPERS.contains(&two[0]) && two[1] == "to");
        let is_none = is_helper || helps || before.is_some_and(|one| NOT.contains(&one));
        word.ends_with("teacher") && !is_none
    };
    (0..words.len()).any(is_teacher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teachers_are_told_from_those_who_help_them() {
        for teacher in [
            "Teacher",
            "teachers",
            "TEACHER",
            "Class Teacher",
            "Classteacher",
            "Head Teacher",
            "Headteacher",
            "Assistant Headteacher",
            "Deputy Head Teacher (Acting)",
            "Teacher of Maths",
            "Teacher/Librarian",
            "PE Teacher, Tutor",
            "Supply Teacher",
            "Trainee teacher",
            "Teacher and Coordinator",
            "Teaching Assistant and Cover Teacher",
            "Reception to Year 2 Teacher",
        ] {
            assert!(is_of_teacher(teacher), "{teacher}");
        }
        for other in [
            "",
            "Teaching Assistant",
            "Higher Level Teaching Assistant",
            "Teacher Assistant",
            "Teacher's Assistant",
            "Teachers' Aide",
            "Teacher Aide",
            "Teacher Support",
            "Headteacher's PA",
            "Head Teacher’s Secretary",
            "PA to the Headteacher",
            "PA to Head Teacher",
            "Assistant to the Class Teacher",
            "Secretary to the Teachers",
            "Non-Teacher",
            "Former Teacher",
            "Teacher Training Coordinator",
            "Tutor",
            "Head of Year",
            "Cook",
        ] {
            assert!(!is_of_teacher(other), "{other}");
        }
    }
}

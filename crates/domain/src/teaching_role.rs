//! What the name of a role says of who has it.

use crate::identity::folded;

/// What comes after "teacher" in the names of those who are none, or before "to the teacher".
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
/// What comes before it.
const NOT: [&str; 5] = ["ex", "for", "former", "non", "to"];

/// Whether a role is that of a teacher: a word of it is, or ends in, *teacher*, as in *Class Teacher*
/// and *Headteacher*. A teaching assistant is none, nor is the secretary to a teacher.
pub fn is_of_teacher(role: &str) -> bool {
    let role = folded(role).replace('’', "'");
    let words: Vec<&str> = role
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty() && *word != "the" && *word != "a")
        .collect();
    let is_teacher = |at: usize| {
        // A plural is one too. `Headteacher's` is that of another person, the PA for example.
        let word = words[at].strip_suffix('s').unwrap_or(words[at]);
        let before = at.checked_sub(1).map(|before| words[before]);
        let after = words.get(at + 1);
        let is_helper = after.is_some_and(|after| HELPERS.contains(after));
        // `Head Teacher` is one, so what stands before `head` counts.
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

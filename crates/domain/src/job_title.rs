//! Roles of the MIS become one job title of iP.

/// Joins role names by commas, in the order the MIS gave them, without blanks and repeats.
/// `None` when there is no role to name.
pub fn from_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for role in roles.into_iter().map(str::trim) {
        if !role.is_empty() && !names.contains(&role) {
            names.push(role);
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::from_roles;

    #[test]
    fn joins_in_order_without_blanks_and_repeats() {
        let table: [(&[&str], Option<&str>); 6] = [
            (&[], None),
            (&["", "  "], None),
            (&["Teacher"], Some("Teacher")),
            (&["Teacher", "Head of Year"], Some("Teacher, Head of Year")),
            (&[" Teacher ", "", "Teacher", "SENCO"], Some("Teacher, SENCO")),
            (&["Tutor, Year 7", "Teacher"], Some("Tutor, Year 7, Teacher")),
        ];
        for (roles, title) in table {
            assert_eq!(from_roles(roles.iter().copied()).as_deref(), title, "{roles:?}");
        }
    }
}

//! One person with two current records, as with two contracts.

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    JobTitle,
    identity::{self, Identity},
};

/// A record of the list that shares its work email with another one.
#[derive(Debug, Clone, Copy)]
pub struct Sharing<'a> {
    pub wonde_id: &'a str,
    /// The person that it describes.
    pub identity: Identity<'a>,
    /// Whether an account in iP is linked to it.
    pub is_linked: bool,
    /// Its roles, joined; `None` if there are none or they are not given.
    pub job_title: Option<&'a str>,
    /// `None` if not given.
    pub non_teaching: Option<bool>,
}

/// Records that belong to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twins {
    /// Wonde's id of the record that the person is known by.
    pub leads: String,
    /// Wonde ids of the person's other records.
    pub others: Vec<String>,
    /// The roles of all of them, joined.
    pub job_title: Option<String>,
    /// Whether none of them says that the person teaches; `None` if not given.
    pub non_teaching: Option<bool>,
}

/// Finds records that belong to one person: same work email and same names. The record that is
/// linked to an account leads, otherwise the one with the lower id. If two are linked, they are two
/// accounts in iP, and only a person can say which should stay.
pub fn find(records: &[Sharing<'_>]) -> Vec<Twins> {
    let mut people: HashMap<[String; 3], Vec<&Sharing<'_>>> = HashMap::new();
    for record in records {
        let Identity { first_name, surname, email, .. } = record.identity;
        if identity::has_same_names(&record.identity, &record.identity) {
            let key = [first_name, surname, email].map(identity::folded);
            people.entry(key).or_default().push(record);
        }
    }
    let mut twins: Vec<Twins> = people.into_values().filter_map(join).collect();
    twins.sort_by(|one, other| one.leads.cmp(&other.leads));
    twins
}

fn join(mut records: Vec<&Sharing<'_>>) -> Option<Twins> {
    let linked = records.iter().filter(|record| record.is_linked).count();
    if records.len() < 2 || linked > 1 {
        return None;
    }
    // Ids are a letter and a number, so a shorter one is lower.
    records
        .sort_by_key(|record| (Reverse(record.is_linked), record.wonde_id.len(), record.wonde_id));
    let roles = records.iter().filter_map(|record| record.job_title);
    let (job_title, _) = JobTitle::from_roles(roles.flat_map(|title| title.split(", ")));
    let said: Vec<bool> = records.iter().filter_map(|record| record.non_teaching).collect();
    let mut ids = records.iter().map(|record| record.wonde_id.to_owned());
    Some(Twins {
        leads: ids.next()?,
        others: ids.collect(),
        job_title: job_title.as_deref().map(str::to_owned),
        non_teaching: (!said.is_empty()).then(|| said.iter().all(|non_teaching| *non_teaching)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(wonde_id: &'a str, names: [&'a str; 2], email: &'a str) -> Sharing<'a> {
        let [first_name, surname] = names;
        let identity = Identity { first_name, surname, email, initials: None };
        Sharing { wonde_id, identity, is_linked: false, job_title: None, non_teaching: None }
    }

    const ANN: [&str; 2] = ["Ann", "Twice"];

    #[test]
    fn same_email_and_names_are_one_person_led_by_the_lower_id() {
        let records = [
            record("A10", ["ann", "TWICE"], "ann@x"),
            record("A9", ANN, "Ann@X"),
            record("A11", ["Bob", "Twice"], "ann@x"),
            record("A12", ANN, "other@x"),
        ];
        let found = find(&records);
        assert_eq!((found.len(), found[0].leads.as_str()), (1, "A9"));
        assert_eq!(found[0].others, ["A10"]);
    }

    #[test]
    fn a_linked_record_leads_and_two_of_them_are_left_alone() {
        let linked = Sharing { is_linked: true, ..record("A10", ANN, "ann@x") };
        let found = find(&[record("A9", ANN, "ann@x"), linked, record("A8", ANN, "ann@x")]);
        assert_eq!(found[0].leads, "A10");
        assert_eq!(found[0].others, ["A8", "A9"]);
        let both = [linked, Sharing { is_linked: true, ..record("A9", ANN, "ann@x") }];
        assert_eq!(find(&both), []);
    }

    #[test]
    fn roles_are_joined_and_whoever_teaches_by_one_record_teaches() {
        let teacher = Sharing {
            job_title: Some("Teacher, Tutor"),
            non_teaching: Some(false),
            ..record("A1", ANN, "ann@x")
        };
        let cook = Sharing {
            job_title: Some("Cook, Tutor"),
            non_teaching: Some(true),
            ..record("A2", ANN, "ann@x")
        };
        let found = find(&[cook, teacher]).remove(0);
        assert_eq!(found.job_title.as_deref(), Some("Teacher, Tutor, Cook"));
        assert_eq!(found.non_teaching, Some(false));
        let silent = find(&[record("A1", ANN, "ann@x"), record("A2", ANN, "ann@x")]).remove(0);
        assert_eq!((silent.job_title, silent.non_teaching), (None, None));
    }

    #[test]
    fn who_lacks_a_name_is_nobodys_twin() {
        let nameless = [record("A1", ["Ann", ""], "ann@x"), record("A2", ["Ann", ""], "ann@x")];
        assert_eq!(find(&nameless), []);
    }
}

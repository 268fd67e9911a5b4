//! The values of a person once their record is applied, without line manager and photo.

use mis_sync_domain::{
    JobTitle, StaffRecord,
    plan::{Person, Rules, Said},
};

/// A field keeps iP's value if the MIS does not give it or does not own it.
pub(crate) fn of(
    held: Option<&Person>,
    said: &StaffRecord,
    rules: &Rules,
    roles_are_said: bool,
) -> Person {
    let rules = rules.sync;
    let mut person = held.cloned().unwrap_or_default();
    let is_new = held.is_none();
    person.active |= is_new || rules.restores;
    let mut mis = person.mis.take().unwrap_or_default();
    person.wonde_id = Some(said.wonde_id.clone());
    if let Some(email) = &said.email {
        email.as_str().clone_into(&mut person.email);
        mis.email = Some(person.email.clone());
    }
    if !said.first_name.is_empty() {
        person.first_name.clone_from(&said.first_name);
        mis.first_name = Some(person.first_name.clone());
    }
    if !said.surname.is_empty() {
        person.surname.clone_from(&said.surname);
        mis.surname = Some(person.surname.clone());
    }
    if said.upi.is_some() {
        person.upi.clone_from(&said.upi);
    }
    if said.initials.is_some() {
        mis.initials.clone_from(&said.initials);
        if is_new || rules.owned.initials {
            person.initials.clone_from(&said.initials);
        }
    }
    if let Some(non_teaching) = said.non_teaching {
        mis.non_teaching = Some(non_teaching);
        person.non_teaching = non_teaching;
    }
    let title = match &said.job_title {
        JobTitle::NotDelivered => None,
        JobTitle::Empty => Some(None),
        JobTitle::Roles(text) => Some(Some(text.clone())),
    };
    if let Some(title) = title.filter(|_| roles_are_said) {
        mis.job_title = Some(Said(title.clone()));
        if is_new || rules.owned.job_title {
            person.job_title = title;
        }
    }
    person.mis = Some(mis);
    person
}

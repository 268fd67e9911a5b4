//! People, classes and subjects change in the MIS.

use mis_sync_domain::JobTitle;

use super::in_ip::account;
use crate::school::{Class, Entry, MOST, School, Shown, email};

pub(super) fn one_who(school: &mut School, test: impl Fn(&Entry) -> bool) -> Option<&mut Entry> {
    let fitting: Vec<usize> = (0..school.mis.len()).filter(|at| test(&school.mis[*at])).collect();
    let at = *school.random.choose(&fitting)?;
    school.mis.get_mut(at)
}

pub(super) fn a_person(school: &mut School) -> Option<&mut Entry> {
    one_who(school, Entry::is_here)
}

fn has_room(school: &School) -> Option<()> {
    (school.mis.iter().filter(|entry| entry.is_here()).count() < MOST).then_some(())
}

pub(super) fn joins(school: &mut School) -> Option<()> {
    has_room(school)?;
    school.joiner();
    Some(())
}

pub(super) fn leaves(school: &mut School) -> Option<()> {
    let shown = [Shown::Left, Shown::Gone][school.random.below(2)];
    a_person(school)?.shown = shown;
    Some(())
}

pub(super) fn comes_back(school: &mut School) -> Option<()> {
    has_room(school)?;
    one_who(school, |entry| !entry.is_here())?.shown = Shown::Whole;
    Some(())
}

pub(super) fn renumbered(school: &mut School) -> Option<()> {
    has_room(school)?;
    let (number, address) = (school.fresh(), school.fresh_address());
    let (keeps_upi, keeps_email) = (school.random.percent(50), school.random.percent(60));
    let entry = one_who(school, |_| true)?;
    entry.said.wonde_id = format!("w{number}");
    entry.shown = Shown::Whole;
    if !keeps_upi {
        entry.said.upi = None;
    }
    if !keeps_email {
        entry.said.email = address;
    }
    Some(())
}

pub(super) fn all_renumbered(school: &mut School) -> Option<()> {
    a_person(school)?;
    for at in 0..school.mis.len() {
        let number = school.fresh();
        school.mis[at].said.wonde_id = format!("w{number}");
        school.mis[at].said.upi = None;
    }
    Some(())
}

pub(super) fn second_record(school: &mut School) -> Option<()> {
    has_room(school)?;
    let number = school.fresh();
    let mut twin = a_person(school)?.clone();
    twin.said.wonde_id = format!("w{number}");
    twin.said.job_title = JobTitle::Roles(format!("Role {number}"));
    school.mis.push(twin);
    Some(())
}

pub(super) fn recycled_id(school: &mut School) -> Option<()> {
    let (email, first_name, surname) =
        (school.fresh_address(), school.first_name(), school.surname());
    let entry = a_person(school)?;
    entry.said.email = email;
    entry.said.first_name = if surname.is_empty() { "Eve".into() } else { first_name };
    entry.said.surname = surname;
    Some(())
}

pub(super) fn hidden(school: &mut School) -> Option<()> {
    let ways = [Shown::WithoutEmail, Shown::WithoutEmail, Shown::Unreadable, Shown::Nameless];
    let shown = *school.random.choose(&ways)?;
    a_person(school)?.shown = shown;
    Some(())
}

pub(super) fn whole_again(school: &mut School) -> Option<()> {
    one_who(school, |entry| entry.is_here() && entry.shown != Shown::Whole)?.shown = Shown::Whole;
    Some(())
}

pub(super) fn addresses_swapped(school: &mut School) -> Option<()> {
    let one = a_person(school)?.said.wonde_id.clone();
    let two = a_person(school)?.said.wonde_id.clone();
    let find = |school: &School, id: &str| school.mis.iter().position(|e| e.said.wonde_id == id);
    let (one, two) = (find(school, &one)?, find(school, &two)?);
    let [first, second] = [one, two].map(|at| school.mis[at].said.email.clone());
    school.mis[one].said.email = second;
    school.mis[two].said.email = first;
    Some(())
}

pub(super) fn address_of_ip(school: &mut School) -> Option<()> {
    let at = account(school)?;
    let address = email(&school.held.people[at].person.email);
    a_person(school)?.said.email = address;
    Some(())
}

pub(super) fn other_upi(school: &mut School) -> Option<()> {
    let upi = match school.random.below(5) {
        0 => None,
        1 => Some("0000".to_owned()),
        2 => Some(format!("u{}", school.fresh())),
        _ => one_who(school, |_| true)?.said.upi.clone(),
    };
    a_person(school)?.said.upi = upi;
    Some(())
}

pub(super) fn class_begins(school: &mut School) -> Option<()> {
    let number = school.fresh();
    let is_new = school.classes.len() < 4;
    is_new.then(|| {
        school.classes.push(Class {
            wonde_id: format!("c{number}"),
            name: Some(format!("Class {}", number % 5)),
            subject: None,
            teachers: Vec::new(),
            mains: 1,
        });
    })?;
    others_teach(school)
}

pub(super) fn others_teach(school: &mut School) -> Option<()> {
    let teachers: Vec<String> = (0..school.random.below(4))
        .filter_map(|_| Some(one_who(school, |_| true)?.said.wonde_id.clone()))
        .collect();
    let at = school.random.below(school.classes.len().max(1));
    let mains = school.random.below(3);
    let class = school.classes.get_mut(at)?;
    (class.teachers, class.mains) = (teachers, mains);
    Some(())
}

pub(super) fn class_changes(school: &mut School) -> Option<()> {
    let at = school.random.below(school.classes.len().max(1));
    let number = school.random.below(5);
    let subject = school.random.below(4);
    let subject = school.subjects.get(subject).map(|(wonde_id, _)| wonde_id.clone());
    let class = school.classes.get_mut(at)?;
    class.name = (number > 0).then(|| format!("Class {number}"));
    class.subject = subject;
    Some(())
}

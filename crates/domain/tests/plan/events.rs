//! What can happen to a school, in its MIS and in iP.

mod in_ip;
mod in_mis;

use mis_sync_domain::{DepartmentId, JobTitle, line_manager::HierarchyLists, plan::Ref};
use uuid::Uuid;

use self::{
    in_ip::{account, edit},
    in_mis::a_person,
};
use crate::school::{School, email};

type Event = fn(&mut School) -> Option<()>;

/// How often each event happens, and its name.
const EVENTS: [(usize, &str, Event); 38] = [
    (4, "joins", in_mis::joins),
    (4, "leaves", in_mis::leaves),
    (3, "comes back", in_mis::comes_back),
    (4, "is renumbered", in_mis::renumbered),
    (1, "all are renumbered", in_mis::all_renumbered),
    (3, "gets a second record", in_mis::second_record),
    (3, "an id is recycled", in_mis::recycled_id),
    (4, "is in the list but not imported", in_mis::hidden),
    (5, "is whole again", in_mis::whole_again),
    (5, "new address", |school| {
        let address = school.fresh_address();
        a_person(school)?.said.email = address;
        Some(())
    }),
    (3, "address of a colleague", |school| {
        let address = a_person(school)?.said.email.clone();
        a_person(school)?.said.email = address;
        Some(())
    }),
    (3, "addresses swapped", in_mis::addresses_swapped),
    (2, "address that iP knows", in_mis::address_of_ip),
    (1, "address of another school", |school| {
        let address = school.held.logins.elsewhere.iter().min()?.clone();
        a_person(school)?.said.email = email(&address);
        Some(())
    }),
    (1, "address in another case", |school| {
        let said = &mut a_person(school)?.said;
        said.email = email(&said.email.as_ref().unwrap().as_str().to_uppercase());
        Some(())
    }),
    (3, "another forename", |school| {
        let name = school.first_name();
        let said = &mut a_person(school)?.said;
        said.first_name = if said.surname.is_empty() { "Eve".into() } else { name };
        Some(())
    }),
    (3, "another surname", |school| {
        let name = school.surname();
        let said = &mut a_person(school)?.said;
        said.surname = if said.first_name.is_empty() { "Fir".into() } else { name };
        Some(())
    }),
    (3, "another UPI", in_mis::other_upi),
    (2, "other initials", |school| {
        let initials = school.random.percent(70).then(|| format!("I{}", school.random.below(3)));
        a_person(school)?.said.initials = initials;
        Some(())
    }),
    (4, "other roles", |school| {
        let title = match school.random.below(4) {
            0 => JobTitle::NotDelivered,
            1 => JobTitle::Empty,
            number => JobTitle::Roles(format!("Role {number}")),
        };
        a_person(school)?.said.job_title = title;
        Some(())
    }),
    (2, "teaches or not", |school| {
        let said = [None, Some(false), Some(true)][school.random.below(3)];
        a_person(school)?.said.non_teaching = said;
        Some(())
    }),
    (5, "another manager", |school| {
        let manager = a_person(school)?.said.wonde_id.clone();
        let manager = match school.random.below(8) {
            0 => None,
            1 => Some("nobody".to_owned()),
            _ => Some(manager),
        };
        a_person(school)?.manager = manager;
        Some(())
    }),
    (3, "another photo", |school| {
        let number = school.random.below(4);
        a_person(school)?.photo = (number > 0).then(|| format!("photo{number}"));
        Some(())
    }),
    (1, "lists point the other way", |school| {
        school.lists = match school.lists {
            HierarchyLists::Managers => HierarchyLists::Reports,
            HierarchyLists::Reports => HierarchyLists::Managers,
        };
        Some(())
    }),
    (3, "a class begins", in_mis::class_begins),
    (4, "others teach a class", in_mis::others_teach),
    (2, "a class changes", in_mis::class_changes),
    (1, "a class ends", |school| {
        let at = school.random.below(school.classes.len().max(1));
        (at < school.classes.len()).then(|| drop(school.classes.remove(at)))
    }),
    (2, "a subject begins", |school| {
        let number = school.fresh();
        (school.subjects.len() < 3).then(|| {
            school.subjects.push((format!("s{number}"), format!("Subject {number}")));
        })
    }),
    (1, "a subject ends", |school| {
        let at = school.random.below(school.subjects.len().max(1));
        (at < school.subjects.len()).then(|| drop(school.subjects.remove(at)))
    }),
    (3, "field edited in iP", in_ip::field_edited),
    (2, "login edited in iP", in_ip::login_edited),
    (2, "let in or shut out in iP", |school| {
        let at = account(school)?;
        let address = school.held.people[at].person.email.clone();
        let is_held = school.is_held(&address);
        edit(school, at, |person| person.active = !person.active && !is_held)
    }),
    (2, "account made in iP", in_ip::account_made),
    (6, "a person decides", in_ip::decided),
    (2, "logs in for the first time", |school| {
        let at = account(school)?;
        school.held.people[at].password_reset_required = false;
        Some(())
    }),
    (2, "linked with a class by hand", |school| {
        let staff_id = account(school).map(|at| school.held.people[at].id)?;
        let at = school.random.below(school.held.classes.len().max(1));
        let class = school.held.classes.get_mut(at)?;
        class.links.retain(|link| link.staff != Ref::Known(staff_id));
        class.by_hand.insert(staff_id);
        Some(())
    }),
    (1, "another school has a person, or a department", |school| {
        let number = school.fresh();
        let staff_id = account(school).map(|at| school.held.people[at].id)?;
        let department = DepartmentId(Uuid::from_u128(u128::from(number)));
        school.held.departments.push((department, staff_id));
        school.held.logins.elsewhere.insert(format!("z{number}@elm.example"));
        Some(())
    }),
];

/// Makes something possible happen, and returns what it was.
pub(crate) fn something_happens(school: &mut School) -> &'static str {
    let all: usize = EVENTS.iter().map(|event| event.0).sum();
    loop {
        let mut ticket = school.random.below(all);
        for (weight, name, event) in EVENTS {
            if ticket < weight {
                if event(school).is_some() {
                    return name;
                }
                break;
            }
            ticket -= weight;
        }
    }
}

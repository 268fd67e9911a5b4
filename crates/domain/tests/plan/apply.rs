//! Applies a plan in memory, as the store writes it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    ClassId, RecordOutcome, StaffId, SubjectId,
    plan::{
        Account, ChangedGroup, Difference, Fetched, Group, GroupFields, Held, Link, NewGroup,
        NewIds, Person, Plan, Ref,
    },
};
use uuid::Uuid;

/// The id that always belongs to a name.
pub(crate) fn id(name: &str) -> StaffId {
    StaffId(uuid(name))
}

fn uuid(name: &str) -> Uuid {
    Uuid::from_u128(name.bytes().fold(0, |number, byte| number << 8 | u128::from(byte)))
}

/// Ids of the records that a plan creates.
pub(crate) fn new_ids(plan: &Plan, now: DateTime<Utc>) -> NewIds {
    let stamp = now.timestamp() / 60 % 1_000_000;
    let person = |one: &Person| id(&format!("{stamp}{}", one.wonde_id.as_deref().unwrap_or("")));
    NewIds {
        people: plan.created.iter().map(person).collect(),
        subjects: plan.subjects.new.iter().map(|one| SubjectId(uuid(&one.wonde_id))).collect(),
        classes: plan.classes.new.iter().map(|one| ClassId(uuid(&one.wonde_id))).collect(),
    }
}

/// iP's record once the plan is written.
pub(crate) fn apply(held: &Held, fetched: &Fetched, plan: &Plan, now: DateTime<Utc>) -> Held {
    let mut held = held.clone();
    let NewIds { people, subjects, .. } = new_ids(plan, now);
    let staff = |who: Ref<StaffId>| match who {
        Ref::New(at) => Ref::Known(people[at]),
        known @ Ref::Known(_) => known,
    };
    let person = |person: &Person| {
        let line_manager = person.line_manager.map(staff);
        Person { line_manager, ..person.clone() }
    };
    for changed in &plan.changed {
        let account = held.people.iter_mut().find(|one| one.id == changed.id).unwrap();
        assert!(account.person == changed.before && account.version == changed.version);
        account.person = person(&changed.after);
        account.email_key = account.person.email.to_lowercase();
        account.version += 1;
        account.updated_at = now;
        account.password_reset_required |= changed.new_password.is_some();
    }
    for (id, new) in people.iter().zip(&plan.created) {
        held.people.push(Account {
            id: *id,
            version: 1,
            person: person(new),
            email_key: new.email.to_lowercase(),
            password_reset_required: true,
            read_at: None,
            updated_at: now,
        });
    }
    held.people.sort_by_key(|account| account.id);
    let missed: BTreeSet<StaffId> = plan.missed.iter().copied().collect();
    for account in &mut held.people {
        let is_read = if fetched.is_full {
            account.person.wonde_id.is_some() && !missed.contains(&account.id)
        } else {
            plan.read.contains(&account.id)
        };
        if is_read {
            account.read_at = account.read_at.max(Some(fetched.started_at));
        }
    }
    let subject = |of: Ref<SubjectId>| match of {
        Ref::New(at) => Ref::Known(subjects[at]),
        known @ Ref::Known(_) => known,
    };
    let fields = |fields: &GroupFields| GroupFields {
        subject: fields.subject.map(subject),
        ..fields.clone()
    };
    let links = |links: &[Link]| {
        links.iter().map(|link| Link { staff: staff(link.staff), ..*link }).collect::<Vec<_>>()
    };
    write(&mut held.subjects, &plan.subjects, SubjectId, fields, links);
    write(&mut held.classes, &plan.classes, ClassId, fields, links);
    for change in &plan.departments {
        let assignment = (change.department, change.staff_id);
        held.departments.retain(|one| *one != assignment);
        if !change.leaves {
            held.departments.push(assignment);
        }
    }
    held.aliases.retain(|(alias, _)| {
        let is_new = plan.new_aliases.iter().any(|(new, _)| new == alias);
        !is_new && !plan.forgotten_aliases.contains(alias)
    });
    let new = plan.new_aliases.iter();
    held.aliases.extend(new.filter_map(|(alias, who)| Some((alias.clone(), staff(*who).known()?))));
    held.aliases.sort();
    held.decisions.retain(|one| !plan.used_decisions.contains(&one.wonde_id));
    for wonde_id in &plan.sightings.gone {
        held.evidence.get_mut(wonde_id).unwrap().outcome = RecordOutcome::Gone;
    }
    for (wonde_id, seen) in &plan.sightings.seen {
        let mut seen = seen.clone();
        seen.staff = seen.staff.map(staff);
        held.evidence.insert(wonde_id.clone(), seen);
    }
    held.hierarchy_lists = plan.hierarchy_lists.or(held.hierarchy_lists);
    held
}

fn write<Id: Copy + Ord>(
    held: &mut Vec<Group<Id>>,
    difference: &Difference<Id>,
    new_id: fn(Uuid) -> Id,
    fields: impl Fn(&GroupFields) -> GroupFields,
    links: impl Fn(&[Link]) -> Vec<Link>,
) {
    for ChangedGroup { before, fields: after, links: who } in &difference.changed {
        let group = held.iter_mut().find(|one| one.id == before.id).unwrap();
        assert!(group == before);
        group.version += 1;
        group.fields = fields(after);
        if let Some(who) = who {
            group.links = links(who);
            group.places = (0..).zip(who).map(|(place, _)| place).collect();
        }
    }
    for NewGroup { wonde_id, fields: new, links: who } in &difference.new {
        held.push(Group {
            id: new_id(uuid(wonde_id)),
            version: 1,
            wonde_id: wonde_id.clone(),
            fields: fields(new),
            links: links(who),
            places: (0..).zip(who).map(|(place, _)| place).collect(),
            by_hand: std::collections::HashSet::default(),
        });
    }
    held.sort_by_key(|group| group.id);
}

/// What must be true of every school, whatever has happened.
pub(crate) fn check(held: &Held) {
    let mut logins: HashMap<&str, StaffId> = HashMap::new();
    let mut records: HashMap<&str, StaffId> = HashMap::new();
    for account in &held.people {
        assert!(account.person.email.contains('@'), "a person without a login");
        let other = account.person.active.then(|| logins.insert(&account.email_key, account.id));
        assert_eq!(other.flatten(), None, "a login is held twice");
        let wonde_id = account.person.wonde_id.as_deref();
        let other = wonde_id.and_then(|wonde_id| records.insert(wonde_id, account.id));
        assert_eq!(other, None, "a record is of two people");
    }
    for groups in held.classes.iter().map(|class| (&class.links, &class.by_hand)) {
        let (links, by_hand) = groups;
        let who: BTreeSet<_> = links.iter().map(|link| link.staff).collect();
        assert_eq!(who.len(), links.len(), "a person is linked twice");
        assert!(by_hand.iter().all(|one| !who.contains(&Ref::Known(*one))), "by hand and not");
    }
}

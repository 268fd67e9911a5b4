//! What a plan does can be undone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mis_sync_domain::{
    ChangedField, StaffId,
    plan::{Conflict, Fetched, Group, GroupFields, Held, Link, Past, Person, undo},
};

use crate::{
    algebra::Case,
    apply::{apply, check, new_ids},
};

impl Case<'_> {
    /// After an undo everything is as before, and new accounts are closed. Only if a new person has
    /// the id of another one, who cannot get it back, is nothing undone.
    pub(crate) fn can_be_taken_back(&self) {
        let ids = new_ids(self.plan, self.now);
        let changes = self.plan.changes(&ids);
        let history: Vec<Past> =
            changes.into_iter().map(|change| Past { change, later: None }).collect();
        let mut after = self.after.clone();
        let spelt = self.held.people.iter().map(|one| &one.person.email);
        after.logins.keys.extend(spelt.map(|email| (email.clone(), email.to_lowercase())));
        let plan = match undo(&after, &history) {
            Ok(plan) => plan,
            Err(conflicts) => {
                let is_expected = |one: &Conflict| one.field == ChangedField::WondeId;
                assert!(conflicts.iter().all(is_expected), "{conflicts:?}");
                assert!(!ids.people.is_empty());
                return;
            }
        };
        let back = apply(&after, &Fetched::default(), &plan, self.now);
        check(&back);
        let expected = people(self.held);
        for (id, person) in people(&back) {
            match expected.get(&id) {
                Some(before) => assert!(person == *before, "{id} is another person"),
                None => assert!(!person.active && ids.people.contains(&id)),
            }
        }
        are_as_they_were(&self.held.classes, &back.classes);
        are_as_they_were(&self.held.subjects, &back.subjects);
        let departments = |held: &Held| held.departments.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(departments(&back), departments(self.held));
        assert_eq!(plan.report.created, 0);
    }
}

/// What the history shows of everyone.
fn people(held: &Held) -> BTreeMap<StaffId, Person> {
    let person = |person: &Person| Person { mis: None, ..person.clone() };
    held.people.iter().map(|account| (account.id, person(&account.person))).collect()
}

fn are_as_they_were<Id: Copy + Eq + std::hash::Hash>(before: &[Group<Id>], back: &[Group<Id>]) {
    let before: HashMap<Id, (&GroupFields, &[Link])> =
        before.iter().map(|one| (one.id, (&one.fields, one.links.as_slice()))).collect();
    for group in back {
        match before.get(&group.id) {
            Some(before) => assert!((&group.fields, group.links.as_slice()) == *before),
            None => assert!(!group.fields.active),
        }
    }
}

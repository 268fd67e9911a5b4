//! Reverses what a job changed: the inverse of its change history, as a plan.
//!
//! No person is deleted: people that the job created can no longer log in, and classes and subjects
//! that it created are archived. If iP has changed since, nothing is reversed at all.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    ChangedPerson, Plan,
    changes::{Names, NewIds},
    counts,
    departments::DepartmentChange,
    held::{Account, Group, GroupFields, Held, Link, Person, Ref},
    lookup,
    teaching::{Changed, Difference},
};
use crate::{Change, ChangedField, ChangedRecord, DepartmentId, JobId, StaffId, SubjectId};

/// A line of a change history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The change that the job made.
    pub change: Change,
    /// The last job that changed the same field afterwards.
    pub later: Option<JobId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    pub record: ChangedRecord,
    pub field: ChangedField,
    /// The job that changed it last; `None` if a person changed it by hand, or if the earlier value
    /// is in use or gone.
    pub job_id: Option<JobId>,
}

/// Reverses a whole history, or nothing, and says why not. `held` has everyone of the school, and
/// its classes and subjects if the history is about any.
pub fn undo(held: &Held, history: &[Past]) -> Result<Plan, Vec<Conflict>> {
    let people = held.people.iter().map(|account| (account.id, account)).collect();
    let names = Names { plan: &Plan::default(), ids: &NewIds::default() };
    let mut undo = Undo { held, people, names, conflicts: Vec::new() };
    let mut plan = Plan {
        changed: undo.people(history),
        departments: undo.departments(history),
        subjects: undo.groups(&held.subjects, history, |record| match record {
            ChangedRecord::Subject(id) => id,
            _ => None,
        }),
        classes: undo.groups(&held.classes, history, |record| match record {
            ChangedRecord::Class(id) => id,
            _ => None,
        }),
        ..Plan::default()
    };
    undo.look_for_what_is_taken(&plan.changed);
    plan.report = counts::of_undo(&plan);
    if undo.conflicts.is_empty() { Ok(plan) } else { Err(undo.conflicts) }
}

struct Undo<'a> {
    held: &'a Held,
    people: HashMap<StaffId, &'a Account>,
    names: Names<'a>,
    conflicts: Vec<Conflict>,
}

impl<'a> Undo<'a> {
    fn people(&mut self, history: &[Past]) -> Vec<ChangedPerson> {
        let mut after: BTreeMap<StaffId, Person> = BTreeMap::new();
        for past in history {
            let Some(account) = self.account(past.change.record) else { continue };
            let person = after.entry(account.id).or_insert_with(|| account.person.clone());
            let field = past.change.field;
            let is_back = match field {
                ChangedField::Created => {
                    person.active = false;
                    true
                }
                // Departments are handled separately, and the old password is not kept anywhere.
                ChangedField::DepartmentId | ChangedField::PasswordResetRequired => true,
                _ => {
                    is_as_left(past, self.names.fields(&account.person))
                        && self.set(person, field, past.before())
                }
            };
            self.note(is_back, past);
        }
        let changed = after.into_iter().filter_map(|(id, after)| {
            let account = self.people[&id];
            (after != account.person).then(|| ChangedPerson {
                id,
                version: account.version,
                before: account.person.clone(),
                after,
                new_password: None,
            })
        });
        changed.collect()
    }

    fn departments(&self, history: &[Past]) -> Vec<DepartmentChange> {
        let of_departments =
            history.iter().filter(|past| past.change.field == ChangedField::DepartmentId);
        let changes = of_departments.filter_map(|past| {
            let department = past.before().or(past.left()).and_then(|id| id.parse().ok())?;
            Some(DepartmentChange {
                department: DepartmentId(department),
                staff_id: self.account(past.change.record)?.id,
                wonde_id: past.change.wonde_id.clone(),
                leaves: past.before().is_none(),
            })
        });
        changes.collect()
    }

    fn groups<Id: Copy + Ord>(
        &mut self,
        held: &[Group<Id>],
        history: &[Past],
        id: impl Fn(ChangedRecord) -> Option<Id>,
    ) -> Difference<Id> {
        let mut pasts: BTreeMap<Id, Vec<&Past>> = BTreeMap::new();
        for past in history {
            if let Some(id) = id(past.change.record) {
                pasts.entry(id).or_default().push(past);
            }
        }
        let mut difference = Difference::default();
        for group in held {
            if let Some(pasts) = pasts.remove(&group.id) {
                difference.add_back(self.group(group, &pasts));
            }
        }
        difference
    }

    fn group<Id: Copy>(&mut self, held: &Group<Id>, pasts: &[&Past]) -> Changed<Id> {
        let (mut fields, mut links) = (held.fields.clone(), held.links.clone());
        for past in pasts {
            let is_back = past.change.field == ChangedField::Created
                || is_as_left(past, self.names.group_fields(&held.fields, &held.links));
            let old = past.before();
            let is_back = is_back
                && match past.change.field {
                    ChangedField::Staff => self.link(&mut links, held, old),
                    ChangedField::MainTeachers => {
                        mark_main(&mut links, old);
                        true
                    }
                    field => self.set_group(&mut fields, field, old),
                };
            self.note(is_back, past);
        }
        let links = (links != held.links).then_some(links);
        Changed { before: held.clone(), fields, links }
    }

    /// Sets a field to its earlier value. Returns whether iP still has what the value refers to.
    fn set(&self, person: &mut Person, field: ChangedField, value: Option<&str>) -> bool {
        let text = || value.unwrap_or_default().to_owned();
        let kept = || value.map(str::to_owned);
        match field {
            ChangedField::WondeId => person.wonde_id = kept(),
            ChangedField::Upi => person.upi = kept(),
            ChangedField::Email => person.email = text(),
            ChangedField::FirstName => person.first_name = text(),
            ChangedField::Surname => person.surname = text(),
            ChangedField::Initials => person.initials = kept(),
            ChangedField::JobTitle => person.job_title = kept(),
            ChangedField::NonTeaching => person.non_teaching = value == Some("true"),
            ChangedField::Active => person.active = value == Some("true"),
            ChangedField::PhotoHash => person.photo_hash = kept(),
            ChangedField::LineManagerId => {
                person.line_manager = value.and_then(|id| self.known(id)).map(Ref::Known);
                return person.line_manager.is_some() == value.is_some();
            }
            _ => return false,
        }
        true
    }

    fn set_group(&self, group: &mut GroupFields, field: ChangedField, value: Option<&str>) -> bool {
        match field {
            ChangedField::Created => group.active = false,
            ChangedField::Name => value.unwrap_or_default().clone_into(&mut group.name),
            ChangedField::Code => group.code = value.map(str::to_owned),
            ChangedField::Description => group.description = value.map(str::to_owned),
            ChangedField::Active => group.active = value == Some("true"),
            ChangedField::SubjectId => {
                let id = value.and_then(|id| id.parse().ok()).map(SubjectId);
                let known = id.filter(|id| self.held.subjects.iter().any(|one| one.id == *id));
                group.subject = known.map(Ref::Known);
                return group.subject.is_some() == value.is_some();
            }
            _ => return false,
        }
        true
    }

    /// Links the people of a list again. Returns whether iP has all of them. People linked by hand
    /// stay linked.
    fn link<Id>(&self, links: &mut Vec<Link>, held: &Group<Id>, people: Option<&str>) -> bool {
        let ids: Vec<&str> = listed(people).collect();
        let known: Vec<StaffId> = ids.iter().filter_map(|id| self.known(id)).collect();
        let is_main =
            |id| held.links.iter().any(|link| link.staff == Ref::Known(id) && link.is_main);
        *links = known
            .iter()
            .filter(|id| !held.by_hand.contains(id))
            .map(|id| Link { staff: Ref::Known(*id), is_main: is_main(*id) })
            .collect();
        known.len() == ids.len()
    }

    /// Logins and Wonde ids that people would get back but another person has now. A person that
    /// the job created becomes inactive and gives up the login, but keeps the id.
    fn look_for_what_is_taken(&mut self, changed: &[ChangedPerson]) {
        let held = self.held;
        let spelt = lookup::spelt(held);
        let key = |email| lookup::key(held, &spelt, email);
        let after: HashMap<StaffId, &Person> =
            changed.iter().map(|one| (one.id, &one.after)).collect();
        let people =
            || held.people.iter().map(|one| after.get(&one.id).copied().unwrap_or(&one.person));
        let active = people().filter(|person| person.active);
        let taken_logins = twice(active.map(|person| key(person.email.as_str())));
        let taken_records = twice(people().filter_map(|person| person.wonde_id.as_deref()));
        for ChangedPerson { id, before, after, .. } in changed {
            let mut conflict = |field| {
                let record = ChangedRecord::Staff(Some(*id));
                self.conflicts.push(Conflict { record, field, job_id: None });
            };
            let is_other_email = before.email != after.email;
            let gets_login = after.active && (is_other_email || !before.active);
            let login = key(after.email.as_str());
            if gets_login && (taken_logins.contains(login) || held.logins.elsewhere.contains(login))
            {
                conflict(if is_other_email { ChangedField::Email } else { ChangedField::Active });
            }
            let record = after.wonde_id.as_deref().filter(|_| before.wonde_id != after.wonde_id);
            if record.is_some_and(|record| taken_records.contains(record)) {
                conflict(ChangedField::WondeId);
            }
        }
    }

    /// The account that a line is about; `None` if it is not about a person, or iP no longer has
    /// them.
    fn account(&self, record: ChangedRecord) -> Option<&'a Account> {
        let ChangedRecord::Staff(Some(id)) = record else { return None };
        self.people.get(&id).copied()
    }

    fn known(&self, id: &str) -> Option<StaffId> {
        id.parse().ok().map(StaffId).filter(|id| self.people.contains_key(id))
    }

    fn note(&mut self, is_back: bool, past: &Past) {
        if !is_back {
            let Change { record, field, .. } = past.change;
            self.conflicts.push(Conflict { record, field, job_id: past.later });
        }
    }
}

impl Past {
    fn before(&self) -> Option<&str> {
        self.change.old.as_ref().map(crate::FieldValue::as_str)
    }

    fn left(&self) -> Option<&str> {
        self.change.new.as_ref().map(crate::FieldValue::as_str)
    }
}

/// The values that occur more than once.
fn twice<'a>(all: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    all.filter(|one| !seen.insert(*one)).collect()
}

/// Whether the field is still as the job left it.
fn is_as_left(
    past: &Past,
    values: impl IntoIterator<Item = (ChangedField, Option<String>)>,
) -> bool {
    let mut values = values.into_iter();
    let now = values.find(|(field, _)| *field == past.change.field).and_then(|(_, value)| value);
    past.later.is_none() && now.as_deref() == past.left()
}

fn mark_main(links: &mut [Link], main: Option<&str>) {
    let main: Vec<StaffId> = listed(main).filter_map(|id| id.parse().ok().map(StaffId)).collect();
    for link in links {
        link.is_main = link.staff.known().is_some_and(|id| main.contains(&id));
    }
}

fn listed(people: Option<&str>) -> impl Iterator<Item = &str> {
    people.into_iter().flat_map(|people| people.split(','))
}

#[cfg(test)]
mod tests;

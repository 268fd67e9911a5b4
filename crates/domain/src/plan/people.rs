//! The new values of each person: who owns each field, who is new, who is linked to another record.

use std::collections::{HashMap, HashSet};

use super::{
    held::{MisValues, Person, Said},
    lookup::{Lookup, Place},
    matching::Match,
};
use crate::{GuardCategory, JobTitle, StaffRecord};

/// A person who is or will be in iP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Held(Place),
    New(usize),
}

/// The future values of people, so far.
#[derive(Default)]
pub(super) struct Outcome {
    /// Known people who change, or may change.
    pub(super) changed: HashMap<Place, Person>,
    /// New people, in the order of the list.
    pub(super) new: Vec<Person>,
    /// Which record created which new person.
    pub(super) new_of: HashMap<usize, usize>,
    /// Records that were applied.
    pub(super) applied: HashSet<usize>,
}

impl Outcome {
    /// A person's future values.
    pub(super) fn of<'b>(&'b self, lookup: &Lookup<'b>, place: Place) -> &'b Person {
        self.changed.get(&place).unwrap_or_else(|| &lookup.account(place).person)
    }

    pub(super) fn of_any<'b>(&'b self, lookup: &Lookup<'b>, who: Who) -> &'b Person {
        match who {
            Who::Held(place) => self.of(lookup, place),
            Who::New(at) => &self.new[at],
        }
    }

    /// A known person, for editing.
    pub(super) fn edit(&mut self, lookup: &Lookup<'_>, place: Place) -> &mut Person {
        self.changed.entry(place).or_insert_with(|| lookup.account(place).person.clone())
    }

    /// A person who is or will be in iP, for editing.
    pub(super) fn edit_any(&mut self, lookup: &Lookup<'_>, who: Who) -> &mut Person {
        match who {
            Who::Held(place) => self.edit(lookup, place),
            Who::New(at) => &mut self.new[at],
        }
    }

    /// The person of a record, once it is applied.
    pub(super) fn whose(&self, matches: &[Match<'_>], record: usize) -> Option<Who> {
        let new = || self.new_of.get(&record).copied().map(Who::New);
        matches[record].person.map(Who::Held).or_else(new)
    }
}

/// If no one in a full list has a role although people had roles before, access was withdrawn, and
/// job titles stay.
pub(super) fn roles_are_withheld(of: &Lookup<'_>, matches: &[Match<'_>]) -> bool {
    let gave_one = |one: &Match<'_>| {
        one.person.is_some_and(|place| {
            let mis = of.account(place).person.mis.as_ref();
            mis.is_some_and(|mis| matches!(mis.job_title, Some(Said(Some(_)))))
        })
    };
    of.fetched.is_full
        && of.fetched.staff.iter().all(|(_, said)| said.job_title.as_deref().is_none())
        && matches.iter().any(gave_one)
}

/// Applies the records and the decisions, and deactivates the leavers.
pub(super) fn apply(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    leavers: &HashSet<Place>,
    roles_withheld: bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    for place in leavers {
        outcome.edit(of, *place).active = false;
    }
    unlink(of, matches, &mut outcome);
    for (at, one) in matches.iter().enumerate().filter(|(_, one)| one.is_imported()) {
        let said = of.records[at].said;
        match one.person {
            None => {
                outcome.new_of.insert(at, outcome.new.len());
                outcome.new.push(target(of, one, said, None, roles_withheld));
                outcome.applied.insert(at);
            }
            Some(place) if of.was_read_later(of.account(place)) => {}
            Some(place) => {
                // The values without an id that belongs to someone else.
                let kept = outcome.of(of, place);
                let person = target(of, one, said, Some(kept), roles_withheld);
                if person != *kept {
                    outcome.changed.insert(place, person);
                }
                outcome.applied.insert(at);
            }
        }
    }
    outcome
}

/// Removes ids from people whose record belongs to someone else, as a person decided. Their account
/// stays, without a record.
fn unlink(of: &Lookup<'_>, matches: &[Match<'_>], outcome: &mut Outcome) {
    for (record, one) in of.records.iter().zip(matches).filter(|(_, one)| one.is_imported()) {
        let Some(place) = of.linked.get(record.said.wonde_id.as_str()).copied() else { continue };
        if one.person == Some(place) {
            continue;
        }
        let has_same_upi = of.account(place).person.upi == record.said.upi;
        let person = outcome.edit(of, place);
        person.wonde_id = None;
        if has_same_upi {
            person.upi = None;
        }
    }
}

/// The new values of the person. `None` in a field of the record means that the MIS did not say, so
/// iP's value stays. A new person gets everything that the MIS delivers.
fn target(
    of: &Lookup<'_>,
    one: &Match<'_>,
    said: &StaffRecord,
    held: Option<&Person>,
    roles_withheld: bool,
) -> Person {
    let owned = of.rules.sync.owned;
    let is_new = held.is_none();
    let kept = held.cloned().unwrap_or_else(|| Person { active: true, ..Person::default() });
    let keeps_email = !is_new && of.leaves_out(GuardCategory::EmailsChanged);
    let joined = one.joined.as_ref();
    let title =
        joined.and_then(|joined| joined.job_title.as_deref()).or_else(|| said.job_title.as_deref());
    let says_title =
        said.job_title != JobTitle::NotDelivered && !roles_withheld && !one.has_more_records;
    let keeps_title = title.is_none() && of.leaves_out(GuardCategory::JobTitlesEmptied);
    // If not all of a person's records were read, the others may say that they teach.
    let non_teaching = joined
        .and_then(|joined| joined.non_teaching)
        .or(said.non_teaching)
        .filter(|_| !one.has_more_records);
    let mut mis = kept.mis.clone().unwrap_or_default();
    mis.follow(said, non_teaching);
    if says_title {
        mis.job_title = Some(Said(title.map(str::to_owned)));
    }
    Person {
        wonde_id: Some(said.wonde_id.clone()),
        upi: said.upi.clone().or(kept.upi),
        email: match &said.email {
            Some(email) if !keeps_email => email.as_str().to_owned(),
            _ => kept.email,
        },
        first_name: or_kept(&said.first_name, kept.first_name),
        surname: or_kept(&said.surname, kept.surname),
        initials: match &said.initials {
            Some(initials) if is_new || owned.initials => Some(initials.clone()),
            _ => kept.initials,
        },
        job_title: if (is_new || owned.job_title) && says_title && !keeps_title {
            title.map(str::to_owned)
        } else {
            kept.job_title
        },
        non_teaching: non_teaching.unwrap_or(kept.non_teaching),
        active: kept.active || of.rules.sync.restores,
        line_manager: kept.line_manager,
        photo_hash: kept.photo_hash,
        mis: Some(mis),
    }
}

/// A name that the MIS lacks stays as it is in iP.
fn or_kept(said: &str, kept: String) -> String {
    if said.is_empty() { kept } else { said.to_owned() }
}

impl MisValues {
    /// Takes what a record says. What it does not say stays.
    fn follow(&mut self, said: &StaffRecord, non_teaching: Option<bool>) {
        let name = |said: &String| Some(said.clone()).filter(|said| !said.is_empty());
        self.email = said.email.clone().map(String::from).or(self.email.take());
        self.first_name = name(&said.first_name).or(self.first_name.take());
        self.surname = name(&said.surname).or(self.surname.take());
        self.initials = said.initials.clone().or(self.initials.take());
        self.non_teaching = non_teaching.or(self.non_teaching);
    }
}

#[cfg(test)]
mod tests;

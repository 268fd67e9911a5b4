//! What the run saw of everyone in the MIS: evidence for *explain*. No sync uses it for a decision.

use std::collections::{HashMap, HashSet};

use super::{
    fetched::LeftOut,
    held::{Evidence, Ref},
    lookup::Lookup,
    matching::Match,
    people::{Outcome, Who},
};
use crate::{MatchedBy, RecordOutcome, StaffId, employment::Standing};

/// The evidence that differs from the last run's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// Records by Wonde id, each with its evidence.
    pub seen: Vec<(String, Evidence)>,
    /// Wonde ids of records that are no longer in the list.
    pub gone: Vec<String>,
}

/// The evidence of every record in the list, including those that the mapping left out, and the
/// records that are gone. As with leavers, an empty list proves no absence, and neither does a list
/// with a record that could be anyone's. A person who is active in iP counts as gone only if their
/// absence was checked.
pub(super) fn sightings(of: &Lookup<'_>, matches: &[Match<'_>], outcome: &Outcome) -> Sightings {
    let id_of = |who: Who| match who {
        Who::Held(place) => Ref::Known(of.account(place).id),
        Who::New(at) => Ref::New(at),
    };
    // A further record of someone new leads to them through the first record.
    let leading = |one: &Match<'_>| one.leads_to.as_deref().and_then(|id| of.listed_staff.get(id));
    let mut seen: HashMap<&str, Evidence> = HashMap::new();
    for person in &of.fetched.left_out {
        seen.insert(&person.wonde_id, of_left_out(of, person));
    }
    for (at, (record, one)) in of.records.iter().zip(matches).enumerate() {
        let who = outcome.whose(matches, *leading(one).unwrap_or(&at));
        let staff = one.person.map(Who::Held).or(who).map(id_of);
        seen.insert(&record.said.wonde_id, of_record(of, record.said, one, staff));
    }
    let mut sightings = Sightings { gone: gone(of, &seen, outcome), ..Sightings::default() };
    for (wonde_id, evidence) in seen {
        let held = of.held.evidence.get(wonde_id);
        let evidence = evidence.with_what_was_known(held);
        if held != Some(&evidence) {
            sightings.seen.push((wonde_id.to_owned(), evidence));
        }
    }
    sightings.seen.sort_by(|(one, _), (other, _)| one.cmp(other));
    sightings
}

fn of_record<'a>(
    of: &Lookup<'a>,
    said: &'a crate::StaffRecord,
    one: &Match<'_>,
    staff: Option<Ref<StaffId>>,
) -> Evidence {
    let by_leading = one.leads_to.as_ref().map(|_| MatchedBy::WondeId);
    Evidence {
        upi: said.upi.clone(),
        email_key: said.email.as_ref().map(|email| of.key(email.as_str()).to_owned()),
        standing: Standing::Current,
        starts_on: None,
        ends_on: None,
        teaching: said.non_teaching.map(|non_teaching| !non_teaching),
        outcome: one.issue.map_or(RecordOutcome::Imported, RecordOutcome::Issue),
        staff,
        matched_by: staff.map(|_| one.by.or(by_leading).unwrap_or(MatchedBy::New)),
    }
}

fn of_left_out(of: &Lookup<'_>, person: &LeftOut) -> Evidence {
    Evidence {
        upi: person.upi.clone(),
        email_key: person.email.as_deref().map(|email| of.key(email).to_owned()),
        standing: person.standing,
        starts_on: person.starts_on,
        ends_on: person.ends_on,
        teaching: person.teaching,
        outcome: person.outcome,
        staff: None,
        matched_by: None,
    }
}

impl Evidence {
    /// A known match is kept while nothing contradicts it, with the way in which it was first
    /// found.
    fn with_what_was_known(mut self, held: Option<&Self>) -> Self {
        let Some(held) = held else { return self };
        match self.staff {
            None => {
                self.staff = held.staff;
                self.matched_by = held.matched_by;
            }
            Some(_) if self.staff == held.staff && self.matched_by == Some(MatchedBy::WondeId) => {
                self.matched_by = held.matched_by.or(self.matched_by);
            }
            Some(_) => {}
        }
        self
    }
}

fn gone(of: &Lookup<'_>, seen: &HashMap<&str, Evidence>, outcome: &Outcome) -> Vec<String> {
    let active: HashSet<&str> = (0..of.held.people.len())
        .map(|place| outcome.of(of, place))
        .filter(|person| person.active)
        .filter_map(|person| person.wonde_id.as_deref())
        .collect();
    let was_looked_into = |wonde_id: &str| of.fetched.gone.employees.contains(wonde_id);
    let is_gone = |wonde_id: &str| {
        if of.fetched.is_full {
            let proves = of.fetched.counts.records > 0 && of.shows_absence();
            proves && (!active.contains(wonde_id) || was_looked_into(wonde_id))
        } else {
            was_looked_into(wonde_id)
        }
    };
    let mut gone: Vec<String> = of
        .held
        .evidence
        .iter()
        .filter(|(_, held)| held.outcome != RecordOutcome::Gone)
        .map(|(wonde_id, _)| wonde_id.as_str())
        .filter(|wonde_id| !seen.contains_key(wonde_id) && is_gone(wonde_id))
        .map(str::to_owned)
        .collect();
    gone.sort();
    gone
}

#[cfg(test)]
mod tests;

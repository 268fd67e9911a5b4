//! What people decided about possible matches.

use std::collections::{HashMap, HashSet};

use super::{
    held::Decision,
    lookup::{Lookup, Place, identity_of, identity_said},
    matching::Match,
    people::Outcome,
};
use crate::{
    MatchedBy, StaffId, StaffRecord,
    identity::{Identity, is_doubtful},
};

/// Decisions that this list can follow, by the Wonde ids of the records; `None` for someone new.
pub(super) type Decided<'a> = HashMap<&'a str, Option<StaffId>>;

/// The decisions that count. A decision counts while the record is the one that it was made about.
/// If iP already knows whose record it is, that counts, unless it is in doubt.
pub(super) fn decided<'a>(of: &Lookup<'a>) -> Decided<'a> {
    let is_listed = |decision: &&Decision| of.listed_staff.contains_key(decision.wonde_id.as_str());
    let about: Vec<&'a Decision> = of.held.decisions.iter().filter(is_listed).collect();
    let is_contradicted = |decision: &Decision| {
        decision.staff_id.is_some()
            && about.iter().filter(|other| other.staff_id == decision.staff_id).count() > 1
    };
    let counts = |decision: &&Decision| {
        let said = without_initials(identity_said(said_by(of, decision)));
        let is_another = decision.shown.as_ref().is_some_and(|[first_name, surname, email]| {
            is_doubtful(
                MatchedBy::WondeId,
                &Identity { first_name, surname, email, initials: None },
                &said,
            )
        });
        let is_known = of.linked.get(decision.wonde_id.as_str()).is_some_and(|place| {
            let held = without_initials(identity_of(of.account(*place)));
            !is_doubtful(MatchedBy::WondeId, &held, &said)
        });
        !is_another && !is_known && !is_contradicted(decision)
    };
    about
        .iter()
        .copied()
        .filter(counts)
        .map(|decision| (decision.wonde_id.as_str(), decision.staff_id))
        .collect()
}

/// The decisions of `decided` that can be followed. If the person is on the list under another id,
/// that id counts.
pub(super) fn to_follow<'a>(
    of: &Lookup<'a>,
    decided: &Decided<'a>,
) -> HashMap<&'a str, Option<Place>> {
    let followed = |(wonde_id, staff_id): (&&'a str, &Option<StaffId>)| {
        let Some(staff_id) = staff_id else { return Some((*wonde_id, None)) };
        let place = *of.by_id.get(staff_id)?;
        let is_free = match of.account(place).person.wonde_id.as_deref() {
            None => true,
            Some(held) => held == *wonde_id || !of.listed_staff.contains_key(held),
        };
        is_free.then_some((*wonde_id, Some(place)))
    };
    decided.iter().filter_map(followed).collect()
}

/// Decisions about records that are applied, even if these now belong to someone else.
pub(super) fn used_up(of: &Lookup<'_>, outcome: &Outcome) -> Vec<String> {
    let is_applied = |decision: &&Decision| {
        let at = of.listed_staff.get(decision.wonde_id.as_str());
        at.is_some_and(|at| outcome.applied.contains(at))
    };
    let used_up = of.held.decisions.iter().filter(is_applied);
    used_up.map(|decision| decision.wonde_id.clone()).collect()
}

/// Accounts in doubt that pass to another person because of a decision.
pub(super) fn passed_on(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    outcome: &Outcome,
) -> HashSet<Place> {
    let passed_on = |decision: &Decision| {
        let at = *of.listed_staff.get(decision.wonde_id.as_str())?;
        let place = matches[at].person?;
        let is_followed = decision.staff_id == Some(of.account(place).id);
        (decision.in_doubt && is_followed && outcome.applied.contains(&at)).then_some(place)
    };
    of.held.decisions.iter().filter_map(passed_on).collect()
}

fn said_by<'a>(of: &Lookup<'a>, decision: &Decision) -> &'a StaffRecord {
    of.records[of.listed_staff[decision.wonde_id.as_str()]].said
}

fn without_initials(identity: Identity<'_>) -> Identity<'_> {
    Identity { initials: None, ..identity }
}

#[cfg(test)]
mod tests;

//! A login belongs to one person: records that ask for a login in doubt are left out.
//!
//! A record asks for a login if its person does not have it yet. The login is in doubt if another
//! record of this list has the same work email, which [`matching`](super::matching) finds, or if
//! another person in iP has the login and does not give it up in this same sync, by changing it or
//! by leaving.

use std::collections::{HashMap, HashSet};

use super::{
    lookup::{Lookup, Place},
    matching::Match,
};
use crate::IssueCode;

/// Leaves out those records. Each person who is left out keeps their login, which can put another
/// record in doubt, so this repeats until nothing changes.
pub(super) fn leave_out(of: &Lookup<'_>, matches: &mut [Match<'_>], leavers: &HashSet<Place>) {
    let asking: Vec<usize> =
        (0..matches.len()).filter(|at| matches[*at].is_imported() && matches[*at].asks()).collect();
    if asking.is_empty() {
        return;
    }
    let holders: HashMap<&str, Place> = (0..of.held.people.len())
        .filter(|place| of.account(*place).person.active)
        .map(|place| (of.account_key(place), place))
        .collect();
    let mut records_of: HashMap<Place, Vec<usize>> = HashMap::new();
    for (at, one) in matches.iter().enumerate() {
        if let Some(place) = one.person {
            records_of.entry(place).or_default().push(at);
        }
    }
    loop {
        let gives_up = |place: &Place, key: &str| {
            let moves = |at: &usize| matches[*at].is_imported() && matches[*at].asks_for != key;
            leavers.contains(place)
                || records_of.get(place).is_some_and(|records| records.iter().any(moves))
        };
        let is_in_use = |at: &usize| {
            let one = &matches[*at];
            let held_here = holders
                .get(one.asks_for)
                .filter(|place| one.person != Some(**place))
                .is_some_and(|place| !gives_up(place, one.asks_for));
            one.is_imported() && (held_here || of.is_held_elsewhere(one.asks_for))
        };
        let found: Vec<usize> = asking.iter().copied().filter(is_in_use).collect();
        if found.is_empty() {
            return;
        }
        for at in found {
            matches[at].issue = Some(IssueCode::WorkEmailInUse);
        }
    }
}

#[cfg(test)]
mod tests;

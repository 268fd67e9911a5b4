//! Records without a usable work email. Such a record updates a person who is already in iP, and
//! that person keeps their login. It never creates one.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    fetched::{Fetched, Present},
    held::Held,
    lookup::{Lookup, every_record, usable_upis},
    matching::Match,
};
use crate::{IssueCode, StaffRecord};

/// Sets apart the records that can match no account: these people are present but not imported.
pub(super) fn settle<'a>(held: &Held, fetched: &'a Fetched) -> Cow<'a, Fetched> {
    if fetched.staff.iter().all(|(_, said)| said.email.is_some()) {
        return Cow::Borrowed(fetched);
    }
    let people = held.people.iter().filter_map(|account| account.person.wonde_id.as_deref());
    let decided = held.decisions.iter().filter(|decision| decision.staff_id.is_some());
    let known: HashSet<&str> =
        people.chain(decided.map(|decision| decision.wonde_id.as_str())).collect();
    let upis = usable_upis(held, fetched);
    let listed: HashSet<&str> = every_record(fetched).map(|(wonde_id, _)| wonde_id).collect();
    let is_added_again = |upi: &str| {
        let own = upis.get(upi).map(|place| held.people[*place].person.wonde_id.as_deref());
        own.is_some_and(|own| own.is_none_or(|own| !listed.contains(own)))
    };
    let may_mean_someone = |said: &StaffRecord| {
        known.contains(said.wonde_id.as_str()) || said.upi.as_deref().is_some_and(is_added_again)
    };
    let mut settled = fetched.clone();
    let (kept, apart): (Vec<_>, Vec<_>) = fetched
        .staff
        .iter()
        .cloned()
        .partition(|(_, said)| said.email.is_some() || may_mean_someone(said));
    settled.staff = kept;
    settled.counts.skipped += apart.len() as u64;
    settled.present.extend(apart.into_iter().map(|(_, said)| Present {
        wonde_id: said.wonde_id,
        upi: said.upi,
        hierarchy: said.hierarchy,
    }));
    let without: HashSet<&str> = settled
        .staff
        .iter()
        .filter(|(_, said)| said.email.is_none())
        .map(|(_, said)| said.wonde_id.as_str())
        .collect();
    settled.left_out.retain(|one| !without.contains(one.wonde_id.as_str()));
    Cow::Owned(settled)
}

/// Leaves out the records that match no account after all.
pub(super) fn leave_out(of: &Lookup<'_>, matches: &mut [Match<'_>]) {
    let codes: HashMap<&str, IssueCode> = of
        .fetched
        .issues
        .iter()
        .filter(|(_, issue)| issue.code == IssueCode::InvalidWorkEmail)
        .filter_map(|(_, issue)| Some((issue.wonde_id.as_deref()?, issue.code)))
        .collect();
    for (record, one) in of.records.iter().zip(matches) {
        if record.key.is_none() && one.person.is_none() {
            let code = codes.get(record.said.wonde_id.as_str());
            one.issue.get_or_insert(code.copied().unwrap_or(IssueCode::NoWorkEmail));
        }
    }
}

#[cfg(test)]
mod tests;

//! Matches that a person has to confirm: a key is the same, and nothing about the person agrees.
//!
//! The rule is in [`crate::identity`]. The account in doubt stays unchanged, and the record waits
//! (issue `possible_match`). An account that was made by hand, was never linked and was never used
//! to log in has no owner yet, so it cannot be in doubt.

use std::collections::HashMap;

use super::{
    candidates::{Candidate, MatchReason},
    decisions::Decided,
    lookup::{Lookup, Place, identity_of, identity_said, is_same},
    matching::Match,
};
use crate::{IssueCode, MatchedBy, identity::is_doubtful};

/// The score of a matching Wonde id or UPI alone, of 100.
const SCORE_OF_A_KEY: u8 = 30;

/// A record and an account that have only a key in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The place of the record in the list.
    pub(super) record: usize,
    pub(super) by: MatchedBy,
    pub(super) person: Place,
}

/// Finds the matches in doubt.
pub(super) fn find(of: &Lookup<'_>, whose: &[Option<(Place, MatchedBy)>]) -> Vec<Doubt> {
    let matched = whose.iter().enumerate().filter_map(|(at, one)| Some((at, (*one)?)));
    let is_in_doubt = |&(at, (place, by)): &(usize, (Place, MatchedBy))| {
        let account = of.account(place);
        let said = of.records[at].said;
        // Most people are unchanged.
        let is_plain = account.person.first_name == said.first_name && !said.first_name.is_empty();
        !is_plain
            && !account.is_untouched()
            && is_doubtful(by, &identity_of(account), &identity_said(said))
    };
    matched.filter(is_in_doubt).map(|(record, (person, by))| Doubt { record, by, person }).collect()
}

/// Leaves out the records that are in doubt and belong to no other account, and returns the people
/// that they may belong to.
pub(super) fn leave_out(
    of: &Lookup<'_>,
    matches: &mut [Match<'_>],
    doubts: &[Doubt],
    decided: &Decided<'_>,
) -> Vec<Candidate> {
    let mut meant: HashMap<Place, u32> = HashMap::new();
    // A further record belongs to the person of its leading one.
    let leading = matches.iter().filter(|one| one.leads_to.is_none());
    for place in leading.filter_map(|one| one.person) {
        *meant.entry(place).or_default() += 1;
    }
    let is_open = |doubt: &&Doubt| {
        let own = matches[doubt.record].person;
        let is_own = own == Some(doubt.person);
        let wonde_id = of.records[doubt.record].said.wonde_id.as_str();
        has_to_wait(of, doubt)
            && !decided.contains_key(wonde_id)
            && (own.is_none() || is_own)
            // A person matched by another record is not matched by this one.
            && meant.get(&doubt.person).copied().unwrap_or_default() == u32::from(is_own)
    };
    let open: Vec<Doubt> = doubts.iter().filter(is_open).copied().collect();
    for doubt in &open {
        matches[doubt.record].issue.get_or_insert(IssueCode::PossibleMatch);
    }
    open.iter().map(|doubt| candidate(of, doubt)).collect()
}

/// Whether the record waits for a decision. If the person is inactive, the mailbox was handed on:
/// they hold no login, so the record is someone new.
fn has_to_wait(of: &Lookup<'_>, doubt: &Doubt) -> bool {
    of.account(doubt.person).person.active || doubt.by != MatchedBy::WorkEmail
}

fn candidate(of: &Lookup<'_>, doubt: &Doubt) -> Candidate {
    let said = of.records[doubt.record].said;
    let account = of.account(doubt.person);
    let has_same_surname = is_same(&account.person.surname, &said.surname);
    let (reasons, score) = match (doubt.by, has_same_surname) {
        (MatchedBy::WorkEmail, true) => (vec![MatchReason::WorkEmail, MatchReason::Surname], 65),
        (MatchedBy::WorkEmail, false) => (vec![MatchReason::WorkEmail], 40),
        (MatchedBy::Upi, _) => (vec![MatchReason::Upi], SCORE_OF_A_KEY),
        (_, _) => (vec![MatchReason::WondeId], SCORE_OF_A_KEY),
    };
    Candidate { in_doubt: true, ..Candidate::new(said, account.id, score, reasons) }
}

#[cfg(test)]
mod tests;

//! Who left.

use std::collections::HashSet;

use super::{
    candidates::Candidate,
    lookup::{Lookup, Place},
    matching::Match,
};
use crate::{GuardCategory, Issue, IssueCode, StaffId};

/// Whom the school's policy deactivates.
///
/// A leaver is somebody linked and active in iP of whom the fetch says so: the full list has them,
/// but not as current staff, or a list or Wonde itself says that they are gone. Whoever is merely not
/// in the list is none, and nor is whoever is current but was left out for another reason: they, or
/// another record of theirs, are present. Whoever's record means somebody else, as a person decided,
/// has left. Nobody is a leaver by a full list that has a record so broken that nobody can say whose
/// it is, nor by one that says nothing about anybody's employment.
pub(super) fn find(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    candidates: &[Candidate],
    found: &mut Vec<Issue>,
) -> HashSet<Place> {
    let counts = of.fetched.counts;
    if counts.records > 0 && counts.employment_said == 0 {
        found.push(Issue::of_school(IssueCode::EmploymentWithheld));
        return HashSet::new();
    }
    if !of.rules.sync.deactivates || of.leaves_out(GuardCategory::Deactivated) {
        return HashSet::new();
    }
    let gone = gone(of);
    let aliases = of.aliases_of();
    let meant: HashSet<Place> = matches.iter().filter_map(|one| one.person).collect();
    let may_be_meant: HashSet<StaffId> = candidates.iter().map(|one| one.staff_id).collect();
    let has_left = |place: &Place| {
        let account = of.account(*place);
        let Some(wonde_id) = account.person.wonde_id.as_deref() else { return false };
        let others = aliases.get(&account.id).map(Vec::as_slice).unwrap_or_default();
        let is_gone = gone.contains(wonde_id) && others.iter().all(|other| gone.contains(other));
        let lost_record =
            of.listed_staff.get(wonde_id).is_some_and(|at| matches[*at].person != Some(*place));
        account.person.active
            // Whoever was read after this fetch began is as a later fetch found them.
            && !of.was_read_later(account)
            && (is_gone || lost_record)
            && !meant.contains(place)
            && !of.present.contains_key(wonde_id)
            && !others.iter().any(|other| of.present.contains_key(other))
            // A record that nobody belongs to may be theirs, under a new id.
            && !may_be_meant.contains(&account.id)
            && !of.is_present_by_upi(account)
    };
    let leavers: HashSet<Place> = (0..of.held.people.len()).filter(has_left).collect();
    match &of.fetched.alone {
        // When a school changes its MIS nobody is known by their old id, and each login would lock
        // one out: that is left to a sync, which sees the school as a whole.
        Some(alone) if of.rules.has_many_recent_leavers && !leavers.is_empty() => {
            let (code, wonde_id) = (IssueCode::LeaverLeftActive, Some(alone.wonde_id.clone()));
            found.push(Issue { code, wonde_id });
            HashSet::new()
        }
        _ => leavers,
    }
}

fn gone<'a>(of: &Lookup<'a>) -> HashSet<&'a str> {
    if of.fetched.is_full && !of.shows_absence() {
        return HashSet::new();
    }
    let said = of.fetched.gone.employees.iter().map(String::as_str);
    let not_current = of.fetched.left_out.iter().map(|record| record.wonde_id.as_str());
    said.chain(not_current.filter(|_| of.fetched.is_full)).collect()
}

#[cfg(test)]
mod tests;

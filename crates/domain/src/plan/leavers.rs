//! Who has left.

use std::collections::HashSet;

use super::{
    candidates::Candidate,
    lookup::{Lookup, Place},
    matching::Match,
};
use crate::{GuardCategory, Issue, IssueCode, StaffId};

/// The people that the school's policy deactivates.
///
/// A leaver is linked and active in iP, and the fetch says that they have left: either the full
/// list has them, but not as current staff, or a list or Wonde itself says that they are gone. A
/// person who is merely missing from the list is not a leaver, and neither is one who is current
/// but was left out for another reason. A person whose record was given to someone else by a
/// decision has left. There are no leavers if the full list has a record that could be anyone's, or
/// if it has no employment details at all.
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
            // A person who was read after this fetch began stays as that later fetch left them.
            && !of.was_read_later(account)
            && (is_gone || lost_record)
            && !meant.contains(place)
            && !of.present.contains_key(wonde_id)
            && !others.iter().any(|other| of.present.contains_key(other))
            // An unmatched record may be theirs, under a new id.
            && !may_be_meant.contains(&account.id)
            && !of.is_present_by_upi(account)
    };
    let (kept, leavers): (Vec<Place>, Vec<Place>) =
        (0..of.held.people.len()).filter(has_left).partition(|place| of.leaves_person(*place));
    found.extend(kept.into_iter().map(|place| Issue {
        code: IssueCode::PersonNotApproved,
        wonde_id: of.account(place).person.wonde_id.clone(),
    }));
    let leavers: HashSet<Place> = leavers.into_iter().collect();
    match &of.fetched.alone {
        // When a school changes its MIS, no old id is known any more, and each login would lock one
        // person out. That is left to a sync, which sees the whole school.
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

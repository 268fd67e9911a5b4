//! Who reports to whom, once everybody of the school is in iP.

use std::collections::HashSet;

use super::{
    held::Ref,
    lookup::Lookup,
    matching::Match,
    people::Who,
    roster::{Linked, Roster},
};
use crate::{
    GuardCategory, Issue, IssueCode, StaffId,
    line_manager::{self, HierarchyLists, on_a_circle},
};

/// Somebody of this list of whom the MIS says whom they report to.
struct Reporting<'a> {
    linked: &'a Linked<'a>,
    /// Wonde id of the manager.
    said: Option<&'a str>,
    /// The MIS names a manager who is not in iP.
    names_nobody: bool,
    /// Whom they shall report to, in iP.
    manager: Option<Ref<StaffId>>,
    manager_active: bool,
}

/// What becomes of line managers.
#[derive(Default)]
pub(super) struct Managers {
    /// Whom each person reports to, and whom the MIS names (by Wonde id), where either differs.
    pub(super) changed: Vec<(Who, Option<Ref<StaffId>>, Option<String>)>,
    /// What cannot be linked.
    pub(super) issues: Vec<Issue>,
    /// Which way Wonde's lists were taken to point, where this list is full.
    pub(super) seen: Option<HierarchyLists>,
}

/// Links the line managers that the MIS names. What cannot be linked is an issue of that person,
/// whose manager in iP stays as it is, unless that one is inactive; the rest is linked.
///
/// Which way Wonde's lists point is for the school's setting to say; else it is seen over a whole school
/// only, and what was seen last holds until a full list shows something else. A delta leaves managers
/// alone where the lists are of reports, because the list of one manager does not say who has another
/// one now. Where the way is not known, all managers stay as they are.
pub(super) fn link(of: &Lookup<'_>, matches: &[Match<'_>], roster: &Roster<'_>) -> Managers {
    let listings = listings(of, matches);
    let direction = match direction(of, &listings, roster) {
        Ok(direction) => direction,
        Err(code) => {
            let issues = code.map(Issue::of_school).into_iter().collect();
            return Managers { issues, ..Managers::default() };
        }
    };
    let keeps = of.leaves_out(GuardCategory::LineManagersEmptied);
    let people = who_reports_to_whom(&listings, roster, direction, keeps);
    let doubts = find_doubts(&people, roster, keeps);
    let seen = of.fetched.is_full.then_some(direction);
    let mut managers = Managers { seen, ..Managers::default() };
    for (reporting, doubt) in people.iter().zip(doubts) {
        let linked = reporting.linked;
        let after = outcome_of(reporting, doubt, roster, keeps);
        let issue = |code| Issue { code, wonde_id: Some(linked.wonde_id.to_owned()) };
        managers.issues.extend(doubt.map(issue));
        if linked.person.line_manager != after || manager_said(linked) != reporting.said {
            managers.changed.push((linked.who, after, reporting.said.map(str::to_owned)));
        }
    }
    managers
}

/// Which way the lists point, by which this run links; else what the school is told of it.
fn direction(
    of: &Lookup<'_>,
    listings: &[Listing<'_>],
    roster: &Roster<'_>,
) -> Result<HierarchyLists, Option<IssueCode>> {
    let known = of.held.hierarchy_lists;
    let set = of.rules.sync.hierarchy_lists;
    if !of.fetched.is_full {
        return set.or(known).filter(|way| *way == HierarchyLists::Managers).ok_or(None);
    }
    if listings.iter().all(|listing| listing.hierarchy.is_empty()) {
        return Err(notice_withheld(of, roster));
    }
    let way = set.or_else(|| HierarchyLists::of_school(&lists(listings))).or(known);
    // A school that sets all its line managers in iP has nothing to say.
    let is_asked = || listings.iter().any(|listing| listing.is_owned);
    way.ok_or_else(|| is_asked().then_some(IssueCode::LineManagerDirectionUnknown))
}

/// A full list in which nobody has a manager, though people had, is one to which access was
/// withdrawn; one without current staff says nothing about managers.
fn notice_withheld(of: &Lookup<'_>, roster: &Roster<'_>) -> Option<IssueCode> {
    let had_managers = roster.people.iter().any(|linked| manager_said(linked).is_some());
    let is_withheld = of.fetched.is_full && of.fetched.counts.current > 0 && had_managers;
    is_withheld.then_some(IssueCode::LineManagersWithheld)
}

/// Wonde id of the line manager that the MIS named last.
fn manager_said<'a>(linked: &'a Linked<'_>) -> Option<&'a str> {
    linked.person.mis.as_ref()?.line_manager.as_ref()?.0.as_deref()
}

/// Somebody in Wonde's list, with the people listed above or below them.
struct Listing<'a> {
    wonde_id: &'a str,
    hierarchy: &'a [String],
    /// The MIS may set the person's line manager.
    is_owned: bool,
}

/// Everybody's list, theirs included who are not imported: their reports still report to them.
fn listings<'a>(of: &Lookup<'a>, matches: &[Match<'_>]) -> Vec<Listing<'a>> {
    let owns = of.rules.sync.owned.line_manager;
    let staff = of.records.iter().zip(matches).filter_map(|(record, one)| {
        Some(Listing {
            wonde_id: &record.said.wonde_id,
            hierarchy: record.said.hierarchy.as_deref()?,
            is_owned: one.is_imported() && (owns || one.person.is_none()),
        })
    });
    let present = of.fetched.present.iter().filter_map(|one| {
        let hierarchy = one.hierarchy.as_deref()?;
        Some(Listing { wonde_id: &one.wonde_id, hierarchy, is_owned: false })
    });
    staff.chain(present).collect()
}

fn lists<'a>(listings: &[Listing<'a>]) -> Vec<(&'a str, &'a [String])> {
    listings.iter().map(|listing| (listing.wonde_id, listing.hierarchy)).collect()
}

fn who_reports_to_whom<'a>(
    listings: &[Listing<'a>],
    roster: &'a Roster<'a>,
    direction: HierarchyLists,
    keeps: bool,
) -> Vec<Reporting<'a>> {
    let managers = line_manager::from_lists(&lists(listings), direction);
    let reporting = |listing: &Listing<'a>| {
        // Of a person with several records the one counts by which they are known.
        let linked =
            roster.find(listing.wonde_id).filter(|one| one.wonde_id == listing.wonde_id)?;
        let said = match managers.get(listing.wonde_id).copied() {
            _ if linked.stays => manager_said(linked),
            said => said,
        };
        let named = said.and_then(|said| roster.find(said));
        // Nobody new reports to somebody whose record may be another's by now.
        let manager =
            named.filter(|one| !one.in_doubt || linked.person.line_manager == Some(one.id));
        let is_owned = listing.is_owned && !linked.stays && !(keeps && said.is_none());
        Some(Reporting {
            linked,
            said,
            names_nobody: is_owned && said.is_some() && manager.is_none(),
            manager: if is_owned {
                manager.map(|manager| manager.id)
            } else {
                linked.person.line_manager
            },
            manager_active: !is_owned || manager.is_some_and(|one| one.person.active),
        })
    };
    listings.iter().filter_map(reporting).collect()
}

/// Why each person's manager cannot be linked. Somebody who cannot be linked keeps the manager they
/// have, which can close a circle with somebody else's new one: so until nothing moves.
fn find_doubts(
    people: &[Reporting<'_>],
    roster: &Roster<'_>,
    keeps: bool,
) -> Vec<Option<IssueCode>> {
    let alone = |reporting: &Reporting<'_>| match reporting.manager {
        None => reporting.names_nobody.then_some(IssueCode::ManagerMissing),
        Some(_) => (!reporting.manager_active).then_some(IssueCode::ManagerInactive),
    };
    let listed: HashSet<_> = people.iter().map(|reporting| reporting.linked.id).collect();
    let unlisted: Vec<_> = roster
        .people
        .iter()
        .filter(|linked| !listed.contains(&linked.id))
        .filter_map(|linked| Some((linked.id, linked.person.line_manager?)))
        .chain(roster.others.iter().copied())
        .collect();
    let mut doubts: Vec<Option<IssueCode>> = people.iter().map(alone).collect();
    loop {
        let mut pairs = unlisted.clone();
        pairs.extend(people.iter().zip(&doubts).filter_map(|(reporting, doubt)| {
            Some((reporting.linked.id, outcome_of(reporting, *doubt, roster, keeps)?))
        }));
        let circle = on_a_circle(&pairs);
        let mut settled = true;
        for (reporting, doubt) in people.iter().zip(&mut doubts) {
            let linked = reporting.linked;
            let moves = doubt.is_none() && linked.person.line_manager != reporting.manager;
            if moves && circle.contains(&linked.id) {
                *doubt = Some(IssueCode::ManagerCircle);
                settled = false;
            }
        }
        if settled {
            return doubts;
        }
    }
}

/// Whom a person will report to. Where the MIS' word cannot be followed they go on as they are, but
/// nobody reports to somebody who is inactive, unless it was not approved that this empties line
/// managers.
fn outcome_of(
    reporting: &Reporting<'_>,
    doubt: Option<IssueCode>,
    roster: &Roster<'_>,
    keeps: bool,
) -> Option<Ref<StaffId>> {
    if doubt.is_none() {
        return reporting.manager;
    }
    let may_stay = |manager: &Ref<StaffId>| keeps || !roster.is_inactive(*manager);
    reporting.linked.person.line_manager.filter(may_stay)
}

#[cfg(test)]
mod tests;

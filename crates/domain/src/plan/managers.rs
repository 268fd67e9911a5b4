//! Who reports to whom, once everyone of the school is in iP.

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

/// A person of this list whose manager the MIS gives.
struct Reporting<'a> {
    linked: &'a Linked<'a>,
    /// Wonde id of the manager.
    said: Option<&'a str>,
    /// Whether the MIS names a manager who is not in iP.
    names_nobody: bool,
    /// The new manager in iP.
    manager: Option<Ref<StaffId>>,
    manager_active: bool,
}

/// The result for line managers.
#[derive(Default)]
pub(super) struct Managers {
    /// The new manager of each person, and the manager in the MIS (by Wonde id), if either differs.
    pub(super) changed: Vec<(Who, Option<Ref<StaffId>>, Option<String>)>,
    /// Managers that cannot be linked.
    pub(super) issues: Vec<Issue>,
    /// Which way Wonde's lists point, if this list is full.
    pub(super) seen: Option<HierarchyLists>,
}

/// Links the line managers that the MIS names. If one cannot be linked, the person gets an issue
/// and keeps their manager in iP, unless that manager is inactive. The others are linked.
///
/// The school's setting says which way Wonde's lists point. Without it, only a whole school can
/// show it, and what was seen last counts until a full list shows something else. A delta leaves
/// managers alone if the lists are of reports, because one manager's list does not say who has
/// another manager now. If the direction is unknown, all managers stay.
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

/// The direction that this run uses, or the issue that the school gets.
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
    // A school that sets all its line managers in iP need not be told.
    let is_asked = || listings.iter().any(|listing| listing.is_owned);
    way.ok_or_else(|| is_asked().then_some(IssueCode::LineManagerDirectionUnknown))
}

/// If no one in a full list has a manager although people had one before, access was withdrawn. A
/// list without current staff says nothing about managers.
fn notice_withheld(of: &Lookup<'_>, roster: &Roster<'_>) -> Option<IssueCode> {
    let had_managers = roster.people.iter().any(|linked| manager_said(linked).is_some());
    let is_withheld = of.fetched.is_full && of.fetched.counts.current > 0 && had_managers;
    is_withheld.then_some(IssueCode::LineManagersWithheld)
}

/// Wonde id of the line manager that the MIS last named.
fn manager_said<'a>(linked: &'a Linked<'_>) -> Option<&'a str> {
    linked.person.mis.as_ref()?.line_manager.as_ref()?.0.as_deref()
}

/// A person in Wonde's list, with the people listed above or below them.
struct Listing<'a> {
    wonde_id: &'a str,
    hierarchy: &'a [String],
    /// Whether the MIS may set the person's line manager.
    is_owned: bool,
}

/// Everyone's list, including people who are not imported: others may report to them.
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
        // If a person has several records, the one that they are known by counts.
        let linked =
            roster.find(listing.wonde_id).filter(|one| one.wonde_id == listing.wonde_id)?;
        let said = match managers.get(listing.wonde_id).copied() {
            _ if linked.stays => manager_said(linked),
            said => said,
        };
        let named = said.and_then(|said| roster.find(said));
        // No one is newly linked to a person whose record may belong to someone else.
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

/// Why each manager cannot be linked. A person who keeps their present manager can close a circle
/// with another person's new one, so this repeats until nothing changes.
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

/// The person's future manager. If the MIS' manager cannot be linked, the present one stays. But no
/// one reports to an inactive person, unless emptied line managers were not approved.
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

//! What differs between the MIS and iP, and what should be done about it. Pure: no I/O, no clock.
//!
//! [`plan`] compares iP's record of a school ([`Held`]) with what the MIS said ([`Fetched`]), by the
//! school's rules, and says what to write ([`Plan`]). It decides in this order:
//!
//! 1. who each record is: `no_login`, `decisions`, `twins`, `matching`, `doubts`, `candidates`;
//! 2. who has left, and which records cannot have the login that they ask for: `leavers`,
//!    `quarantine`;
//! 3. the new values of each person: `people`, `photos`, `departments`;
//! 4. who reports to whom and who teaches what, once everyone is there: `roster`, `managers`,
//!    `teaching`;
//! 5. what is reported: `evidence`, `changes`, `counts`.
//!
//! A sync compares a whole school. A login compares one person, as a list of one
//! ([`Fetched::alone`]). An undo ([`undo()`]) is a plan as well: the inverse of a change history.

mod candidates;
mod changes;
mod counts;
mod decisions;
mod departments;
mod doubts;
mod evidence;
mod fetched;
#[cfg(test)]
mod fixture;
mod held;
mod leavers;
mod lookup;
mod managers;
mod matching;
mod no_login;
mod pages;
mod people;
mod photos;
mod quarantine;
mod roster;
mod teaching;
#[cfg(test)]
mod tests;
mod twins;
mod undo;

use std::collections::HashSet;

use crate::{
    Affected, GuardCategory, Issue, IssueCode, PersonKey, PhotoCounts, Report, StaffId, SyncRules,
    line_manager::HierarchyLists,
};
pub use candidates::{Candidate, MatchReason, Named, Pair, certain};
pub use changes::NewIds;
pub use departments::DepartmentChange;
pub use evidence::Sightings;
pub use fetched::{Alone, FetchCounts, Fetched, Gone, Label, LeftOut, Present};
pub use held::{
    Account, Decision, Evidence, Group, GroupFields, Held, Link, Logins, MisValues, Person, Ref,
    Said,
};
use lookup::{Keys, Lookup, Place};
use matching::Match;
pub use pages::{Fetch, List, MappedPage, Next};
pub use teaching::{Changed as ChangedGroup, Difference, Emptied, New as NewGroup};
pub use undo::{Conflict, Past, undo};

/// The rules for one comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The rules that follow from the MIS, the school's settings and the request.
    pub sync: SyncRules,
    /// Categories that a person did not approve when the job was held. They stay as they are in iP.
    pub left_out: Vec<Affected>,
    /// People whom a person left as they are when the job was held.
    pub leave_people: Vec<PersonKey>,
    /// Whether so many people of the school became inactive lately that a login must not deactivate
    /// more.
    pub has_many_recent_leavers: bool,
}

/// What to write, and what to report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// People to create.
    pub created: Vec<Person>,
    /// People to change.
    pub changed: Vec<ChangedPerson>,
    /// People who leave a department or return to one.
    pub departments: Vec<DepartmentChange>,
    pub classes: Difference<crate::ClassId>,
    pub subjects: Difference<crate::SubjectId>,
    /// Issues, in the order in which the school sees them.
    pub issues: Vec<Issue>,
    /// Possible matches. They replace the earlier ones of these records, or all earlier ones if the
    /// list is full.
    pub candidates: Vec<Candidate>,
    /// Wonde ids of decisions that have been applied.
    pub used_decisions: Vec<String>,
    /// Wonde ids of further records to forget.
    pub forgotten_aliases: Vec<String>,
    /// New further records, and the people they belong to.
    pub new_aliases: Vec<(String, Ref<StaffId>)>,
    /// Evidence for *explain*.
    pub sightings: Sightings,
    /// People in iP that this list brought up to date.
    pub read: Vec<StaffId>,
    /// People in iP that a full list did not bring up to date.
    pub missed: Vec<StaffId>,
    /// Which way Wonde's lists point, if this differs from what was known.
    pub hierarchy_lists: Option<HierarchyLists>,
    /// How many records the plan changes in each category of the guard, and of how many.
    pub affected: Vec<Affected>,
    /// Whether the list of staff is empty and the plan would deactivate people.
    pub empties_school: bool,
    /// The plan in numbers, without its duration and the guard.
    pub report: Report,
}

/// A person whose account changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPerson {
    pub id: StaffId,
    /// The version of the account that was compared.
    pub version: u32,
    /// The person before the change.
    pub before: Person,
    /// The person after the change.
    pub after: Person,
    /// Set if the account passes to another person and so gets a random password. The value says
    /// whether a new password was required before.
    pub new_password: Option<bool>,
}

/// Compares the school and returns the plan.
pub fn plan(held: &Held, fetched: &Fetched, rules: &Rules) -> Plan {
    let fetched = &*no_login::settle(held, fetched);
    let keys = Keys::new(held, fetched);
    let of = &Lookup::new(held, fetched, rules, &keys);
    let mut found = Vec::new();
    for affected in rules.left_out.iter().filter(|one| one.category != GuardCategory::NewIds) {
        found.push(Issue::of_school(IssueCode::not_approved(affected.category)));
    }

    let decided = decisions::decided(of);
    let aliases = twins::find(of);
    let (mut matches, in_doubt) =
        matching::match_records(of, &decisions::to_follow(of, &decided), &aliases);
    let mut candidates = candidates::leave_out(of, &mut matches, &decided);
    candidates.extend(doubts::leave_out(of, &mut matches, &in_doubt, &decided));
    no_login::leave_out(of, &mut matches);
    matching::leave_out_new_ids(of, &mut matches);
    matching::leave_out_people(of, &mut matches);

    // A leaver gives up their login, so this comes before the logins are judged.
    let leavers = leavers::find(of, &matches, &candidates, &mut found);
    quarantine::leave_out(of, &mut matches, &leavers);

    let roles_withheld = people::roles_are_withheld(of, &matches);
    if roles_withheld {
        found.push(Issue::of_school(IssueCode::RolesWithheld));
    }
    let mut outcome = people::apply(of, &matches, &leavers, roles_withheld);
    let photos = photos::apply(of, &matches, &mut outcome).unwrap_or_else(|withheld| {
        found.push(Issue::of_school(withheld));
        PhotoCounts::default()
    });

    let forgotten_aliases = twins::forgotten(of, &aliases, &outcome);
    let (managers, taught) = {
        let roster = roster::Roster::new(of, &matches, &outcome, &forgotten_aliases);
        (managers::link(of, &matches, &roster), teaching::compare_all(of, &roster))
    };
    found.extend(managers.issues);
    found.extend(taught.issues);
    for (who, manager, said) in managers.changed {
        let person = outcome.edit_any(of, who);
        person.line_manager = manager;
        person.mis.get_or_insert_default().line_manager = Some(Said(said));
    }

    let mut plan = Plan {
        issues: issues(of, &matches, &outcome, found),
        departments: departments::cleared(of, &matches),
        classes: taught.classes,
        subjects: taught.subjects,
        candidates,
        used_decisions: decisions::used_up(of, &outcome),
        forgotten_aliases,
        new_aliases: twins::new(of, &matches, &outcome),
        sightings: evidence::sightings(of, &matches, &outcome),
        hierarchy_lists: managers.seen.filter(|seen| held.hierarchy_lists != Some(*seen)),
        ..Plan::default()
    };
    let passed_on = decisions::passed_on(of, &matches, &outcome);
    (plan.read, plan.missed) = read(of, &matches, &outcome);
    plan.changed = changed(of, &mut outcome, &passed_on);
    plan.created = outcome.new;
    counts::count(of, &matches, photos, &mut plan);
    plan
}

/// Everyone whose values differ.
fn changed(
    of: &Lookup<'_>,
    outcome: &mut people::Outcome,
    passed_on: &HashSet<Place>,
) -> Vec<ChangedPerson> {
    for place in passed_on {
        outcome.edit(of, *place);
    }
    let mut places: Vec<Place> = outcome.changed.keys().copied().collect();
    places.sort_unstable();
    let changed = places.into_iter().filter_map(|place| {
        let account = of.account(place);
        let after = outcome.changed.remove(&place)?;
        let new_password = passed_on.contains(&place).then_some(account.password_reset_required);
        (after != account.person || new_password.is_some()).then(|| ChangedPerson {
            id: account.id,
            version: account.version,
            before: account.person.clone(),
            after,
            new_password,
        })
    });
    changed.collect()
}

/// All issues: first those about records, in the order of the list, then those from the comparison.
/// A record that came twice is reported once, and an issue about the whole school appears once.
fn issues(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    outcome: &people::Outcome,
    found: Vec<Issue>,
) -> Vec<Issue> {
    let mut placed: Vec<(i64, Issue)> = of.fetched.issues.clone();
    for (at, (record, one)) in of.records.iter().zip(matches).enumerate() {
        let stays_inactive = || {
            let person = outcome.applied.contains(&at).then(|| outcome.whose(matches, at));
            person.flatten().is_some_and(|who| !outcome.of_any(of, who).active)
        };
        let inactive = || stays_inactive().then_some(IssueCode::InactiveInIp);
        let issue = |code| Issue { code, wonde_id: Some(record.said.wonde_id.clone()) };
        placed.extend(one.issue.or_else(inactive).map(|code| (record.place, issue(code))));
    }
    placed.sort_by_key(|(place, _)| *place);
    let placed = placed.into_iter().map(|(_, issue)| (issue, false));
    let mut said = HashSet::new();
    let is_told = |(issue, was_found): &(Issue, bool)| {
        let is_first = said.insert(issue.clone());
        // Each record whose id cannot be read is reported separately.
        is_first || issue.wonde_id.is_none() && !was_found
    };
    let found = found.into_iter().map(|issue| (issue, true));
    placed.chain(found).filter(is_told).map(|(issue, _)| issue).collect()
}

/// The people that this list brought up to date and, if it is full, the people that it did not.
fn read(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    outcome: &people::Outcome,
) -> (Vec<StaffId>, Vec<StaffId>) {
    let read: HashSet<Place> =
        matches.iter().filter(|one| one.is_imported()).filter_map(|one| one.person).collect();
    if let Some(alone) = &of.fetched.alone {
        let is_in_doubt = matches.iter().any(|one| one.issue == Some(IssueCode::PossibleMatch));
        return (if is_in_doubt { Vec::new() } else { vec![alone.staff_id] }, Vec::new());
    }
    let all = || 0..of.held.people.len();
    let ids = |places: Vec<Place>| places.into_iter().map(|at| of.account(at).id).collect();
    if !of.fetched.is_full {
        return (ids(all().filter(|place| read.contains(place)).collect()), Vec::new());
    }
    let is_missed = |place: &Place| {
        let person = outcome.of(of, *place);
        person.active && person.wonde_id.is_some() && !read.contains(place)
    };
    (Vec::new(), ids(all().filter(is_missed).collect()))
}

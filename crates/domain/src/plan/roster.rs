//! Everyone of the school who is linked to the MIS, as the list leaves them. Managers and classes
//! name people by their records.

use std::collections::{HashMap, HashSet};

use super::{
    held::{Person, Ref},
    lookup::Lookup,
    matching::Match,
    people::{Outcome, Who},
};
use crate::{IssueCode, StaffId};

/// A person who is linked to the MIS.
pub(super) struct Linked<'a> {
    pub(super) id: Ref<StaffId>,
    pub(super) who: Who,
    pub(super) wonde_id: &'a str,
    pub(super) person: &'a Person,
    /// Whether this sync leaves their links unchanged, because a later fetch read them, because
    /// their record may belong to someone else, or because the approver left them as they are.
    pub(super) stays: bool,
    /// Whether their record may belong to someone else.
    pub(super) in_doubt: bool,
}

/// Everyone who is linked.
pub(super) struct Roster<'a> {
    pub(super) people: Vec<Linked<'a>>,
    /// Places in `people`, by Wonde id.
    by_wonde_id: HashMap<&'a str, usize>,
    pub(super) by_id: HashMap<Ref<StaffId>, usize>,
    /// Who reports to whom, among people who are not linked to the MIS.
    pub(super) others: Vec<(Ref<StaffId>, Ref<StaffId>)>,
    /// People who stay unchanged.
    pub(super) stay: HashSet<Ref<StaffId>>,
    /// Further records of people, and the record that each person is known by.
    aliases: HashMap<&'a str, &'a str>,
}

impl<'a> Roster<'a> {
    pub(super) fn new(
        of: &'a Lookup<'a>,
        matches: &'a [Match<'a>],
        outcome: &'a Outcome,
        forgotten_aliases: &[String],
    ) -> Self {
        let mut people: Vec<Linked<'a>> = Vec::new();
        let mut others = Vec::new();
        // Future ids: those of applied records, otherwise those in iP.
        let mut known_by: HashMap<Who, &'a str> = HashMap::new();
        for at in &outcome.applied {
            let wonde_id = of.records[*at].said.wonde_id.as_str();
            known_by.extend(outcome.whose(matches, *at).map(|who| (who, wonde_id)));
        }
        for (place, account) in of.held.people.iter().enumerate() {
            let person = outcome.of(of, place);
            let held = account.person.wonde_id.as_deref().filter(|_| person.wonde_id.is_some());
            let who = Who::Held(place);
            let Some(wonde_id) = known_by.get(&who).copied().or(held) else {
                others.extend(person.line_manager.map(|manager| (Ref::Known(account.id), manager)));
                continue;
            };
            let in_doubt = of
                .listed_staff
                .get(wonde_id)
                .is_some_and(|at| matches[*at].issue == Some(IssueCode::PossibleMatch));
            let stays = in_doubt || of.was_read_later(account) || of.leaves_person(place);
            let id = Ref::Known(account.id);
            people.push(Linked { id, who, wonde_id, person, stays, in_doubt });
        }
        for (at, person) in outcome.new.iter().enumerate() {
            let (id, who) = (Ref::New(at), Who::New(at));
            let wonde_id = known_by[&who];
            people.push(Linked { id, who, wonde_id, person, stays: false, in_doubt: false });
        }
        let all = || people.iter().enumerate();
        let by_wonde_id: HashMap<&str, usize> = all().map(|(at, one)| (one.wonde_id, at)).collect();
        Self {
            by_id: all().map(|(at, one)| (one.id, at)).collect(),
            stay: people.iter().filter(|one| one.stays).map(|one| one.id).collect(),
            aliases: aliases(of, matches, &by_wonde_id, outcome, forgotten_aliases),
            by_wonde_id,
            others,
            people,
        }
    }

    /// The person of a record, whether they are known by it or it is a further one.
    pub(super) fn find(&self, wonde_id: &str) -> Option<&Linked<'a>> {
        let leads = || self.by_wonde_id.get(self.aliases.get(wonde_id)?);
        let at = self.by_wonde_id.get(wonde_id).or_else(leads)?;
        Some(&self.people[*at])
    }

    /// Whether a linked person is inactive.
    pub(super) fn is_inactive(&self, id: Ref<StaffId>) -> bool {
        self.by_id.get(&id).is_some_and(|at| !self.people[*at].person.active)
    }
}

/// Further records of this list, and those that were known before and still apply.
fn aliases<'a>(
    of: &Lookup<'a>,
    matches: &'a [Match<'a>],
    known: &HashMap<&'a str, usize>,
    outcome: &Outcome,
    forgotten: &[String],
) -> HashMap<&'a str, &'a str> {
    let known_before = of.held.aliases.iter().filter(|(alias, _)| !forgotten.contains(alias));
    let held = known_before.filter_map(|(alias, staff_id)| {
        let place = *of.by_id.get(staff_id)?;
        let leads = outcome.of(of, place).wonde_id.as_deref()?;
        let (leads, _) = known.get_key_value(leads)?;
        Some((alias.as_str(), *leads))
    });
    let listed = of.records.iter().zip(matches).filter_map(|(record, one)| {
        Some((record.said.wonde_id.as_str(), one.leads_to.as_deref()?))
    });
    held.chain(listed).collect()
}

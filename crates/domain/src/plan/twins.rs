//! One person with several current records, as with two contracts. One record leads, and the others
//! are matched through it. The rule is in [`crate::twins`].

use std::collections::{HashMap, HashSet};

use super::{
    held::Ref,
    lookup::{Lookup, Place, identity_of, identity_said, is_same},
    matching::Match,
    people::{Outcome, Who},
};
use crate::{
    StaffId,
    identity::{self, Identity},
    twins::{self, Sharing, Twins},
};

/// Records of this list that belong to a person with another record.
#[derive(Debug, Default)]
pub(super) struct Aliases<'a> {
    /// People with several records in this list.
    joined: Vec<Twins>,
    /// Further records of people whose leading record a delta did not show: further and leading id.
    alone: Vec<(&'a str, &'a str)>,
    /// People with a further record that a delta did not show or that cannot be imported.
    pub(super) have_more: HashSet<Place>,
    /// Further records whose leading record is gone. They lead now, and each belongs to this
    /// person.
    pub(super) successors: HashMap<&'a str, Place>,
}

impl Aliases<'_> {
    /// The records that are matched through another one, each with its leading record.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let joined = self.joined.iter().flat_map(|twins| {
            twins.others.iter().map(|other| (other.as_str(), twins.leads.as_str()))
        });
        joined.chain(self.alone.iter().copied())
    }

    /// What all records of a person say together, by the leading record.
    pub(super) fn joined(&self) -> impl Iterator<Item = (&str, &Twins)> {
        self.joined.iter().map(|twins| (twins.leads.as_str(), twins))
    }
}

/// Finds the records that belong to one person, and what iP knows of earlier ones.
pub(super) fn find<'a>(of: &Lookup<'a>) -> Aliases<'a> {
    let mut aliases = Aliases { joined: joined(of), ..Aliases::default() };
    let is_joined: HashSet<String> = aliases.pairs().map(|(alias, _)| alias.to_owned()).collect();
    let gone = &of.fetched.gone.employees;
    let mut heirs: HashMap<Place, Vec<&'a str>> = HashMap::new();
    for (alias, staff_id) in &of.held.aliases {
        let Some(place) = of.by_id.get(staff_id).copied() else { continue };
        let Some(leads) = of.account(place).person.wonde_id.as_deref() else { continue };
        if is_joined.contains(alias.as_str()) {
            continue;
        }
        let leading_is_gone =
            gone.contains(leads) || of.fetched.is_full && !of.present.contains_key(leads);
        let is_listed = of.listed_staff.contains_key(alias.as_str());
        let is_unread = !of.fetched.is_full || of.present.contains_key(alias.as_str());
        match (is_listed, of.listed_staff.contains_key(leads)) {
            (true, false) if leading_is_gone => heirs.entry(place).or_default().push(alias),
            (true, false) if is_still(of, alias, place) => aliases.alone.push((alias, leads)),
            // The leading record has lost its work email, and with it what joins the two.
            (true, true) if is_still_joined(of, alias, leads, place) => {
                aliases.alone.push((alias, leads));
                aliases.have_more.insert(place);
            }
            (false, _) if is_unread && !gone.contains(alias.as_str()) => {
                aliases.have_more.insert(place);
            }
            // They are two people now, or nothing is said about them.
            _ => {}
        }
    }
    let leads = |(place, heirs): (Place, Vec<&'a str>)| {
        // If several records now differ, one of them leads and the others are someone else.
        let rank = |alias: &&'a str| (!is_still(of, alias, place), alias.len(), *alias);
        Some((heirs.into_iter().min_by_key(rank)?, place))
    };
    aliases.successors = heirs.into_iter().filter_map(leads).collect();
    aliases
}

fn joined(of: &Lookup<'_>) -> Vec<Twins> {
    let mut with_email: HashMap<&str, u32> = HashMap::new();
    for key in of.records.iter().filter_map(|record| record.key) {
        *with_email.entry(key).or_default() += 1;
    }
    let sharing: Vec<Sharing<'_>> = of
        .records
        .iter()
        .filter(|record| record.key.is_some_and(|key| with_email[key] > 1))
        .map(|record| Sharing {
            wonde_id: &record.said.wonde_id,
            identity: identity_said(record.said),
            is_linked: of.linked.contains_key(record.said.wonde_id.as_str()),
            job_title: record.said.job_title.as_deref(),
            non_teaching: record.said.non_teaching,
        })
        .collect();
    twins::find(&sharing)
}

/// Whether the leading record has no work email, and the further one still has all that the person
/// will have.
fn is_still_joined<'a>(of: &Lookup<'a>, alias: &str, leads: &str, place: Place) -> bool {
    let leading = &of.records[of.listed_staff[leads]];
    let held = identity_of(of.account(place));
    let said = identity_said(leading.said);
    let or_held = |said: &'a str, held: &'a str| if said.is_empty() { held } else { said };
    let will_be = Identity {
        first_name: or_held(said.first_name, held.first_name),
        surname: or_held(said.surname, held.surname),
        ..held
    };
    let further = identity_said(of.records[of.listed_staff[alias]].said);
    leading.key.is_none()
        && identity::has_same_names(&will_be, &further)
        && is_same(held.email, further.email)
}

/// Whether a further record still has the person's email and names.
fn is_still(of: &Lookup<'_>, alias: &str, place: Place) -> bool {
    let said = identity_said(of.records[of.listed_staff[alias]].said);
    let held = identity_of(of.account(place));
    identity::has_same_names(&held, &said) && is_same(held.email, said.email)
}

/// Further records that iP knew and that no longer are. Only a full list shows that a record is
/// gone, and a record that is to lead has to be applied first.
pub(super) fn forgotten(of: &Lookup<'_>, aliases: &Aliases<'_>, outcome: &Outcome) -> Vec<String> {
    let waits = |alias: &&str| !outcome.applied.contains(&of.listed_staff[alias]);
    let waiting = aliases.successors.keys().copied().filter(waits);
    let still: HashSet<&str> = aliases.pairs().map(|(alias, _)| alias).chain(waiting).collect();
    let is_forgotten = |alias: &&String| {
        let is_there = of.present.contains_key(alias.as_str());
        let is_told_of = of.listed_staff.contains_key(alias.as_str())
            || of.fetched.gone.employees.contains(*alias);
        !still.contains(alias.as_str()) && !is_there && (of.fetched.is_full || is_told_of)
    };
    let known = of.held.aliases.iter().map(|(alias, _)| alias);
    known.filter(is_forgotten).cloned().collect()
}

/// Further records to remember, so that classes and line managers that name them find the person.
pub(super) fn new(
    of: &Lookup<'_>,
    matches: &[Match<'_>],
    outcome: &Outcome,
) -> Vec<(String, Ref<StaffId>)> {
    let new = of.records.iter().zip(matches).filter_map(|(record, one)| {
        let leading = one.leads_to.as_deref()?;
        let by_record = of.listed_staff.get(leading).and_then(|at| outcome.whose(matches, *at));
        let by_account = || of.linked.get(leading).copied().map(Who::Held);
        let staff = match by_record.or_else(by_account)? {
            Who::Held(place) => Ref::Known(of.account(place).id),
            Who::New(at) => Ref::New(at),
        };
        let is_known = |(alias, id): &(String, StaffId)| {
            *alias == record.said.wonde_id && Ref::Known(*id) == staff
        };
        let is_new = !of.held.aliases.iter().any(is_known);
        is_new.then(|| (record.said.wonde_id.clone(), staff))
    });
    new.collect()
}

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::{
    doubts::{self, Doubt},
    lookup::{Lookup, Place, is_same},
    twins::Aliases,
};
use crate::{GuardCategory, IssueCode, MatchedBy, twins::Twins};

/// What was found for one record.
#[derive(Debug, Clone, Default)]
pub(super) struct Match<'a> {
    /// The account; `None` if there is none in iP.
    pub(super) person: Option<Place>,
    /// How the two were matched; `None` if they were not, or if another record matched.
    pub(super) by: Option<MatchedBy>,
    /// Why the record is left out.
    pub(super) issue: Option<IssueCode>,
    /// The login that it asks for.
    pub(super) asks_for: &'a str,
    /// The login that the person has now. A person who stays inactive asks for none, so for them it
    /// is the one that the record asks for.
    holds: Option<&'a str>,
    /// The Wonde id of the record that the person is known by, if that is another one.
    pub(super) leads_to: Option<String>,
    /// What all records of the person say together.
    pub(super) joined: Option<Twins>,
    /// Whether the person has further records that were not read. Roles then count as not given.
    pub(super) has_more_records: bool,
}

impl Match<'_> {
    /// Whether it needs a login that the person does not have yet.
    pub(super) fn asks(&self) -> bool {
        self.holds != Some(self.asks_for)
    }

    pub(super) fn is_imported(&self) -> bool {
        self.issue.is_none()
    }
}

/// The account of each record, before any doubt is considered.
type Whose = Vec<Option<(Place, MatchedBy)>>;

/// Matches every record, and returns which matches are in doubt. A match by UPI or work email that
/// is in doubt does not count, so the record may match another account or be new. This repeats
/// until nothing changes.
pub(super) fn match_records<'a>(
    of: &Lookup<'a>,
    decided: &HashMap<&str, Option<Place>>,
    aliases: &Aliases<'a>,
) -> (Vec<Match<'a>>, Vec<Doubt>) {
    let is_alias: HashSet<&str> = aliases.pairs().map(|(alias, _)| alias).collect();
    let own: Vec<bool> =
        of.records.iter().map(|one| !is_alias.contains(one.said.wonde_id.as_str())).collect();
    let mut refuted: Vec<Doubt> = Vec::new();
    loop {
        let pairs = refuted.iter().map(|doubt| (doubt.record, doubt.person)).collect();
        let whose = whose(of, decided, aliases, &own, &pairs);
        let (by_id, by_more): (Vec<Doubt>, Vec<Doubt>) =
            doubts::find(of, &whose).into_iter().partition(|doubt| doubt.by == MatchedBy::WondeId);
        if by_more.is_empty() {
            refuted.extend(by_id);
            let mut matches = ask_for_logins(of, &whose, &own);
            join_aliases(of, &mut matches, aliases);
            return (matches, refuted);
        }
        refuted.extend(by_more);
    }
}

/// Matches by a person's decision, then by Wonde id, then by UPI, then by work email.
fn whose(
    of: &Lookup<'_>,
    decided: &HashMap<&str, Option<Place>>,
    aliases: &Aliases<'_>,
    own: &[bool],
    refuted: &HashSet<(usize, Place)>,
) -> Whose {
    let mut whose: Whose = vec![None; of.records.len()];
    let decided_for: HashSet<Place> = decided.values().flatten().copied().collect();
    let heir = |wonde_id: &str| {
        let person = aliases.successors.get(wonde_id);
        // An account that was decided for another record is not available here.
        person.filter(|person| !decided_for.contains(person))
    };
    let mut is_open = vec![false; of.records.len()];
    for (at, record) in of.records.iter().enumerate().filter(|(at, _)| own[*at]) {
        let wonde_id = record.said.wonde_id.as_str();
        if let Some(person) = decided.get(wonde_id) {
            whose[at] = person.map(|person| (person, MatchedBy::Decision));
            continue;
        }
        let known = of.linked.get(wonde_id).or_else(|| heir(wonde_id));
        whose[at] = known.map(|person| (*person, MatchedBy::WondeId));
        is_open[at] = known.is_none();
    }
    for (by, find) in [
        (MatchedBy::Upi, by_upi as fn(&Lookup<'_>, usize) -> Vec<Place>),
        (MatchedBy::WorkEmail, by_work_email),
    ] {
        let taken: HashSet<Place> = whose.iter().flatten().map(|(person, _)| *person).collect();
        let mut found: Vec<(usize, Place)> = Vec::new();
        for at in (0..of.records.len()).filter(|at| is_open[*at] && whose[*at].is_none()) {
            let candidates = find(of, at);
            let is_free = |one: &Place| !taken.contains(one) && !refuted.contains(&(at, *one));
            found.extend(candidates.into_iter().find(is_free).map(|person| (at, person)));
        }
        let mut claims: HashMap<Place, u32> = HashMap::new();
        for (_, person) in &found {
            *claims.entry(*person).or_default() += 1;
        }
        // An account that several records match is matched by none of them.
        for (at, person) in found.into_iter().filter(|(_, person)| claims[person] == 1) {
            whose[at] = Some((person, by));
        }
    }
    whose
}

/// A person who was added again: a new Wonde id, the same unique UPI, and the old id is not in the
/// list.
fn by_upi(of: &Lookup<'_>, at: usize) -> Vec<Place> {
    let place = of.records[at].said.upi.as_deref().and_then(|upi| of.upis.get(upi).copied());
    let is_gone = |place: &Place| {
        let held = of.account(*place).person.wonde_id.as_deref();
        held.is_none_or(|held| !of.listed.contains(held))
    };
    place.into_iter().filter(is_gone).collect()
}

/// An account that was made by hand before the school was connected, or one whose id is gone, as
/// after a change of MIS. In the second case the surname has to be the same too, because an address
/// may have been given to a successor. Only a full fetch shows that an id is gone, and a person who
/// holds a login is not gone merely because the list does not show them. If several accounts have
/// the address, the one that holds the login comes first, then the one that changed last.
fn by_work_email(of: &Lookup<'_>, at: usize) -> Vec<Place> {
    let record = &of.records[at];
    let may_be_meant = |place: &Place| {
        let account = of.account(*place);
        let Some(held) = account.person.wonde_id.as_deref() else { return true };
        is_same(&account.person.surname, &record.said.surname)
            && !of.listed.contains(held)
            && (!account.person.active || of.fetched.gone.employees.contains(held))
            && !of.is_present_by_upi(account)
            && of.shows_absence()
    };
    let mut places: Vec<Place> = record
        .key
        .and_then(|key| of.by_email.get(key))
        .into_iter()
        .flatten()
        .copied()
        .filter(may_be_meant)
        .collect();
    places.sort_by_key(|place| {
        let account = of.account(*place);
        (!account.person.active, std::cmp::Reverse(account.updated_at), account.id)
    });
    places
}

/// The login that each record asks for. Records that share it with another record of the list are
/// left out at once; see [`quarantine`](super::quarantine).
fn ask_for_logins<'a>(of: &Lookup<'a>, whose: &Whose, own: &[bool]) -> Vec<Match<'a>> {
    let keeps_emails = of.leaves_out(GuardCategory::EmailsChanged);
    let mut matches: Vec<Match<'a>> = of
        .records
        .iter()
        .zip(whose)
        .map(|(record, person)| {
            let account = person.map(|(place, _)| of.account(place));
            let held = person.map(|(place, _)| of.account_key(place));
            // If new logins were not approved, known people ask for what they have. So do people
            // that a later fetch read, because they stay unchanged, and people whose record has no
            // login.
            let stays = account.is_some_and(|account| of.was_read_later(account));
            let said = record.key.filter(|_| !keeps_emails && !stays);
            let asks_for = said.or(held).or(record.key).unwrap_or_default();
            let holds = match account {
                Some(account) if account.person.active => held,
                Some(_) if stays || !of.rules.sync.restores => Some(asks_for),
                Some(_) => None,
                None => record.key.is_none().then_some(asks_for),
            };
            let (person, by) = person.map_or((None, None), |(place, by)| (Some(place), Some(by)));
            Match { person, by, asks_for, holds, ..Match::default() }
        })
        .collect();
    leave_out_shared(of, &mut matches, own);
    matches
}

/// Leaves out the records whose login another record of the list asks for or names.
fn leave_out_shared<'a>(of: &Lookup<'a>, matches: &mut [Match<'a>], own: &[bool]) {
    let mut with_email: HashMap<&str, u32> = HashMap::new();
    let mut askers: HashMap<&str, u32> = HashMap::new();
    let mut asks_alone: HashMap<&str, u32> = HashMap::new();
    for at in (0..matches.len()).filter(|at| own[*at]) {
        let one = &matches[at];
        let count = match of.records[at].key {
            Some(key) => {
                *with_email.entry(key).or_default() += 1;
                &mut askers
            }
            None => &mut asks_alone,
        };
        *count.entry(one.asks_for).or_default() += u32::from(one.asks());
    }
    for at in (0..matches.len()).filter(|at| own[*at]) {
        let one = &mut matches[at];
        let Some(key) = of.records[at].key else {
            // A returning person without an address gives way to people who have one in the MIS.
            let is_wanted = with_email.contains_key(one.asks_for) || asks_alone[one.asks_for] > 1;
            one.issue = (one.asks() && is_wanted).then_some(IssueCode::WorkEmailInUse);
            continue;
        };
        if one.asks() && (with_email[key] > 1 || askers[one.asks_for] > 1) {
            one.issue = Some(IssueCode::SharedWorkEmail);
        }
    }
}

/// Matches further records through their leading record, which gets the roles of all. The school
/// gets an issue for each.
fn join_aliases(of: &Lookup<'_>, matches: &mut [Match<'_>], aliases: &Aliases<'_>) {
    for one in matches.iter_mut() {
        one.has_more_records = one.person.is_some_and(|person| aliases.have_more.contains(&person));
    }
    for (leading, twins) in aliases.joined() {
        matches[of.listed_staff[leading]].joined = Some(twins.clone());
    }
    for (alias, leading) in aliases.pairs() {
        let person = match of.listed_staff.get(leading) {
            Some(at) => matches[*at].person,
            None => of.linked.get(leading).copied(),
        };
        let one = &mut matches[of.listed_staff[alias]];
        one.person = person;
        one.by = None;
        one.issue = Some(IssueCode::TwoRecordsOfOnePerson);
        one.leads_to = Some(leading.to_owned());
    }
}

/// Leaves out the records of known people under a new id, if new ids were not approved. They still
/// belong to those people, so no one is created for them and no one is treated as a leaver.
pub(super) fn leave_out_new_ids(of: &Lookup<'_>, matches: &mut [Match<'_>]) {
    if !of.leaves_out(GuardCategory::NewIds) {
        return;
    }
    for (record, one) in of.records.iter().zip(matches).filter(|(_, one)| one.is_imported()) {
        let held = one.person.and_then(|place| of.account(place).person.wonde_id.as_deref());
        if held.is_some_and(|held| held != record.said.wonde_id) {
            one.issue = Some(IssueCode::NewIdNotApproved);
        }
    }
}

/// Leaves out the records of people whom the approver left as they are, by whichever record they are
/// known.
pub(super) fn leave_out_people(of: &Lookup<'_>, matches: &mut [Match<'_>]) {
    for (record, one) in of.records.iter().zip(matches).filter(|(_, one)| one.is_imported()) {
        let wonde_id = record.said.wonde_id.as_str();
        let mut people = one.person.into_iter().chain(of.linked.get(wonde_id).copied());
        if of.leaves_record(wonde_id) || people.any(|place| of.leaves_person(place)) {
            one.issue = Some(IssueCode::PersonNotApproved);
        }
    }
}

#[cfg(test)]
mod tests;

//! Finds people again whose ids are all new.
//!
//! After a change of MIS Wonde gives everyone another id, and nothing ties a new record to an old
//! one. A person who kept login and surname, and forename or initials, is matched like all others
//! ([`matching`](super::matching)). Others may be the same person, but only a person can say so.
//! Such a record is left out, and the account that it may belong to is not treated as a leaver's
//! meanwhile.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use super::{
    decisions::Decided,
    lookup::{Lookup, Place, is_same},
    matching::Match,
};
use crate::{IssueCode, StaffId, StaffRecord, TeachingRecord, identity::folded, job::named};

named!(
    /// What a record and a person in iP have in common.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    MatchReason, "reason of a match", {
        /// Wonde's id.
        WondeId = "wonde_id",
        /// The UPI of the MIS.
        Upi = "upi",
        /// The work email.
        WorkEmail = "work_email",
        /// The surname.
        Surname = "surname",
        /// The forename.
        FirstName = "first_name",
        /// The initials.
        Initials = "initials",
        /// They teach a class of the same name.
        Classes = "classes",
    }
);

/// A record, and the account that it may belong to.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    pub wonde_id: String,
    pub staff_id: StaffId,
    /// How much they have in common, 0 to 100.
    pub score: u8,
    /// What that is.
    pub reasons: Vec<MatchReason>,
    /// Whether a key is the same but the names are not, so that it may be another person's account.
    pub in_doubt: bool,
    /// What the record says.
    pub said: Named,
}

/// What a person recognises another by. A text is empty, and an option `None`, if it is not given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub first_name: String,
    pub surname: String,
    pub email: String,
    pub initials: Option<String>,
    /// The roles, joined by commas.
    pub job_title: Option<String>,
}

impl From<&StaffRecord> for Named {
    fn from(said: &StaffRecord) -> Self {
        Self {
            first_name: said.first_name.clone(),
            surname: said.surname.clone(),
            email: said.email.clone().map(String::from).unwrap_or_default(),
            initials: said.initials.clone(),
            job_title: said.job_title.as_deref().map(str::to_owned),
        }
    }
}

impl Candidate {
    pub(super) fn new(
        said: &StaffRecord,
        staff_id: StaffId,
        score: u8,
        reasons: Vec<MatchReason>,
    ) -> Self {
        Self {
            wonde_id: said.wonde_id.clone(),
            staff_id,
            score,
            reasons,
            in_doubt: false,
            said: said.into(),
        }
    }
}

/// The score from which a match can be certain: the forename with the work email, or the forename,
/// the surname and a class.
const CERTAIN: u8 = 55;

/// A record, an account that it may belong to, and what they have in common.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub wonde_id: &'a str,
    pub staff_id: StaffId,
    pub score: u8,
    pub reasons: &'a [MatchReason],
    pub in_doubt: bool,
}

/// The places of the certain pairs among all of a school. The forename and enough else are the same,
/// and neither the record nor the account is in another pair. A pair in doubt is never certain.
pub fn certain(all: &[Pair<'_>]) -> Vec<usize> {
    let mut records: HashMap<&str, u32> = HashMap::new();
    let mut accounts: HashMap<StaffId, u32> = HashMap::new();
    for pair in all {
        *records.entry(pair.wonde_id).or_default() += 1;
        *accounts.entry(pair.staff_id).or_default() += 1;
    }
    let is_certain = |at: &usize| {
        let pair = &all[*at];
        !pair.in_doubt
            && pair.score >= CERTAIN
            && pair.reasons.contains(&MatchReason::FirstName)
            && records[pair.wonde_id] == 1
            && accounts[&pair.staff_id] == 1
    };
    (0..all.len()).filter(is_certain).collect()
}

/// Names are personal data, so only the ids are printed.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("wonde_id", &self.wonde_id)
            .field("staff_id", &self.staff_id)
            .field("score", &self.score)
            .finish_non_exhaustive()
    }
}

/// Leaves out each unmatched record that may belong to a person whose id is gone, and returns those
/// people. Only a full list shows that an id is gone.
///
/// The two must share the login or the surname, and the forename or the initials. A record that
/// only has the login of a person who is gone is that of a successor.
pub(super) fn leave_out(
    of: &Lookup<'_>,
    matches: &mut [Match<'_>],
    decided: &Decided<'_>,
) -> Vec<Candidate> {
    let is_unknown = |at: &usize| {
        let (one, record) = (&matches[*at], &of.records[*at]);
        one.person.is_none() && one.is_imported() && !decided.contains_key(&*record.said.wonde_id)
    };
    let unknown: Vec<usize> = (0..matches.len()).filter(is_unknown).collect();
    if unknown.is_empty() || !of.shows_absence() {
        return Vec::new();
    }
    let gone = gone(of, matches);
    let mut by_key: HashMap<String, Vec<Place>> = HashMap::new();
    for place in gone {
        let account = of.account(place);
        // A surname is never an email, so one index serves for both.
        by_key.entry(of.account_key(place).to_owned()).or_default().push(place);
        by_key.entry(folded(&account.person.surname)).or_default().push(place);
    }
    let taught = Taught::new(of);
    let mut candidates = Vec::new();
    for at in unknown {
        let record = &of.records[at];
        let surname = Some(folded(&record.said.surname)).filter(|surname| !surname.is_empty());
        let keys = record.key.map(str::to_owned).into_iter().chain(surname);
        let mut places: Vec<Place> =
            keys.filter_map(|key| by_key.get(&key)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        let found = places.into_iter().filter_map(|place| compare(of, at, place, &taught));
        let before = candidates.len();
        candidates.extend(found);
        if candidates.len() > before {
            matches[at].issue = Some(IssueCode::PossibleMatch);
        }
    }
    candidates
}

/// Active people whose id is gone and who are matched by no record. A person who is merely missing
/// from the list may still be there.
fn gone(of: &Lookup<'_>, matches: &[Match<'_>]) -> Vec<Place> {
    let meant: HashSet<Place> = matches.iter().filter_map(|one| one.person).collect();
    let is_gone = |place: &Place| {
        let account = of.account(*place);
        let Some(wonde_id) = account.person.wonde_id.as_deref() else { return false };
        account.person.active
            && !of.listed.contains(wonde_id)
            && of.fetched.gone.employees.contains(wonde_id)
            && !of.is_present_by_upi(account)
            && !meant.contains(place)
    };
    (0..of.held.people.len()).filter(is_gone).collect()
}

fn compare(of: &Lookup<'_>, at: usize, place: Place, taught: &Taught<'_>) -> Option<Candidate> {
    let (record, account) = (&of.records[at], of.account(place));
    let (said, held) = (record.said, &account.person);
    let initials = || Some((said.initials.as_deref()?, held.initials.as_deref()?));
    let has_same_first_name = is_same(&said.first_name, &held.first_name);
    let has_same_initials = initials().is_some_and(|(said, held)| is_same(said, held));
    if !has_same_first_name && !has_same_initials {
        return None;
    }
    let in_common = [
        (record.key == Some(of.account_key(place)), 40, MatchReason::WorkEmail),
        (is_same(&said.surname, &held.surname), 25, MatchReason::Surname),
        (has_same_first_name, 20, MatchReason::FirstName),
        (has_same_initials, 5, MatchReason::Initials),
        (taught.share_a_class(account.id, &said.wonde_id), 10, MatchReason::Classes),
    ];
    let same = || in_common.iter().filter(|(is_same, ..)| *is_same);
    let score = same().map(|(_, score, _)| score).sum();
    let reasons = same().map(|(.., reason)| *reason).collect();
    Some(Candidate::new(said, account.id, score, reasons))
}

/// Names of the classes that people teach, in iP and in this list. Names survive a change of MIS;
/// ids do not.
struct Taught<'a> {
    held: HashMap<StaffId, HashSet<String>>,
    said: HashMap<&'a str, HashSet<String>>,
}

impl<'a> Taught<'a> {
    fn new(of: &Lookup<'a>) -> Self {
        let mut held: HashMap<StaffId, HashSet<String>> = HashMap::new();
        for class in of.held.classes.iter().filter(|class| class.fields.active) {
            let linked = class.links.iter().filter_map(|link| link.staff.known());
            for staff_id in linked.chain(class.by_hand.iter().copied()) {
                held.entry(staff_id).or_default().insert(folded(&class.fields.name));
            }
        }
        let mut said: HashMap<&str, HashSet<String>> = HashMap::new();
        let classes: &[TeachingRecord] = of.fetched.classes.as_deref().unwrap_or_default();
        for class in classes {
            let Some(name) = &class.name else { continue };
            for teacher in class.staff.iter().flatten() {
                said.entry(&teacher.wonde_id).or_default().insert(folded(name));
            }
        }
        Self { held, said }
    }

    fn share_a_class(&self, staff_id: StaffId, wonde_id: &str) -> bool {
        let sides = self.held.get(&staff_id).zip(self.said.get(wonde_id));
        sides.is_some_and(|(held, said)| !held.is_disjoint(said))
    }
}

#[cfg(test)]
mod tests;

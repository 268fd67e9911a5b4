//! What the rules say about a list, taken from the mission: who each record is, who leaves, who may
//! have which login, and the final values of everyone.

mod fields;
mod logins;
mod meaning;
pub(crate) mod said;

use std::collections::{BTreeMap, BTreeSet};

use mis_sync_domain::{
    IssueCode, StaffRecord, WorkEmail,
    identity::{folded, is_upi_key},
    plan::{Account, Fetched, Held, Person, Rules},
};

use self::logins::{login, login_of};

/// A place in the list, and one among the people of iP.
type Pair = (usize, usize);

/// The two sides of a comparison.
pub(crate) struct Model<'a> {
    pub(crate) held: &'a Held,
    pub(crate) fetched: &'a Fetched,
    pub(crate) rules: &'a Rules,
    /// Each record once, in its last delivery, without those of `apart`.
    records: Vec<&'a StaffRecord>,
    /// Records without a work email that are not in iP: they are present, and not imported.
    apart: Vec<&'a StaffRecord>,
}

/// Whether both are the same, without regard to capitals. A missing text equals nothing.
fn is_same(one: &str, other: &str) -> bool {
    !folded(one).is_empty() && folded(one) == folded(other)
}

/// What a plan has to say about people.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Expected {
    /// People who are in iP.
    pub(crate) known: Vec<Person>,
    /// New people, in the order of the list.
    pub(crate) new: Vec<Person>,
    /// Why records are left out.
    pub(crate) issues: BTreeMap<String, IssueCode>,
    /// Records, and the people that each may belong to.
    pub(crate) candidates: BTreeSet<(String, usize)>,
}

impl<'a> Model<'a> {
    /// `None` if the case contains something that the model does not cover: several records of one
    /// person, or decisions.
    pub(crate) fn of(held: &'a Held, fetched: &'a Fetched, rules: &'a Rules) -> Option<Self> {
        let all = &fetched.staff;
        let comes_again =
            |at: usize| all[at + 1..].iter().any(|(_, r)| r.wonde_id == all[at].1.wonde_id);
        let records: Vec<&StaffRecord> =
            (0..all.len()).filter(|at| !comes_again(*at)).map(|at| &all[at].1).collect();
        let name = |record: &StaffRecord| {
            let email = record.email.as_ref().map(WorkEmail::as_str).unwrap_or_default();
            [email, &record.first_name, &record.surname].map(folded)
        };
        let names: BTreeSet<_> = records.iter().map(|record| name(record)).collect();
        let is_plain =
            names.len() == records.len() && held.aliases.is_empty() && held.decisions.is_empty();
        let apart = Vec::new();
        let mut model = is_plain.then_some(Self { held, fetched, rules, records, apart })?;
        let all = std::mem::take(&mut model.records);
        let is_for_someone = |one: &&StaffRecord| one.email.is_some() || model.is_known(one);
        let (records, apart) = all.into_iter().partition(is_for_someone);
        Some(Self { records, apart, ..model })
    }

    pub(crate) fn expects(&self) -> Expected {
        let mut expected = Expected::default();
        let (means, mut doubts) = self.means();
        let shared = self.shares_a_login(&means);
        let mut issue: Vec<Option<IssueCode>> =
            shared.iter().map(|shared| shared.then_some(IssueCode::SharedWorkEmail)).collect();
        self.give_way(&means, &mut issue);
        let is_meant = |place: usize, but: usize| {
            (0..means.len()).any(|n| n != but && means[n] == Some(place))
        };
        let mut pairs = self.found_again(&means, &issue);
        doubts.retain(|(n, place)| {
            means[*n].is_none_or(|own| own == *place) && !is_meant(*place, *n)
        });
        pairs.extend(doubts);
        for (n, place) in &pairs {
            issue[*n].get_or_insert(IssueCode::PossibleMatch);
            expected.candidates.insert((self.records[*n].wonde_id.clone(), *place));
        }
        for (n, record) in self.records.iter().enumerate() {
            if record.email.is_none() && means[n].is_none() {
                issue[n].get_or_insert(IssueCode::NoWorkEmail);
            }
        }
        let leavers = self.leavers(&means, &pairs);
        self.keep_logins_apart(&means, &leavers, &mut issue);

        expected.known = self.held.people.iter().map(|account| account.person.clone()).collect();
        for place in leavers {
            expected.known[place].active = false;
        }
        let roles_are_said = !self.roles_are_withheld(&means);
        for (n, said) in self.records.iter().enumerate() {
            match (issue[n], means[n]) {
                // The list reported it.
                (Some(IssueCode::NoWorkEmail), _) => {}
                (Some(code), _) => drop(expected.issues.insert(said.wonde_id.clone(), code)),
                (None, None) => {
                    let person = fields::of(None, said, self.rules, roles_are_said);
                    expected.new.push(person);
                }
                (None, Some(place)) if self.is_read_later(place) => {}
                (None, Some(place)) => {
                    let person = &mut expected.known[place];
                    *person = fields::of(Some(person), said, self.rules, roles_are_said);
                    if !person.active {
                        expected.issues.insert(said.wonde_id.clone(), IssueCode::InactiveInIp);
                    }
                }
            }
        }
        expected
    }

    /// Whether a person in iP has the record, or was added again under it.
    fn is_known(&self, record: &StaffRecord) -> bool {
        let own = |place: usize| self.account(place).person.wonde_id.as_deref();
        let owner = record.upi.as_deref().and_then(|upi| self.owner_of(upi));
        self.everybody().any(|place| own(place) == Some(record.wonde_id.as_str()))
            || owner.is_some_and(|owner| own(owner).is_none_or(|own| !self.is_listed(own)))
    }

    /// Ids and UPIs of people who are present and not imported.
    fn present(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let present = self.fetched.present.iter();
        let present = present.map(|one| (one.wonde_id.as_str(), one.upi.as_deref()));
        present.chain(self.apart.iter().map(|one| (one.wonde_id.as_str(), one.upi.as_deref())))
    }

    fn account(&self, place: usize) -> &'a Account {
        &self.held.people[place]
    }

    fn everybody(&self) -> std::ops::Range<usize> {
        0..self.held.people.len()
    }

    fn is_read_later(&self, place: usize) -> bool {
        self.account(place).read_at.is_some_and(|at| at > self.fetched.started_at)
    }

    /// Ids and UPIs of everyone in the list.
    fn listed(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let Fetched { staff, present, left_out, .. } = self.fetched;
        let staff = staff.iter().map(|(_, one)| (one.wonde_id.as_str(), one.upi.as_deref()));
        let present = present.iter().map(|one| (one.wonde_id.as_str(), one.upi.as_deref()));
        let left_out = left_out.iter().map(|one| (one.wonde_id.as_str(), one.upi.as_deref()));
        staff.chain(present).chain(left_out)
    }

    fn is_listed(&self, wonde_id: &str) -> bool {
        self.listed().any(|(id, _)| id == wonde_id)
    }

    /// The person in iP with this UPI, if it tells people apart.
    fn owner_of(&self, upi: &str) -> Option<usize> {
        let ids: BTreeSet<&str> =
            self.listed().filter(|(_, one)| *one == Some(upi)).map(|(id, _)| id).collect();
        let has_it = |place: &usize| self.account(*place).person.upi.as_deref() == Some(upi);
        let owners: Vec<usize> = self.everybody().filter(has_it).collect();
        match owners[..] {
            [owner] if ids.len() == 1 && is_upi_key(upi) => Some(owner),
            _ => None,
        }
    }

    /// Whether a person whose own record is missing is present under another id, and cannot be
    /// imported.
    fn is_present_by_upi(&self, place: usize) -> bool {
        let own = self.account(place).person.wonde_id.as_deref();
        self.present().any(|(wonde_id, upi)| {
            own != Some(wonde_id) && upi.is_some_and(|upi| self.owner_of(upi) == Some(place))
        })
    }

    fn shows_absence(&self) -> bool {
        self.fetched.is_full && self.fetched.counts.nameless == 0
    }

    fn is_gone(&self, wonde_id: &str) -> bool {
        self.fetched.gone.employees.contains(wonde_id)
    }

    /// Unmatched records, each with a person whose id is gone and who has much in common with it.
    fn found_again(&self, means: &[Option<usize>], issue: &[Option<IssueCode>]) -> Vec<Pair> {
        let has_much_in_common = |n: usize, place: usize| {
            let (said, person) = (self.records[n], &self.account(place).person);
            let initials = said.initials.as_deref().zip(person.initials.as_deref());
            let by_key = login_of(said).as_ref() == Some(&login(&person.email))
                || is_same(&said.surname, &person.surname);
            let by_name = is_same(&said.first_name, &person.first_name)
                || initials.is_some_and(|(said, held)| is_same(said, held));
            by_key && by_name
        };
        let is_lost = |place: usize| {
            let person = &self.account(place).person;
            let is_gone = |id: &str| self.is_gone(id) && !self.is_listed(id);
            person.active
                && person.wonde_id.as_deref().is_some_and(is_gone)
                && !self.is_present_by_upi(place)
                && !means.contains(&Some(place))
        };
        let open = (0..means.len()).filter(|n| means[*n].is_none() && issue[*n].is_none());
        let open = open.filter(|_| self.shows_absence());
        let pairs = open.flat_map(|n| self.everybody().map(move |place| (n, place)));
        pairs.filter(|(n, place)| is_lost(*place) && has_much_in_common(*n, *place)).collect()
    }

    fn leavers(&self, means: &[Option<usize>], pairs: &[Pair]) -> Vec<usize> {
        let counts = self.fetched.counts;
        let says_nothing = counts.records > 0 && counts.employment_said == 0;
        let proves_nothing = self.fetched.is_full && !self.shows_absence();
        if says_nothing || proves_nothing || !self.rules.sync.deactivates {
            return Vec::new();
        }
        let has_left = |place: &usize| {
            let person = &self.account(*place).person;
            let Some(own) = person.wonde_id.as_deref() else { return false };
            let is_not_current =
                self.fetched.is_full && self.fetched.left_out.iter().any(|one| one.wonde_id == own);
            let is_imported = self.records.iter().any(|one| one.wonde_id == own);
            let is_present = is_imported || self.present().any(|(wonde_id, _)| wonde_id == own);
            person.active
                && (self.is_gone(own) || is_not_current)
                && !is_present
                && !self.is_present_by_upi(*place)
                && !means.contains(&Some(*place))
                && !pairs.iter().any(|(_, other)| other == place)
                && !self.is_read_later(*place)
        };
        let leavers: Vec<usize> = self.everybody().filter(has_left).collect();
        let is_kept = self.fetched.alone.is_some() && self.rules.has_many_recent_leavers;
        if is_kept { Vec::new() } else { leavers }
    }

    /// Whether no one in a full list has a role although someone in it had one before.
    fn roles_are_withheld(&self, means: &[Option<usize>]) -> bool {
        let is_apart =
            |said: &StaffRecord| self.apart.iter().any(|one| one.wonde_id == said.wonde_id);
        let mut staff = self.fetched.staff.iter().map(|(_, said)| said);
        let has_role = staff.any(|said| said.job_title.as_deref().is_some() && !is_apart(said));
        let some_had = means.iter().flatten().any(|place| {
            let mis = self.account(*place).person.mis.as_ref();
            mis.and_then(|mis| mis.job_title.as_ref()).is_some_and(|said| said.0.is_some())
        });
        self.fetched.is_full && !has_role && some_had
    }
}

//! Who may have which login. Logins in doubt are found by trying: of all sets of people who could
//! move, take the largest after which no two hold one login.

use std::cmp::Reverse;

use mis_sync_domain::{IssueCode, StaffRecord};

use super::Model;

impl Model<'_> {
    /// The login that a record asks for; `None` if its person has it or needs none.
    fn asks(&self, n: usize, means: &[Option<usize>]) -> Option<String> {
        let said = login_of(self.records[n]);
        let Some(place) = means[n] else { return said };
        let person = &self.account(place).person;
        let wanted = said.unwrap_or_else(|| login(&person.email));
        let asks =
            if person.active { login(&person.email) != wanted } else { self.rules.sync.restores };
        (asks && !self.is_read_later(place)).then_some(wanted)
    }

    /// A person who comes back without an address leaves a login to people who have it in the MIS.
    pub(super) fn give_way(&self, means: &[Option<usize>], issue: &mut [Option<IssueCode>]) {
        let says = |n: usize| login_of(self.records[n]);
        for n in (0..means.len()).filter(|n| says(*n).is_none()) {
            let Some(wanted) = self.asks(n, means) else { continue };
            let wants_it = |m: &usize| {
                says(*m).as_ref() == Some(&wanted)
                    || says(*m).is_none() && self.asks(*m, means).as_ref() == Some(&wanted)
            };
            if (0..means.len()).filter(|m| *m != n).any(|m| wants_it(&m)) {
                issue[n] = Some(IssueCode::WorkEmailInUse);
            }
        }
    }

    pub(super) fn shares_a_login(&self, means: &[Option<usize>]) -> Vec<bool> {
        let is_shared = |n: usize| {
            let with_it = |wanted: &String| {
                let records = self.records.iter();
                records.filter(|one| login_of(one).as_ref() == Some(wanted)).count() > 1
            };
            let said = login_of(self.records[n]);
            self.asks(n, means).filter(|_| said.is_some()).as_ref().is_some_and(with_it)
        };
        (0..self.records.len()).map(is_shared).collect()
    }

    /// Of the people who ask for a login, the largest set moves after which no two hold one.
    pub(super) fn keep_logins_apart(
        &self,
        means: &[Option<usize>],
        leavers: &[usize],
        issue: &mut [Option<IssueCode>],
    ) {
        let asking: Vec<(usize, String)> = (0..means.len())
            .filter(|n| issue[*n].is_none())
            .filter_map(|n| Some((n, self.asks(n, means)?)))
            .collect();
        let elsewhere = &self.held.logins.elsewhere;
        let works = |movers: &[&(usize, String)]| {
            let moves = |place: usize| movers.iter().any(|(n, _)| means[*n] == Some(place));
            let stays = |place: &usize| {
                self.account(*place).person.active && !leavers.contains(place) && !moves(*place)
            };
            let held =
                self.everybody().filter(stays).map(|at| login(&self.account(at).person.email));
            let mut logins: Vec<String> =
                held.chain(movers.iter().map(|(_, wanted)| wanted.clone())).collect();
            let count = logins.len();
            logins.sort_unstable();
            logins.dedup();
            logins.len() == count && !movers.iter().any(|(_, wanted)| elsewhere.contains(wanted))
        };
        let mut sets: Vec<u32> = (0..1 << asking.len()).collect();
        sets.sort_by_key(|set| Reverse(set.count_ones()));
        let chosen = |set: u32| -> Vec<&(usize, String)> {
            (0..).zip(&asking).filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, one)| one).collect()
        };
        let movers = sets.into_iter().map(chosen).find(|movers| works(movers)).unwrap();
        for (n, _) in &asking {
            if !movers.iter().any(|(mover, _)| mover == n) {
                issue[*n] = Some(IssueCode::WorkEmailInUse);
            }
        }
    }
}

/// The login that a record names.
pub(super) fn login_of(record: &StaffRecord) -> Option<String> {
    record.email.as_ref().map(|email| login(email.as_str()))
}

pub(super) fn login(address: &str) -> String {
    address.to_lowercase()
}

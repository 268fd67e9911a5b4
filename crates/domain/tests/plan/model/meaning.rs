//! The account of each record: by Wonde id, then UPI, then work email. A match with nothing else in
//! common is rejected, and another one is looked for.

use std::cmp::Reverse;

use mis_sync_domain::{
    MatchedBy, StaffRecord, WorkEmail,
    identity::{Identity, is_doubtful},
    plan::Person,
};

use super::{
    Model, Pair, is_same,
    logins::{login, login_of},
};

impl Model<'_> {
    /// The account of each record, and matches that a person has to confirm.
    pub(super) fn means(&self) -> (Vec<Option<usize>>, Vec<Pair>) {
        let mut refuted: Vec<Pair> = Vec::new();
        let mut doubts: Vec<Pair> = Vec::new();
        loop {
            let found = self.means_without(&refuted);
            let is_unlike = |(n, one): &(usize, Option<(usize, MatchedBy)>)| {
                one.is_some_and(|(place, by)| self.is_unlike(*n, place, by))
            };
            let unlike: Vec<_> = found.iter().copied().enumerate().filter(is_unlike).collect();
            let mut is_settled = true;
            for (n, one) in unlike {
                let (place, by) = one.unwrap();
                if by != MatchedBy::WondeId {
                    refuted.push((n, place));
                    is_settled = false;
                }
                // The mailbox of an inactive person was handed on.
                let waits = by != MatchedBy::WorkEmail || self.account(place).person.active;
                if waits && !doubts.contains(&(n, place)) {
                    doubts.push((n, place));
                }
            }
            if is_settled {
                return (found.iter().map(|one| one.map(|(place, _)| place)).collect(), doubts);
            }
        }
    }

    fn is_unlike(&self, n: usize, place: usize, by: MatchedBy) -> bool {
        let (account, said) = (self.account(place), self.records[n]);
        let person = &account.person;
        let is_nobodys =
            person.wonde_id.is_none() && person.mis.is_none() && account.password_reset_required;
        let identity = |first_name, surname, email, initials| Identity {
            first_name,
            surname,
            email,
            initials,
        };
        let Person { first_name, surname, email, initials, .. } = person;
        let held = identity(first_name, surname, email, initials.as_deref());
        let StaffRecord { first_name, surname, email, initials, .. } = said;
        let email = email.as_ref().map(WorkEmail::as_str).unwrap_or_default();
        let said = identity(first_name, surname, email, initials.as_deref());
        !is_nobodys && is_doubtful(by, &held, &said)
    }

    fn means_without(&self, refuted: &[Pair]) -> Vec<Option<(usize, MatchedBy)>> {
        let mut found: Vec<Option<(usize, MatchedBy)>> = vec![None; self.records.len()];
        for by in [MatchedBy::WondeId, MatchedBy::Upi, MatchedBy::WorkEmail] {
            let is_taken = |place: usize| found.iter().flatten().any(|(taken, _)| *taken == place);
            let wishes: Vec<Option<usize>> = (0..self.records.len())
                .map(|n| {
                    let mut places: Vec<usize> = self
                        .everybody()
                        .filter(|place| found[n].is_none() && self.may_mean(n, *place, by))
                        .filter(|place| !is_taken(*place) && !refuted.contains(&(n, *place)))
                        .collect();
                    places.sort_by_key(|place| {
                        let account = self.account(*place);
                        (!account.person.active, Reverse(account.updated_at), account.id)
                    });
                    places.first().copied()
                })
                .collect();
            for (n, wish) in wishes.iter().enumerate() {
                let Some(place) = wish else { continue };
                if wishes.iter().filter(|other| **other == *wish).count() == 1 {
                    found[n] = Some((*place, by));
                }
            }
        }
        found
    }

    fn may_mean(&self, n: usize, place: usize, by: MatchedBy) -> bool {
        let (said, account) = (self.records[n], self.account(place));
        let own = account.person.wonde_id.as_deref();
        match by {
            MatchedBy::WondeId => own == Some(said.wonde_id.as_str()),
            MatchedBy::Upi => {
                said.upi.as_deref().is_some_and(|upi| self.owner_of(upi) == Some(place))
                    && own.is_none_or(|own| !self.is_listed(own))
            }
            _ => {
                let is_free = |own: &str| {
                    is_same(&account.person.surname, &said.surname)
                        && !self.is_listed(own)
                        && (!account.person.active || self.is_gone(own))
                        && !self.is_present_by_upi(place)
                        && self.shows_absence()
                };
                login_of(said).as_ref() == Some(&login(&account.person.email))
                    && own.is_none_or(is_free)
            }
        }
    }
}

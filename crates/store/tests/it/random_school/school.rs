//! A school: what its MIS says, and what iP must hold.

use std::collections::BTreeMap;

use mis_sync_domain::{JobTitle, OwnedFields, SchoolId, SyncRules};
use rand::{RngExt, rngs::StdRng};
use uuid::Uuid;

use super::{
    account::Account,
    record::{Record, Shown},
};
use crate::{fixture::RULES, rows::Person};

pub(super) struct School {
    pub(super) id: SchoolId,
    pub(super) rules: SyncRules,
    /// Everyone in the MIS, including leavers.
    pub(super) records: Vec<Record>,
    /// In the order of their creation. No account is ever removed.
    pub(super) accounts: Vec<Account>,
    /// The accounts at the last look, with their passwords: no one loses an account.
    pub(super) passwords: BTreeMap<Uuid, String>,
    /// What was done in iP since the last sync, in order.
    pub(super) by_hand: Vec<ByHand>,
    /// Records that the next list delivers in an earlier form first.
    pub(super) earlier: Vec<Record>,
    /// Whether the next list is empty.
    pub(super) list_is_empty: bool,
    /// How many numbers were used; both schools of a pair count from 1.
    numbers: u32,
}

/// A change that a person makes in iP.
pub(super) enum ByHand {
    /// An account is made.
    Made { email: String, upi: Option<String>, first_name: String },
    /// An account is edited: the statement.
    Edited(String),
}

impl School {
    /// Five people, and two accounts made by hand that may match two of them.
    pub(super) fn draw(random: &mut StdRng, name: &str, seed: u64) -> Self {
        let mut school = Self {
            id: format!("{name}-{seed}").parse().unwrap(),
            rules: draw_rules(random),
            records: Vec::new(),
            accounts: Vec::new(),
            passwords: BTreeMap::new(),
            by_hand: Vec::new(),
            earlier: Vec::new(),
            list_is_empty: false,
            numbers: 0,
        };
        for _ in 0..5 {
            school.joiner(random);
        }
        let (one, two) = (&school.records[0], &school.records[1]);
        let (email, upi) = (one.email.to_uppercase(), two.upi.clone());
        let (first, second) = (one.first_name.clone(), two.first_name.clone());
        let private = school.fresh_address();
        school.make_account(email, None, first);
        school.make_account(private, upi, second);
        school
    }

    /// A number that the school has not used yet.
    pub(super) fn fresh(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// An unused address.
    pub(super) fn fresh_address(&mut self) -> String {
        format!("P{}@{}.example", self.fresh(), self.id)
    }

    pub(super) fn joiner(&mut self, random: &mut StdRng) -> String {
        let (n, email) = (self.fresh(), self.fresh_address());
        let wonde_id = format!("w{n}");
        self.records.push(Record {
            wonde_id: wonde_id.clone(),
            upi: random.random_bool(0.8).then(|| format!("upi-{n}")),
            email,
            first_name: format!("Name{n}"),
            initials: random.random_bool(0.5).then(|| format!("I{n}")),
            job_title: JobTitle::NotDelivered,
            shown: Shown::Whole,
        });
        wonde_id
    }

    pub(super) fn make_account(&mut self, email: String, upi: Option<String>, first_name: String) {
        let account = Account::made_by_hand(email.clone(), upi.clone(), first_name.clone());
        self.accounts.push(account);
        self.by_hand.push(ByHand::Made { email, upi, first_name });
    }

    /// Takes over the ids of accounts that are new in iP.
    pub(super) fn learn_ids(&mut self, people: &[Person]) {
        for account in self.accounts.iter_mut().filter(|account| account.id.is_none()) {
            let login = account.login();
            let found = people.iter().find(|person| {
                person.email.to_lowercase() == login && person.wonde_id == account.wonde_id
            });
            account.id = found.map(|person| person.id);
        }
    }
}

/// Most schools deactivate leavers and restore people who come back.
fn draw_rules(random: &mut StdRng) -> SyncRules {
    let usual = random.random_bool(0.7);
    SyncRules {
        owned: OwnedFields {
            initials: random.random(),
            job_title: random.random(),
            line_manager: true,
        },
        restores: usual || random.random(),
        deactivates: usual || random.random(),
        ..RULES
    }
}

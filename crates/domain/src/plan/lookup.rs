//! Both sides of a comparison, found by their keys.

use std::collections::{HashMap, HashSet};

use super::{
    Rules,
    fetched::{Fetched, Present},
    held::{Account, Held},
};
use crate::{
    GuardCategory, PersonKey, StaffId, StaffRecord, WorkEmail,
    identity::{Identity, folded, is_upi_key},
    text::composed,
};

/// A person's place in [`Held::people`].
pub(super) type Place = usize;

/// A record of the list, in its last delivery.
pub(super) struct Record<'a> {
    pub(super) place: i64,
    pub(super) said: &'a StaffRecord,
    /// The work email in the form in which it is compared; `None` if it has no usable one.
    pub(super) key: Option<&'a str>,
}

/// How emails are compared: by the database's rule, and composed and without regard to capitals,
/// which the database does not ensure in every locale.
pub(super) struct Keys {
    /// The keys of the accounts, by their places.
    accounts: Vec<String>,
    /// The keys of the records of the list, by their spelling.
    said: HashMap<String, String>,
    elsewhere: HashSet<String>,
}

impl Keys {
    pub(super) fn new(held: &Held, fetched: &Fetched) -> Self {
        let spelt = spelt(held);
        let emails = fetched.staff.iter().filter_map(|(_, said)| said.email.as_ref());
        let said = emails.map(|email| {
            let email = email.as_str();
            (email.to_owned(), folded_email(key(held, &spelt, email)))
        });
        Self {
            accounts: held.people.iter().map(|one| folded_email(&one.email_key)).collect(),
            said: said.collect(),
            elsewhere: held.logins.elsewhere.iter().map(|key| folded_email(key)).collect(),
        }
    }
}

/// Unlike in a name, ß in an address does not equal ss: that is another mailbox.
fn folded_email(key: &str) -> String {
    composed(&composed(key).to_lowercase()).into_owned()
}

/// How the database compares the emails of accounts, by their spelling.
pub(super) fn spelt(held: &Held) -> HashMap<&str, &str> {
    held.people
        .iter()
        .map(|account| (account.person.email.as_str(), account.email_key.as_str()))
        .collect()
}

/// Both sides of the comparison, and the rules.
pub(super) struct Lookup<'a> {
    pub(super) held: &'a Held,
    pub(super) fetched: &'a Fetched,
    pub(super) rules: &'a Rules,
    keys: &'a Keys,
    /// Each record once, in the order of the list.
    pub(super) records: Vec<Record<'a>>,
    /// Places in `records`, by Wonde id.
    pub(super) listed_staff: HashMap<&'a str, usize>,
    /// Every record of the list, imported or not. These are not gone.
    pub(super) listed: HashSet<&'a str>,
    /// People who are in the list but cannot be imported.
    pub(super) present: HashMap<&'a str, &'a Present>,
    /// Accounts by Wonde id.
    pub(super) linked: HashMap<&'a str, Place>,
    pub(super) by_id: HashMap<StaffId, Place>,
    /// UPIs that tell people apart, and their accounts.
    pub(super) upis: HashMap<&'a str, Place>,
    /// The UPIs of `upis` that belong to people who are merely present.
    present_upis: HashSet<&'a str>,
    /// Accounts by work email, in the form in which it is compared.
    pub(super) by_email: HashMap<&'a str, Vec<Place>>,
    /// How emails of accounts are compared, by their spelling.
    spelt: HashMap<&'a str, &'a str>,
    /// People whom the approver left as they are.
    left_people: HashSet<Place>,
    /// Records of new people whom the approver did not let in.
    left_records: HashSet<&'a str>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(
        held: &'a Held,
        fetched: &'a Fetched,
        rules: &'a Rules,
        keys: &'a Keys,
    ) -> Self {
        let records = latest(fetched, keys);
        let listed_staff =
            records.iter().enumerate().map(|(at, one)| (one.said.wonde_id.as_str(), at)).collect();
        let people = || held.people.iter().enumerate();
        let linked: HashMap<&str, Place> = people()
            .filter_map(|(at, account)| Some((account.person.wonde_id.as_deref()?, at)))
            .collect();
        let mut by_email: HashMap<&str, Vec<Place>> = HashMap::new();
        for (at, key) in keys.accounts.iter().enumerate() {
            by_email.entry(key).or_default().push(at);
        }
        let upis = usable_upis(held, fetched);
        let present_upis = fetched
            .present
            .iter()
            .filter_map(|person| person.upi.as_deref())
            .filter(|upi| upis.contains_key(upi))
            .collect();
        let by_id: HashMap<StaffId, Place> = people().map(|(at, one)| (one.id, at)).collect();
        let (mut left_people, mut left_records) = (HashSet::new(), HashSet::new());
        for person in &rules.leave_people {
            match person {
                PersonKey::StaffId(id) => left_people.extend(by_id.get(id)),
                PersonKey::WondeId(id) => {
                    left_records.insert(id.as_str());
                }
            }
        }
        Self {
            held,
            fetched,
            rules,
            keys,
            left_people,
            left_records,
            records,
            listed_staff,
            listed: every_record(fetched).map(|(wonde_id, _)| wonde_id).collect(),
            present: fetched.present.iter().map(|one| (one.wonde_id.as_str(), one)).collect(),
            linked,
            by_id,
            upis,
            present_upis,
            by_email,
            spelt: spelt(held),
        }
    }

    /// An email by the database's rule, with which evidence is looked up.
    pub(super) fn key(&self, email: &'a str) -> &'a str {
        key(self.held, &self.spelt, email)
    }

    pub(super) fn account(&self, place: Place) -> &'a Account {
        &self.held.people[place]
    }

    /// The email of an account in the form in which it is compared.
    pub(super) fn account_key(&self, place: Place) -> &'a str {
        &self.keys.accounts[place]
    }

    /// Whether the login belongs to a person of another school.
    pub(super) fn is_held_elsewhere(&self, key: &str) -> bool {
        self.keys.elsewhere.contains(key)
    }

    pub(super) fn leaves_out(&self, category: GuardCategory) -> bool {
        self.rules.left_out.iter().any(|affected| affected.category == category)
    }

    /// Whether the approver left this person as they are.
    pub(super) fn leaves_person(&self, place: Place) -> bool {
        self.left_people.contains(&place)
    }

    /// Whether this record is of a new person whom the approver did not let in.
    pub(super) fn leaves_record(&self, wonde_id: &str) -> bool {
        self.left_records.contains(wonde_id)
    }

    /// Whether a later fetch has read the account.
    pub(super) fn was_read_later(&self, account: &Account) -> bool {
        account.read_at.is_some_and(|at| at > self.fetched.started_at)
    }

    /// Whether a record with the same UPI is in the list under another id, but cannot be imported.
    pub(super) fn is_present_by_upi(&self, account: &Account) -> bool {
        account.person.upi.as_deref().is_some_and(|upi| self.present_upis.contains(upi))
    }

    /// Whether the list shows who is missing: it is complete, and none of its records could be
    /// anyone's.
    pub(super) fn shows_absence(&self) -> bool {
        self.fetched.is_full && self.fetched.counts.nameless == 0
    }

    /// Wonde ids of the further records of each person.
    pub(super) fn aliases_of(&self) -> HashMap<StaffId, Vec<&'a str>> {
        let mut aliases: HashMap<StaffId, Vec<&str>> = HashMap::new();
        for (wonde_id, staff_id) in &self.held.aliases {
            aliases.entry(*staff_id).or_default().push(wonde_id);
        }
        aliases
    }
}

/// An email by the database's rule.
pub(super) fn key<'a>(
    held: &'a Held,
    spelt: &HashMap<&'a str, &'a str>,
    email: &'a str,
) -> &'a str {
    let looked_up = || held.logins.keys.get(email).map(String::as_str);
    spelt.get(email).copied().or_else(looked_up).unwrap_or(email)
}

/// Each record once, in its last delivery.
fn latest<'a>(fetched: &'a Fetched, keys: &'a Keys) -> Vec<Record<'a>> {
    let last: HashMap<&str, usize> = fetched
        .staff
        .iter()
        .enumerate()
        .map(|(at, (_, said))| (said.wonde_id.as_str(), at))
        .collect();
    let is_last = |at: usize, said: &StaffRecord| last[said.wonde_id.as_str()] == at;
    fetched
        .staff
        .iter()
        .enumerate()
        .filter(|(at, (_, said))| is_last(*at, said))
        .map(|(_, (place, said))| Record {
            place: *place,
            said,
            key: said.email.as_ref().map(|email| keys.said[email.as_str()].as_str()),
        })
        .collect()
}

/// Every record that can be read, with its UPI.
pub(super) fn every_record(fetched: &Fetched) -> impl Iterator<Item = (&str, Option<&str>)> {
    let staff = fetched.staff.iter().map(|(_, one)| (one.wonde_id.as_str(), one.upi.as_deref()));
    let present = fetched.present.iter().map(|one| (one.wonde_id.as_str(), one.upi.as_deref()));
    let left_out = fetched.left_out.iter().map(|one| (one.wonde_id.as_str(), one.upi.as_deref()));
    staff.chain(present).chain(left_out)
}

/// UPIs of the list that tell people apart: they are not placeholders, and neither several records
/// nor several people in iP share them. Only those that may match a record to an account linked to
/// another record, or to none.
pub(super) fn usable_upis<'a>(held: &'a Held, fetched: &'a Fetched) -> HashMap<&'a str, Place> {
    let mut known: HashMap<&str, Option<Place>> = HashMap::new();
    for (at, account) in held.people.iter().enumerate() {
        let Some(upi) = account.person.upi.as_deref() else { continue };
        known.entry(upi).and_modify(|only| *only = None).or_insert(Some(at));
    }
    let mut listed: HashMap<&str, Option<&str>> = HashMap::new();
    for (wonde_id, upi) in every_record(fetched) {
        let Some(upi) = upi else { continue };
        listed
            .entry(upi)
            .and_modify(|only| *only = only.filter(|only| *only == wonde_id))
            .or_insert(Some(wonde_id));
    }
    let usable = listed.into_iter().filter_map(|(upi, record)| {
        let place = known.get(upi).copied().flatten()?;
        let is_linked = held.people[place].person.wonde_id.as_deref() == Some(record?);
        (!is_linked && is_upi_key(upi)).then_some((upi, place))
    });
    usable.collect()
}

/// What an account is recognised by.
pub(super) fn identity_of(account: &Account) -> Identity<'_> {
    let person = &account.person;
    Identity {
        first_name: &person.first_name,
        surname: &person.surname,
        email: &person.email,
        initials: person.initials.as_deref(),
    }
}

/// What a record is recognised by.
pub(super) fn identity_said(record: &StaffRecord) -> Identity<'_> {
    Identity {
        first_name: &record.first_name,
        surname: &record.surname,
        email: record.email.as_ref().map(WorkEmail::as_str).unwrap_or_default(),
        initials: record.initials.as_deref(),
    }
}

/// Whether both are the same, without regard to capitals. A missing text has nothing in common with
/// another.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let one = folded(one);
    !one.is_empty() && one == folded(other)
}

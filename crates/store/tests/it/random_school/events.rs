//! What can happen to a school, in its MIS and in iP.

use rand::{
    rngs::StdRng,
    seq::{IndexedRandom, IteratorRandom},
};

use super::{addresses, by_hand, delivery, employment, fields, record::Record, school::School};

/// The school whose turn it is, and the other one of the pair.
pub(super) struct Turn<'a> {
    pub(super) random: &'a mut StdRng,
    pub(super) school: &'a mut School,
    pub(super) other: &'a School,
}

/// An event; returns who it happened to, or `None` if there is no one it can happen to.
type Event = fn(&mut Turn<'_>) -> Option<String>;

/// How often each event happens, and its name.
const EVENTS: [(u32, &str, Event); 25] = [
    (4, "joins", employment::joins),
    (4, "leaves", employment::leaves),
    (3, "comes back", employment::comes_back),
    (2, "comes back re-added", employment::comes_back_readded),
    (2, "comes back with nothing but the address", employment::comes_back_with_the_address),
    (3, "is re-added", employment::is_readded),
    (2, "is re-added twice", employment::is_readded_twice),
    (4, "is in the list but not imported", delivery::is_hidden),
    (4, "is imported again", delivery::is_whole_again),
    (2, "is delivered twice", delivery::is_delivered_twice),
    (1, "an empty list is delivered", delivery::nobody_is_delivered),
    (8, "new address", addresses::new),
    (1, "address in another case", addresses::other_case),
    (3, "address of a colleague", addresses::of_a_colleague),
    (3, "address handed over", addresses::handed_over),
    (3, "addresses swapped", addresses::swapped),
    (2, "address that iP knows", addresses::known_to_ip),
    (3, "address of the other school", addresses::of_the_other_school),
    (2, "renamed", fields::renamed),
    (2, "other UPI", fields::other_upi),
    (2, "other initials", fields::other_initials),
    (3, "other roles", fields::other_roles),
    (3, "field edited in iP", by_hand::field_edited),
    (2, "login edited in iP", by_hand::login_edited),
    (2, "account made in iP", by_hand::account_made),
];

impl Turn<'_> {
    /// Makes something possible happen, and returns what it was.
    pub(super) fn something_happens(&mut self) -> String {
        loop {
            let (_, name, event) = EVENTS.choose_weighted(self.random, |event| event.0).unwrap();
            if let Some(who) = event(self) {
                return format!("{name}: {who}");
            }
        }
    }

    /// A person who works at the school.
    pub(super) fn a_person(&mut self) -> Option<usize> {
        self.one_who(Record::is_here)
    }

    /// One of these people, who may have left.
    pub(super) fn one_who(&mut self, test: impl Fn(&Record) -> bool) -> Option<usize> {
        let records = self.school.records.iter().enumerate();
        let fitting = records.filter(|(_, record)| test(record)).map(|(at, _)| at);
        fitting.choose(self.random)
    }

    /// Changes one of these people, with a new number; returns who it was and is now.
    pub(super) fn change(
        &mut self,
        whom: impl Fn(&Record) -> bool,
        how: impl FnOnce(&mut Record, u32),
    ) -> Option<String> {
        let (at, n) = (self.one_who(whom)?, self.school.fresh());
        let record = &mut self.school.records[at];
        let before = record.wonde_id.clone();
        how(record, n);
        Some(format!("{before} ({}, {:?})", record.wonde_id, record.shown))
    }
}

//! Addresses change in the MIS, and pass from one person to another.

use rand::{RngExt, seq::IteratorRandom};

use super::{
    account::Account,
    events::Turn,
    record::{Record, Shown},
};

pub(super) fn new(turn: &mut Turn<'_>) -> Option<String> {
    let at = turn.a_person()?;
    let address = turn.school.fresh_address();
    Some(give(turn, at, address))
}

pub(super) fn other_case(turn: &mut Turn<'_>) -> Option<String> {
    let at = turn.a_person()?;
    let address = &turn.school.records[at].email;
    let (upper, lower) = (address.to_uppercase(), address.to_lowercase());
    let other = if *address == upper { lower } else { upper };
    Some(give(turn, at, other))
}

/// The colleague may or may not keep it.
pub(super) fn of_a_colleague(turn: &mut Turn<'_>) -> Option<String> {
    let (at, colleague) = (turn.a_person()?, turn.a_person()?);
    let address = turn.school.records[colleague].email.clone();
    Some(give(turn, at, address))
}

/// The colleague has a new one.
pub(super) fn handed_over(turn: &mut Turn<'_>) -> Option<String> {
    let (at, colleague) = (turn.a_person()?, turn.a_person()?);
    let (address, new) =
        (turn.school.records[colleague].email.clone(), turn.school.fresh_address());
    let who = [give(turn, at, address), give(turn, colleague, new)];
    Some(who.join(" by "))
}

pub(super) fn swapped(turn: &mut Turn<'_>) -> Option<String> {
    let (one, two) = (turn.a_person()?, turn.a_person()?);
    let (first, second) = (turn.school.records[one].clone(), turn.school.records[two].clone());
    let who = [give(turn, one, second.email), give(turn, two, first.email)];
    Some(who.join(" and "))
}

/// The address of a leaver, or of an account that was made by hand.
pub(super) fn known_to_ip(turn: &mut Turn<'_>) -> Option<String> {
    let at = turn.a_person()?;
    let address = turn.school.accounts.iter().map(Account::login).choose(turn.random)?;
    Some(give(turn, at, address))
}

/// As in the other school's MIS or in iP.
pub(super) fn of_the_other_school(turn: &mut Turn<'_>) -> Option<String> {
    let at = turn.a_person()?;
    let address = if turn.random.random() {
        turn.other.records.iter().map(Record::login).choose(turn.random)?
    } else {
        turn.other.accounts.iter().map(Account::login).choose(turn.random)?
    };
    Some(give(turn, at, address))
}

/// Returns who has it now.
fn give(turn: &mut Turn<'_>, at: usize, address: String) -> String {
    let record = &mut turn.school.records[at];
    record.email = address;
    if record.shown == Shown::WithoutEmail {
        record.shown = Shown::Whole;
    }
    record.wonde_id.clone()
}

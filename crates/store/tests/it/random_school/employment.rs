//! People join, leave and come back.

use rand::{RngExt, seq::IndexedRandom};

use super::{
    events::Turn,
    record::{Record, Shown},
};

/// A school has few people, so that they interact, and the model tries every set of them.
const MOST: usize = 8;

pub(super) fn joins(turn: &mut Turn<'_>) -> Option<String> {
    has_room(turn).then(|| turn.school.joiner(turn.random))
}

/// Some stay in the list as people who are not current.
pub(super) fn leaves(turn: &mut Turn<'_>) -> Option<String> {
    let shown = *[Shown::Left, Shown::Gone].choose(turn.random)?;
    turn.change(Record::is_here, |record, _| record.shown = shown)
}

/// With their earlier id.
pub(super) fn comes_back(turn: &mut Turn<'_>) -> Option<String> {
    returns(turn, |record, _| record.shown = Shown::Whole)
}

/// With a new id, and their UPI if they have one. Some have no work email yet.
pub(super) fn comes_back_readded(turn: &mut Turn<'_>) -> Option<String> {
    let shown = if turn.random.random_bool(0.8) { Shown::Whole } else { Shown::WithoutEmail };
    returns(turn, |record, n| {
        record.wonde_id = format!("w{n}");
        record.shown = shown;
    })
}

/// With a new id and no UPI.
pub(super) fn comes_back_with_the_address(turn: &mut Turn<'_>) -> Option<String> {
    returns(turn, |record, n| {
        record.wonde_id = format!("w{n}");
        record.upi = None;
        record.shown = Shown::Whole;
    })
}

/// Without having left.
pub(super) fn is_readded(turn: &mut Turn<'_>) -> Option<String> {
    turn.change(Record::is_here, |record, n| record.wonde_id = format!("w{n}"))
}

/// By mistake: two records with one UPI replace the one before.
pub(super) fn is_readded_twice(turn: &mut Turn<'_>) -> Option<String> {
    has_room(turn).then_some(())?;
    let at = turn.a_person()?;
    let ids = [(); 2].map(|()| format!("w{}", turn.school.fresh()));
    let email = turn.school.fresh_address();
    let record = &mut turn.school.records[at];
    let who = format!("{} ({ids:?})", record.wonde_id);
    let [one, two] = ids;
    record.wonde_id = one;
    let twin = Record { wonde_id: two, email, ..record.clone() };
    turn.school.records.push(twin);
    Some(who)
}

fn returns(turn: &mut Turn<'_>, how: impl FnOnce(&mut Record, u32)) -> Option<String> {
    has_room(turn).then_some(())?;
    turn.change(|record| !record.is_here(), how)
}

fn has_room(turn: &Turn<'_>) -> bool {
    turn.school.records.iter().filter(|record| record.is_here()).count() < MOST
}

//! Wonde's list shows people in several ways.

use std::mem;

use rand::{RngExt, seq::IndexedRandom};

use super::{
    events::Turn,
    record::{Record, Shown},
};

pub(super) fn is_hidden(turn: &mut Turn<'_>) -> Option<String> {
    let ways = [Shown::WithoutEmail, Shown::NotTeaching, Shown::Unreadable, Shown::Nameless];
    let shown = *ways.choose(turn.random)?;
    turn.change(Record::is_here, |record, _| record.shown = shown)
}

pub(super) fn is_whole_again(turn: &mut Turn<'_>) -> Option<String> {
    let is_hidden = |record: &Record| record.is_here() && record.shown != Shown::Whole;
    turn.change(is_hidden, |record, _| record.shown = Shown::Whole)
}

/// The list changed while it was read, and the record changed in between.
pub(super) fn is_delivered_twice(turn: &mut Turn<'_>) -> Option<String> {
    let at = turn.one_who(|record| record.shown == Shown::Whole)?;
    let mut earlier = turn.school.records[at].clone();
    earlier.first_name = format!("Earlier{}", turn.school.fresh());
    if turn.random.random() {
        let colleague = turn.a_person()?;
        earlier.email.clone_from(&turn.school.records[colleague].email);
    }
    let who = earlier.wonde_id.clone();
    turn.school.earlier.push(earlier);
    Some(who)
}

pub(super) fn nobody_is_delivered(turn: &mut Turn<'_>) -> Option<String> {
    let is_new = !mem::replace(&mut turn.school.list_is_empty, true);
    is_new.then(|| "everybody".into())
}

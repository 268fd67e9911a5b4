//! Other parts of a record change in the MIS.

use mis_sync_domain::JobTitle;
use rand::{RngExt, seq::IteratorRandom};

use super::{events::Turn, record::Record};

pub(super) fn renamed(turn: &mut Turn<'_>) -> Option<String> {
    turn.change(Record::is_here, |record, n| record.first_name = format!("Renamed{n}"))
}

/// None, a new one, or the UPI of a person of either school.
pub(super) fn other_upi(turn: &mut Turn<'_>) -> Option<String> {
    let upi = match turn.random.random_range(0..4) {
        0 => None,
        1 => Some(format!("upi-{}", turn.school.fresh())),
        _ => {
            let everybody = turn.school.records.iter().chain(&turn.other.records);
            everybody.filter_map(|record| record.upi.clone()).choose(turn.random)
        }
    };
    turn.change(Record::is_here, |record, _| record.upi = upi)
}

pub(super) fn other_initials(turn: &mut Turn<'_>) -> Option<String> {
    let said = turn.random.random_bool(0.7);
    turn.change(Record::is_here, |record, n| record.initials = said.then(|| format!("I{n}")))
}

pub(super) fn other_roles(turn: &mut Turn<'_>) -> Option<String> {
    let job_title = match turn.random.random_range(0..4) {
        0 => JobTitle::NotDelivered,
        1 => JobTitle::Empty,
        _ => JobTitle::Roles(format!("Role {}", turn.school.fresh())),
    };
    turn.change(Record::is_here, |record, _| record.job_title = job_title)
}

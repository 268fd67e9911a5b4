//! What people, classes and subjects have in common.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::ids::WondeId;
use crate::school::{Class, Employee, Subject, Times};

/// A record of the MIS that scenarios change.
pub(super) trait Record {
    fn id(&self) -> WondeId;
    fn mis_id(&self) -> u32;
    fn times_mut(&mut self) -> &mut Times;
}

macro_rules! records {
    ($($record:ty),*) => {
        $(impl Record for $record {
            fn id(&self) -> WondeId {
                self.id
            }

            fn mis_id(&self) -> u32 {
                self.mis_id
            }

            fn times_mut(&mut self) -> &mut Times {
                &mut self.times
            }
        })*
    };
}

records!(Employee, Class, Subject);

/// Changes the records at these positions, stamps the change with `now` and returns their ids.
pub(super) fn change<T: Record>(
    records: &mut [T],
    positions: Vec<usize>,
    now: DateTime<Utc>,
    mut change: impl FnMut(&mut T),
) -> Vec<WondeId> {
    let positions = positions.into_iter();
    positions
        .map(|at| {
            let record = &mut records[at];
            change(record);
            record.times_mut().updated = now;
            record.id()
        })
        .collect()
}

/// Takes the records at these positions out of a list.
pub(super) fn take_out<T>(records: &mut Vec<T>, positions: Vec<usize>) -> Vec<T> {
    let positions: HashSet<usize> = positions.into_iter().collect();
    let (taken, kept): (Vec<_>, Vec<_>) =
        std::mem::take(records).into_iter().enumerate().partition(|(at, _)| positions.contains(at));
    records.extend(kept.into_iter().map(|(_, record)| record));
    taken.into_iter().map(|(_, record)| record).collect()
}

/// The ids of records.
pub(super) fn ids<T: Record>(records: &[T]) -> Vec<WondeId> {
    records.iter().map(Record::id).collect()
}

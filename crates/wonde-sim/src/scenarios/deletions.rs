//! Records that are deleted, with a line among the deletions, and records that come back.

use super::Event;
use super::record::{Record, ids};
use crate::ids::WondeId;
use crate::school::Deletion;

impl Event<'_> {
    /// Adds lines to the deletions for these records of a `kind`, and returns their ids.
    pub(super) fn note_deletions<T: Record>(
        &mut self,
        kind: &'static str,
        gone: &[T],
    ) -> Vec<WondeId> {
        for record in gone {
            let deletion = Deletion {
                entry: self.school.ids.take(),
                kind,
                id: record.id(),
                mis_id: record.mis_id(),
                deleted_at: self.now,
                restored_at: None,
            };
            self.school.deletions.push(deletion);
        }
        ids(gone)
    }

    /// Stamps deleted records that are back, here and among the deletions, and returns their ids.
    pub(super) fn note_restored<T: Record>(&mut self, back: &mut [T]) -> Vec<WondeId> {
        for record in &mut *back {
            let times = record.times_mut();
            (times.restored, times.updated) = (Some(self.now), self.now);
        }
        let back = ids(back);
        let lines = self.school.deletions.iter_mut();
        for line in lines.filter(|line| line.restored_at.is_none() && back.contains(&line.id)) {
            line.restored_at = Some(self.now);
        }
        back
    }
}

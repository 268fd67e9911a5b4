//! Says where a failure happened, whatever failed.

use std::thread;

use mis_sync_domain::SchoolId;

/// A sequence in progress. If it panics, it says how to run it again alone.
pub(super) struct Witness {
    school: SchoolId,
    sequence: u64,
    seed: u64,
    /// What happened in this sequence so far.
    pub(super) events: Vec<String>,
}

impl Witness {
    /// Begins the sequence with this number, counted from 0 within the pair of this seed.
    pub(super) fn new(school: &SchoolId, sequence: u64, seed: u64) -> Self {
        Self { school: school.clone(), sequence, seed, events: Vec::new() }
    }
}

impl Drop for Witness {
    #[expect(clippy::print_stderr, reason = "a failed test says how to repeat it")]
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let Self { school, sequence, seed, events } = self;
        eprintln!(
            "seed {seed}, school {school}, sequence {sequence}, after {events:?}\n\
             again, alone: MIS_SYNC_PROPERTY_SEED={seed} MIS_SYNC_PROPERTY_SEQUENCES={}",
            *sequence + 1
        );
    }
}

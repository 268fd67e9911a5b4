//! The property test: schools live through 10,000 random sequences of changes, and after every
//! sync iP is what a model says.
//!
//! A sequence is one to four changes of a school that has the earlier ones behind it, then a
//! sync, then the comparison. Schools live in pairs: the two share addresses, Wonde ids and UPIs.
//! The model knows nothing of how the store decides. Whose login is in doubt it finds by
//! trying: of all sets of people who could move, the largest after which no two hold one login.
//!
//! The seed is fixed. A failure names the seed of its pair, and these run it again alone:
//! - `MIS_SYNC_PROPERTY_SEED`: seed of the first pair; each further pair has the next one.
//! - `MIS_SYNC_PROPERTY_SEQUENCES`: how many sequences in all; 50 are one pair.

mod account;
mod addresses;
mod by_hand;
mod comparison;
mod delivery;
mod employment;
mod events;
mod fields;
mod list;
mod model;
mod record;
mod school;
mod witness;

use std::panic::{self, AssertUnwindSafe};

use futures::{FutureExt, future::try_join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use self::{events::Turn, school::School, witness::Witness};
use crate::{fixture::TestStore, rows};

const SEED: u64 = 0;
const SEQUENCES: u64 = 10_000;
const SEQUENCES_OF_A_PAIR: u64 = 50;
/// Pairs that live at the same time; the pool has a connection for each.
const TASKS: u64 = 4;

#[tokio::test]
async fn ip_is_the_mapped_list_after_whatever_happens() {
    let store = TestStore::start().await;
    let first = variable("MIS_SYNC_PROPERTY_SEED", SEED);
    let sequences = variable("MIS_SYNC_PROPERTY_SEQUENCES", SEQUENCES);
    let tasks = (0..TASKS).map(|task| {
        // A task that is dropped because another failed should not report a failure.
        AssertUnwindSafe(live(&store, first, sequences, task)).catch_unwind()
    });
    let accounts: i64 = match try_join_all(tasks).await {
        Ok(accounts) => accounts.into_iter().sum(),
        Err(failure) => panic::resume_unwind(failure),
    };
    let held = "SELECT ARRAY[count(*), count(login) - count(DISTINCT login)] FROM staff";
    let held: Vec<i64> = rows::value(&store.pool, held).await;
    assert_eq!(held, [accounts, 0], "people of all schools, and logins that several hold");
    // The held ones are cancelled.
    let syncs = "SELECT count(*) FROM job WHERE state IN ('succeeded', 'cancelled')";
    let syncs: i64 = rows::value(&store.pool, syncs).await;
    assert_eq!(syncs.try_into(), Ok(sequences), "syncs");
}

/// Lets every pair of this task live; returns how many accounts there are in the end.
async fn live(store: &TestStore, first: u64, sequences: u64, task: u64) -> i64 {
    let mut accounts = 0;
    for pair in 0..sequences.div_ceil(SEQUENCES_OF_A_PAIR) {
        if pair % TASKS == task {
            let left = sequences - pair * SEQUENCES_OF_A_PAIR;
            let pair = Pair::connect(store, first + pair).await;
            accounts += pair.live(store, left.min(SEQUENCES_OF_A_PAIR)).await;
        }
    }
    accounts
}

#[expect(clippy::disallowed_methods, reason = "this test has no other configuration")]
fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

/// Two schools of one trust, whose syncs follow each other.
struct Pair {
    seed: u64,
    random: StdRng,
    schools: [School; 2],
}

impl Pair {
    async fn connect(store: &TestStore, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut schools = ["oak", "elm"].map(|name| School::draw(&mut random, name, seed));
        for school in &mut schools {
            store.school(school.id.as_str()).await;
            school.edit_by_hand(store).await;
        }
        Self { seed, random, schools }
    }

    /// Lives through so many sequences; returns how many accounts there are in the end.
    async fn live(mut self, store: &TestStore, sequences: u64) -> i64 {
        let seed = self.seed;
        for sequence in 0..sequences {
            let mut turn = self.turn(sequence);
            let mut witness = Witness::new(&turn.school.id, sequence, seed);
            for _ in 0..turn.random.random_range(1..=4) {
                witness.events.push(turn.something_happens());
            }
            turn.sync(store).await;
        }
        self.schools.iter().map(|school| i64::try_from(school.accounts.len()).unwrap()).sum()
    }

    /// The schools take turns.
    fn turn(&mut self, sequence: u64) -> Turn<'_> {
        let [oak, elm] = &mut self.schools;
        let (school, other) = if sequence.is_multiple_of(2) { (oak, elm) } else { (elm, oak) };
        Turn { random: &mut self.random, school, other }
    }
}

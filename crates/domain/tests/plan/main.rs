//! The property test: schools live through 100,000 random sequences of changes, and after every sync
//! iP is what a model says.
//!
//! A sequence is one to four changes of a school that has the earlier ones behind it, then a full
//! sync, a delta or a login, applied in memory, then the comparison. The model knows nothing of how
//! the plan decides.
//!
//! The seed is fixed. A failure names the seed of its school, and these run it again alone:
//! - `MIS_SYNC_PROPERTY_SEED`: seed of the first school; each further school has the next one.
//! - `MIS_SYNC_PROPERTY_SEQUENCES`: how many sequences in all; 25 are one school.
#![expect(clippy::unwrap_used, reason = "this crate holds nothing but tests")]

mod algebra;
mod apply;
mod events;
mod fetch;
mod links;
mod model;
mod random;
mod school;
mod soundness;
mod undo;

use mis_sync_domain::plan::{Fetched, Rules, plan};

use self::{algebra::Case, model::Model, random::Random, school::School};

const SEED: u64 = 0;
const SEQUENCES: u64 = 100_000;
const SEQUENCES_OF_A_SCHOOL: u64 = 25;

#[test]
fn ip_is_what_a_model_says_after_whatever_happens() {
    let first = variable("MIS_SYNC_PROPERTY_SEED", SEED);
    let sequences = variable("MIS_SYNC_PROPERTY_SEQUENCES", SEQUENCES);
    for school in 0..sequences.div_ceil(SEQUENCES_OF_A_SCHOOL) {
        let left = sequences - school * SEQUENCES_OF_A_SCHOOL;
        live(first + school, left.min(SEQUENCES_OF_A_SCHOOL));
    }
}

#[expect(clippy::disallowed_methods, reason = "this test has no other configuration")]
fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

fn live(seed: u64, sequences: u64) {
    let mut school = School::draw(seed);
    for sequence in 0..sequences {
        let mut witness = Witness { seed, sequence, events: Vec::new() };
        for _ in 0..=school.random.below(4) {
            witness.events.push(events::something_happens(&mut school));
        }
        let law = seed + sequence;
        sync(&mut school, law, &mut witness);
    }
}

fn sync(school: &mut School, law: u64, witness: &mut Witness) {
    let (kind, fetched) = draw(school);
    witness.events.push(kind);
    let sync = if fetched.alone.is_some() { school.rules.at_login() } else { school.rules };
    let has_many_recent_leavers = school.random.percent(5);
    let rules =
        Rules { sync, left_out: Vec::new(), leave_people: Vec::new(), has_many_recent_leavers };
    fetch::look_up(&mut school.held, &fetched);
    let plan = plan(&school.held, &fetched, &rules);
    let now = school.tick();
    let after = apply::apply(&school.held, &fetched, &plan, now);
    let case = Case {
        held: &school.held,
        fetched: &fetched,
        rules: &rules,
        plan: &plan,
        after: &after,
        now,
    };
    case.is_sound();
    case.links_are_those_of_the_list();
    if let Some(model) = Model::of(&school.held, &fetched, &rules) {
        let said = model::said::by(&school.held, &plan).without_managers_and_photos();
        assert_eq!(said, model.expects().without_managers_and_photos(), "plan and model");
    }
    case.obeys(law, &mut Random::new(law));
    let listed = |id: &str| fetched.staff.iter().any(|(_, record)| record.wonde_id == id);
    school.candidates.retain(|one| !fetched.is_full && !listed(&one.wonde_id));
    school.candidates.extend(plan.candidates.iter().cloned());
    school.held = after;
}

/// Most syncs are full, and some began before a person was read by another one.
fn draw(school: &mut School) -> (&'static str, Fetched) {
    let (kind, mut fetched) = match school.random.below(10) {
        0..6 => ("full", fetch::full(school)),
        6..8 => ("delta", fetch::delta(school)),
        _ => match fetch::login(school) {
            Some(fetched) => ("login", fetched),
            None => ("full", fetch::full(school)),
        },
    };
    if school.random.percent(7) {
        fetched.started_at -= chrono::TimeDelta::minutes(8);
    }
    (kind, fetched)
}

/// A sequence in progress. If it panics, it says how to run it again alone.
struct Witness {
    seed: u64,
    sequence: u64,
    events: Vec<&'static str>,
}

impl Drop for Witness {
    #[expect(clippy::print_stderr, reason = "a failed test says how to repeat it")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let Self { seed, sequence, events } = self;
        eprintln!(
            "seed {seed}, sequence {sequence}, after {events:?}\n\
             again, alone: MIS_SYNC_PROPERTY_SEED={seed} MIS_SYNC_PROPERTY_SEQUENCES={}",
            *sequence + 1
        );
    }
}

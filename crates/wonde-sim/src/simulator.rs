//! The handle to a simulator.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::counters::{Ledger, RequestCounters};
use crate::error::Error;
use crate::faults::{Fault, Faults};
use crate::mis::Mis;
use crate::odd::{self, OddRecord};
use crate::options::{SimulatorOptions, london_date, real_now};
use crate::population;
use crate::scenarios::{self, Outcome, Scenario};
use crate::school::{School, find};
use crate::truth::{self, Truth};

/// A handle to a simulator; clones share one state.
#[derive(Clone)]
pub struct Simulator(Arc<Shared>);

impl fmt::Debug for Simulator {
    /// Prints neither tokens nor people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// Requests read `world` in parallel; only scenarios write it. The small values that every request
/// changes have their own locks.
struct Shared {
    options: SimulatorOptions,
    application_token: String,
    world: RwLock<World>,
    ledger: Mutex<Ledger>,
    faults: Mutex<Faults>,
    latency: Mutex<Duration>,
}

/// Everything that scenarios change.
pub(crate) struct World {
    /// Sorted by id.
    pub(crate) schools: Vec<School>,
    /// The simulator's time is the real time plus this.
    ahead: TimeDelta,
}

impl World {
    /// The simulator's time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        real_now() + self.ahead
    }

    /// The civil date in the schools' zone.
    pub(crate) fn today(&self) -> NaiveDate {
        london_date(self.now())
    }

    /// The school of that id.
    pub(crate) fn school(&self, id: &str) -> Option<&School> {
        find(&self.schools, id.parse().ok()?, |school| school.id)
    }
}

/// A school in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolSummary {
    /// Wonde's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its MIS.
    pub mis: Mis,
    /// Its token.
    pub token: String,
    /// People on the employees list, current or not.
    pub staff: usize,
    /// Classes.
    pub classes: usize,
    /// Subjects.
    pub subjects: usize,
}

impl Simulator {
    /// Creates the schools for `options`.
    pub fn new(options: SimulatorOptions) -> Self {
        let start = london_date(real_now());
        let mut rng = StdRng::seed_from_u64(options.seed);
        let world = World {
            schools: (0..options.schools)
                .map(|index| population::school(index, &options))
                .collect(),
            ahead: options.today.signed_duration_since(start),
        };
        Self(Arc::new(Shared {
            application_token: population::token(&mut rng),
            world: RwLock::new(world),
            ledger: Mutex::default(),
            faults: Mutex::default(),
            latency: Mutex::new(options.latency),
            options,
        }))
    }

    /// The Wonde API under `/v1.0` and the control API under `/_sim`.
    pub fn router(&self) -> axum::Router {
        crate::routes::router(self.clone()).merge(crate::control::router(self.clone()))
    }

    /// All schools.
    pub fn schools(&self) -> Vec<SchoolSummary> {
        self.world().schools.iter().map(summary).collect()
    }

    /// The token that is valid for every school that has not revoked access.
    pub fn application_token(&self) -> &str {
        &self.0.application_token
    }

    /// A school as iP should hold it after a first full sync; `None` for an unknown school.
    pub fn truth(&self, school_id: &str) -> Option<Truth> {
        let world = self.world();
        let school = world.school(school_id)?;
        let mut truth = truth::truth(school, world.today());
        if self.is_odd(&world, school) {
            truth.staff.extend(odd::staff_truth(school));
            truth.classes.push(odd::class_truth(school));
            truth.staff.sort_by(|a, b| a.wonde_id.cmp(&b.wonde_id));
            truth.classes.sort_by(|a, b| a.wonde_id.cmp(&b.wonde_id));
        }
        Some(truth)
    }

    /// The odd records that the first school has, if there are any: people, then classes.
    pub fn odd_records() -> impl Iterator<Item = &'static OddRecord> {
        odd::records()
    }

    pub(crate) fn is_odd(&self, world: &World, school: &School) -> bool {
        self.0.options.odd && world.schools.first().is_some_and(|first| first.id == school.id)
    }

    /// Adds a fault for the next requests that match.
    pub fn add_fault(&self, fault: Fault) {
        self.faults().add(fault);
    }

    /// Removes all faults that have not been used up.
    pub fn clear_faults(&self) {
        self.faults().clear();
    }

    /// Runs a scenario in a school.
    ///
    /// # Errors
    ///
    /// For an unknown school or person, a missing setting, or if no one fits.
    pub fn apply_scenario(
        &self,
        school_id: &str,
        scenario: impl Into<Scenario>,
    ) -> Result<Outcome, Error> {
        let mut world = self.world_mut();
        let now = world.now();
        let unknown = || Error::UnknownSchool(school_id.to_owned());
        let id = school_id.parse().map_err(|_| unknown())?;
        let at =
            world.schools.binary_search_by_key(&id, |school| school.id).map_err(|_| unknown())?;
        scenarios::apply(&mut world.schools[at], &scenario.into(), now)
    }

    /// The requests to the Wonde API so far.
    pub fn requests(&self) -> RequestCounters {
        self.ledger().counters()
    }

    /// Resets the counters.
    pub fn reset_requests(&self) {
        self.ledger().reset();
    }

    /// The time added to every answer of the Wonde API.
    pub fn latency(&self) -> Duration {
        *self.0.latency.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the time added to every answer.
    pub fn set_latency(&self, latency: Duration) {
        *self.0.latency.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    /// The simulator's time, which stamps what scenarios change and decides who is current.
    pub fn now(&self) -> DateTime<Utc> {
        self.world().now()
    }

    /// Sets the simulator's clock, which runs on from there.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.world_mut().ahead = now - real_now();
    }

    pub(crate) fn options(&self) -> &SimulatorOptions {
        &self.0.options
    }

    /// A scenario that panics fails its own test; other requests go on with the state as it is.
    pub(crate) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.0.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.0.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(school: &School) -> SchoolSummary {
    SchoolSummary {
        id: school.id.to_string(),
        name: school.profile.name.clone(),
        mis: school.mis,
        token: school.token.clone(),
        staff: school.employees.len(),
        classes: school.classes.len(),
        subjects: school.subjects.len(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;

    #[test]
    fn the_same_options_give_the_same_simulator() {
        let make = |seed| {
            let options = SimulatorOptions { staff: 25, seed, ..SimulatorOptions::default() };
            let simulator = Simulator::new(options);
            let schools = simulator.schools();
            let truths: Vec<Truth> =
                schools.iter().filter_map(|school| simulator.truth(&school.id)).collect();
            (schools, truths, simulator.application_token().to_owned())
        };
        assert_eq!(make(4), make(4));
        let (first, second) = (make(4), make(5));
        assert!(first.0.iter().zip(&second.0).all(|(a, b)| a.id != b.id && a.token != b.token));
        assert_ne!(first.2, second.2);
    }

    #[test]
    fn no_email_is_in_two_schools() {
        let options = SimulatorOptions { schools: 45, staff: 30, ..SimulatorOptions::default() };
        let simulator = Simulator::new(options);
        let mut seen = std::collections::HashSet::new();
        for school in simulator.schools() {
            for person in simulator.truth(&school.id).unwrap().staff {
                assert!(seen.insert(person.email.to_lowercase()), "an email occurs twice");
            }
        }
        assert!(seen.len() > 45 * 15);
    }

    #[test]
    fn the_clock_starts_on_the_given_day_and_can_be_set() {
        let today = real_now().date_naive() + Days::new(400);
        let simulator = Simulator::new(SimulatorOptions {
            schools: 1,
            staff: 1,
            today,
            ..SimulatorOptions::default()
        });
        assert!((simulator.world().today() - today).num_days().abs() <= 1);
        let moment = "2031-02-03T04:05:06Z".parse().unwrap();
        simulator.set_now(moment);
        assert!(simulator.now() - moment < TimeDelta::seconds(30));
    }
}

use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::London;

/// The source of the civil date and the time of day.
///
/// Only rules about *days* and *nights* use it (who is employed today, which nightly sync is due).
/// Leases, retries and the times of a job use the clock of Postgres, so that processes never
/// disagree.
#[derive(Debug, Clone)]
pub enum Clock {
    System(SystemClock),
    /// A clock that a test sets.
    Manual(ManualClock),
}

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A clock that stands still until it is set.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<DateTime<Utc>>>);

impl Clock {
    pub fn system() -> Self {
        Self::System(SystemClock)
    }

    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
            Self::System(SystemClock) => Utc::now(),
            Self::Manual(clock) => clock.now(),
        }
    }

    /// Today's civil date in British schools, which employment dates refer to.
    pub fn today(&self) -> NaiveDate {
        school_day(self.now())
    }
}

/// The civil date in British schools at an instant.
pub fn school_day(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&London).date_naive()
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Sets the clock; every copy of it shows the new time.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().expect("no holder of this lock can panic") = now;
    }

    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no holder of this lock can panic")
    }
}

impl From<ManualClock> for Clock {
    fn from(clock: ManualClock) -> Self {
        Self::Manual(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summer_evening_in_utc_is_already_the_next_day_in_london() {
        let clock: Clock = ManualClock::at("2026-07-31T23:30:00Z".parse().unwrap()).into();
        assert_eq!(clock.today(), NaiveDate::from_ymd_opt(2026, 8, 1).unwrap());
    }
}

//! Whether the service itself works: what the headline and the navigation of every page say.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use mis_sync_domain::Lane;
use mis_sync_store::figures::{self, PausedLane, Vitals};

use super::{
    parts::{ago, count, now, read},
    schools::conditions,
};
use crate::state::Access;

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_millis(250);

/// The state of the service, and how many people are needed elsewhere.
pub(crate) struct Health {
    /// What is wrong with the service itself, the worst first.
    pub(super) troubles: Vec<Trouble>,
    /// Syncs that wait for approval.
    pub(super) held: i64,
    /// Schools that need attention.
    pub(super) schools: usize,
}

/// Something that is wrong with the service itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No worker takes jobs. So many wait.
    NoWorker {
        draining: bool,
        waiting: i64,
    },
    Paused(PausedLane),
    RedisAway,
    /// A worker vanished without being stopped.
    LostWorker {
        name: String,
        seen_at: DateTime<Utc>,
    },
}

impl Trouble {
    /// Whether the page of queues and workers has the button.
    pub(super) fn is_of_queues(&self) -> bool {
        !matches!(self, Self::RedisAway)
    }

    /// The beginning of a headline.
    pub(super) fn headline(&self) -> String {
        match self {
            Self::NoWorker { draining: false, .. } => "No worker is running".into(),
            Self::NoWorker { draining: true, .. } => "All workers are being drained".into(),
            Self::Paused(pause) => format!("{} are paused", whose(pause.lane)),
            Self::RedisAway => "Redis cannot be reached".into(),
            Self::LostWorker { .. } => "A worker has vanished".into(),
        }
    }

    /// What it means.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::NoWorker { waiting, .. } if *waiting > 0 => format!(
                "{}. Syncs start once a worker takes jobs; logins are answered from what iP holds.",
                count(*waiting, "job waits", "jobs wait")
            ),
            Self::NoWorker { .. } => "Nothing is synced until a worker takes jobs. Logins are \
                                      answered from what iP holds."
                .into(),
            Self::Paused(pause) => match pause.lane {
                Lane::Interactive => "Logins are answered from what iP holds.".into(),
                _ => "Jobs are accepted and wait.".into(),
            },
            Self::RedisAway => "Jobs start a few seconds later than usual. None is lost.".into(),
            Self::LostWorker { seen_at, .. } => format!(
                "It was last seen {} ago and did not stop in order. Other workers take over its \
                 jobs.",
                ago(*seen_at)
            ),
        }
    }
}

fn whose(lane: Lane) -> &'static str {
    match lane {
        Lane::Interactive => "Logins",
        _ => "Syncs",
    }
}

impl Health {
    /// Reads it; `None` if the ledger cannot be read.
    pub(crate) async fn read(access: &Access) -> Option<Self> {
        let (pool, state) = (access.pool(), access.state());
        let (vitals, conditions, redis) = tokio::join!(
            read(figures::vitals(pool)),
            read(conditions(pool, now(), state.stale_after())),
            state.check_redis(PATIENCE),
        );
        let vitals = vitals.ok()?;
        let schools = conditions.map(|by_school| by_school.len()).unwrap_or_default();
        let held = vitals.held;
        Some(Self { troubles: troubles(vitals, redis.is_err()), held, schools })
    }
}

fn troubles(vitals: Vitals, is_redis_away: bool) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if vitals.workers == 0 {
        let draining = vitals.draining > 0;
        troubles.push(Trouble::NoWorker { draining, waiting: vitals.waiting });
    }
    troubles.extend(vitals.paused.into_iter().map(Trouble::Paused));
    if is_redis_away {
        troubles.push(Trouble::RedisAway);
    }
    let mut names = HashSet::new();
    let lost = vitals.lost.into_iter().filter(|lost| names.insert(lost.name.clone()));
    troubles
        .extend(lost.map(|lost| Trouble::LostWorker { name: lost.name, seen_at: lost.seen_at }));
    troubles
}

#[cfg(test)]
mod tests {
    use mis_sync_store::figures::LostWorker;

    use super::*;

    fn vitals() -> Vitals {
        Vitals {
            workers: 1,
            draining: 0,
            lost: Vec::new(),
            paused: Vec::new(),
            waiting: 0,
            held: 0,
        }
    }

    #[test]
    fn a_worker_redis_and_open_lanes_are_all_that_is_needed() {
        assert_eq!(troubles(vitals(), false), []);
        let away = troubles(vitals(), true);
        assert_eq!(away, [Trouble::RedisAway]);
        let none = troubles(Vitals { workers: 0, waiting: 12, ..vitals() }, false);
        assert_eq!(none[0].headline(), "No worker is running");
        assert!(none[0].sentence().starts_with("12 jobs wait."), "{}", none[0].sentence());
        let draining = troubles(Vitals { workers: 0, draining: 2, ..vitals() }, false);
        assert_eq!(draining[0].headline(), "All workers are being drained");
        let lost = LostWorker { name: "a".into(), seen_at: now() };
        let lost = troubles(Vitals { lost: vec![lost], ..vitals() }, false);
        assert_eq!(lost[0].headline(), "A worker has vanished");
    }
}

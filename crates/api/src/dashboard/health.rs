//! Whether the service and the schools are well: what the headline and the navigation of every page
//! say.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use mis_sync_domain::{Condition, Lane, SchoolId};
use mis_sync_store::{
    alerts,
    figures::{self, PausedLane, Vitals},
};

use super::parts::{ago, count, now, read};
use crate::state::Access;

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_millis(250);

/// What is wrong with which school, as for alerts. A school that is well is not in it.
pub(super) type Conditions = HashMap<SchoolId, Vec<Condition>>;

/// The state of the service and of all schools.
pub(crate) struct Health {
    /// What is wrong with the service itself, the worst first; `None` if that could not be read.
    pub(super) troubles: Option<Vec<Trouble>>,
    /// Syncs that wait for approval.
    pub(super) held: i64,
    /// What is wrong with schools, or why that could not be read.
    pub(super) schools: Result<Conditions, String>,
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
    /// Where it is not shown.
    pub(crate) fn unread() -> Self {
        Self { troubles: None, held: 0, schools: Ok(Conditions::new()) }
    }

    pub(crate) async fn read(access: &Access) -> Self {
        let (vitals, schools, redis) = tokio::join!(
            read(figures::vitals(access.pool())),
            read(conditions(access)),
            access.state().check_redis(PATIENCE),
        );
        let (held, troubles) = match vitals {
            Ok(vitals) => (vitals.held, Some(troubles(vitals, redis.is_err()))),
            Err(_) => (0, None),
        };
        Self { troubles, held, schools }
    }
}

async fn conditions(access: &Access) -> Result<Conditions, mis_sync_store::Error> {
    let (now, stale_after) = (now(), access.state().stale_after());
    let unwell = alerts::unwell(access.pool(), now - stale_after).await?;
    let of = |school: mis_sync_domain::SchoolHealth| {
        let conditions = school.conditions(now, stale_after);
        (school.id, conditions)
    };
    Ok(unwell.into_iter().map(of).filter(|(_, conditions)| !conditions.is_empty()).collect())
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

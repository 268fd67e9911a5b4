//! Which conditions of a school somebody has to look at.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{JobId, Schedule, SchoolId, job::named};

/// Why a job failed that found the token to be refused.
const TOKEN_REFUSED: &str = "wonde_unauthorized";

named!(
    /// A condition of a school. A school has one of each at the most.
    AlertKind, "kind of alert", {
        /// No sync was applied for too long.
        SyncStale = "sync.stale",
        /// A sync waits for a person's approval.
        SyncHeld = "sync.held",
        /// The last sync was given up.
        SyncFailed = "sync.failed",
        /// Wonde refuses the school's token, or access was revoked.
        TokenRejected = "token.rejected",
    }
);

/// How long a school may be without a good sync before it is stale, where no configuration says
/// otherwise: a day and two hours, so that a nightly sync may be a little late.
pub const STALE_AFTER: TimeDelta = TimeDelta::hours(26);

/// What is known of a connected school, to judge how it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SchoolHealth {
    /// The school.
    pub id: SchoolId,
    /// When it is synced by itself.
    pub schedule: Schedule,
    /// Wonde refuses its token.
    pub token_rejected: bool,
    /// End of the last sync that was applied; before the first one, when it was connected.
    pub good_since: DateTime<Utc>,
    /// The last sync, dry runs apart, that succeeded, failed for good, or is held.
    pub last_sync: Option<LastSync>,
}

/// How the last sync ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LastSync {
    /// The job.
    pub job_id: JobId,
    /// It waits for a person.
    pub is_held: bool,
    /// Why it was given up.
    pub failure: Option<SyncFailure>,
}

/// Why a sync was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncFailure {
    /// Stable code.
    pub code: String,
    /// One line for people.
    pub title: String,
}

/// A condition that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The school.
    pub school_id: SchoolId,
    /// Which condition.
    pub kind: AlertKind,
    /// The job that is held or failed.
    pub job_id: Option<JobId>,
    /// Stable code; of a failed job its error's.
    pub reason: String,
    /// One sentence for people, without personal data.
    pub detail: String,
}

impl SchoolHealth {
    /// Every condition that is on at `now`. A refused token explains all that follows from it, so
    /// it is the only one then. Nobody expects a school to be fresh whose schedule is off, or
    /// pauses in this time.
    pub fn conditions(&self, now: DateTime<Utc>, stale_after: TimeDelta) -> Vec<Condition> {
        if self.token_rejected {
            let detail = "Wonde refuses the school's token, or the school revoked the access. It is \
                          tried again every few minutes; nothing is synced until Wonde accepts it, \
                          or the school has a new one.";
            return vec![self.condition(AlertKind::TokenRejected, None, "token_rejected", detail)];
        }
        let mut conditions = Vec::new();
        if let Some(last) = &self.last_sync {
            if last.is_held {
                let detail = "A sync would change more than is plausible and waits for somebody \
                              to approve or reject it.";
                conditions.push(self.condition(AlertKind::SyncHeld, Some(last), "held", detail));
            }
            // Once the school's token is accepted again, or it has a new one, that is history.
            let failure = last.failure.as_ref().filter(|failure| failure.code != TOKEN_REFUSED);
            if let Some(failure) = failure {
                let detail = format!("The last sync was given up: {}.", failure.title);
                let kind = AlertKind::SyncFailed;
                conditions.push(self.condition(kind, Some(last), &failure.code, &detail));
            }
        }
        let pauses = self.schedule.pauses_between(now - stale_after, now);
        if now - self.good_since > stale_after && self.schedule.enabled && !pauses {
            let hours = stale_after.num_hours();
            let detail = format!("No sync of the school was applied for more than {hours} hours.");
            conditions.push(self.condition(AlertKind::SyncStale, None, "no_good_sync", &detail));
        }
        conditions
    }

    fn condition(
        &self,
        kind: AlertKind,
        sync: Option<&LastSync>,
        reason: &str,
        detail: &str,
    ) -> Condition {
        Condition {
            school_id: self.id.clone(),
            kind,
            job_id: sync.map(|sync| sync.job_id),
            reason: reason.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DateRange;

    fn now() -> DateTime<Utc> {
        "2026-11-25T12:00:00Z".parse().unwrap()
    }

    fn well() -> SchoolHealth {
        SchoolHealth {
            id: "oak".parse().unwrap(),
            schedule: Schedule::default(),
            token_rejected: false,
            good_since: now() - TimeDelta::hours(1),
            last_sync: None,
        }
    }

    fn last(is_held: bool, failure: Option<&str>) -> LastSync {
        let title = "Wonde could not be read";
        let failure = failure.map(|code| SyncFailure { code: code.into(), title: title.into() });
        LastSync { job_id: JobId::new(), is_held, failure }
    }

    fn kinds(health: &SchoolHealth) -> Vec<AlertKind> {
        health.conditions(now(), STALE_AFTER).iter().map(|condition| condition.kind).collect()
    }

    #[test]
    fn a_school_is_stale_after_the_time_and_not_at_it() {
        for (hours, expected) in [(1, vec![]), (26, vec![]), (27, vec![AlertKind::SyncStale])] {
            let good_since = now() - TimeDelta::hours(hours);
            assert_eq!(kinds(&SchoolHealth { good_since, ..well() }), expected, "{hours}");
        }
    }

    #[test]
    fn nobody_expects_a_sync_in_holidays_or_without_a_schedule() {
        let old = SchoolHealth { good_since: now() - TimeDelta::days(9), ..well() };
        assert_eq!(kinds(&old), [AlertKind::SyncStale]);
        let off = Schedule { enabled: false, ..Schedule::default() };
        assert_eq!(kinds(&SchoolHealth { schedule: off, ..old.clone() }), []);
        let yesterday = "2026-11-24".parse().unwrap();
        let blackout_dates = vec![DateRange { from: yesterday, until: yesterday }];
        let pauses = Schedule { blackout_dates, ..Schedule::default() };
        assert_eq!(kinds(&SchoolHealth { schedule: pauses, ..old }), []);
    }

    #[test]
    fn a_failed_and_a_held_sync_are_told_with_their_job() {
        let failed =
            SchoolHealth { last_sync: Some(last(false, Some("wonde_unavailable"))), ..well() };
        let told = failed.conditions(now(), STALE_AFTER).remove(0);
        assert_eq!((told.kind, told.reason.as_str()), (AlertKind::SyncFailed, "wonde_unavailable"));
        assert_eq!(told.detail, "The last sync was given up: Wonde could not be read.");
        assert_eq!(told.job_id, failed.last_sync.map(|sync| sync.job_id));
        let held = SchoolHealth { last_sync: Some(last(true, None)), ..well() };
        assert_eq!(kinds(&held), [AlertKind::SyncHeld]);
    }

    #[test]
    fn a_refused_token_explains_the_rest() {
        let rejected = SchoolHealth {
            token_rejected: true,
            good_since: now() - TimeDelta::days(9),
            last_sync: Some(last(false, Some("wonde_unauthorized"))),
            ..well()
        };
        assert_eq!(kinds(&rejected), [AlertKind::TokenRejected]);
        let replaced = SchoolHealth { token_rejected: false, good_since: now(), ..rejected };
        assert_eq!(kinds(&replaced), []);
    }
}

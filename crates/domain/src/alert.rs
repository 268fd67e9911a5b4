//! The conditions of a school that need attention.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{JobId, Schedule, SchoolId, job::named};

/// The error code of a job that failed because Wonde refused the token.
const TOKEN_REFUSED: &str = "wonde_unauthorized";

named!(
    /// A condition of a school. A school has at most one of each kind.
    AlertKind, "kind of alert", {
        /// No sync was applied for too long.
        SyncStale = "sync.stale",
        /// A sync is held and waits for approval.
        SyncHeld = "sync.held",
        /// The last sync failed for good.
        SyncFailed = "sync.failed",
        /// Wonde refuses the school's token, or access was revoked.
        TokenRejected = "token.rejected",
    }
);

/// How long a school may be without a good sync before it is stale, if the configuration says nothing
/// else: a day and two hours, so that a nightly sync may be a little late.
pub const STALE_AFTER: TimeDelta = TimeDelta::hours(26);

/// What [`SchoolHealth::conditions`] needs to know about a connected school.
#[derive(Debug, Clone, PartialEq)]
pub struct SchoolHealth {
    pub id: SchoolId,
    /// When scheduled syncs run.
    pub schedule: Schedule,
    /// Whether Wonde refuses its token.
    pub token_rejected: bool,
    /// End of the last sync that was applied, or the time of connection if there was none.
    pub good_since: DateTime<Utc>,
    /// The last sync that succeeded, failed for good or is held. Dry runs and undos do not
    /// count.
    pub last_sync: Option<LastSync>,
}

/// How the last sync ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LastSync {
    pub job_id: JobId,
    /// Whether it waits for approval.
    pub is_held: bool,
    /// Why it failed, if it did.
    pub failure: Option<SyncFailure>,
}

/// Why a sync failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncFailure {
    /// A stable code.
    pub code: String,
    /// One line for people.
    pub title: String,
}

/// A condition that holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub school_id: SchoolId,
    pub kind: AlertKind,
    /// The job that is held or failed.
    pub job_id: Option<JobId>,
    /// A stable code. For a failed job it is the code of its error.
    pub reason: String,
    /// One sentence for people, without personal data.
    pub detail: String,
}

impl SchoolHealth {
    /// Every condition that holds at `now`. A refused token explains all the others, so it is then
    /// the only one. A school is not expected to be up to date while its schedule is off or paused.
    pub fn conditions(&self, now: DateTime<Utc>, stale_after: TimeDelta) -> Vec<Condition> {
        if self.token_rejected {
            let detail = "Wonde refuses the school's token, or the school has revoked access. The \
                          token is tried again every few minutes. Nothing is synced until Wonde \
                          accepts it or you connect the school with a new one.";
            return vec![self.condition(AlertKind::TokenRejected, None, "token_rejected", detail)];
        }
        let mut conditions = Vec::new();
        if let Some(last) = &self.last_sync {
            if last.is_held {
                let detail = "A sync would make an unusually large change. It waits until someone \
                              approves or rejects it.";
                conditions.push(self.condition(AlertKind::SyncHeld, Some(last), "held", detail));
            }
            // The token is accepted now, so an old refusal no longer matters.
            let failure = last.failure.as_ref().filter(|failure| failure.code != TOKEN_REFUSED);
            if let Some(failure) = failure {
                let detail = format!("The last sync failed: {}.", failure.title);
                let kind = AlertKind::SyncFailed;
                conditions.push(self.condition(kind, Some(last), &failure.code, &detail));
            }
        }
        let pauses = self.schedule.pauses_between(now - stale_after, now);
        if now - self.good_since > stale_after && self.schedule.enabled && !pauses {
            let hours = stale_after.num_hours();
            let detail = format!("No sync of the school has been applied for over {hours} hours.");
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
        let title = "Wonde was unavailable";
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
        assert_eq!(told.detail, "The last sync failed: Wonde was unavailable.");
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

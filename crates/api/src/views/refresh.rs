use chrono::{DateTime, Utc};
use mis_sync_domain::{Job, LoginStanding, RefreshOutcome, SchoolId, StaffId, StaleReason};
use serde::Serialize;
use utoipa::ToSchema;

use super::{JobView, timestamp};

/// What schools are told of somebody whom no sync knows.
const NOT_LINKED: &str = "This person was made in iP and is not linked with the MIS. A sync links \
    them by their work email once the MIS has them as current staff with the same address.";

/// The answer to a login: let the person in, and this is how current what iP holds is.
#[derive(Serialize, ToSchema)]
#[schema(as = Refresh)]
pub(crate) struct RefreshView {
    outcome: RefreshOutcomeView,
    /// As of when iP holds what the MIS says of the person; null: the MIS was never asked.
    #[schema(format = DateTime, required)]
    as_of: Option<String>,
    /// How long ago that is.
    #[schema(required)]
    age_seconds: Option<u64>,
    /// Why the answer is `stale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<StaleReasonView>,
    /// The outcome in words, where it needs some.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<&'static str>,
    /// The refresh, where there is one: it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    job: Option<JobView>,
    links: RefreshLinks,
}

/// How current what iP holds of a person is.
#[derive(Serialize, ToSchema)]
#[schema(as = RefreshOutcome)]
#[serde(rename_all = "snake_case")]
enum RefreshOutcomeView {
    /// Something of the person changed in iP.
    Updated,
    /// Nothing of the person changed in iP. An issue of the job says where the MIS no longer has
    /// them as current staff and this login left them active all the same.
    Unchanged,
    /// The MIS no longer has the person as current staff, and their account in iP is inactive. Where
    /// the school's policy keeps leavers active, the answer is `unchanged`.
    NoLongerCurrent,
    /// The person is not linked with the MIS; `hint` says how they will be.
    NotLinked,
    /// The person was read within the school's freshness window; the MIS was not asked.
    Fresh,
    /// The MIS could not be asked in time; `reason` says why. iP holds what it held.
    Stale,
}

/// What the refresh of one person came to.
#[derive(Serialize, ToSchema)]
#[schema(as = RefreshResult)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefreshResultView {
    /// Something of the person changed in iP.
    Updated,
    /// Nothing of the person changed in iP.
    Unchanged,
    /// The MIS no longer has the person as current staff, and their account in iP is inactive.
    NoLongerCurrent,
    /// The person is not linked with the MIS.
    NotLinked,
}

/// Why a login is answered with what iP holds.
#[derive(Serialize, ToSchema)]
#[schema(as = StaleReason)]
#[serde(rename_all = "snake_case")]
enum StaleReasonView {
    /// Nobody waited for the end of the refresh.
    NotAwaited,
    /// The refresh was not over in time.
    TimedOut,
    /// The refresh failed, or will be tried again later; the job says why.
    Failed,
    /// The school has no Wonde token.
    SchoolNotConnected,
    /// Wonde refused the school's token.
    TokenRejected,
    /// Wonde did not answer a short while ago.
    WondeUnavailable,
    /// Wonde asked us to wait.
    WondeRateLimited,
    /// The school withdrew its approval.
    WondeForbidden,
    /// An operator paused the school, or all logins.
    Paused,
}

/// Where to go from a refresh.
#[derive(Serialize, ToSchema)]
struct RefreshLinks {
    staff: String,
    school: String,
}

impl RefreshView {
    /// The person was read a short while ago.
    pub(crate) fn fresh(whose: (&SchoolId, StaffId), standing: &LoginStanding) -> Self {
        let held = Self::held(whose, standing);
        Self { outcome: RefreshOutcomeView::Fresh, ..held }
    }

    /// The person is not linked.
    pub(crate) fn not_linked(whose: (&SchoolId, StaffId), standing: &LoginStanding) -> Self {
        let (outcome, hint) = (RefreshOutcomeView::NotLinked, Some(NOT_LINKED));
        Self { outcome, hint, ..Self::held(whose, standing) }
    }

    /// What iP holds has to do.
    pub(crate) fn stale(
        whose: (&SchoolId, StaffId),
        standing: &LoginStanding,
        reason: StaleReason,
        job: Option<&Job>,
    ) -> Self {
        Self {
            reason: Some(reason.into()),
            hint: Some(reason.sentence()),
            job: job.map(JobView::from),
            ..Self::held(whose, standing)
        }
    }

    /// The refresh is over.
    pub(crate) fn done(
        whose: (&SchoolId, StaffId),
        standing: &LoginStanding,
        outcome: RefreshOutcome,
        job: &Job,
    ) -> Self {
        let held = match outcome {
            RefreshOutcome::NotLinked => Self::not_linked(whose, standing),
            // Only just now, so its age is what it took.
            _ => Self::held(
                whose,
                &LoginStanding {
                    now: job.finished_at.unwrap_or(standing.now),
                    read_at: job.started_at,
                    ..standing.clone()
                },
            ),
        };
        Self { outcome: outcome.into(), job: Some(job.into()), ..held }
    }

    fn held((school_id, staff_id): (&SchoolId, StaffId), standing: &LoginStanding) -> Self {
        let school = format!("/v1/schools/{school_id}");
        let age = |read_at: DateTime<Utc>| (standing.now - read_at).num_seconds();
        Self {
            outcome: RefreshOutcomeView::Stale,
            as_of: standing.read_at.map(timestamp),
            age_seconds: standing.read_at.map(age).map(|age| age.try_into().unwrap_or_default()),
            reason: None,
            hint: None,
            job: None,
            links: RefreshLinks { staff: format!("{school}/staff/{staff_id}"), school },
        }
    }
}

impl From<RefreshOutcome> for RefreshOutcomeView {
    fn from(outcome: RefreshOutcome) -> Self {
        match outcome {
            RefreshOutcome::Updated => Self::Updated,
            RefreshOutcome::Unchanged => Self::Unchanged,
            RefreshOutcome::NoLongerCurrent => Self::NoLongerCurrent,
            RefreshOutcome::NotLinked => Self::NotLinked,
        }
    }
}

impl From<RefreshOutcome> for RefreshResultView {
    fn from(outcome: RefreshOutcome) -> Self {
        match outcome {
            RefreshOutcome::Updated => Self::Updated,
            RefreshOutcome::Unchanged => Self::Unchanged,
            RefreshOutcome::NoLongerCurrent => Self::NoLongerCurrent,
            RefreshOutcome::NotLinked => Self::NotLinked,
        }
    }
}

impl From<StaleReason> for StaleReasonView {
    fn from(reason: StaleReason) -> Self {
        match reason {
            StaleReason::NotAwaited => Self::NotAwaited,
            StaleReason::TimedOut => Self::TimedOut,
            StaleReason::Failed => Self::Failed,
            StaleReason::NotConnected => Self::SchoolNotConnected,
            StaleReason::TokenRejected => Self::TokenRejected,
            StaleReason::WondeUnavailable => Self::WondeUnavailable,
            StaleReason::RateLimited => Self::WondeRateLimited,
            StaleReason::AccessWithdrawn => Self::WondeForbidden,
            StaleReason::Paused => Self::Paused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_the_names_of_the_domain() {
        for outcome in RefreshOutcome::ALL {
            let name = serde_json::to_value(RefreshOutcomeView::from(*outcome)).unwrap();
            assert_eq!(name, outcome.as_str());
            let name = serde_json::to_value(RefreshResultView::from(*outcome)).unwrap();
            assert_eq!(name, outcome.as_str());
        }
        for reason in StaleReason::ALL {
            let name = serde_json::to_value(StaleReasonView::from(*reason)).unwrap();
            assert_eq!(name, reason.as_str());
        }
    }
}

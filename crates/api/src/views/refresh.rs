use chrono::{DateTime, Utc};
use mis_sync_domain::{
    Job, LoginAccount, LoginStanding, RefreshOutcome, SchoolId, StaffId, StaleReason, named,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{JobView, timestamp};

/// What schools are told of a person whom no sync knows.
const NOT_LINKED: &str = "This person was made in iP and is not linked with the MIS. A sync links \
    them by their work email once the MIS has them as current staff with the same address.";

/// The answer to a login: whether iP may let the person in, and how current its data is.
#[derive(Serialize, ToSchema)]
#[schema(as = Refresh)]
pub(crate) struct RefreshView {
    outcome: LoginOutcome,
    /// Whether the person can log in, as iP holds it after the refresh. If false, refuse the login.
    active: bool,
    /// If true, send the person to *Forgot Password* instead of letting them in.
    password_reset_required: bool,
    /// When iP last read the person from the MIS; null if it never did.
    #[schema(format = DateTime, required)]
    as_of: Option<String>,
    /// How long ago that was.
    #[schema(required)]
    age_seconds: Option<u64>,
    /// Why the answer is `stale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<StaleReason>,
    /// An explanation of the outcome, if it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<&'static str>,
    /// The refresh job, if there is one. It continues after this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    job: Option<JobView>,
    links: RefreshLinks,
}

named!(
    /// How current the data of a person in iP is.
    #[derive(ToSchema)]
    #[schema(as = RefreshOutcome)]
    pub(crate) LoginOutcome, "outcome of a login", {
        /// At least one field of the person changed in iP.
        Updated = "updated",
        /// No field of the person changed in iP. If the MIS no longer lists them as current staff
        /// but this login left them active, the job has an issue that says so.
        Unchanged = "unchanged",
        /// The MIS no longer lists the person as current staff, and their account in iP is
        /// inactive. If the school's policy keeps leavers active, the answer is `unchanged`.
        NoLongerCurrent = "no_longer_current",
        /// The person is not linked with the MIS; `hint` says how to link them.
        NotLinked = "not_linked",
        /// The person was read within the school's freshness window; the MIS was not asked.
        Fresh = "fresh",
        /// The MIS could not be read in time; `reason` says why. The data in iP is unchanged.
        Stale = "stale",
    }
);

/// Links from a refresh.
#[derive(Serialize, ToSchema)]
struct RefreshLinks {
    staff: String,
    school: String,
}

impl RefreshView {
    /// How current the data is.
    pub(crate) fn outcome(&self) -> LoginOutcome {
        self.outcome
    }

    /// The person was read a short while ago.
    pub(crate) fn fresh(whose: (&SchoolId, StaffId), standing: &LoginStanding) -> Self {
        let held = Self::held(whose, standing);
        Self { outcome: LoginOutcome::Fresh, ..held }
    }

    /// The person is not linked.
    pub(crate) fn not_linked(whose: (&SchoolId, StaffId), standing: &LoginStanding) -> Self {
        let (outcome, hint) = (LoginOutcome::NotLinked, Some(NOT_LINKED));
        Self { outcome, hint, ..Self::held(whose, standing) }
    }

    /// The data in iP has to be enough.
    pub(crate) fn stale(
        whose: (&SchoolId, StaffId),
        standing: &LoginStanding,
        reason: StaleReason,
        job: Option<&Job>,
    ) -> Self {
        Self {
            reason: Some(reason),
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
        let LoginAccount { active, password_reset_required } = standing.account;
        Self {
            outcome: LoginOutcome::Stale,
            active,
            password_reset_required,
            as_of: standing.read_at.map(timestamp),
            age_seconds: standing.read_at.map(age).map(|age| age.try_into().unwrap_or_default()),
            reason: None,
            hint: None,
            job: None,
            links: RefreshLinks { staff: format!("{school}/staff/{staff_id}"), school },
        }
    }
}

impl From<RefreshOutcome> for LoginOutcome {
    fn from(outcome: RefreshOutcome) -> Self {
        match outcome {
            RefreshOutcome::Updated => Self::Updated,
            RefreshOutcome::Unchanged => Self::Unchanged,
            RefreshOutcome::NoLongerCurrent => Self::NoLongerCurrent,
            RefreshOutcome::NotLinked => Self::NotLinked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refresh_came_to_has_the_same_name_in_the_answer_and_in_the_report() {
        for outcome in RefreshOutcome::ALL {
            assert_eq!(LoginOutcome::from(*outcome).as_str(), outcome.as_str());
        }
    }
}

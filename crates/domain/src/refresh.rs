//! The login path: whether somebody has to be read from the MIS before they are let in, and what
//! became of it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{SchoolSettings, TokenState, job::named};

named!(
    /// What a refresh of one person came to.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RefreshResult))]
    RefreshOutcome, "outcome of a refresh", {
        /// Something of the person changed in iP.
        Updated = "updated",
        /// Nothing of the person changed: they are as the MIS says, or the job's issue says why not.
        Unchanged = "unchanged",
        /// The MIS no longer has the person as current staff, and their account in iP is inactive.
        NoLongerCurrent = "no_longer_current",
        /// The person is not linked with the MIS, so there is nothing to ask for.
        NotLinked = "not_linked",
    }
);

named!(
    /// Why a school's Wonde is not asked for logins for a while.
    OutageReason, "reason of an outage", {
        /// It does not answer, or not usefully.
        Unavailable = "unavailable",
        /// It asks us to wait.
        RateLimited = "rate_limited",
        /// The school withdrew its approval.
        Forbidden = "forbidden",
    }
);

named!(
    /// Why a login is answered with what iP holds.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    StaleReason, "reason to be stale", {
        /// Nobody waited for the end of the refresh.
        NotAwaited = "not_awaited",
        /// The refresh was not over in time.
        TimedOut = "timed_out",
        /// The refresh failed, or will be tried again later.
        Failed = "failed",
        /// The school has no Wonde token.
        NotConnected = "school_not_connected",
        /// Wonde refused the school's token.
        TokenRejected = "token_rejected",
        /// Wonde did not answer a short while ago.
        WondeUnavailable = "wonde_unavailable",
        /// Wonde asked us to wait.
        RateLimited = "wonde_rate_limited",
        /// The school withdrew its approval.
        AccessWithdrawn = "wonde_forbidden",
        /// An operator paused the school, or all logins.
        Paused = "paused",
    }
);

/// An outage that was noted, and from when on one login may ask Wonde again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Why.
    pub reason: OutageReason,
    /// From when on.
    pub probe_at: DateTime<Utc>,
}

/// All that decides whether a login asks Wonde.
#[derive(Debug, Clone)]
pub struct LoginStanding {
    /// The time of the ledger, which all other times here are of too.
    pub now: DateTime<Utc>,
    /// The school's own rules.
    pub settings: SchoolSettings,
    /// When they, or the connection, last changed.
    pub settings_changed_at: DateTime<Utc>,
    /// What is known of the school's token.
    pub token: TokenState,
    /// The person is linked with the MIS.
    pub is_linked: bool,
    /// The school's jobs, or those of all logins, are paused.
    pub is_paused: bool,
    /// As of when iP holds what the MIS says of the person; `None`: never read.
    pub read_at: Option<DateTime<Utc>>,
    /// The school's Wonde failed a login and has not come back since.
    pub outage: Option<Outage>,
}

impl LoginStanding {
    /// Whether the person was read within the school's freshness window, and by its present rules.
    pub fn is_fresh(&self) -> bool {
        let window = TimeDelta::minutes(self.settings.refresh_freshness_minutes.into());
        self.read_at.is_some_and(|read_at| {
            read_at > self.settings_changed_at && self.now < read_at + window
        })
    }

    /// Why the connection does not let anybody ask Wonde, if it does not.
    pub fn disconnected(&self) -> Option<StaleReason> {
        match self.token {
            TokenState::Held => None,
            TokenState::Missing => Some(StaleReason::NotConnected),
            TokenState::Rejected => Some(StaleReason::TokenRejected),
        }
    }
}

impl From<OutageReason> for StaleReason {
    fn from(reason: OutageReason) -> Self {
        match reason {
            OutageReason::Unavailable => Self::WondeUnavailable,
            OutageReason::RateLimited => Self::RateLimited,
            OutageReason::Forbidden => Self::AccessWithdrawn,
        }
    }
}

impl StaleReason {
    /// The reason in words, for whoever looks after the login page.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotAwaited => "The refresh is under way; nobody waited for it.",
            Self::TimedOut => "The refresh was not over in time and goes on by itself.",
            Self::Failed => "The refresh did not succeed; the job says why.",
            Self::NotConnected => "The school has no Wonde token. Connect the school.",
            Self::TokenRejected => {
                "Wonde refused the school's token; it is tried again every few minutes. If it was \
                 replaced, connect the school with the new one."
            }
            Self::WondeUnavailable => {
                "Wonde did not answer a short while ago; it is asked again soon."
            }
            Self::RateLimited => "Wonde asked us to wait; it is asked again after that.",
            Self::AccessWithdrawn => "The school withdrew its approval in Wonde.",
            Self::Paused => "An operator paused the school, or all logins, for now.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(minutes: u16, read_minutes_ago: Option<i64>) -> LoginStanding {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        LoginStanding {
            now,
            settings: SchoolSettings {
                refresh_freshness_minutes: minutes,
                ..SchoolSettings::default()
            },
            settings_changed_at: now - TimeDelta::days(1),
            token: TokenState::Held,
            is_linked: true,
            is_paused: false,
            read_at: read_minutes_ago.map(|ago| now - TimeDelta::minutes(ago)),
            outage: None,
        }
    }

    #[test]
    fn fresh_is_who_was_read_within_the_window_by_the_present_rules() {
        for (minutes, ago, expected) in [
            (15, Some(14), true),
            (15, Some(15), false),
            (1, Some(0), true),
            (0, Some(0), false),
            (15, None, false),
        ] {
            assert_eq!(standing(minutes, ago).is_fresh(), expected, "{minutes} {ago:?}");
        }
        let mut changed = standing(15, Some(5));
        changed.settings_changed_at = changed.now - TimeDelta::minutes(4);
        assert!(!changed.is_fresh(), "other rules may have come to something else");
    }

    #[test]
    fn every_outage_and_every_token_state_has_its_reason() {
        for reason in OutageReason::ALL {
            assert!(StaleReason::from(*reason).sentence().ends_with('.'));
        }
        let with = |token| LoginStanding { token, ..standing(15, None) }.disconnected();
        assert_eq!(with(TokenState::Held), None);
        assert_eq!(with(TokenState::Missing), Some(StaleReason::NotConnected));
        assert_eq!(with(TokenState::Rejected), Some(StaleReason::TokenRejected));
    }
}

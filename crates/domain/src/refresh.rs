//! The login path: whether a person has to be read from the MIS when they log in, and the outcome.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{SchoolSettings, TokenState, job::named};

named!(
    /// The result of refreshing one person.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RefreshResult))]
    RefreshOutcome, "outcome of a refresh", {
        /// Something about the person changed in iP.
        Updated = "updated",
        /// Nothing changed: the person matches the MIS, or the job's issue says why not.
        Unchanged = "unchanged",
        /// The MIS no longer has the person as current staff, and their account in iP is inactive.
        NoLongerCurrent = "no_longer_current",
        /// The person is not linked to the MIS, so there is nothing to read.
        NotLinked = "not_linked",
    }
);

named!(
    /// Why logins of a school do not ask Wonde for a while.
    OutageReason, "reason of an outage", {
        /// Wonde does not answer, or its answers are of no use.
        Unavailable = "unavailable",
        /// Wonde asks us to wait.
        RateLimited = "rate_limited",
        /// The school withdrew its approval.
        Forbidden = "forbidden",
    }
);

named!(
    /// Why a login is answered from iP's current record.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    StaleReason, "reason to be stale", {
        /// The caller did not wait for the end of the refresh.
        NotAwaited = "not_awaited",
        /// The refresh did not finish in time.
        TimedOut = "timed_out",
        /// The refresh failed, or will be tried again later.
        Failed = "failed",
        /// The school has no Wonde token.
        NotConnected = "school_not_connected",
        /// Wonde refused the school's token.
        TokenRejected = "token_rejected",
        /// Wonde did not answer a moment ago.
        WondeUnavailable = "wonde_unavailable",
        /// Wonde asked us to wait.
        RateLimited = "wonde_rate_limited",
        /// The school withdrew its approval.
        AccessWithdrawn = "wonde_forbidden",
        /// An operator paused the school, or all logins.
        Paused = "paused",
    }
);

/// An outage, and the time from which one login may ask Wonde again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Why Wonde is not asked.
    pub reason: OutageReason,
    /// From when one login may ask again.
    pub probe_at: DateTime<Utc>,
}

/// What decides whether iP lets a person log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginAccount {
    /// Whether the person can log in at all.
    pub active: bool,
    /// Whether they have to use *Forgot Password* first.
    pub password_reset_required: bool,
}

/// Everything that decides whether a login asks Wonde.
#[derive(Debug, Clone)]
pub struct LoginStanding {
    /// The time by the database's clock, as are all other times here.
    pub now: DateTime<Utc>,
    /// The school's settings.
    pub settings: SchoolSettings,
    /// When the settings or the connection last changed.
    pub settings_changed_at: DateTime<Utc>,
    /// The state of the school's token.
    pub token: TokenState,
    /// The person's account in iP.
    pub account: LoginAccount,
    /// Whether the person is linked to the MIS.
    pub is_linked: bool,
    /// Whether the school or the lane of logins is paused.
    pub is_paused: bool,
    /// When the person was last read from the MIS; `None` if never.
    pub read_at: Option<DateTime<Utc>>,
    /// Set while Wonde has failed a login of this school and has not answered since.
    pub outage: Option<Outage>,
}

impl LoginStanding {
    /// Whether the person was read within the freshness window, and since the settings last changed.
    pub fn is_fresh(&self) -> bool {
        let window = TimeDelta::minutes(self.settings.refresh_freshness_minutes.into());
        self.read_at.is_some_and(|read_at| {
            read_at > self.settings_changed_at && self.now < read_at + window
        })
    }

    /// Why this school cannot ask Wonde at all, if it cannot.
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
    /// The reason in words, for the people who run the login page.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotAwaited => "The refresh is under way; the caller did not wait for it.",
            Self::TimedOut => "The refresh did not finish in time; it continues in the background.",
            Self::Failed => "The refresh did not succeed; the job says why.",
            Self::NotConnected => "The school has no Wonde token. Connect the school.",
            Self::TokenRejected => {
                "Wonde refused the school's token; it is tried again every few minutes. If the \
                 school has a new token, connect the school with it."
            }
            Self::WondeUnavailable => {
                "Wonde did not answer a moment ago; it will be asked again soon."
            }
            Self::RateLimited => "Wonde asked us to wait; it will be asked again after that.",
            Self::AccessWithdrawn => "The school withdrew its approval in Wonde.",
            Self::Paused => "An operator has paused the school or all logins.",
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
            account: LoginAccount { active: true, password_reset_required: false },
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

use std::time::Duration;

use mis_sync_domain::JobFailure;
use mis_sync_queue::JobError;
use mis_sync_store::Error as StoreError;
use mis_sync_wonde::Error as WondeError;

/// Why a sync did not succeed. Bodies of jobs use plain `?`; what follows from an error is
/// decided once, in the conversion to [`JobError`].
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Wonde.
    #[error(transparent)]
    Wonde(#[from] WondeError),
    /// The school has no token (any more).
    #[error("the school is not connected to Wonde")]
    NotConnected,
    /// The school's row has a Wonde id or address that cannot be used.
    #[error("the school's connection cannot be used: {0}")]
    BadConnection(&'static str),
    /// The person of a refresh is not in the school (any more).
    #[error("there is nobody of this id in the school")]
    UnknownStaff,
    /// One person could not be fetched in the time that a login has.
    #[error("Wonde took longer than a login can wait")]
    TooSlow,
    /// Wonde knows the school, but not its list of staff, or the page of a list where an earlier
    /// attempt stopped: that passes.
    #[error("Wonde did not find one of the school's lists, though it knows the school")]
    ListMissing,
    /// What an earlier attempt staged led to a dead end; the next one starts from the first page.
    #[error("going on from an earlier attempt failed: {0}")]
    StaleResume(String),
}

/// How long to wait when Wonde asks to wait but does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// How soon to try again when a sync was writing the school.
const WHILE_SCHOOL_BUSY: Duration = Duration::from_secs(1);

impl From<SyncError> for JobError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(StoreError::LeaseLost) => Self::LeaseLost,
            SyncError::Store(error) => from_store(&error),
            SyncError::Wonde(error) => from_wonde(&error),
            SyncError::NotConnected => Self::Fail(failure(
                "school_not_connected",
                "The school is not connected",
                "There is no Wonde token for this school. Connect it, then sync again.",
            )),
            SyncError::BadConnection(detail) => Self::Fail(failure(
                "bad_connection",
                "The school's connection cannot be used",
                detail,
            )),
            SyncError::UnknownStaff => Self::Fail(failure(
                "unknown_staff",
                "There is no such person",
                "The person was removed from the school in iP.",
            )),
            SyncError::TooSlow => Self::Retry(failure(
                "wonde_unavailable",
                "Wonde could not be read",
                "It took longer than a login can wait.",
            )),
            SyncError::ListMissing => Self::Retry(failure(
                "wonde_unavailable",
                "Wonde could not be read",
                &SyncError::ListMissing.to_string(),
            )),
            SyncError::StaleResume(why) => {
                Self::Retry(failure("wonde_list_moved", "The list moved", &why))
            }
        }
    }
}

fn from_store(error: &StoreError) -> JobError {
    match error {
        StoreError::SealedWithAnotherKey { .. } => JobError::Fail(failure(
            "token_sealed",
            "The school's token cannot be opened",
            "The encryption key was changed. Configure the old key beside the new one, or \
             connect the school again.",
        )),
        StoreError::Inconsistent { .. } => {
            JobError::Fail(failure("inconsistent_data", "A stored value", &error.to_string()))
        }
        StoreError::PersonMoved => JobError::Retry(failure(
            "person_moved",
            "The person was linked anew",
            &error.to_string(),
        )),
        StoreError::SchoolBusy => JobError::Snooze(
            failure("school_busy", "A sync of the school is writing", &error.to_string()),
            WHILE_SCHOOL_BUSY,
        ),
        _ => JobError::Retry(failure("database", "The database failed", &error.to_string())),
    }
}

fn from_wonde(error: &WondeError) -> JobError {
    let detail = error.to_string();
    match error {
        WondeError::RateLimited { retry_after } => JobError::Snooze(
            failure("wonde_rate_limited", "Wonde asks us to wait", &detail),
            retry_after.unwrap_or(DEFAULT_WAIT),
        ),
        WondeError::Server { retry_after: Some(wait), .. } => {
            JobError::Snooze(failure("wonde_unavailable", "Wonde asks us to wait", &detail), *wait)
        }
        WondeError::Unauthorized => JobError::Fail(failure(
            "wonde_unauthorized",
            "Wonde refuses the school's token",
            "It was refused twice, a moment apart. It is tried again every few minutes and with \
             every sync that is asked for. If it was replaced, connect the school with the new one.",
        )),
        WondeError::Forbidden { scope } => JobError::Fail(failure(
            "wonde_forbidden",
            "The school does not grant this access",
            &match scope {
                Some(scope) => format!("Ask the school to approve `{scope}` in Wonde."),
                None => "Ask the school to approve the access to staff in Wonde.".to_owned(),
            },
        )),
        WondeError::NotFound => JobError::Fail(failure(
            "wonde_school_unknown",
            "Wonde does not know this school",
            "Check the school's Wonde id, and its region's address.",
        )),
        WondeError::AddressRefused => JobError::Fail(failure(
            "bad_connection",
            "The school's connection cannot be used",
            "Its Wonde address leads to a private network (`wonde.allowed_hosts`).",
        )),
        // Which one cannot be told, or all of them: another node may know them.
        WondeError::InvalidInclude { .. } => JobError::Retry(failure(
            "wonde_include_refused",
            "Wonde refuses a part of what is asked for",
            &detail,
        )),
        error if error.is_transient() => {
            JobError::Retry(failure("wonde_unavailable", "Wonde could not be read", &detail))
        }
        _ => JobError::Fail(failure("wonde_protocol", "Wonde's answer cannot be used", &detail)),
    }
}

fn failure(code: &str, title: &str, detail: &str) -> JobFailure {
    JobFailure { code: code.to_owned(), title: title.to_owned(), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(error: impl Into<SyncError>) -> JobError {
        JobError::from(error.into())
    }

    #[test]
    fn waiting_spends_no_attempt_and_what_cannot_help_is_not_tried() {
        let hour = Duration::from_hours(1);
        let limited = |retry_after| verdict(WondeError::RateLimited { retry_after });
        assert!(matches!(limited(Some(hour)), JobError::Snooze(_, wait) if wait == hour));
        assert!(matches!(limited(None), JobError::Snooze(_, DEFAULT_WAIT)));
        let away = |retry_after| verdict(WondeError::Server { status: 503, retry_after });
        assert!(matches!(away(Some(hour)), JobError::Snooze(_, wait) if wait == hour));
        assert!(matches!(away(None), JobError::Retry(_)));
        for fatal in [
            WondeError::Unauthorized,
            WondeError::Forbidden { scope: None },
            WondeError::NotFound,
            WondeError::PageLoop,
            WondeError::AddressRefused,
        ] {
            assert!(matches!(verdict(fatal), JobError::Fail(_)));
        }
        assert!(matches!(verdict(StoreError::LeaseLost), JobError::LeaseLost));
        assert!(matches!(verdict(StoreError::SchoolBusy), JobError::Snooze(..)));
        assert!(matches!(verdict(StoreError::PersonMoved), JobError::Retry(_)));
        assert!(matches!(verdict(SyncError::TooSlow), JobError::Retry(_)));
        assert!(matches!(verdict(SyncError::ListMissing), JobError::Retry(_)));
        for passing in [401, 302, 403, 404, 421] {
            assert!(matches!(verdict(WondeError::Gateway { status: passing }), JobError::Retry(_)));
        }
        let include = WondeError::InvalidInclude { named: Vec::new() };
        assert!(matches!(verdict(include), JobError::Retry(_)));
        assert!(matches!(verdict(SyncError::UnknownStaff), JobError::Fail(_)));
        assert!(matches!(verdict(StoreError::Unavailable(String::new())), JobError::Retry(_)));
    }
}

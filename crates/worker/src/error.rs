use std::time::Duration;

use mis_sync_domain::JobFailure;
use mis_sync_queue::JobError;
use mis_sync_store::Error as StoreError;
use mis_sync_wonde::Error as WondeError;

/// Why a sync did not succeed. Jobs use plain `?`; the consequence of an error is decided once, in
/// the conversion to [`JobError`].
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Wonde(#[from] WondeError),
    /// The school has no token, or no longer has one.
    #[error("the school is not connected to Wonde")]
    NotConnected,
    /// The school's row has an unusable Wonde id or address.
    #[error("the school's connection cannot be used: {0}")]
    BadConnection(&'static str),
    /// The person of a refresh is not in the school, or no longer is.
    #[error("there is no person with this id in the school")]
    UnknownStaff,
    /// Wonde did not answer in the time that a person waits.
    #[error("Wonde took longer than a person can wait")]
    TooSlow,
    /// Wonde knows the school, but not its list of staff, or not the page at which an earlier
    /// attempt stopped. This is temporary.
    #[error("Wonde did not find one of the school's lists, although it knows the school")]
    ListMissing,
    /// The pages of an earlier attempt led to a dead end; the next attempt starts from the first
    /// page.
    #[error("continuing an earlier attempt failed: {0}")]
    StaleResume(String),
}

/// How long to wait if Wonde asks us to wait but does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// How soon to try again if a sync was writing the school.
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
                "Wonde was unavailable",
                "It took longer than a person can wait.",
            )),
            SyncError::ListMissing => Self::Retry(failure(
                "wonde_unavailable",
                "Wonde was unavailable",
                &SyncError::ListMissing.to_string(),
            )),
            SyncError::StaleResume(why) => {
                Self::Retry(failure("wonde_list_moved", "The list changed while it was read", &why))
            }
        }
    }
}

fn from_store(error: &StoreError) -> JobError {
    match error {
        StoreError::SealedWithAnotherKey { .. } => JobError::Fail(failure(
            "token_sealed",
            "The school's token cannot be decrypted",
            "The encryption key was changed. Configure the old key after the new one, or \
             connect the school again.",
        )),
        StoreError::Inconsistent { .. } => JobError::Fail(failure(
            "inconsistent_data",
            "A stored value is not understood",
            &error.to_string(),
        )),
        StoreError::PersonMoved => JobError::Retry(failure(
            "person_moved",
            "The person was linked to another record",
            &error.to_string(),
        )),
        StoreError::SchoolBusy => JobError::Snooze(
            failure("school_busy", "A sync is writing the school", &error.to_string()),
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
            "It was refused twice, a moment apart. It is tried again every few minutes and by \
             every requested sync. If the school has a new token, connect the school with it.",
        )),
        WondeError::Forbidden { scope } => JobError::Fail(failure(
            "wonde_forbidden",
            "The school does not grant access",
            &match scope {
                Some(scope) => format!("Ask the school to approve `{scope}` in Wonde."),
                None => "Ask the school to approve access to staff in Wonde.".to_owned(),
            },
        )),
        WondeError::NotFound => JobError::Fail(failure(
            "wonde_school_unknown",
            "Wonde does not know this school",
            "Check the school's Wonde id and the address of its region.",
        )),
        WondeError::AddressRefused => JobError::Fail(failure(
            "bad_connection",
            "The school's connection cannot be used",
            "Its Wonde address leads to a private network (see `wonde.allowed_hosts`).",
        )),
        // It is not clear which one, or all are refused: another node may know them.
        WondeError::InvalidInclude { .. } => JobError::Retry(failure(
            "wonde_include_refused",
            "Wonde refuses a part of the request",
            &detail,
        )),
        error if error.is_transient() => {
            JobError::Retry(failure("wonde_unavailable", "Wonde was unavailable", &detail))
        }
        _ => JobError::Fail(failure("wonde_protocol", "Wonde's answer cannot be used", &detail)),
    }
}

fn failure(code: &str, title: &str, detail: &str) -> JobFailure {
    JobFailure { code: code.to_owned(), title: title.to_owned(), detail: sentence(detail) }
}

/// The text of an error for people: with the capital and the full stop that errors do not have.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    let end = if text.is_empty() || text.ends_with('.') { "" } else { "." };
    first.chain(rest).chain(end.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(error: impl Into<SyncError>) -> JobError {
        JobError::from(error.into())
    }

    #[test]
    fn people_read_sentences() {
        assert_eq!(sentence("the connection to Wonde failed"), "The connection to Wonde failed.");
        assert_eq!(sentence("It was refused twice."), "It was refused twice.");
        assert_eq!(sentence(""), "");
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

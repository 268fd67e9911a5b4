use chrono::{DateTime, SecondsFormat, Utc};
use mis_sync_store::alerts::Alert;
use serde_json::json;

/// The message of an alert that was raised or has ended. It contains no personal data: only ids,
/// the school's name, and sentences without any.
pub(super) fn body(alert: &Alert) -> String {
    let (kind, at) = match alert.cleared_at {
        None => (alert.kind.to_string(), alert.raised_at),
        Some(cleared_at) => (format!("{}.recovered", alert.kind), cleared_at),
    };
    let link = match alert.job_id {
        Some(job) => format!("/v1/jobs/{job}"),
        None => format!("/v1/schools/{}", alert.school_id),
    };
    json!({
        "type": kind,
        "timestamp": timestamp(at),
        "data": {
            "alert_id": alert.id,
            "school_id": alert.school_id,
            "school_name": alert.school_name,
            "job_id": alert.job_id,
            "reason": alert.reason,
            "detail": alert.detail,
            "link": link,
            "raised_at": timestamp(alert.raised_at),
            "recovered_at": alert.cleared_at.map(timestamp),
        },
    })
    .to_string()
}

fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

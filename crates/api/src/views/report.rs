use mis_sync_domain::Report;
use serde::Serialize;
use utoipa::ToSchema;

/// What a sync did, in numbers.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub(crate) struct ReportView {
    /// Staff records that Wonde delivered.
    fetched: u64,
    /// Of these, people who are current staff.
    current: u64,
    /// People new in iP.
    created: u64,
    /// People of whom at least one field changed.
    updated: u64,
    /// People who were already as the MIS says.
    unchanged: u64,
    /// People who can no longer log in because they left.
    deactivated: u64,
    /// People who came back.
    restored: u64,
    /// Current people who were left out.
    skipped: u64,
    /// Records with a problem for the school to mend.
    issues: u64,
    /// HTTP requests sent to Wonde.
    requests: u64,
    /// From the start of the attempt to its end.
    duration_ms: u64,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        // Taken apart, so that a count that is added to the domain is not forgotten here.
        let &Report {
            fetched,
            current,
            created,
            updated,
            unchanged,
            deactivated,
            restored,
            skipped,
            issues,
            requests,
            duration_ms,
        } = report;
        Self {
            fetched,
            current,
            created,
            updated,
            unchanged,
            deactivated,
            restored,
            skipped,
            issues,
            requests,
            duration_ms,
        }
    }
}

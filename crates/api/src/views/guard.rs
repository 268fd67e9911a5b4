use mis_sync_domain::{Guard, GuardLimit};
use serde::Serialize;
use utoipa::ToSchema;

/// Limits on what one sync may change unasked. Each that is left out has its default.
#[derive(Serialize, ToSchema)]
#[schema(as = Guard)]
pub(super) struct GuardView {
    /// Off: a sync does what the MIS says. An empty list of staff is held all the same.
    #[schema(default = true, required = false)]
    enabled: bool,
    /// People who could no longer log in.
    #[schema(required = false)]
    deactivated: GuardLimitView,
    /// People who would log in with another email.
    #[schema(required = false)]
    emails_changed: GuardLimitView,
    /// People who would have no job title any more.
    #[schema(required = false)]
    job_titles_emptied: GuardLimitView,
    /// People who would have no line manager any more.
    #[schema(required = false)]
    line_managers_emptied: GuardLimitView,
    /// Classes fewer than before, or fewer that somebody teaches.
    #[schema(required = false)]
    classes_emptied: GuardLimitView,
    /// Known people who would get another Wonde id.
    #[schema(required = false)]
    new_ids: GuardLimitView,
}

/// A sync is held when both are passed.
#[derive(Serialize, ToSchema)]
#[schema(as = GuardLimit)]
struct GuardLimitView {
    /// Of the records that there are.
    #[schema(minimum = 0, maximum = 100)]
    percent: u8,
    /// Records.
    count: u32,
}

impl From<Guard> for GuardView {
    fn from(guard: Guard) -> Self {
        let Guard {
            enabled,
            deactivated,
            emails_changed,
            job_titles_emptied,
            line_managers_emptied,
            classes_emptied,
            new_ids,
        } = guard;
        Self {
            enabled,
            deactivated: deactivated.into(),
            emails_changed: emails_changed.into(),
            job_titles_emptied: job_titles_emptied.into(),
            line_managers_emptied: line_managers_emptied.into(),
            classes_emptied: classes_emptied.into(),
            new_ids: new_ids.into(),
        }
    }
}

impl From<GuardLimit> for GuardLimitView {
    fn from(limit: GuardLimit) -> Self {
        Self { percent: limit.percent.into(), count: limit.count }
    }
}

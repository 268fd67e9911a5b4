use mis_sync_domain::{Guard, GuardLimit};
use serde::Serialize;
use utoipa::ToSchema;

/// Limits on what one sync may change without approval. If you leave out a limit, its default
/// applies.
#[derive(Serialize, ToSchema)]
#[schema(as = Guard)]
pub(super) struct GuardView {
    /// If false, a sync applies any number of changes. An empty list of staff is still held.
    #[schema(default = true, required = false)]
    enabled: bool,
    /// People who could no longer log in.
    #[schema(required = false)]
    deactivated: GuardLimitView,
    /// People whose sign-in email would change.
    #[schema(required = false)]
    emails_changed: GuardLimitView,
    /// People who would lose their job title.
    #[schema(required = false)]
    job_titles_emptied: GuardLimitView,
    /// People who would lose their line manager.
    #[schema(required = false)]
    line_managers_emptied: GuardLimitView,
    /// The drop in the number of classes, or of classes with a teacher.
    #[schema(required = false)]
    classes_emptied: GuardLimitView,
    /// Known people who would get a new Wonde id.
    #[schema(required = false)]
    new_ids: GuardLimitView,
}

/// A sync is held if both are exceeded.
#[derive(Serialize, ToSchema)]
#[schema(as = GuardLimit)]
struct GuardLimitView {
    /// Percentage of the existing records.
    #[schema(minimum = 0, maximum = 100)]
    percent: u8,
    /// Number of records.
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

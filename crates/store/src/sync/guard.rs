//! Whether a comparison may be applied unasked.

use mis_sync_domain::{Affected, Guard, GuardCategory, Lease};
use sqlx::PgConnection;

use super::{Run, count, counts::Counted};
use crate::Error;

impl Counted {
    /// Records that change in a category of the guard.
    fn of(&self, category: GuardCategory) -> u64 {
        match category {
            GuardCategory::Deactivated => self.deactivated,
            GuardCategory::EmailsChanged => self.emails_changed,
            GuardCategory::JobTitlesEmptied => self.job_titles_emptied,
            GuardCategory::LineManagersEmptied => self.line_managers_emptied,
            GuardCategory::ClassesEmptied => self.classes_emptied.records,
            GuardCategory::NewIds => self.new_ids,
        }
    }
}

/// An empty list is never taken for everybody having left, whatever the limits are.
fn is_empty_list(run: &Run<'_>, counted: &Counted) -> bool {
    run.fetched.is_full && run.fetched.records == 0 && counted.deactivated > 0
}

/// Whether so much changes that it has to be looked at before it is applied. Cheap, because
/// every sync asks.
pub(super) fn is_suspicious(run: &Run<'_>, guard: &Guard, counted: &Counted) -> bool {
    let is_much = |category: &GuardCategory| guard.is_suspicious(*category, counted.of(*category));
    is_empty_list(run, counted) || GuardCategory::ALL.iter().any(is_much)
}

/// Where the change goes above the limits. Only while nothing is applied: it is measured against
/// what iP holds.
pub(super) async fn find_exceeded(
    db: &mut PgConnection,
    run: &Run<'_>,
    guard: &Guard,
    counted: &Counted,
) -> Result<Vec<Affected>, Error> {
    let held = sqlx::query!(
        r#"
        SELECT count(*) AS "people!", count(job_title) AS "job_titles!",
            count(line_manager_id) AS "line_managers!"
        FROM staff WHERE school_id = $1 AND active AND wonde_id IS NOT NULL
        "#,
        run.school_id.as_str(),
    )
    .fetch_one(db)
    .await?;
    let affected = |category: GuardCategory| Affected {
        category,
        records: counted.of(category),
        of: match category {
            GuardCategory::Deactivated | GuardCategory::EmailsChanged | GuardCategory::NewIds => {
                count(held.people)
            }
            GuardCategory::JobTitlesEmptied => count(held.job_titles),
            GuardCategory::LineManagersEmptied => count(held.line_managers),
            GuardCategory::ClassesEmptied => counted.classes_emptied.of,
        },
    };
    let is_exceeded = |affected: &Affected| {
        guard.is_exceeded_by(affected)
            || affected.category == GuardCategory::Deactivated && is_empty_list(run, counted)
    };
    Ok(GuardCategory::ALL.iter().copied().map(affected).filter(is_exceeded).collect())
}

/// Whether a person has approved all that is above the limits.
pub(super) async fn is_approved(
    db: &mut PgConnection,
    lease: Lease,
    exceeded: &[Affected],
) -> Result<bool, Error> {
    if exceeded.is_empty() {
        return Ok(true);
    }
    let approved = sqlx::query_scalar!("SELECT approved FROM job WHERE id = $1", lease.job_id.0)
        .fetch_one(db)
        .await?;
    let Some(approved) = approved else { return Ok(false) };
    let approved: Vec<Affected> = serde_json::from_value(approved).map_err(|_| {
        Error::Inconsistent { table: "job", column: "approved", id: lease.job_id.to_string() }
    })?;
    Ok(exceeded.iter().all(|affected| affected.is_covered_by(&approved)))
}

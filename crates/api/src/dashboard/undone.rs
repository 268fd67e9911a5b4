//! Who undid what, and what follows, for every page that shows something that was undone.

use maud::{Markup, html};
use mis_sync_domain::{Job, SchoolId, StaffId};
use mis_sync_store::{
    Pool,
    pauses::{self, Pause, Scope},
    undo,
};

use super::parts::{job_path, read, time};
use crate::state::Operator;

/// The undo that is in force at a school, or for one person of it; nothing if there is none.
pub(super) async fn in_force(
    operator: &Operator,
    school_id: &SchoolId,
    staff_id: Option<StaffId>,
) -> Markup {
    show(operator, school_id, staff_id, |_| true).await
}

/// The undo that is in force, if it is this job or reversed it.
pub(super) async fn of_job(operator: &Operator, job: &Job) -> Markup {
    let Some(school_id) = &job.school_id else { return html! {} };
    let is_meant = |undo: &Job| undo.id == job.id || undo.undo_of == Some(job.id);
    show(operator, school_id, None, is_meant).await
}

async fn show(
    operator: &Operator,
    school_id: &SchoolId,
    staff_id: Option<StaffId>,
    is_meant: impl Fn(&Job) -> bool,
) -> Markup {
    let pool = operator.access().pool();
    let found = read(undo::in_force(pool, school_id, staff_id)).await.ok().flatten();
    let Some(undo) = found.filter(is_meant) else { return html! {} };
    notice(operator, &undo, pause_of(pool, school_id).await.as_ref())
}

/// The pause of a school.
async fn pause_of(pool: &Pool, id: &SchoolId) -> Option<Pause> {
    let pauses = read(pauses::list(pool)).await.unwrap_or_default();
    pauses.into_iter().find(|pause| pause.scope == Scope::School(id.clone()))
}

fn notice(operator: &Operator, undo: &Job, pause: Option<&Pause>) -> Markup {
    html! {
        p.warning {
            @if let Some(undone) = undo.undo_of {
                a href=(job_path(undone)) { "A sync" }
                " was "
            }
            a href=(job_path(undo.id)) { "undone" }
            " by "
            (undo.requested_by)
            " on "
            (time(operator, undo.created_at))
            ". "
            @if let Some(pause) = pause {
                "The school is paused"
                @if let Some(until) = pause.until { " until " (time(operator, until)) }
                ". "
            }
            "The next sync will apply the same again unless the MIS is corrected."
        }
    }
}

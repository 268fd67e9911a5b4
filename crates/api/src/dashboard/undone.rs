//! Who undid what, and what follows, for every page that shows something that was undone.

use maud::{Markup, html};
use mis_sync_domain::{Job, SchoolId};
use mis_sync_store::{
    Pool,
    pauses::{self, Pause, Scope},
    undo,
};

use super::parts::{job_path, read, time};
use crate::state::Operator;

/// The undo that is in force at a school; nothing if there is none.
pub(super) async fn in_force(operator: &Operator, school_id: &SchoolId) -> Markup {
    let found = read(undo::in_force(operator.access().pool(), school_id, None)).await;
    show(operator, school_id, found.ok().flatten().as_ref()).await
}

/// The undo that is in force, if it is this job or reversed it.
pub(super) async fn of_job(operator: &Operator, job: &Job) -> Markup {
    let Some(school_id) = &job.school_id else { return html! {} };
    let is_meant = |undo: &Job| undo.id == job.id || undo.undo_of == Some(job.id);
    let found = read(undo::in_force(operator.access().pool(), school_id, None)).await;
    show(operator, school_id, found.ok().flatten().filter(is_meant).as_ref()).await
}

/// An undo at this school, and until when the school is paused; nothing if there is none.
pub(super) async fn show(operator: &Operator, school_id: &SchoolId, undo: Option<&Job>) -> Markup {
    let Some(undo) = undo else { return html! {} };
    notice(operator, undo, pause_of(operator.access().pool(), school_id).await.as_ref())
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

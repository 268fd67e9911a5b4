//! What an operator does to a job. The state decides whether it can be done.

use mis_sync_control::{self as control, Act, Refused};
use mis_sync_domain::{Affected, plan::Conflict};
use mis_sync_queue::Queue;

use crate::{
    arguments::Action,
    commands::{actor, print},
    exit::Failure,
};

pub(super) async fn act(queue: &Queue, action: Action, act: Act<'_>) -> Result<(), Failure> {
    let job = match control::act(queue, action.id, act, &actor(action.reason)).await {
        Ok(acted) => acted.job,
        Err(refused) => {
            if let Refused::UndoConflict(conflicts) = &refused {
                conflicts.iter().try_for_each(tell_conflict)?;
            }
            return Err(refused.into());
        }
    };
    if action.json {
        return print(&mis_sync_api::json::job(&job).to_string());
    }
    if let (Act::Approve(_), Some(approval)) = (act, &job.approval) {
        tell_affected("to be applied", &approval.approved)?;
        tell_affected("left unchanged in iP", &approval.left_out)?;
    }
    print(&format!("job {} is {}", job.id, job.state))
}

fn tell_affected(heading: &str, all: &[Affected]) -> Result<(), Failure> {
    if !all.is_empty() {
        print(&format!("{heading}:"))?;
    }
    for affected in all {
        print(&format!("  {:24}  {}", affected.category, affected.sentence()))?;
    }
    Ok(())
}

fn tell_conflict(conflict: &Conflict) -> Result<(), Failure> {
    let Conflict { record, field, job_id } = conflict;
    let by = job_id.map_or_else(
        || "changed by hand, or the earlier value is in use or gone".to_owned(),
        |id| format!("changed by job {id}"),
    );
    let id = record.id().map(|id| id.to_string()).unwrap_or_default();
    print(&format!("{} {id} {}: {by}", record.kind(), field.as_str()))
}

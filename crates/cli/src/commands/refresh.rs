use mis_sync_domain::{RefreshOutcome, RefreshUser};
use mis_sync_queue::NewJob;
use mis_sync_store::refresh::{self, Login};

use crate::{
    arguments::Refresh,
    commands::{
        COMMAND_LINE,
        follow::{Shown, follow},
        print, words,
    },
    config::Config,
    exit::Failure,
    wiring,
};

/// Reads one person from the MIS, even if they are fresh, and waits for the end.
pub(super) async fn run(config: &Config, wanted: &Refresh) -> Result<(), Failure> {
    let queue = wiring::queue(config).await?;
    let (school, person) = (&wanted.school, wanted.staff_id);
    match refresh::look(queue.pool(), school, person).await? {
        Login::UnknownSchool => {
            let hint = "`mis-sync schools list` shows which there are";
            return Err(Failure::work(format!("there is no school {school}; {hint}")));
        }
        Login::UnknownStaff => {
            return Err(Failure::work(format!(
                "there is no person with the id {person} in {school}"
            )));
        }
        Login::Known(standing) if !standing.is_linked => {
            return Err(Failure::work(format!(
                "this person is not linked to a record in Wonde; `mis-sync explain {school} \
                 --staff-id {person}` says why"
            )));
        }
        Login::Known(_) => {}
    }
    let asked = RefreshUser { school_id: school.clone(), staff_id: person };
    let new = NewJob::of(&asked, COMMAND_LINE);
    let job = queue.enqueue(&new, None).await?.job().id;
    let job = follow(queue.pool(), job, Shown::Nothing).await?;
    if wanted.json {
        print(&mis_sync_api::json::job(&job).to_string())?;
        return words::require_success(&job);
    }
    words::require_success(&job)?;
    let outcome = job.report.and_then(|report| report.outcome);
    print(match outcome {
        Some(RefreshOutcome::Updated) => "The person was brought up to date.",
        Some(RefreshOutcome::NoLongerCurrent) => {
            "The person is no longer current staff, and their account in iP is inactive."
        }
        Some(RefreshOutcome::NotLinked) => "This person is no longer linked to a record in Wonde.",
        Some(RefreshOutcome::Unchanged) | None => "Nothing about the person changed in iP.",
    })
}

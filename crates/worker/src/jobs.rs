//! The jobs, one file each.

mod act_on_jobs;
mod check_school;
pub(crate) mod connection;
mod find_person;
mod handle_webhook;
mod list_approved_schools;
mod refresh_user;
mod send_alert;
mod send_callback;
mod sync_school;

use mis_sync_domain::{
    ActOnJobs, BackgroundJob, CheckSchool, FindPerson, HandleWebhook, JobKind, ListApprovedSchools,
    RefreshUser, SendAlert, SendCallback, SyncSchool,
};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::Error as StoreError;

use crate::{Context, SyncError};

/// How a job is run.
pub(crate) trait Run: BackgroundJob {
    /// Runs one attempt. If it succeeds, it ends the job itself, in the transaction that does the
    /// work.
    fn run(
        self,
        context: &Context,
        claimed: &Claimed,
    ) -> impl Future<Output = Result<Done, JobError>> + Send;
}

/// Runs a claimed job by its kind.
pub(crate) async fn run(context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
    match claimed.job.kind {
        JobKind::SyncSchool => run_as::<SyncSchool>(context, claimed).await,
        JobKind::RefreshUser => run_as::<RefreshUser>(context, claimed).await,
        JobKind::CheckSchool => run_as::<CheckSchool>(context, claimed).await,
        JobKind::FindPerson => run_as::<FindPerson>(context, claimed).await,
        JobKind::HandleWebhook => run_as::<HandleWebhook>(context, claimed).await,
        JobKind::SendAlert => run_as::<SendAlert>(context, claimed).await,
        JobKind::SendCallback => run_as::<SendCallback>(context, claimed).await,
        JobKind::ActOnJobs => run_as::<ActOnJobs>(context, claimed).await,
        JobKind::ListApprovedSchools => run_as::<ListApprovedSchools>(context, claimed).await,
        JobKind::Unknown => unreachable!("no worker claims what it does not know"),
    }
}

async fn run_as<J: Run>(context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
    let id = claimed.job.id;
    let unreadable =
        || StoreError::Inconsistent { table: "job", column: "options", id: id.to_string() };
    let job: J = claimed.payload().ok_or_else(|| SyncError::from(unreadable()))?;
    job.run(context, claimed).await
}

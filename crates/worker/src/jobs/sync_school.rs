//! Brings a whole school up to date: fetch, then compare and apply.

mod absence;
mod access;
mod expected;
mod fetch;

use std::time::Instant;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    IssueCode, Lease, Mis, School, Stage, SyncMode, SyncOptions, SyncRules, SyncSchool, TokenState,
    plan::Fetched,
};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{
    fetches, schools,
    sync::{self, Finished},
};
use mis_sync_telemetry::metrics;
use mis_sync_wonde::{Error as WondeError, SchoolClient};

use super::{Run, connection};
use crate::{Context, SyncError};
pub(crate) use access::{first_page, named, refused, withheld};
use fetch::Fetcher;

impl Run for SyncSchool {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        Ok(sync(context, claimed, &self).await?)
    }
}

async fn sync(context: &Context, claimed: &Claimed, job: &SyncSchool) -> Result<Done, SyncError> {
    let started = Instant::now();
    let (lease, pool) = (claimed.lease, context.queue.pool());
    let (school, client) = connection::open(context, &context.wonde, &job.school_id).await?;
    if school.token == TokenState::Rejected {
        // Wonde has said so before, with a 401 or a webhook. It may have changed.
        connection::probe(context, &school, &client).await?;
    }

    let fetched = fetch(context, lease, job.options, &school, &client).await;
    if let Err(SyncError::Wonde(WondeError::Unauthorized)) = &fetched {
        schools::mark_token_rejected(pool, &school).await?;
    }
    let (rules, fetched) = fetched?;
    metrics::SYNC_STAGE.record([Stage::Fetching.as_str()], started.elapsed());

    let plan = sync::Plan {
        lease,
        school_id: &school.id,
        fetched: &fetched,
        rules,
        guard: school.settings.guard,
        dry_run: job.options.dry_run,
    };
    let began = Instant::now();
    let finished = sync::finish(pool, plan, || started.elapsed()).await?;
    metrics::SYNC_STAGE.record([Stage::Applying.as_str()], began.elapsed());
    log(&finished, job.options.dry_run);
    Ok(match finished {
        Finished::Applied(_) => Done::Succeeded,
        Finished::Held(_) => Done::Held,
    })
}

fn log(finished: &Finished, dry_run: bool) {
    let (report, is_held) = match finished {
        Finished::Applied(report) => (report, false),
        Finished::Held(report) => (report, true),
    };
    tracing::info!(
        mode = report.mode.as_str(),
        report.fetched,
        report.created,
        report.updated,
        report.unchanged,
        report.deactivated,
        report.skipped,
        report.issues,
        report.duration_ms,
        dry_run,
        is_held,
        "school compared"
    );
}

/// Reads what has not been read yet, and returns the rules for the comparison.
async fn fetch(
    context: &Context,
    lease: Lease,
    options: SyncOptions,
    school: &School,
    client: &SchoolClient,
) -> Result<(SyncRules, Fetched), SyncError> {
    let (pool, found) = (context.queue.pool(), find_mis(context, school, client).await?);
    let mis = found.mis();
    let rules = SyncRules::decide(mis, &school.settings, options);
    let after = changed_since(context, school, options);
    let mut fetch = fetches::begin(pool, lease, after, context.syncs.pages_max_age).await?;
    if matches!(found, FoundMis::Unknown) {
        fetches::note(pool, lease, &mut fetch, IssueCode::UnknownMis).await?;
    }
    let fetcher = Fetcher::new(context, lease, school, client, mis, rules, fetch);
    Ok((rules, fetcher.run().await?))
}

/// From when on a delta requests changes; `None` to read everything. Wonde shows a change in the
/// MIS hours later, so a delta looks further back than the last fetch. There is no delta before the
/// first full sync, or after a change of the school's settings, which may affect records that did
/// not change.
fn changed_since(
    context: &Context,
    school: &School,
    options: SyncOptions,
) -> Option<DateTime<Utc>> {
    let seen = school.changes_seen_until.filter(|_| options.mode == SyncMode::Delta)?;
    let is_proven = school.last_full_sync_at.is_some_and(|at| at >= school.updated_at);
    is_proven.then(|| seen - context.syncs.delta_overlap)
}

/// What is known about the school's MIS.
enum FoundMis<'a> {
    /// It is in the table.
    Known(&'a Mis),
    /// It has a name that is not in the table.
    Unknown,
    /// There is no name for it.
    Unnamed,
}

impl<'a> FoundMis<'a> {
    fn mis(&self) -> Option<&'a Mis> {
        match self {
            Self::Known(mis) => Some(mis),
            Self::Unknown | Self::Unnamed => None,
        }
    }
}

/// The school's MIS. Wonde is asked only if it is not known yet.
async fn find_mis<'a>(
    context: &'a Context,
    school: &School,
    client: &SchoolClient,
) -> Result<FoundMis<'a>, SyncError> {
    let spelling = match &school.mis {
        Some(mis) => Some(mis.clone()),
        // Postgres cannot hold a NUL.
        None => client.school().await?.mis.map(|mis| mis.replace(char::is_control, " ")),
    };
    let Some(spelling) = spelling else { return Ok(FoundMis::Unnamed) };
    if school.mis.is_none() {
        schools::note_mis(context.queue.pool(), &school.id, &spelling).await?;
    }
    let Some(mis) = context.mis.find(&spelling) else {
        tracing::warn!(mis = spelling, "this MIS is not in the table; what arrives is trusted");
        return Ok(FoundMis::Unknown);
    };
    Ok(FoundMis::Known(mis))
}

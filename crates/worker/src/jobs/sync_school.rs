//! Brings a whole school up to date: fetch and stage page by page, then compare and apply.

use std::time::Instant;

use futures::{FutureExt, TryStreamExt};
use mis_sync_domain::{Capability, Lease, Mis, Progress, School, Stage, SyncRules};
use mis_sync_queue::Claimed;
use mis_sync_store::{
    Error as StoreError, Pool, jobs, schools, staging, staging::FetchState, sync,
};
use mis_sync_wonde::{
    EmployeeInclude, EmployeeQuery, Error as WondeError, PageCursor, SchoolClient, WondeId,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use url::Url;

use crate::{
    Context, SyncError,
    mapping::{MappingRules, map_page},
};

/// Noted with the last page, so that it costs nothing of its own.
const COMPARING: Progress = Progress { stage: Stage::Comparing, done: 0, total: None };

/// Runs one attempt. It ends the job itself, in the transaction that applies the difference.
pub(crate) async fn run(context: &Context, claimed: &Claimed) -> Result<(), SyncError> {
    let started = Instant::now();
    let (job, lease, pool) = (&claimed.job, claimed.lease, context.queue.pool());
    let access = schools::access(pool, &context.cipher, &job.school_id)
        .await?
        .ok_or(SyncError::NotConnected)?;
    let client = connect(context, &access)?;

    let fetched = fetch(context, lease, &access.school, &client).await;
    if let Err(SyncError::Wonde(WondeError::Unauthorized)) = &fetched {
        schools::mark_token_rejected(pool, &access.school).await?;
    }
    fetched?;

    let elapsed = || started.elapsed();
    let report = sync::finish(pool, lease, &job.school_id, job.options.dry_run, elapsed).await?;
    tracing::info!(
        report.fetched,
        report.created,
        report.updated,
        report.unchanged,
        report.skipped,
        report.issues,
        report.duration_ms,
        dry_run = job.options.dry_run,
        "school compared"
    );
    // The job is over; what it staged is only in the way, and the sweeper would find it.
    match staging::discard(pool, lease).await {
        // The sweeper was quicker.
        Ok(()) | Err(StoreError::LeaseLost) => {}
        Err(error) => tracing::warn!(%error, "staged records were left to the sweeper"),
    }
    Ok(())
}

fn connect(context: &Context, access: &schools::SchoolAccess) -> Result<SchoolClient, SyncError> {
    let id = WondeId::try_from(access.school.wonde_school_id.clone())
        .map_err(|_| SyncError::BadConnection("Its Wonde id is not one."))?;
    let base_url = access.school.wonde_base_url.as_deref().map(Url::parse).transpose();
    let base_url =
        base_url.map_err(|_| SyncError::BadConnection("Its Wonde address is no URL."))?;
    Ok(context.wonde.school(&id, &access.token, base_url.as_ref())?)
}

/// Stages every page that is not staged yet.
async fn fetch(
    context: &Context,
    lease: Lease,
    school: &School,
    client: &SchoolClient,
) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let mis = find_mis(context, school, client).await?;
    let sync_rules = SyncRules::decide(mis, &school.settings);
    let state = staging::begin(pool, lease, sync_rules, context.staged_pages_max_age).await?;
    if state.complete {
        return Ok(jobs::progress(pool, lease, COMPARING).await?);
    }
    let rules = MappingRules {
        today: context.clock.today(),
        roles_supported: Mis::supports(mis, Capability::Roles),
        hierarchy_supported: Mis::supports(mis, Capability::ReportsTo),
        teachers_only: school.settings.teachers_only,
    };
    match stage_pages(context, lease, school, client, rules, &state).await {
        // The place where an earlier attempt stopped may not exist any more.
        Err(SyncError::Wonde(error)) if state.next_page.is_some() && leads_nowhere(&error) => {
            staging::discard(pool, lease).await?;
            Err(SyncError::StaleResume(error))
        }
        other => other,
    }
}

fn leads_nowhere(error: &WondeError) -> bool {
    !error.is_transient() && !matches!(error, WondeError::Unauthorized)
}

/// The school's MIS. Wonde is asked only where nobody has said it yet.
async fn find_mis<'a>(
    context: &'a Context,
    school: &School,
    client: &SchoolClient,
) -> Result<Option<&'a Mis>, SyncError> {
    let spelling = match &school.mis {
        Some(mis) => Some(mis.clone()),
        None => client.school().await?.mis,
    };
    let Some(spelling) = spelling else { return Ok(None) };
    if school.mis.is_none() {
        schools::note_mis(context.queue.pool(), &school.id, &spelling).await?;
    }
    let mis = context.mis.find(&spelling);
    if mis.is_none() {
        tracing::warn!(mis = spelling, "this MIS is not in the table; what arrives is trusted");
    }
    Ok(mis)
}

async fn stage_pages(
    context: &Context,
    lease: Lease,
    school: &School,
    client: &SchoolClient,
    rules: MappingRules,
    state: &FetchState,
) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let from = state.next_page.clone().map(serde_json::from_value::<PageCursor>).transpose();
    // A cursor that cannot be read is none: the fetch begins anew.
    let from = from.unwrap_or_default();
    // The first page is under way from here on.
    let query = EmployeeQuery { include: includes(rules), ..EmployeeQuery::default() };
    let pages = client.employees(&query, from);
    let mut expected = Expected::learn(pool, school, client).await?;
    let mut done = state.fetched;
    let mut requests = 0;
    futures::pin_mut!(pages);
    while let Some(page) = pages.try_next().await? {
        let mut mapped = map_page(&page, rules);
        mapped.requests = client.requests_made() - requests;
        requests += mapped.requests;
        done += mapped.fetched;
        let progress = if page.next.is_some() {
            let total = expected.records().map(|records| records.max(done));
            Progress { stage: Stage::Fetching, done, total }
        } else {
            COMPARING
        };
        staging::add_page(pool, lease, &mapped, progress).await?;
    }
    Ok(())
}

/// How many records there will be, for the progress bar alone: Wonde's lists come without a
/// total. The last sync knows; before the first one Wonde is asked for its count, beside the
/// fetch and without waiting for the answer.
enum Expected {
    Known(Option<u64>),
    Asked(AbortOnDropHandle<Result<Option<u64>, WondeError>>),
}

impl Expected {
    async fn learn(pool: &Pool, school: &School, client: &SchoolClient) -> Result<Self, SyncError> {
        if let Some(records) = jobs::records_of_last_sync(pool, &school.id).await? {
            return Ok(Self::Known(Some(records)));
        }
        let client = client.clone();
        let asked = async move { client.employee_count().await };
        Ok(Self::Asked(AbortOnDropHandle::new(tokio::spawn(asked.in_current_span()))))
    }

    fn records(&mut self) -> Option<u64> {
        if let Self::Asked(answer) = self {
            let answered = answer.now_or_never()?;
            *self = Self::Known(answered.ok().and_then(Result::ok).flatten());
        }
        match self {
            Self::Known(records) => *records,
            Self::Asked(_) => None,
        }
    }
}

/// Exactly what the mapping reads; scopes that are not needed are not asked for.
fn includes(rules: MappingRules) -> Vec<EmployeeInclude> {
    let mut includes = vec![EmployeeInclude::ContactDetails, EmployeeInclude::EmploymentDetails];
    if rules.roles_supported {
        includes.push(EmployeeInclude::Roles);
    }
    if rules.hierarchy_supported {
        includes.push(EmployeeInclude::Hierarchy);
    }
    includes
}

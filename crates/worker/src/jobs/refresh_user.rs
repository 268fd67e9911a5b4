//! Brings one person up to date while they log in: a delta of one, by the same rules, into the same
//! history. It has a few seconds, and the person is let in even if it fails.

mod fetch;

use std::time::{Duration, Instant};

use mis_sync_domain::{OutageReason, RefreshOutcome, RefreshUser, School, SyncRules, TokenState};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{
    Error as StoreError, refresh, schools,
    sync::{self, PersonPlan},
};
use mis_sync_wonde::{Error as WondeError, SchoolClient, WondeId};
use tokio::time::timeout;

use super::{Run, connection};
use crate::{Context, SyncError, mapping::MappingRules};
use fetch::{Fetched, PersonFetch};

impl Run for RefreshUser {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        refresh_person(context, claimed, &self).await?;
        Ok(Done::Succeeded)
    }
}

async fn refresh_person(
    context: &Context,
    claimed: &Claimed,
    asked: &RefreshUser,
) -> Result<(), SyncError> {
    let started = Instant::now();
    let (job, lease, pool) = (&claimed.job, claimed.lease, context.queue.pool());
    let staff_id = asked.staff_id;
    // The person is read after this moment.
    let as_of = job.started_at.unwrap_or(job.created_at);
    let (school, client) =
        connection::open(context, &context.wonde_at_login, &asked.school_id).await?;
    let person =
        refresh::person(pool, &school.id, staff_id).await?.ok_or(SyncError::UnknownStaff)?;
    let Some(wonde_id) = &person.wonde_id else {
        return Ok(refresh::finish_not_linked(pool, lease).await?);
    };
    let id = WondeId::try_from(wonde_id.clone())
        .map_err(|_| SyncError::BadConnection("The Wonde id of a member of staff is not valid."))?;

    let mis = school.mis.as_deref().and_then(|spelling| context.mis.find(spelling));
    let rules = SyncRules::decide(mis, &school.settings, job.options).at_login();
    let fetch = PersonFetch {
        client: &client,
        id: &id,
        held: &person,
        mapping: MappingRules::of_school(context.clock.today(), mis, &school.settings),
        classes: rules.imports.class_staff,
    };
    let Fetched { mut page, classes } = in_time(context, &school, &client, fetch.run()).await?;
    page.requests = client.requests_made();
    if school.token == TokenState::Rejected {
        // This job was requested before the token was refused; now Wonde accepts it again.
        schools::mark_token_accepted(pool, &school).await?;
    }
    let plan = PersonPlan {
        lease,
        school_id: &school.id,
        rules,
        staff_id,
        wonde_id,
        as_of,
        page: &page,
        classes: classes.as_deref(),
    };
    let _turn = context.logins.turns.take(&school.id).await.ok_or(StoreError::SchoolBusy)?;
    let report = sync::refresh_person(pool, plan, || started.elapsed()).await?;
    tracing::info!(
        outcome = report.outcome.map(RefreshOutcome::as_str),
        report.requests,
        report.duration_ms,
        "person compared"
    );
    Ok(())
}

/// Fetches within the time of a refresh. If Wonde fails, that is recorded, so that the school's
/// next logins do not wait for it.
async fn in_time(
    context: &Context,
    school: &School,
    client: &SchoolClient,
    fetch: impl Future<Output = Result<Fetched, SyncError>>,
) -> Result<Fetched, SyncError> {
    let fetched = timeout(context.logins.timeout, fetch).await;
    let fetched = fetched.unwrap_or(Err(SyncError::TooSlow));
    let Err(error) = fetched else { return fetched };
    tracing::debug!(requests = client.requests_made(), "the fetch failed");
    let pool = context.queue.pool();
    if let SyncError::Wonde(WondeError::Unauthorized) = error {
        schools::mark_token_rejected(pool, school).await?;
    }
    if let Some((reason, wait)) = outage(&error) {
        let probe_after = wait.unwrap_or_default().max(context.logins.probe_after);
        refresh::note_outage(pool, &school.id, reason, probe_after).await?;
    }
    Err(error)
}

/// Whether the school's next login would fail too, and how long Wonde asked us to wait.
fn outage(error: &SyncError) -> Option<(OutageReason, Option<Duration>)> {
    match error {
        SyncError::TooSlow => Some((OutageReason::Unavailable, None)),
        SyncError::Wonde(WondeError::RateLimited { retry_after }) => {
            Some((OutageReason::RateLimited, *retry_after))
        }
        SyncError::Wonde(WondeError::Forbidden { .. }) => Some((OutageReason::Forbidden, None)),
        SyncError::Wonde(error) if error.is_transient() => {
            Some((OutageReason::Unavailable, error.retry_after()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_meets_the_next_login_too_is_an_outage() {
        let of = |error: WondeError| outage(&error.into());
        let minute = Some(Duration::from_mins(1));
        let limited = of(WondeError::RateLimited { retry_after: minute });
        assert_eq!(limited, Some((OutageReason::RateLimited, minute)));
        let away = of(WondeError::Server { status: 503, retry_after: minute });
        assert_eq!(away, Some((OutageReason::Unavailable, minute)));
        let forbidden = of(WondeError::Forbidden { scope: None });
        assert_eq!(forbidden, Some((OutageReason::Forbidden, None)));
        assert_eq!(outage(&SyncError::TooSlow), Some((OutageReason::Unavailable, None)));
        // For the first the token is marked instead; the other two are about one person.
        for other in [WondeError::Unauthorized, WondeError::NotFound, WondeError::PageLoop] {
            assert_eq!(of(other), None);
        }
        assert_eq!(outage(&mis_sync_store::Error::PersonMoved.into()), None);
    }
}

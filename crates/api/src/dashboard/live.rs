//! Tells an open page when something that it shows has changed; the page then loads itself again.
//! The event never contains the change, so there is one way to render everything.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::{Stream, stream};
use mis_sync_domain::JobId;
use mis_sync_store::{Pool, jobs};
use tokio::time::{Instant, Interval};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiError, ApiState,
    jobs::events::{HEARTBEAT, NO_BUFFERING, every},
    parameters::Parameters,
    state::Operator,
};

/// The time between two checks.
const POLL: Duration = Duration::from_secs(1);
/// Ages and charts move even if nothing happens.
const AT_LEAST: Duration = Duration::from_secs(15);
/// After this the page connects again, and its session is checked again.
const LONGEST: Duration = Duration::from_mins(5);

/// What a page watches.
#[derive(Clone, Copy)]
enum Subject {
    /// Everything unfinished, and what has ended.
    Ledger,
    Job(JobId),
}

pub(super) async fn watch(
    operator: Operator,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let text = parameters.take_text("watch", "`ledger` or a job's id")?;
    parameters.finish("`watch`")?;
    let subject = match text.as_deref().map(str::parse) {
        Some(Ok(id)) => Subject::Job(id),
        _ => Subject::Ledger,
    };
    let access = operator.access();
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let watch = Watch {
        state: access.state().clone(),
        headers,
        pool: access.pool().clone(),
        subject,
        // A page that comes back after an interruption learns at once whether it is out of date.
        seen,
        tick: every(POLL),
        stopping: access.stopping(),
        told_at: Instant::now(),
        until: Instant::now() + LONGEST,
    };
    let events = Sse::new(watch.into_stream()).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(([NO_BUFFERING], events).into_response())
}

struct Watch {
    state: ApiState,
    headers: HeaderMap,
    pool: Pool,
    subject: Subject,
    /// The state of the ledger when the page was last told.
    seen: Option<String>,
    tick: Interval,
    stopping: CancellationToken,
    told_at: Instant,
    until: Instant,
}

impl Watch {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut watch| async move {
            loop {
                let stopping = watch.stopping.clone();
                tokio::select! {
                    () = stopping.cancelled() => return None,
                    _ = watch.tick.tick() => {}
                }
                if Instant::now() >= watch.until || !watch.is_signed_in().await {
                    return None;
                }
                if let Some(event) = watch.look().await {
                    return Some((Ok(event), watch));
                }
            }
        })
    }

    /// After signing out or when the key was revoked, a page hears no more. If the database is
    /// away, this is not known.
    async fn is_signed_in(&self) -> bool {
        !matches!(self.state.session(&self.headers).await, Ok(None))
    }

    async fn look(&mut self) -> Option<Event> {
        let pulse = match self.subject {
            Subject::Ledger => jobs::pulse(&self.pool).await,
            Subject::Job(id) => jobs::pulse_of(&self.pool, id).await,
        };
        let pulse = match pulse {
            Ok(pulse) => pulse,
            Err(error) => {
                tracing::debug!(%error, "the dashboard cannot read the ledger");
                return None;
            }
        };
        // The first check always reports: something may have happened since the page was rendered.
        let is_news = self.seen.as_ref() != Some(&pulse);
        if !is_news && self.told_at.elapsed() < AT_LEAST {
            return None;
        }
        self.seen = Some(pulse.clone());
        self.told_at = Instant::now();
        Some(Event::default().event("changed").id(pulse).data(""))
    }
}

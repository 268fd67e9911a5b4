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
use tokio::time::{Instant, Interval, timeout};
use tokio_util::sync::CancellationToken;
use url::form_urlencoded::byte_serialize;

use crate::{
    ApiError, ApiState,
    jobs::events::{HEARTBEAT, NO_BUFFERING, every},
    parameters::Parameters,
    state::Operator,
};

/// The time between two checks.
const POLL: Duration = Duration::from_secs(1);
/// If a check takes longer, the ledger counts as lost.
const PATIENCE: Duration = Duration::from_secs(3);
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

/// What a page of the whole ledger watches, and the ledger's state before its data are read. If the
/// state is the same once the page is open, the page does not load itself again.
pub(super) async fn ledger(operator: &Operator) -> Option<String> {
    let pulse = jobs::pulse(operator.access().pool()).await;
    Some(pulse.map_or_else(|_| "ledger".into(), |pulse| format!("ledger&seen={pulse}")))
}

/// The same for the page of one job.
pub(super) async fn job(operator: &Operator, id: JobId) -> Option<String> {
    let pulse = jobs::pulse_of(operator.access().pool(), id).await;
    let seen = pulse.map(|pulse| byte_serialize(pulse.as_bytes()).collect::<String>());
    Some(seen.map_or_else(|_| id.to_string(), |seen| format!("{id}&seen={seen}")))
}

pub(super) async fn watch(
    operator: Operator,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let text = parameters.take_text("watch", "`ledger` or a job's id")?;
    let rendered = parameters.take_text("seen", "the state that the page shows")?;
    parameters.finish("`watch` and `seen`")?;
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
        // A page learns at once whether it is out of date: after it was rendered, and after an
        // interruption.
        seen: seen.or(rendered),
        is_lost: false,
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
    /// Whether the page was told that the ledger cannot be read.
    is_lost: bool,
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
        let pulse = match timeout(PATIENCE, self.pulse()).await {
            Ok(Ok(pulse)) => pulse,
            failed => {
                tracing::debug!(?failed, "the dashboard cannot read the ledger");
                let is_news = !std::mem::replace(&mut self.is_lost, true);
                self.seen = None;
                return is_news.then(|| Event::default().event("lost").data(""));
            }
        };
        self.is_lost = false;
        let is_news = self.seen.as_ref() != Some(&pulse);
        if !is_news && self.told_at.elapsed() < AT_LEAST {
            return None;
        }
        self.seen = Some(pulse.clone());
        self.told_at = Instant::now();
        Some(Event::default().event("changed").id(pulse).data(""))
    }
    async fn pulse(&self) -> Result<String, mis_sync_store::Error> {
        match self.subject {
            Subject::Ledger => jobs::pulse(&self.pool).await,
            Subject::Job(id) => jobs::pulse_of(&self.pool, id).await,
        }
    }
}

//! The progress of a job as server-sent events, read from the ledger.
//!
//! The ledger has the current state of a job, not its history. So an event is a snapshot of what
//! changed since the event before. Its id says what the caller has seen, and a caller that resumes
//! gets the differences.

use std::{collections::VecDeque, convert::Infallible, fmt, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::{Stream, stream};
use mis_sync_domain::{ApiKeyId, Job, JobId, JobState};
use mis_sync_store::{Pool, api_keys, jobs};
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiError,
    parameters::PathId,
    state::Access,
    views::{JobView, ProblemView, ProgressView, ReportView},
};

/// The time between two looks at the job.
const POLL: Duration = Duration::from_millis(500);
/// A comment is sent this often, so that no proxy closes an idle connection.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// After this a stream ends and the caller resumes.
const LONGEST: Duration = Duration::from_hours(1);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks nginx not to buffer events.
pub(crate) const NO_BUFFERING: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Follow a job live
///
/// Server-sent events: `state` (the job, whenever its state changes), `progress` (the progress of a
/// running job) and `report` (what it did). The stream ends after the final state. If it ends
/// earlier, resume it with the `id` of the last event; it then sends what has changed since.
/// Comments keep the connection alive. If the key is revoked, the stream ends.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}/events",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that \
            came; a browser's `EventSource` sends it by itself"),
    ),
    responses(
        (status = 200, description = "Events, whose data is JSON: of `state` a `Job`, of \
            `progress` a `Progress`, of `report` a `Report`", body = String,
            content_type = "text/event-stream"),
        (status = 204, description = "The job has finished, and the caller has seen everything: \
            there is nothing to come back for"),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn follow_job(
    access: Access,
    PathId(job_id): PathId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = access.job(&job_id).await?;
    let mut watch = Watch::new(&access, job.id, Seen::of(&headers));
    watch.take(&job);
    if watch.ended && watch.events.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let events = Sse::new(watch.into_stream()).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(([NO_BUFFERING], events).into_response())
}

/// Ticks: the first comes at once, and missed ones are skipped.
pub(crate) fn every(period: Duration) -> Interval {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// What a caller has seen of a job. It is the `id` of events, so callers send it back. An invented
/// one equals the state of no job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    state: String,
    progress: String,
    report: bool,
}

impl Seen {
    /// What the `Last-Event-ID` of a request says.
    fn of(request: &HeaderMap) -> Self {
        let text = request.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
        let mut parts = text.unwrap_or_default().split('.');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        Self { state: next(), progress: next(), report: next() == "report" }
    }

    /// The state of a job.
    fn state_of(job: &Job) -> String {
        format!("{}-{}", job.state, job.attempt)
    }

    /// The progress of a running job; `None` for any other.
    fn progress_of(job: &Job) -> Option<String> {
        let progress = job.progress.filter(|_| job.state == JobState::Running)?;
        let total = progress.total.map(|total| total.to_string()).unwrap_or_default();
        Some(format!("{}-{}-{}-{total}", job.attempt, progress.stage, progress.done))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = if self.report { "report" } else { "" };
        write!(f, "{}.{}.{report}", self.state, self.progress)
    }
}

/// A job that is followed.
struct Watch {
    pool: Pool,
    /// The key that follows it.
    key: ApiKeyId,
    id: JobId,
    stopping: CancellationToken,
    seen: Seen,
    /// Not sent yet.
    events: VecDeque<Event>,
    /// The job has finished.
    ended: bool,
    tick: Interval,
    until: Instant,
}

impl Watch {
    fn new(access: &Access, id: JobId, seen: Seen) -> Self {
        let mut tick = every(POLL);
        // The first tick is due at once, and the first look has just been taken.
        tick.reset();
        let until = Instant::now() + LONGEST;
        Self {
            pool: access.pool().clone(),
            key: access.key().id,
            id,
            stopping: access.stopping(),
            seen,
            events: VecDeque::new(),
            ended: false,
            tick,
            until,
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut watch| async move {
            loop {
                if let Some(event) = watch.events.pop_front() {
                    return Some((Ok(event), watch));
                }
                if watch.ended || Instant::now() >= watch.until {
                    return None;
                }
                let stopping = watch.stopping.clone();
                tokio::select! {
                    () = stopping.cancelled() => return None,
                    () = watch.look_again() => {}
                }
            }
        })
    }

    /// Looks at the ledger when it is time, if the key is still valid. While the database is
    /// unavailable there is nothing to send.
    async fn look_again(&mut self) {
        self.tick.tick().await;
        // A database that is away says nothing about the key.
        if matches!(api_keys::is_revoked(&self.pool, self.key).await, Ok(true)) {
            self.ended = true;
            return;
        }
        match jobs::get(&self.pool, self.id).await {
            Ok(Some(job)) => self.take(&job),
            Ok(None) => self.ended = true,
            Err(error) if error.is_transient() => {
                tracing::debug!(job.id = %self.id, %error, "a followed job cannot be read");
            }
            Err(error) => {
                tracing::error!(job.id = %self.id, %error, "a followed job cannot be read");
                self.ended = true;
            }
        }
    }

    /// Collects what is new about the job.
    fn take(&mut self, job: &Job) {
        let state = Seen::state_of(job);
        if self.seen.state != state {
            self.seen.state = state;
            self.push("state", &JobView::from(job));
        }
        if let Some(progress) = Seen::progress_of(job)
            && self.seen.progress != progress
        {
            self.seen.progress = progress;
            self.push("progress", &ProgressView::of(job));
        }
        self.ended = job.state.is_finished();
        if let Some(report) = &job.report
            && self.ended
            && !self.seen.report
        {
            self.seen.report = true;
            self.push("report", &ReportView::from(report));
        }
    }

    fn push(&mut self, name: &str, data: &impl Serialize) {
        let data = serde_json::to_string(data).expect("a view is plain JSON");
        let event = Event::default().event(name).id(self.seen.to_string()).data(data);
        self.events.push_back(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str) -> Seen {
        Seen::of(&HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_str(id).unwrap())]))
    }

    #[test]
    fn an_id_says_what_was_seen_and_one_made_up_says_nothing_true() {
        let seen =
            Seen { state: "running-1".into(), progress: "1-fetching-5-".into(), report: false };
        assert_eq!(of(&seen.to_string()), seen);
        let all = Seen { report: true, ..seen };
        assert_eq!(of(&all.to_string()), all);
        assert_eq!(Seen::of(&HeaderMap::new()), Seen::default());
        assert_eq!(of("nonsense"), Seen { state: "nonsense".into(), ..Seen::default() });
    }
}

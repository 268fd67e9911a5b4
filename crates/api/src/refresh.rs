//! The login path. Even if Wonde fails, the answer comes in time and decides the login.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::Request,
    http::{StatusCode, header::LOCATION, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{
    Job, JobId, JobState, LoginAccount, LoginStanding, RefreshOutcome, RefreshUser, SchoolId,
    StaffId, StaleReason,
};
use mis_sync_queue::NewJob;
use mis_sync_store::refresh::{self, Login};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded;
use utoipa::IntoParams;

use crate::{
    ApiError, follow,
    parameters::{Parameters, PathId, Query},
    staff::read_id,
    state::Access,
    views::{ProblemView, RefreshView},
};

/// The longest time that a caller may wait.
const MAX_WAIT_MS: u64 = 5000;

/// How long the answer may take if the caller does not wait for the refresh.
const UNAWAITED: Duration = Duration::from_secs(1);

/// How much later than the caller's time limit this route gives up. The handler keeps to the limit
/// itself and then answers `stale`; only a database that does not answer gets this far.
const GRACE: Duration = Duration::from_millis(50);

/// Bring a person up to date while they log in
///
/// Two fields decide the login, whatever the `outcome` is: if `active` is false, refuse it; if
/// `password_reset_required` is true, send the person to *Forgot Password*; otherwise let them in.
/// Both are as iP holds them after the refresh.
///
/// This never delays a login. If the MIS cannot be read in time, the answer is `stale` and says how
/// old the data in iP is. Several logins of one person at the same time share one job. `wait_ms` is
/// a hard limit: if even the database does not answer in time, the answer is the problem
/// `timed-out`. Then decide with the same two columns of `staff`, as your app read them.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/staff/{staff_id}/refresh",
    tag = "staff",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        ("staff_id" = String, Path, description = "The id of the person in iP"),
        WaitQuery,
    ),
    responses(
        (status = 200, description = "The refresh has finished, or none was needed", body = RefreshView),
        (status = 202, description = "`stale`: the refresh continues", body = RefreshView, headers(
            ("Location" = String, description = "The job's address"),
        )),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "`unknown-school`, `unknown-staff`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn refresh_user(
    Extension(Arrived(arrived)): Extension<Arrived>,
    access: Access,
    PathId((school_id, staff_id)): PathId<(String, String)>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let school_id = access.school_id(&school_id)?;
    let wait = read_wait(parameters)?;
    let deadline = arrived + wait.unwrap_or(UNAWAITED);
    // Text that cannot be an id belongs to no person, but the school is still checked.
    let id = read_id(&staff_id);
    let asked = id.as_ref().map_or_else(|_| StaffId::new(), |id| *id);
    let standing = match refresh::look(access.pool(), &school_id, asked).await? {
        Login::UnknownSchool => return Err(ApiError::UnknownSchool),
        Login::UnknownStaff => return Err(ApiError::UnknownStaff),
        Login::Known(standing) => standing,
    };
    let whose = (&school_id, id?);
    let answer = log_in(&access, whose, standing, deadline, wait.is_some()).await?;
    access.state().logins().count(answer.view.outcome(), arrived.elapsed());
    Ok(answer.into_response())
}

/// Refreshes the person if that is needed and can be done by the deadline.
async fn log_in(
    access: &Access,
    whose: (&SchoolId, StaffId),
    standing: LoginStanding,
    deadline: Instant,
    has_waited: bool,
) -> Result<Answer, ApiError> {
    match timeout_at(deadline, without_asking(access, whose, &standing)).await {
        Err(_) => return Ok(answer(whose, &standing, None, true)),
        Ok(Err(error)) => return Err(error),
        Ok(Ok(Some(view))) => return Ok(Answer { view, job: None }),
        Ok(Ok(None)) => {}
    }
    let asked = RefreshUser { school_id: whose.0.clone(), staff_id: whose.1 };
    let new = NewJob::of(&asked, access.requester());
    let job = follow::until(access.queue(), new, deadline, has_waited).await?;
    let account = account_after(access, whose, &standing, job.as_ref(), deadline).await;
    let standing = LoginStanding { account, ..standing };
    Ok(answer(whose, &standing, job, has_waited))
}

/// Keeps the whole request within the time that its caller waits, including the check of the API
/// key: an unavailable or frozen database must not delay a login either.
pub(crate) async fn keep_to_wait(mut request: Request, next: Next) -> Response {
    let arrived = Instant::now();
    let wait = request.uri().query().and_then(|query| {
        let (_, ms) =
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "wait_ms")?;
        awaited(WaitMs::try_from(ms.parse::<u64>().ok()?).ok()?)
    });
    request.extensions_mut().insert(Arrived(arrived));
    let limit = arrived + wait.unwrap_or(UNAWAITED) + GRACE;
    let answered = timeout_at(limit, next.run(request)).await;
    answered.unwrap_or_else(|_| ApiError::TimedOut.into_response())
}

/// When a request came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived(Instant);

/// Whether a request is a login, which no limit may keep out.
pub(crate) fn is_login(parts: &Parts) -> bool {
    parts.extensions.get::<Arrived>().is_some()
}

fn read_wait(parameters: Parameters) -> Result<Option<Duration>, ApiError> {
    let WaitQuery { wait_ms } = parameters.read()?;
    Ok(wait_ms.and_then(awaited))
}

/// The time to wait; `None` for none.
pub(crate) fn awaited(WaitMs(ms): WaitMs) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}

/// How long the caller waits.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// The longest time to wait for the refresh. If 0 or left out, the answer comes at once
    #[param(value_type = Option<u64>, minimum = 0, maximum = 5000)]
    wait_ms: Option<WaitMs>,
}

impl Query for WaitQuery {
    fn wanted(_: &str) -> String {
        wanted_wait()
    }
}

/// The valid values of [`WaitMs`].
pub(crate) fn wanted_wait() -> String {
    format!("a whole number from 0 to {MAX_WAIT_MS}")
}

/// Milliseconds that a caller may wait.
#[derive(Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct WaitMs(u64);

impl TryFrom<u64> for WaitMs {
    type Error = &'static str;

    fn try_from(ms: u64) -> Result<Self, &'static str> {
        if ms <= MAX_WAIT_MS { Ok(Self(ms)) } else { Err("out of bounds") }
    }
}

/// The answer if no refresh is needed, or if none would help.
async fn without_asking(
    access: &Access,
    whose: (&SchoolId, StaffId),
    standing: &LoginStanding,
) -> Result<Option<RefreshView>, ApiError> {
    if !standing.is_linked {
        return Ok(Some(RefreshView::not_linked(whose, standing)));
    }
    if standing.is_fresh() {
        return Ok(Some(RefreshView::fresh(whose, standing)));
    }
    let stale = |reason| Some(RefreshView::stale(whose, standing, reason, None));
    if let Some(reason) = standing.disconnected() {
        return Ok(stale(reason));
    }
    if standing.is_paused {
        return Ok(stale(StaleReason::Paused));
    }
    let probe_after = access.state().probe_after();
    match standing.outage {
        None => Ok(None),
        Some(outage) if standing.now < outage.probe_at => Ok(stale(outage.reason.into())),
        // One of those who come now asks again, for all of them.
        Some(_) if refresh::take_probe(access.pool(), whose.0, probe_after).await? => Ok(None),
        Some(outage) => Ok(stale(outage.reason.into())),
    }
}

/// The account as iP holds it once an attempt of the refresh has ended; until then, as it was found.
async fn account_after(
    access: &Access,
    (school_id, staff_id): (&SchoolId, StaffId),
    standing: &LoginStanding,
    job: Option<&Job>,
    deadline: Instant,
) -> LoginAccount {
    let Some(job) = job.filter(|job| !follow::is_under_way(job)) else { return standing.account };
    let read = refresh::account(access.pool(), school_id, staff_id);
    match timeout_at(deadline + follow::LAST_LOOK, read).await {
        Ok(Ok(Some(account))) => account,
        Ok(Ok(None)) => LoginAccount { active: false, ..standing.account },
        // The report still says whether the person lost their account.
        Err(_) | Ok(Err(_)) => {
            let outcome = job.report.as_ref().and_then(|report| report.outcome);
            let is_gone = outcome == Some(RefreshOutcome::NoLongerCurrent);
            LoginAccount { active: standing.account.active && !is_gone, ..standing.account }
        }
    }
}

/// What a login is answered, and the job that goes on after it.
struct Answer {
    view: RefreshView,
    job: Option<JobId>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let view = Json(self.view);
        let Some(id) = self.job else { return view.into_response() };
        (StatusCode::ACCEPTED, [(LOCATION, format!("/v1/jobs/{id}"))], view).into_response()
    }
}

fn answer(
    whose: (&SchoolId, StaffId),
    standing: &LoginStanding,
    job: Option<Job>,
    has_waited: bool,
) -> Answer {
    let stale = |reason, job| RefreshView::stale(whose, standing, reason, job);
    let Some(job) = job else {
        return Answer { view: stale(StaleReason::TimedOut, None), job: None };
    };
    if let Some(outcome) = job.report.as_ref().and_then(|report| report.outcome) {
        return Answer { view: RefreshView::done(whose, standing, outcome, &job), job: None };
    }
    let reason = match job.state {
        _ if !has_waited => StaleReason::NotAwaited,
        JobState::Queued | JobState::Running => StaleReason::TimedOut,
        _ => StaleReason::Failed,
    };
    let goes_on = (!job.state.is_finished()).then_some(job.id);
    Answer { view: stale(reason, Some(&job)), job: goes_on }
}

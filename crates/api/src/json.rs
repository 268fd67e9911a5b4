//! The JSON of the contract, for commands that read the ledger without the API: a program must not
//! get different answers from the command line and over HTTP.

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    Change, ConnectSchool, Job, Mis, School, SchoolCheck, SchoolId, explain::Explanation,
};
use mis_sync_store::{explain::Known, issues::NamedIssue, matches::Candidate, schools::Secrets};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    schools::connection,
    views::{
        ChangeView, ExplanationView, IssueView, JobView, MatchView, SchoolCheckView, SchoolView,
    },
};

pub use crate::schools::connection::AddressRules;

fn to_json(view: &impl Serialize) -> Value {
    serde_json::to_value(view).expect("a view is plain JSON")
}

/// A job, as `GET /v1/jobs/{job_id}` shows it.
pub fn job(job: &Job) -> Value {
    to_json(&JobView::from(job))
}

/// A change, as `GET /v1/jobs/{job_id}/changes` lists it.
pub fn change(change: Change) -> Value {
    to_json(&ChangeView::from(change))
}

/// An issue, as `GET /v1/jobs/{job_id}/issues` lists it.
pub fn issue(issue: NamedIssue) -> Value {
    to_json(&IssueView::from(issue))
}

/// A school, as `GET /v1/schools/{school_id}` shows it at this time; `None` if schedules are off.
pub fn school(school: School, now: Option<DateTime<Utc>>) -> Value {
    to_json(&SchoolView::new(school, now))
}

/// A check, as `POST /v1/schools/{school_id}/check` answers with it.
pub fn check(check: &SchoolCheck) -> Value {
    to_json(&SchoolCheckView::from(check))
}

/// A possible match, as `GET /v1/schools/{school_id}/matches` lists it.
pub fn possible_match(candidate: Candidate) -> Value {
    to_json(&MatchView::from(candidate))
}

/// An explanation, as `GET /v1/schools/{school_id}/explain` shows it.
pub fn explanation(
    known: Known,
    explanation: Explanation,
    school: &School,
    mis: Option<&Mis>,
) -> Value {
    to_json(&ExplanationView::new(known, explanation, school, mis))
}

/// A request to connect a school, read by the rules of `PUT /v1/schools/{school_id}`, and its secrets
/// separately. The error names each wrong field, and quotes no value.
pub fn read_connection(
    id: SchoolId,
    body: Map<String, Value>,
    rules: AddressRules<'_>,
) -> Result<(ConnectSchool, Secrets), String> {
    connection::read(id, body.into(), rules).map_err(|error| error.to_string())
}

use chrono::{DateTime, Utc};
use mis_sync_domain::{JobId, JobKind, JobState, SchoolId, StaffId};
use mis_sync_store::jobs::JobFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::parameters::{CURSOR, Limit, Query, Several, text, wanted_limit};

/// Which jobs are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Only of this school
    #[param(value_type = Option<String>)]
    school_id: Option<SchoolId>,
    /// Only for this person
    #[param(value_type = Option<String>)]
    staff_id: Option<StaffId>,
    /// Only of these kinds, with commas between them; the parameter may also be repeated
    #[param(value_type = Option<Vec<JobKind>>, style = Form, explode = false)]
    #[serde(default)]
    kind: Several<JobKind>,
    /// Only in these states, with commas between them; the parameter may also be repeated
    #[param(value_type = Option<Vec<JobState>>, style = Form, explode = false)]
    #[serde(default)]
    state: Several<JobState>,
    /// Only those whose last `error` has this `type`
    #[serde(default, deserialize_with = "text")]
    error: Option<String>,
    /// Only those requested at this time (RFC 3339) or later
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<DateTime<Utc>>,
    /// Only those requested before this time (RFC 3339)
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before
    #[param(value_type = Option<String>)]
    cursor: Option<JobId>,
    /// Jobs on a page, 50 if left out
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    pub(super) limit: Option<Limit>,
}

impl Query for JobsQuery {
    fn wanted(parameter: &str) -> String {
        let one_of = |names: Vec<&str>| format!("some of {}", names.join(", "));
        let wanted = match parameter {
            "school_id" => "1 to 64 letters, digits, `_` or `-`",
            "staff_id" => "the id of a person in iP, a UUID",
            "kind" => return one_of(JobKind::ALL.iter().map(|kind| kind.as_str()).collect()),
            "state" => return one_of(JobState::ALL.iter().map(|state| state.as_str()).collect()),
            "error" => "the `type` of a job's `error`",
            "since" | "until" => "a time like 2026-09-01T06:30:00Z (RFC 3339)",
            "limit" => return wanted_limit(),
            _ => CURSOR,
        };
        wanted.to_owned()
    }
}

impl From<JobsQuery> for JobFilter {
    fn from(query: JobsQuery) -> Self {
        let JobsQuery { school_id, staff_id, kind, state, error, since, until, cursor, limit: _ } =
            query;
        Self {
            schools: school_id.into_iter().collect(),
            staff_id,
            kinds: kind.0,
            states: state.0,
            error_code: error,
            since,
            until,
            before: cursor,
            ..Self::default()
        }
    }
}

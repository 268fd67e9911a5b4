use chrono::{DateTime, TimeDelta, Utc};
use mis_sync_domain::{
    Approval, Job, JobId, JobKind, Lane, OnBehalfOf, Progress, Requester, StaffId,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Error;

/// Turns the one list of a [`JobRow`]'s columns into a constant and into a part of checked queries:
/// `query_jobs!(("before"), "after", arguments)`. A star would name columns that a later release
/// adds.
macro_rules! columns {
    ($dollar:tt $columns:tt) => {
        pub(super) const COLUMNS: &str = $columns;

        macro_rules! query_jobs {
            (($dollar($dollar before:tt)+), $dollar after:tt $dollar(, $dollar argument:expr)* $dollar(,)?) => {
                sqlx::query_as!(
                    $crate::jobs::row::JobRow,
                    $dollar($dollar before)+ + $columns + $dollar after
                    $dollar(, $dollar argument)*
                )
            };
        }
        pub(super) use query_jobs;
    };
}

columns!($ "id, kind, lane, school_id, staff_id, options, requested_by, on_behalf_of, retry_of, undo_of, state, \
    attempt, max_attempts, crashes, created_at, started_at, finished_at, next_attempt_at, stage, \
    progress_done, progress_total, report, approved, left_out, leave_people, error, fence, lease_until, \
    traceparent, idle_since, idle_ms");

/// A row of `job`, as every query of the ledger selects it.
#[derive(sqlx::FromRow)]
pub(super) struct JobRow {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) lane: String,
    pub(super) school_id: Option<String>,
    pub(super) staff_id: Option<Uuid>,
    pub(super) options: Value,
    pub(super) requested_by: String,
    pub(super) on_behalf_of: Option<String>,
    pub(super) retry_of: Option<Uuid>,
    pub(super) undo_of: Option<Uuid>,
    pub(super) state: String,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) crashes: i16,
    pub(super) created_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    pub(super) stage: Option<String>,
    pub(super) progress_done: i64,
    pub(super) progress_total: Option<i64>,
    pub(super) report: Option<Value>,
    pub(super) approved: Option<Value>,
    pub(super) left_out: Value,
    pub(super) leave_people: Value,
    pub(super) error: Option<Value>,
    pub(super) fence: Option<i64>,
    pub(super) lease_until: Option<DateTime<Utc>>,
    pub(super) traceparent: Option<String>,
    pub(super) idle_since: Option<DateTime<Utc>>,
    pub(super) idle_ms: i64,
}

impl JobRow {
    /// Stage, options and report are those of a sync. For an internal job, and for a kind that only
    /// a newer release knows, they have no meaning here.
    fn without_what_its_kind_says(self) -> Self {
        Self { stage: None, options: json!({}), report: None, approved: None, ..self }
    }
}

impl TryFrom<JobRow> for Job {
    type Error = Error;

    fn try_from(row: JobRow) -> Result<Self, Error> {
        let id = row.id;
        let broken = |column| Error::Inconsistent { table: "job", column, id: id.to_string() };
        let kind = JobKind::in_ledger(&row.kind);
        let is_shown = JobKind::SHOWN.contains(&kind);
        let row = if is_shown { row } else { row.without_what_its_kind_says() };
        let stage =
            row.stage.map(|stage| stage.parse().map_err(|_| broken("stage"))).transpose()?;
        let approved = from_json(row.approved).map_err(|_| broken("approved"))?;
        let left_out = serde_json::from_value(row.left_out).map_err(|_| broken("left_out"))?;
        let leave_people =
            serde_json::from_value(row.leave_people).map_err(|_| broken("leave_people"))?;
        let on_behalf_of = row.on_behalf_of.map(OnBehalfOf::try_from).transpose();
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(Self {
            id: JobId(row.id),
            kind,
            // A job of a kind that only a newer release knows is not run here, whatever its lane
            // is.
            lane: row.lane.parse().unwrap_or(Lane::Bulk),
            school_id: row
                .school_id
                .map(|id| id.parse().map_err(|_| broken("school_id")))
                .transpose()?,
            staff_id: row.staff_id.map(StaffId),
            options: serde_json::from_value(row.options).map_err(|_| broken("options"))?,
            state: row.state.parse().map_err(|_| broken("state"))?,
            attempt: row.attempt.try_into().map_err(|_| broken("attempt"))?,
            max_attempts: row.max_attempts.try_into().map_err(|_| broken("max_attempts"))?,
            crashes: row.crashes.try_into().map_err(|_| broken("crashes"))?,
            progress: stage.map(|stage| Progress {
                stage,
                done: count(row.progress_done),
                total: row.progress_total.map(count),
            }),
            report: from_json(row.report).map_err(|_| broken("report"))?,
            approval: approved.map(|approved| Approval { approved, left_out, leave_people }),
            error: from_json(row.error).map_err(|_| broken("error"))?,
            requested_by: Requester {
                name: row.requested_by,
                on_behalf_of: on_behalf_of.map_err(|_| broken("on_behalf_of"))?,
            },
            retry_of: row.retry_of.map(JobId),
            undo_of: row.undo_of.map(JobId),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            idle_since: row.idle_since,
            idle: TimeDelta::milliseconds(row.idle_ms),
            next_attempt_at: row.next_attempt_at,
        })
    }
}

fn from_json<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, serde_json::Error> {
    value.map(serde_json::from_value).transpose()
}

//! What goes over the wire. Structs of the domain are never serialised to a caller: a change inside
//! must not change the contract by accident. Closed sets ([`mis_sync_domain::named`]) are those of
//! the domain, whose names are for ever.

mod action;
mod change;
mod check;
mod conflict;
mod explanation;
mod guard;
mod health;
mod issue;
mod job;
mod matching;
mod problem;
mod refresh;
mod report;
mod schedule;
mod school;
mod staff;
mod staff_list;
mod sync;
mod webhook;

use chrono::{DateTime, SecondsFormat, Utc};

pub(crate) use action::{
    ActionRequest, ApproveRequest, UndoRequest, a_time_to_come, at_least_one_category,
};
pub(crate) use change::{ChangeListView, ChangeView, FieldValueView};
pub(crate) use check::SchoolCheckView;
pub(crate) use conflict::ConflictView;
pub(crate) use explanation::ExplanationView;
pub(crate) use health::{
    CheckStatus, CheckView, ChecksView, Life, LivenessView, ReadinessView, RedisCheckView,
    RedisStatus, ServiceStatus,
};
pub(crate) use issue::{IssueListView, IssueView};
pub(crate) use job::{JobListView, JobView, ProgressView};
pub(crate) use matching::{MatchListView, MatchRequest, MatchView};
pub(crate) use problem::{FieldError, ProblemListView, ProblemTypeView, ProblemView};
pub(crate) use refresh::{LoginOutcome, RefreshView};
pub(crate) use report::ReportView;
pub(crate) use school::{SchoolListView, SchoolPatch, SchoolRequest, SchoolView};
pub(crate) use staff::{PhotoView, StaffView};
pub(crate) use staff_list::{ListedStaffView, StaffListView};
pub(crate) use sync::SyncRequest;
pub(crate) use webhook::{Said, WebhookEventView, WebhookRequest};

/// Shown in place of personal data to those who may not read it.
const MASK: &str = "•••••";

fn mask_text() -> String {
    MASK.to_owned()
}

/// A time as the contract has it: RFC 3339, UTC with `Z`, milliseconds.
fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

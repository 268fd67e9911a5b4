#![doc = include_str!("../README.md")]

pub mod absence;
mod alert;
mod allowed_hosts;
mod audit;
mod change;
mod check;
mod clock;
mod email;
pub mod employment;
pub mod explain;
mod found_in_mis;
mod guard;
pub mod identity;
mod ids;
mod issue;
mod job;
pub mod line_manager;
mod login_scope;
mod mis;
mod name_query;
mod ownership;
mod photo;
pub mod plan;
mod refresh;
mod report;
mod requester;
mod review;
mod role;
mod schedule;
mod school;
mod settings;
mod sighting;
mod staff;
mod teaching;
pub mod teaching_role;
pub mod text;
pub mod twins;
mod webhook;
mod wonde_hosts;

pub use alert::{AlertKind, Condition, LastSync, STALE_AFTER, SchoolHealth, SyncFailure};
pub use allowed_hosts::{AllowedHosts, InvalidAllowedHost, RefusedAddress};
pub use audit::AuditAction;
pub use change::{Change, ChangedField, ChangedRecord, FieldValue, RecordKind};
pub use check::{CheckedPart, Grant, GrantState, SchoolCheck, TokenVerdict};
pub use clock::{Clock, ManualClock, SystemClock, school_day};
pub use email::{InvalidWorkEmail, WorkEmail};
pub use found_in_mis::{FoundInMis, PersonInMis};
pub use guard::{Affected, Approval, Guard, GuardCategory, GuardLimit, InvalidPercent, Percent};
pub use ids::{
    AlertId, ApiKeyId, BulkId, ClassId, ConnectionDraftId, DepartmentId, InvalidSchoolId, JobId,
    SchoolId, StaffId, SubjectId, WebhookEventId,
};
pub use issue::{Issue, IssueCode};
pub use job::{
    ActOnJobs, BackgroundJob, CallbackReceiver, CheckSchool, FindPerson, HandleWebhook, Job,
    JobFailure, JobKind, JobState, Lane, Lease, ListApprovedSchools, Progress, RefreshUser,
    SendAlert, SendCallback, Stage, SyncMode, SyncOptions, SyncSchool, UnknownName,
};
pub use login_scope::LoginScope;
pub use mis::{Capability, Mis, MisTable, MisTableError};
pub use name_query::NameQuery;
pub use ownership::{
    Imports, OwnedFields, Owner, Ownership, OwnershipRule, SyncRules, SyncedField,
};
pub use photo::{MAX_PHOTO_BYTES, Photo, PhotoRecord, PhotoType};
pub use refresh::{LoginAccount, LoginStanding, Outage, OutageReason, RefreshOutcome, StaleReason};
pub use report::{PhotoCounts, Report, TeachingCounts};
pub use requester::{InvalidOnBehalfOf, OnBehalfOf, Requester};
pub use review::{PersonKey, Recount, Review, ReviewedPerson};
pub use role::{Action, Role};
pub use schedule::{
    DateRange, DueSync, HourRange, InvalidTimeOfDay, REQUESTED_BY_SCHEDULE, Schedule, Served,
    TimeOfDay,
};
pub use school::{ApprovedSchool, ConnectSchool, School, TokenState, Update};
pub use settings::{LeaverPolicy, SchoolSettings};
pub use sighting::{MatchedBy, Reading, RecordOutcome, Sighting};
pub use staff::{JobTitle, StaffMember, StaffRecord};
pub use teaching::{SubjectOfClass, Teacher, TeachingKind, TeachingRecord};
pub use webhook::{WebhookKind, WebhookState};
pub use wonde_hosts::WondeHosts;

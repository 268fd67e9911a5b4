#![doc = include_str!("../README.md")]

mod change;
mod clock;
mod email;
pub mod employment;
mod ids;
mod issue;
mod job;
pub mod line_manager;
mod mis;
mod ownership;
mod report;
mod role;
mod school;
mod settings;
mod staff;

pub use change::{Change, ChangedField, FieldValue};
pub use clock::{Clock, ManualClock, SystemClock};
pub use email::{InvalidWorkEmail, WorkEmail};
pub use ids::{ApiKeyId, InvalidSchoolId, JobId, SchoolId, StaffId};
pub use issue::{Issue, IssueCode};
pub use job::{
    Job, JobFailure, JobKind, JobState, Lane, Lease, Progress, Stage, SyncOptions, UnknownName,
};
pub use mis::{Capability, Mis, MisTable, MisTableError};
pub use ownership::{OwnedFields, SyncRules};
pub use report::Report;
pub use role::{Action, Role};
pub use school::{ConnectSchool, School, TokenState};
pub use settings::{LeaverPolicy, SchoolSettings};
pub use staff::{JobTitle, StaffMember, StaffRecord};

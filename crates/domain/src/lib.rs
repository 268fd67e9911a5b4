#![doc = include_str!("../README.md")]

mod change;
mod clock;
mod email;
pub mod employment;
pub mod explain;
mod ids;
mod issue;
mod job;
pub mod line_manager;
mod mis;
mod ownership;
mod photo;
mod report;
mod role;
mod school;
mod settings;
mod sighting;
mod staff;
mod teaching;

pub use change::{Change, ChangedField, ChangedRecord, FieldValue};
pub use clock::{Clock, ManualClock, SystemClock};
pub use email::{InvalidWorkEmail, WorkEmail};
pub use ids::{ApiKeyId, ClassId, InvalidSchoolId, JobId, SchoolId, StaffId, SubjectId};
pub use issue::{Issue, IssueCode};
pub use job::{
    Job, JobFailure, JobKind, JobState, Lane, Lease, Progress, Stage, SyncMode, SyncOptions,
    UnknownName,
};
pub use mis::{Capability, Mis, MisTable, MisTableError};
pub use ownership::{
    Imports, OwnedFields, Owner, Ownership, OwnershipRule, SyncRules, SyncedField,
};
pub use photo::{MAX_PHOTO_BYTES, Photo, PhotoRecord, PhotoType};
pub use report::{PhotoCounts, Report, TeachingCounts};
pub use role::{Action, Role};
pub use school::{ConnectSchool, School, TokenState};
pub use settings::{LeaverPolicy, SchoolSettings};
pub use sighting::{MatchedBy, Reading, RecordOutcome, Sighting};
pub use staff::{JobTitle, StaffMember, StaffRecord};
pub use teaching::{SubjectOfClass, Teacher, TeachingKind, TeachingRecord};

//! Wonde's records as Rust types, tolerant of everything its fields were seen or feared to be.
//!
//! Unknown fields are ignored, and every field but the id is optional: null, missing and
//! unreadable leaves become `None`. Two differences are kept because a sync must not blank what it
//! was not told: an [`Include`] tells *not delivered* from *delivered empty*, and a [`WondeDate`]
//! tells *no date* from *a date nobody can read*.

mod class;
mod counts;
mod date;
mod deletion;
mod employee;
mod id;
mod include;
mod photo;
mod school;
pub(crate) mod shape;
mod subject;

pub use class::{Class, ClassEmployee, ClassSubject, TaughtClass};
pub(crate) use counts::Counts;
pub use date::WondeDate;
pub use deletion::Deletion;
pub use employee::{ContactDetails, Emails, Employee, EmploymentDetails, Role};
pub use id::{InvalidWondeId, WondeId};
pub use include::Include;
pub use photo::{Photo, PhotoError};
pub use school::School;
pub use subject::Subject;

//! Wonde's records as Rust types, tolerant of everything its fields were seen or feared to be.
//!
//! Unknown fields are ignored, and every field but the id is optional: null, missing and
//! unreadable leaves become `None`. Two differences are kept because a sync must not blank what it
//! was not told: an [`Include`] tells *not delivered* from *delivered empty*, and a [`WondeDate`]
//! tells *no date* from *a date nobody can read*.

mod counts;
mod date;
mod employee;
mod id;
mod include;
mod school;
pub(crate) mod shape;

pub(crate) use counts::Counts;
pub use date::WondeDate;
pub use employee::{ContactDetails, Emails, Employee, EmploymentDetails, Role};
pub use id::{InvalidWondeId, WondeId};
pub use include::Include;
pub use school::{Region, School};

//! Wonde's records as Rust types. They tolerate every variation of a field that was seen or is
//! possible.
//!
//! Unknown fields are ignored, and every field except the id is optional: null, missing and
//! unreadable values become `None`. Two differences are kept, because a sync must not empty a value
//! that it was not told about: an [`Include`] tells *not delivered* from *delivered empty*, and a
//! [`WondeDate`] tells *no date* from *an unreadable date*.

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
pub use school::{ListedSchool, School, SchoolAddress};
pub use subject::Subject;

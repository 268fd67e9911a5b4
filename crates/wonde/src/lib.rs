#![doc = include_str!("../README.md")]

mod addresses;
mod ahead;
mod bom;
mod client;
mod config;
mod envelope;
mod error;
mod includes;
mod limit;
mod lists;
mod mend;
mod models;
mod pages;
mod parts;
mod query;
mod response;
mod retry;

pub use addresses::{AddressRule, AnyAddress, GuardedResolver};
pub use client::{SchoolClient, WondeClient, install_crypto_provider};
pub use config::ClientConfig;
pub use envelope::UndecodableRecord;
pub use error::Error;
pub use limit::{LimitKey, RateLimit, Throttled, Unlimited};
pub use models::{
    Class, ClassEmployee, ClassSubject, ContactDetails, Deletion, Emails, Employee,
    EmploymentDetails, Include, InvalidWondeId, ListedSchool, Photo, PhotoError, Role, School,
    SchoolAddress, Subject, TaughtClass, WondeDate, WondeId,
};
pub use pages::{Page, PageCursor};
pub use query::{ClassInclude, DeletionKind, EmployeeInclude, EmployeeQuery};

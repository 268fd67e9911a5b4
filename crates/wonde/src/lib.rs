#![doc = include_str!("../README.md")]

mod client;
mod config;
mod envelope;
mod error;
mod limit;
mod models;
mod pages;
mod response;
mod retry;

pub use client::{EmployeeInclude, SchoolClient, WondeClient, install_crypto_provider};
pub use config::ClientConfig;
pub use envelope::UndecodableRecord;
pub use error::Error;
pub use limit::{LimitKey, RateLimit, Throttled, Unlimited};
pub use models::{
    ContactDetails, Emails, Employee, EmploymentDetails, Include, InvalidWondeId, Region, Role,
    School, WondeDate, WondeId,
};
pub use pages::{Page, PageCursor};

#![doc = include_str!("../README.md")]

mod control;
mod counters;
mod error;
mod faults;
mod ids;
mod includes;
mod mis;
mod names;
mod odd;
mod options;
mod paging;
mod photo;
mod population;
mod query;
mod refusal;
mod render;
mod routes;
mod scenarios;
mod school;
mod server;
mod simulator;
mod truth;

pub use counters::{APPLICATION, RequestCounters, TokenCounter, UNKNOWN_TOKEN};
pub use error::Error;
pub use faults::{Fault, Truncate};
pub use mis::{Feature, Mis};
pub use odd::OddRecord;
pub use options::{
    HierarchyDirection, PaginationStyle, SimulatorOptions, UnknownInclude, Unsupported,
};
pub use scenarios::{Outcome, Scenario, ScenarioName};
pub use server::{RunningSimulator, serve};
pub use simulator::{SchoolSummary, Simulator};
pub use truth::{ClassTruth, NotImported, Reason, StaffTruth, SubjectTruth, Truth};

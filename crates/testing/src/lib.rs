#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod app;
mod servers;
mod wait;

pub use app::{
    RunningWorker, TestApp, TestAppOptions, WEBHOOK_SECRET, connector, http_client, somebody,
    wonde_id_of,
};
pub use servers::Servers;
pub use wait::{PATIENCE, eventually};

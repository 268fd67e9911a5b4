#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod app;
mod options;
mod process;
mod servers;
mod wait;

pub use app::{
    RunningWorker, TestApp, WEBHOOK_SECRET, a_person, connector, http_client, wonde_id_of,
};
pub use mis_sync_devservices::Redis as RedisServer;
pub use options::TestAppOptions;
pub use process::{Process, Program};
pub use servers::{Servers, another_postgres, another_redis, free_port, sentinel};
pub use wait::{PATIENCE, eventually};

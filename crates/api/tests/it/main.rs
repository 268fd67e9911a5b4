//! The API over a real Postgres and a real Redis, by its real router.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod caller;
mod changes;
mod downloads;
mod health;
mod jobs;
mod log;
mod openapi;
mod problems;
mod reasons;
mod roles;
mod schools;
mod server;
mod support;
mod sync;

//! The API over a real Postgres and a real Redis, by its real router.

mod caller;
mod health;
mod jobs;
mod openapi;
mod problems;
mod roles;
mod schools;
mod server;
mod support;
mod sync;

//! The API over a real Postgres and a real Redis, by its real router.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod actions;
mod caller;
mod changes;
mod dashboard;
mod docs;
mod downloads;
mod events;
mod explain;
mod health;
mod issues;
mod jobs;
mod log;
mod matches;
mod metrics;
mod odd_text;
mod openapi;
mod personal_data;
mod photos;
mod problems;
mod rate_limit;
mod reasons;
mod refresh;
mod requested_by;
mod roles;
mod school_changes;
mod school_ownership;
mod schools;
mod server;
mod staff;
mod staff_list;
mod support;
mod sync;
mod token_address;
mod webhooks;

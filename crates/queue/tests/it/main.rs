//! Workers over a real Postgres and a real Redis.
#![expect(clippy::unwrap_used, reason = "this crate holds nothing but tests")]

mod connections;
mod control;
mod delivery;
mod failover;
mod fixture;
mod leases;
mod limiter;
mod logins;
mod outages;
mod pausing;
mod poison;
mod proxy;
mod rows;
mod running;
mod stopping;
mod trouble;

//! The store over a real Postgres.
#![expect(clippy::unwrap_used, reason = "this crate holds nothing but tests")]

mod actions;
mod api_keys;
mod audit;
mod bulk;
mod claims;
mod crash;
mod cut_off;
mod enqueue;
mod fields;
mod figures;
mod filters;
mod fixture;
mod guard;
mod leavers;
mod listing;
mod logins;
mod managers;
mod matching;
mod migrations;
mod pauses;
mod people;
mod plans;
mod races;
mod random_school;
mod refreshes;
mod rematching;
mod retention;
mod rows;
mod schools;
mod sightings;
mod staging;
mod sweeping;
mod sync_runs;
mod undo;
mod workers;

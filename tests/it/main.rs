//! End-to-end tests. One binary; a file for each thing that a user or an operator relies on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod absence;
mod acting;
mod alerts;
mod architecture;
mod audit;
mod commands;
mod connections;
mod control;
mod database_messages;
mod delta;
mod examples;
mod explain;
mod faults;
mod gateways;
mod guard;
mod integration;
mod mapping;
mod migration;
mod odd_records;
mod operating;
mod people;
mod photos;
mod press;
mod privacy;
mod process;
mod rates;
mod refresh;
mod resilience;
mod retention;
mod rows;
mod schedule;
mod school_rules;
mod shell;
mod silence;
mod sync_data;
mod teaching;
mod token_address;
mod tokens;
mod undo;
mod webhooks;
mod withheld;
mod without_redis;
mod wording;

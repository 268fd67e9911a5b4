//! End-to-end tests. One binary; a file for each thing that a user or an operator relies on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod architecture;
mod commands;
mod delta;
mod explain;
mod faults;
mod mapping;
mod operating;
mod people;
mod photos;
mod press;
mod privacy;
mod process;
mod resilience;
mod rows;
mod school_rules;
mod sync_data;
mod teaching;
mod withheld;

//! The simulator as a client sees it, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod client;
mod control;
mod faults;
mod lists;
mod photos;
mod schools;
mod scopes;
mod teaching;
mod wire;

//! The client against real HTTP on 127.0.0.1: small scripted servers that can misbehave.

#![expect(clippy::unwrap_used, reason = "the lint spares test functions, but not what they call")]

mod addresses;
mod ahead;
mod fake;
mod lists;
mod paging;
mod refusals;
mod retries;
mod secrecy;
mod simulator;

#![doc = include_str!("../README.md")]

pub mod metrics;
mod repeats;
pub mod traces;

pub use repeats::Repeats;

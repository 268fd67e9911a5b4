#![doc = include_str!("../README.md")]
#![cfg(unix)]

mod account;
mod binaries;
mod chromium;
mod environment;
mod error;
mod port;
mod postgres;
mod process;
mod redis;
mod watchdog;

pub use binaries::{Binaries, From, Search};
pub use chromium::Chromium;
pub use error::Error;
pub use port::free_port;
pub use postgres::{Postgres, PostgresOptions, PostgresTemplate, TemplateBuilder, TemplateState};
pub use redis::{Redis, RedisOptions};

/// The empty database that every new server and every template has, beside `postgres`.
pub const DATABASE: &str = "mis_sync";

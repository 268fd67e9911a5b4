#![doc = include_str!("../README.md")]

mod admission;
mod attempt;
mod backend;
mod diagnosis;
mod endings;
mod error;
mod health;
mod intake;
mod limiter;
mod queue;
mod redis;
mod silence;
mod traffic;
mod worker;

pub use attempt::{Done, Handler, JobError, RetryPolicy};
pub use diagnosis::RedisDiagnosis;
pub use endings::Ending;
pub use error::Error;
pub use health::{Persistence, RedisHealth, RedisWarning};
pub use intake::Intake;
pub use limiter::{RateLimit, RateLimiter};
pub use mis_sync_store::jobs::{Actor, Claimed, Enqueued, Idempotency, NewJob};
pub use queue::{Queue, Swept};
pub use redis::{Redis, RedisError, RedisTrouble};
pub use traffic::{KeyTraffic, MinuteTraffic, WondeTraffic};
pub use worker::{WorkerOptions, run_worker};

#![doc = include_str!("../README.md")]

mod body;
mod csv;
mod dashboard;
mod docs;
mod download;
mod edge;
mod error;
mod etag;
mod explain;
mod format;
mod health;
mod issues;
mod jobs;
pub mod json;
mod matches;
mod metrics;
mod openapi;
mod parameters;
mod problem;
mod problems;
mod refresh;
mod routes;
mod rows;
mod schools;
mod server;
mod staff;
mod state;
mod sync;
mod text;
mod views;
mod webhooks;

pub use dashboard::dashboard_paths;
pub(crate) use error::ApiError;
pub use routes::{openapi_json, router};
pub use server::serve;
pub use state::{ApiState, InvalidWebhookSecret, WebhookSecrets};

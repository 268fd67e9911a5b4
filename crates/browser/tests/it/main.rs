//! Our pages in a real browser, and the driver itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod driver;
mod jobs;
mod keyboard;
mod looks;
mod no_script;
mod personal_data;
mod sheets;
mod site;
mod support;
mod tasks;
mod vendored;
mod who;

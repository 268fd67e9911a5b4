//! Metrics for Prometheus: what there is to record, and the page that shows it.

mod export;
mod kinds;
mod list;
mod table;

pub use export::{page, start};
pub use kinds::{Counter, Gauge, Histogram, InProgress, NO_LABELS};
pub use list::*;
pub use table::table;

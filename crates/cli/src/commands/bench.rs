//! Measurements: figures side by side, taken in one run.

pub(super) mod sync;

//! The jobs, one file each.

pub(crate) mod sync_school;

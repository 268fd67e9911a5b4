//! The jobs, one file each.

pub(crate) mod connection;
pub(crate) mod refresh_user;
pub(crate) mod sync_school;

//! The jobs, one file each.

mod connection;
pub(crate) mod refresh_user;
pub(crate) mod sync_school;

//! Measurements: figures side by side, taken in one run.

pub(crate) mod dashboard;
mod figures;
mod idle;
pub(crate) mod installation;
mod load;
pub(crate) mod login;
mod minimal;
mod network;
mod rounds;
mod row_by_row;
pub(crate) mod scale;
pub(crate) mod sync;
mod whole_job;
mod wire;

use mis_sync_cli::Failure;

/// A statement of a comparison program failed. The comparison programs are no part of the
/// product, so their SQL is here; but rows stay out of messages all the same.
fn database(error: sqlx::Error) -> Failure {
    mis_sync_store::Error::from(error).into()
}

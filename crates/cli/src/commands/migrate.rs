use crate::{commands::print, config::Config, exit::Failure, wiring};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let pool = wiring::open_database(config)?;
    mis_sync_store::migrate(&pool).await?;
    print("The database has the schema of this release.")
}

use crate::{commands::print, config::Config, exit::Failure, wiring};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let pool = wiring::open_database(config)?;
    mis_sync_store::migrate(&pool).await?;
    let scope = config.logins.unique_within;
    if mis_sync_store::logins::set_scope(&pool, scope).await? {
        print(&format!("Logins are unique within the {} now.", scope.as_str()))?;
    }
    print("The database has the schema of this release.")
}

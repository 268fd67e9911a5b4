use crate::{commands::print, config::Config, exit::Failure, wiring};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let pool = wiring::direct_database(config).await?;
    mis_sync_store::migrate(&pool).await?;
    let scope = config.logins.unique_within;
    if mis_sync_store::logins::set_scope(&pool, scope).await? {
        print(&format!("Logins are now unique within the {}.", scope.as_str()))?;
    }
    print("The database now has the schema of this release.")
}

use mis_sync_store::Schema;

use crate::{commands::print, config::Config, exit::Failure, wiring};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let pool = wiring::direct_database(config).await?;
    let schema = mis_sync_store::migrate(&pool).await?;
    let scope = config.logins.unique_within;
    if mis_sync_store::logins::set_scope(&pool, scope).await? {
        print(&format!("Logins are now unique within the {}.", scope.as_str()))?;
    }
    print(match schema {
        Schema::OfThisRelease => "The database now has the schema of this release.",
        Schema::Newer => {
            "The database has the schema of a newer release, with which this one works."
        }
    })
}

#![doc = include_str!("../README.md")]

mod address;
pub mod alerts;
pub mod api_keys;
pub mod audit;
pub mod bulk;
pub mod callbacks;
pub mod connection_drafts;
pub mod diagnosis;
mod error;
pub mod explain;
pub mod fetches;
pub mod figures;
pub mod find;
mod health;
pub mod incidents;
pub mod issues;
pub mod jobs;
pub mod leader;
pub mod login_minutes;
pub mod logins;
pub mod matches;
mod password;
pub mod pauses;
pub mod person_search;
pub mod photos;
mod pool;
mod reach;
pub mod refresh;
pub mod reseal;
pub mod retention;
pub mod saved_views;
pub mod schedule;
pub mod schools;
pub mod scratch;
pub mod sessions;
mod signing;
pub mod staff;
pub mod sync;
mod token;
mod transaction;
pub mod webhooks;
pub mod wonde_pauses;
pub mod workers;

use sqlx::migrate::Migrator;

pub use address::Address;
pub use error::Error;
pub use health::{Health, health};
pub use pool::{connect, connect_for_lease, observe};
pub use reach::{Unreachable, UnreachableCause, reach};
pub use signing::{InvalidSigningSecret, SigningSecret};
pub use sqlx::PgPool as Pool;
pub use sync::undo;
pub use token::{InvalidEncryptionKey, Purpose, TokenCipher};
pub use transaction::Writing;
pub(crate) use transaction::begin;

/// The migrations of `migrations/`, compiled in.
static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// The schema of a database, beside that of this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// They are the same.
    OfThisRelease,
    /// A newer release has migrated the database. This one works with it.
    Newer,
}

/// Brings the database to the schema of this release. It is safe to run twice, and while an older
/// release is running. A newer schema is left as it is: a release works on it, so that it can be
/// rolled back to.
pub async fn migrate(pool: &Pool) -> Result<Schema, Error> {
    if schema_version(pool).await? > needed_version() {
        return Ok(Schema::Newer);
    }
    let mut connection = pool.acquire().await?;
    let done = MIGRATIONS.run(&mut *connection).await;
    if done.is_err() {
        // Its session still has the lock that keeps other migrations out.
        connection.close().await?;
    }
    done.map(|()| Schema::OfThisRelease).map_err(Error::from)
}

/// Reverts every migration, in reverse order. It drops every table, and is only for tests of the
/// migrations.
pub async fn revert_all_migrations(pool: &Pool) -> Result<(), Error> {
    MIGRATIONS.undo(pool, 0).await.map_err(Error::from)
}

/// A text that changes whenever a migration does. It names a cached, migrated database.
pub fn schema_fingerprint() -> String {
    let mut all = ring::digest::Context::new(&ring::digest::SHA256);
    for migration in MIGRATIONS.iter() {
        all.update(&migration.version.to_be_bytes());
        all.update(&migration.checksum);
    }
    let digest = all.finish();
    let (short, _) = digest.as_ref().split_first_chunk().expect("SHA-256 has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*short))
}

/// Checks that the database answers and has the schema of this release.
///
/// Returns [`Error::SchemaBehind`] if `mis-sync migrate` has not been run.
pub async fn check_schema(pool: &Pool) -> Result<(), Error> {
    let (found, needed) = (schema_version(pool).await?, needed_version());
    if found < needed { Err(Error::SchemaBehind { found, needed }) } else { Ok(()) }
}

/// The newest migration of this release.
fn needed_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The newest migration of the database; 0 if there is none.
async fn schema_version(pool: &Pool) -> Result<i64, Error> {
    let table = sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations')::text AS "name""#)
        .fetch_one(pool)
        .await?;
    if table.is_none() {
        return Ok(0);
    }
    let newest = sqlx::query_scalar!(
        r#"SELECT coalesce(max(version), 0) AS "version!" FROM _sqlx_migrations WHERE success"#
    );
    Ok(newest.fetch_one(pool).await?)
}

/// Checks that the database accepts writes. A standby or a read-only server does not.
pub async fn check_writable(pool: &Pool) -> Result<(), Error> {
    let takes_none = sqlx::query_scalar!(
        r#"SELECT current_setting('transaction_read_only')::bool AS "takes_none!""#
    )
    .fetch_one(pool)
    .await?;
    if takes_none { Err(Error::Unavailable("it takes no writes".into())) } else { Ok(()) }
}

/// Checks that the database answers.
pub async fn ping(pool: &Pool) -> Result<(), Error> {
    sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(pool).await?;
    Ok(())
}

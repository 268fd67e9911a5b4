//! Databases for a demo or a benchmark on an existing server.

use sqlx::{Connection, PgConnection, migrate::MigrateDatabase};
use url::Url;
use uuid::Uuid;

use crate::Error;

/// A temporary database.
#[derive(Debug, Clone)]
pub struct ScratchDatabase {
    /// Its address.
    pub url: String,
}

impl ScratchDatabase {
    /// Creates an empty database with its own name beside the one that `server` names, which is not
    /// touched.
    pub async fn create(server: &str) -> Result<Self, Error> {
        // First check that the server answers, because an attempt to create a database hides why it
        // cannot.
        PgConnection::connect(server).await?.close().await?;
        let mut url =
            Url::parse(server).map_err(|error| Error::Configuration(error.to_string()))?;
        url.set_path(&format!("mis_sync_demo_{}", Uuid::now_v7().simple()));
        sqlx::Postgres::create_database(url.as_str()).await?;
        Ok(Self { url: url.into() })
    }

    /// Removes the database, even if there are open connections.
    pub async fn remove(self) -> Result<(), Error> {
        Ok(sqlx::Postgres::force_drop_database(&self.url).await?)
    }
}

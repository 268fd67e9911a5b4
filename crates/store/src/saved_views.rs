//! Filters of the list of jobs that operators have saved.

use sqlx::PgPool;

use crate::Error;

/// A filter with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// The filter as the query of an address, including its question mark.
    pub query: String,
    /// Name of the API key that saved it.
    pub saved_by: String,
}

/// All saved views, by name.
pub async fn list(pool: &PgPool) -> Result<Vec<SavedView>, Error> {
    let views = sqlx::query_as!(
        SavedView,
        "SELECT name, query, saved_by FROM saved_view ORDER BY name LIMIT 100"
    )
    .fetch_all(pool)
    .await?;
    Ok(views)
}

/// Saves a filter, and replaces one with the same name.
pub async fn save(pool: &PgPool, name: &str, query: &str, saved_by: &str) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO saved_view (name, query, saved_by) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET query = $2, saved_by = $3, saved_at = now()
        "#,
        name,
        query,
        saved_by,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Deletes a filter, if it exists.
pub async fn forget(pool: &PgPool, name: &str) -> Result<(), Error> {
    sqlx::query!("DELETE FROM saved_view WHERE name = $1", name).execute(pool).await?;
    Ok(())
}

use chrono::{DateTime, Utc};
use mis_sync_domain::{IssueCode, SchoolId};
use sqlx::{PgConnection, PgPool};

use crate::Error;

/// Notes what a school withholds and what arrives. What was withheld before keeps its time.
pub(crate) async fn note_withheld(
    db: &mut PgConnection,
    school_id: &SchoolId,
    withheld: impl IntoIterator<Item = IssueCode>,
    arrives: impl IntoIterator<Item = IssueCode>,
) -> Result<(), Error> {
    let withheld: Vec<&str> = withheld.into_iter().map(IssueCode::as_str).collect();
    let arrives: Vec<&str> = arrives.into_iter().map(IssueCode::as_str).collect();
    sqlx::query!(
        r#"
        WITH arrived AS (
            DELETE FROM withheld_data WHERE school_id = $1 AND issue = ANY($3)
        )
        INSERT INTO withheld_data (school_id, issue) SELECT $1, unnest($2::text[])
        ON CONFLICT DO NOTHING
        "#,
        school_id.as_str(),
        &withheld as &[&str],
        &arrives as &[&str],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// When each kind of data that a school withholds was first missing.
pub(super) async fn withheld_since(
    pool: &PgPool,
    school_id: &SchoolId,
) -> Result<Vec<(IssueCode, DateTime<Utc>)>, Error> {
    let rows = sqlx::query!(
        "SELECT issue, since FROM withheld_data WHERE school_id = $1",
        school_id.as_str(),
    )
    .fetch_all(pool)
    .await?;
    // Another release may know more kinds.
    Ok(rows.into_iter().filter_map(|row| Some((row.issue.parse().ok()?, row.since))).collect())
}

use mis_sync_domain::{SchoolId, absence::Reading, plan::List};
use sqlx::PgPool;

use super::KeptFetch;
use crate::Error;

/// Wonde ids of the classes (or subjects) of a school that are not archived.
macro_rules! known_groups {
    ($pool:expr, $school_id:expr, $table:tt) => {
        sqlx::query_scalar!(
            r#"SELECT wonde_id AS "wonde_id!" FROM "#
                + $table
                + "
            WHERE school_id = $1 AND active AND wonde_id IS NOT NULL ORDER BY wonde_id",
            $school_id.as_str(),
        )
        .fetch_all($pool)
        .await?
    };
}

/// The records that iP has and that a complete list did not show.
pub async fn missing(
    pool: &PgPool,
    fetch: &KeptFetch,
    school_id: &SchoolId,
    list: List,
) -> Result<Reading, Error> {
    let known = match list {
        List::Classes => known_groups!(pool, school_id, "class"),
        List::Subjects => known_groups!(pool, school_id, "subject"),
        _ => known_people(pool, fetch, school_id).await?,
    };
    Ok(fetch.missing(list, known))
}

/// Records of people who can log in; a person may have several. People who were read after this
/// fetch began are left out, because a later fetch knows them better.
async fn known_people(
    pool: &PgPool,
    fetch: &KeptFetch,
    school_id: &SchoolId,
) -> Result<Vec<String>, Error> {
    let ids = sqlx::query_scalar!(
        r#"
        SELECT i.wonde_id AS "wonde_id!"
        FROM staff s
        CROSS JOIN LATERAL (
            SELECT s.wonde_id UNION SELECT a.wonde_id FROM staff_alias a WHERE a.staff_id = s.id
        ) i
        LEFT JOIN staff_read r ON r.staff_id = s.id
        WHERE s.school_id = $1 AND s.active AND i.wonde_id IS NOT NULL
            AND (r.read_at IS NULL OR r.read_at <= $2)
        ORDER BY i.wonde_id
        "#,
        school_id.as_str(),
        fetch.started_at,
    );
    Ok(ids.fetch_all(pool).await?)
}

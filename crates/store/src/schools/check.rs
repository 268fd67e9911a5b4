use mis_sync_domain::{Lease, School, SchoolCheck};
use sqlx::PgPool;

use crate::{Error, jobs};

/// Keeps what Wonde said about the school as it was read, and ends the job that asked. Nothing is kept
/// if the school was connected again in the meantime.
pub async fn keep_check(
    pool: &PgPool,
    lease: Lease,
    read: &School,
    check: &SchoolCheck,
) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    sqlx::query!(
        "UPDATE school SET last_check = $3 WHERE id = $1 AND updated_at = $2",
        read.id.as_str(),
        read.updated_at,
        serde_json::to_value(check).expect("a check is plain JSON"),
    )
    .execute(&mut *tx)
    .await?;
    jobs::finish(&mut *tx, lease).await?;
    Ok(tx.commit().await?)
}

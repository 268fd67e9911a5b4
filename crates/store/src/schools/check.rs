use mis_sync_domain::{GrantState, IssueCode, Lease, School, SchoolCheck};
use sqlx::PgPool;

use super::note_withheld;
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
    let kept = sqlx::query!(
        "UPDATE school SET last_check = $3 WHERE id = $1 AND updated_at = $2",
        read.id.as_str(),
        read.updated_at,
        serde_json::to_value(check).expect("a check is plain JSON"),
    )
    .execute(&mut *tx)
    .await?;
    if kept.rows_affected() == 1 {
        let (withheld, arrives) =
            (kinds(check, GrantState::NotGranted), kinds(check, GrantState::Granted));
        note_withheld(&mut tx, &read.id, withheld, arrives).await?;
    }
    jobs::finish(&mut *tx, lease).await?;
    Ok(tx.commit().await?)
}

/// The kinds of data that the check found in a state.
fn kinds(check: &SchoolCheck, state: GrantState) -> impl Iterator<Item = IssueCode> {
    let in_state = check.grants.iter().filter(move |grant| grant.state == state);
    in_state.filter_map(|grant| grant.part.withheld())
}

use mis_sync_domain::SchoolId;
use sqlx::PgConnection;

use crate::{Error, jobs::Actor};

/// Adds a line to the audit log about something that is no single job.
pub(crate) async fn write(
    db: &mut PgConnection,
    actor: &Actor,
    action: &str,
    school_id: Option<&SchoolId>,
    _subject: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO audit_log (actor, api_key_id, action, school_id, reason)
        VALUES ($1, $2, $3, $4, $5)
        "#,
        actor.name,
        actor.api_key_id.map(|key| key.0),
        action,
        school_id.map(SchoolId::as_str),
        actor.reason,
    )
    .execute(db)
    .await?;
    Ok(())
}

//! Within what a login is one person's: the whole installation, or each school. The constraint
//! `staff_login` enforces it.

use std::collections::HashMap;

use mis_sync_domain::{LoginScope, SchoolId};
use sqlx::PgPool;

use crate::Error;

/// What the database enforces.
pub async fn scope(pool: &PgPool) -> Result<LoginScope, Error> {
    let name = sqlx::query_scalar!("SELECT unique_within FROM login_scope").fetch_one(pool).await?;
    name.parse().map_err(|_| Error::Inconsistent {
        table: "login_scope",
        column: "unique_within",
        id: name,
    })
}

/// Whether the database enforces what the configuration says; [`Error::LoginScope`]: something else.
pub async fn check_scope(pool: &PgPool, wanted: LoginScope) -> Result<(), Error> {
    let found = scope(pool).await?;
    if found == wanted { Ok(()) } else { Err(Error::LoginScope { found, wanted }) }
}

/// Makes the database enforce another scope; whether it was another one. [`Error::SharedLogins`]: people
/// of two schools share a login, so it cannot be one person's.
pub async fn set_scope(pool: &PgPool, wanted: LoginScope) -> Result<bool, Error> {
    if scope(pool).await? == wanted {
        return Ok(false);
    }
    let mut tx = crate::begin(pool).await?;
    sqlx::query!("LOCK TABLE staff").execute(&mut *tx).await?;
    sqlx::query!("ALTER TABLE staff DROP CONSTRAINT staff_login").execute(&mut *tx).await?;
    match wanted {
        LoginScope::School => {
            sqlx::query!(
                "ALTER TABLE staff ADD CONSTRAINT staff_login UNIQUE (school_id, login)
                    DEFERRABLE INITIALLY IMMEDIATE"
            )
            .execute(&mut *tx)
            .await?;
        }
        LoginScope::Installation => {
            let shared = sqlx::query_scalar!(
                r#"
                SELECT count(*) AS "count!" FROM (
                    SELECT login FROM staff WHERE login IS NOT NULL
                    GROUP BY login HAVING count(*) > 1
                ) shared
                "#
            )
            .fetch_one(&mut *tx)
            .await?;
            if shared > 0 {
                return Err(Error::SharedLogins(shared.unsigned_abs()));
            }
            sqlx::query!(
                "ALTER TABLE staff ADD CONSTRAINT staff_login UNIQUE (login)
                    DEFERRABLE INITIALLY IMMEDIATE"
            )
            .execute(&mut *tx)
            .await?;
        }
    }
    sqlx::query!("UPDATE login_scope SET unique_within = $1", wanted.as_str())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// Which of these records of a school have a work email that is a login at another school now, and
/// where. Empty where logins are unique within a school.
pub async fn held_elsewhere(
    pool: &PgPool,
    school_id: &SchoolId,
    wonde_ids: &[&str],
) -> Result<HashMap<String, SchoolId>, Error> {
    if wonde_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"
        SELECT p.wonde_id, s.school_id
        FROM mis_person p JOIN staff s ON s.login = p.email_key AND s.school_id <> p.school_id
        WHERE p.school_id = $1 AND p.wonde_id = ANY($2)
            AND (SELECT unique_within FROM login_scope) = 'installation'
        "#,
        school_id.as_str(),
        wonde_ids as &[&str],
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let school = row.school_id.parse().map_err(|_| Error::Inconsistent {
                table: "staff",
                column: "school_id",
                id: row.school_id,
            })?;
            Ok((row.wonde_id, school))
        })
        .collect()
}

//! Where a login has to be unique: in the whole installation, or in each school. The constraint
//! `staff_login` enforces it.

use std::collections::HashMap;

use mis_sync_domain::{LoginScope, SchoolId};
use sqlx::PgPool;

use crate::Error;

/// The scope that the database enforces.
pub async fn scope(pool: &PgPool) -> Result<LoginScope, Error> {
    let name = sqlx::query_scalar!("SELECT unique_within FROM login_scope").fetch_one(pool).await?;
    name.parse().map_err(|_| Error::Inconsistent {
        table: "login_scope",
        column: "unique_within",
        id: name,
    })
}

/// Checks that the database enforces this scope; otherwise [`Error::LoginScope`].
pub async fn check_scope(pool: &PgPool, wanted: LoginScope) -> Result<(), Error> {
    let found = scope(pool).await?;
    if found == wanted { Ok(()) } else { Err(Error::LoginScope { found, wanted }) }
}

/// Makes the database enforce this scope, and returns whether it changed. [`Error::SharedLogins`]
/// if people of two schools share a login, so that it cannot be unique.
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

/// Which of these records of a school have a work email that is now a login at another school, and
/// where. It is empty if logins are unique within a school.
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

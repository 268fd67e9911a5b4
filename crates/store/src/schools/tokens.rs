use mis_sync_domain::{ConnectSchool, School, SchoolId, Update};
use secrecy::SecretString;
use sqlx::PgPool;

use super::{Connector, connect};
use crate::{Error, TokenCipher};

/// Gives a school another token, and keeps everything else as it was read. The refusal of the old
/// token no longer counts. Fails with [`Error::ChangedMeanwhile`] if the school is not as
/// `by.only_if` wants it.
pub async fn replace_token(
    pool: &PgPool,
    by: Connector<'_>,
    read: &School,
    token: &SecretString,
) -> Result<School, Error> {
    let school = ConnectSchool {
        id: read.id.clone(),
        name: read.name.clone(),
        wonde_school_id: read.wonde_school_id.clone(),
        wonde_base_url: read.wonde_base_url.clone(),
        mis: Update::Keep,
        settings: None,
        callback_url: Update::Keep,
    };
    let connected = connect(pool, by, &school, Some(token)).await?;
    Ok(connected.expect("only without a token is a school not connected"))
}

/// Which tokens the configured keys open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCheck {
    /// How many schools have a token.
    pub held: usize,
    /// The schools whose token no key opens.
    pub unreadable: Vec<SchoolId>,
    /// How many tokens an older key opens, so that it cannot be removed yet.
    pub older_key: usize,
}

/// Opens the token of every school.
pub async fn check_tokens(pool: &PgPool, cipher: &TokenCipher) -> Result<TokenCheck, Error> {
    let rows = sqlx::query!(
        r#"SELECT id, wonde_token AS "token!" FROM school WHERE wonde_token IS NOT NULL ORDER BY id"#
    )
    .fetch_all(pool)
    .await?;
    let mut check = TokenCheck { held: rows.len(), unreadable: Vec::new(), older_key: 0 };
    for row in rows {
        if cipher.open(&row.id, &row.token).is_none() {
            check.unreadable.push(row.id.parse().map_err(|_| Error::Inconsistent {
                table: "school",
                column: "id",
                id: row.id,
            })?);
        } else if !cipher.is_newest(&row.token) {
            check.older_key += 1;
        }
    }
    Ok(check)
}

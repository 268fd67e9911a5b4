use mis_sync_domain::{ConnectSchool, School, Update};
use secrecy::SecretString;
use sqlx::PgPool;

use super::{Connector, connect};
use crate::Error;

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

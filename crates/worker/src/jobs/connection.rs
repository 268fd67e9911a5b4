use crate::{Context, SyncError};
use mis_sync_domain::{School, SchoolId};
use mis_sync_store::schools;
use mis_sync_wonde::{Error as WondeError, SchoolClient, WondeClient, WondeId};

const NOT_ALLOWED: &str =
    "Its Wonde address is not among the allowed ones (`wonde.allowed_hosts`).";

/// A school, and a client that reads it with its token.
pub(crate) async fn open(
    context: &Context,
    wonde: &WondeClient,
    school_id: &SchoolId,
) -> Result<(School, SchoolClient), SyncError> {
    let schools::SchoolAccess { school, token } =
        schools::access(context.queue.pool(), &context.cipher, school_id)
            .await?
            .ok_or(SyncError::NotConnected)?;
    let id = WondeId::try_from(school.wonde_school_id.clone())
        .map_err(|_| SyncError::BadConnection("Its Wonde id is not one."))?;
    // Whoever stored it may have gone by other rules, or by none.
    let base_url =
        school.wonde_base_url.as_deref().map(|address| context.wonde_hosts.check(address));
    let base_url = base_url.transpose().map_err(|_| SyncError::BadConnection(NOT_ALLOWED))?;
    let client = wonde.school(&id, &token, base_url.as_ref())?.labelled(school_id.as_str());
    Ok((school, client))
}

/// Asks whether Wonde accepts a token that it refused before; then the school is well again. That
/// the school does not let us in is what was known before, in other words.
pub(crate) async fn probe(
    context: &Context,
    school: &School,
    client: &SchoolClient,
) -> Result<(), SyncError> {
    match client.school().await {
        Ok(_) => Ok(schools::mark_token_accepted(context.queue.pool(), school).await?),
        Err(WondeError::Forbidden { .. }) => Err(WondeError::Unauthorized.into()),
        Err(error) => Err(error.into()),
    }
}

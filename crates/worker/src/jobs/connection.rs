use crate::{Context, SyncError};
use mis_sync_domain::{School, SchoolId};
use mis_sync_store::schools;
use mis_sync_wonde::{Error as WondeError, SchoolClient, WondeClient, WondeId};

const NOT_ALLOWED: &str = "Its Wonde address is not allowed (see `wonde.allowed_hosts`).";

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
    // It may have been stored under other rules, or under none.
    let base_url =
        school.wonde_base_url.as_deref().map(|address| context.wonde_hosts.check(address));
    let base_url = base_url.transpose().map_err(|_| SyncError::BadConnection(NOT_ALLOWED))?;
    let client = wonde.school(&id, &token, base_url.as_ref())?.labelled(school_id.as_str());
    Ok((school, client))
}

/// Asks Wonde whether it now accepts a token that it refused before. If so, the school is in order
/// again. If the school withdrew its approval, nothing changes.
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

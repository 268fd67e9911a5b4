use mis_sync_domain::{School, SchoolId};
use mis_sync_store::schools;
use mis_sync_wonde::{SchoolClient, WondeClient, WondeId};
use url::Url;

use crate::{Context, SyncError};

/// A school, and a client that reads it with its token.
pub(super) async fn open(
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
    let base_url = school.wonde_base_url.as_deref().map(Url::parse).transpose();
    let base_url =
        base_url.map_err(|_| SyncError::BadConnection("Its Wonde address is no URL."))?;
    let client = wonde.school(&id, &token, base_url.as_ref())?.labelled(school_id.as_str());
    Ok((school, client))
}

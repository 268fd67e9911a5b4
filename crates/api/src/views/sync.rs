use mis_sync_domain::{SyncMode, SyncOptions};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Body;

/// What a sync should do.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncRequest {
    /// Compare and report, but change nothing. The default is false.
    dry_run: Option<bool>,
    /// Import photos even if the school's settings do not. If false or left out, the settings
    /// decide. Some MIS deliver no photos at all.
    photos: Option<bool>,
    /// How much is read. The default is `full`.
    mode: Option<SyncMode>,
}

impl Body for SyncRequest {}

impl From<SyncRequest> for SyncOptions {
    fn from(request: SyncRequest) -> Self {
        let SyncRequest { dry_run, photos, mode } = request;
        Self {
            dry_run: dry_run.unwrap_or_default(),
            photos: photos.unwrap_or_default(),
            mode: mode.unwrap_or_default(),
        }
    }
}

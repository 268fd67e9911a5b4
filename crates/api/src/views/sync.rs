use mis_sync_domain::{SyncMode, SyncOptions};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Body;

/// What a sync shall do.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncRequest {
    /// Compare and report, but change nobody. Left out: false.
    dry_run: Option<bool>,
    /// Import photos, whatever the school's settings say. False or left out: as the settings
    /// say. A MIS that delivers no photos delivers none when asked either.
    photos: Option<bool>,
    /// How much is read. Left out: `full`.
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

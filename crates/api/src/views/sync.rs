use mis_sync_domain::SyncMode;
use utoipa::ToSchema;

/// What a sync shall do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: it is read field by field, see `sync`")]
pub(crate) struct SyncRequest {
    /// Compare and report, but change nothing. Left out: false.
    dry_run: Option<bool>,
    /// Import photos, whatever the school's settings say. False or left out: as the settings
    /// say. A MIS that delivers no photos delivers none when asked either.
    photos: Option<bool>,
    /// How much is read. Left out: `full`.
    mode: Option<SyncMode>,
}

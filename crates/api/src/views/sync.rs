use mis_sync_domain::SyncMode;
use utoipa::ToSchema;

/// What a sync should do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: it is read field by field, see `sync`")]
pub(crate) struct SyncRequest {
    /// Compare and report, but change nothing. The default is false.
    dry_run: Option<bool>,
    /// Import photos even if the school's settings do not. If false or left out, the settings
    /// decide. Some MIS deliver no photos at all.
    photos: Option<bool>,
    /// How much is read. The default is `full`.
    mode: Option<SyncMode>,
}

use mis_sync_domain::SyncMode;
use serde::Serialize;
use utoipa::ToSchema;

/// What a sync shall do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: it is read field by field, see `sync`")]
pub(crate) struct SyncRequest {
    /// Compare and report, but change nobody. Left out: false.
    dry_run: Option<bool>,
    /// Import photos, whatever the school's settings say. False or left out: as the settings
    /// say. A MIS that delivers no photos delivers none when asked either.
    photos: Option<bool>,
    /// How much is read. Left out: `full`.
    mode: Option<SyncModeView>,
}

/// How much of a school a sync reads.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncMode)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SyncModeView {
    /// Everything: only this proves that something is gone.
    Full,
    /// What changed since the last sync.
    Delta,
}

impl From<SyncMode> for SyncModeView {
    fn from(mode: SyncMode) -> Self {
        match mode {
            SyncMode::Full => Self::Full,
            SyncMode::Delta => Self::Delta,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_on_the_wire_are_those_of_the_domain() {
        for mode in SyncMode::ALL {
            let name = serde_json::to_value(SyncModeView::from(*mode)).unwrap();
            assert_eq!(name, mode.as_str());
        }
    }
}

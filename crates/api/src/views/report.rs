use mis_sync_domain::{
    Affected, GuardCategory, PhotoCounts, RefreshOutcome, Report, SyncMode, TeachingCounts,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a sync did, in numbers.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub(crate) struct ReportView {
    /// What the refresh of one person came to; left out of syncs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<RefreshOutcome>,
    /// Whether everything was read, or only what had changed.
    mode: SyncMode,
    /// Staff records that Wonde delivered.
    fetched: u64,
    /// Of these, people who are current staff.
    current: u64,
    /// People new in iP.
    created: u64,
    /// People of whom at least one field changed.
    updated: u64,
    /// People who were already as the MIS says.
    unchanged: u64,
    /// People who can no longer log in because they left.
    deactivated: u64,
    /// People who came back.
    restored: u64,
    /// Current people who were left out.
    skipped: u64,
    /// Records with a problem for the school to mend.
    issues: u64,
    /// What became of the classes; all 0 where they are not imported.
    classes: TeachingCountsView,
    /// What became of the subjects; all 0 where they are not imported.
    subjects: TeachingCountsView,
    /// What became of the photos; all 0 where none were asked for.
    photos: PhotoCountsView,
    /// Where the change goes above the school's limits: what has to be approved. Empty: nowhere.
    guard: Vec<AffectedView>,
    /// The categories left out when the held job was approved; iP keeps its values for them.
    left_out: Vec<AffectedView>,
    /// HTTP requests sent to Wonde.
    requests: u64,
    /// From the start of the attempt to its end.
    duration_ms: u64,
}

/// In one category, how much a sync would change, where that is above the school's limit.
#[derive(Serialize, ToSchema)]
#[schema(as = Affected)]
pub(crate) struct AffectedView {
    category: GuardCategory,
    /// Records that would change …
    records: u64,
    /// … of so many that there are.
    of: u64,
    /// The same in words.
    sentence: String,
}

/// What a sync did with classes, or with subjects.
#[derive(Serialize, ToSchema)]
#[schema(as = TeachingCounts)]
struct TeachingCountsView {
    /// Records that Wonde delivered.
    fetched: u64,
    /// New in iP.
    created: u64,
    /// Of which a field or who teaches it changed.
    updated: u64,
    /// Already as the MIS says.
    unchanged: u64,
    /// Gone from the MIS and so archived.
    archived: u64,
    /// Archived before and back in the MIS.
    restored: u64,
    /// Left out; each has an issue that says why.
    skipped: u64,
}

/// What a sync did with photos.
#[derive(Serialize, ToSchema)]
#[schema(as = PhotoCounts)]
struct PhotoCountsView {
    /// Photos of imported people that Wonde delivered.
    fetched: u64,
    /// People with a new picture.
    updated: u64,
    /// People whose picture was already this one.
    unchanged: u64,
    /// People whose picture is gone from the MIS and so from iP.
    removed: u64,
    /// Photos that could not be taken; each has an issue that says why.
    skipped: u64,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        // Taken apart, so that a count that is added to the domain is not forgotten here.
        let &Report {
            outcome,
            mode,
            fetched,
            current,
            created,
            updated,
            unchanged,
            deactivated,
            restored,
            skipped,
            issues,
            classes,
            subjects,
            photos,
            ref guard,
            ref left_out,
            requests,
            duration_ms,
        } = report;
        Self {
            outcome,
            mode,
            fetched,
            current,
            created,
            updated,
            unchanged,
            deactivated,
            restored,
            skipped,
            issues,
            classes: classes.into(),
            subjects: subjects.into(),
            photos: photos.into(),
            guard: affected(guard),
            left_out: affected(left_out),
            requests,
            duration_ms,
        }
    }
}

pub(super) fn affected(all: &[Affected]) -> Vec<AffectedView> {
    all.iter().copied().map(AffectedView::from).collect()
}

impl From<Affected> for AffectedView {
    fn from(affected: Affected) -> Self {
        let Affected { category, records, of } = affected;
        Self { category, records, of, sentence: affected.sentence() }
    }
}

impl From<TeachingCounts> for TeachingCountsView {
    fn from(counts: TeachingCounts) -> Self {
        let TeachingCounts { fetched, created, updated, unchanged, archived, restored, skipped } =
            counts;
        Self { fetched, created, updated, unchanged, archived, restored, skipped }
    }
}

impl From<PhotoCounts> for PhotoCountsView {
    fn from(counts: PhotoCounts) -> Self {
        let PhotoCounts { fetched, updated, unchanged, removed, skipped } = counts;
        Self { fetched, updated, unchanged, removed, skipped }
    }
}

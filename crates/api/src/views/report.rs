use mis_sync_domain::{
    Affected, GuardCategory, PhotoCounts, Recount, RefreshOutcome, Report, SyncMode, TeachingCounts,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a sync did, in numbers.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub(crate) struct ReportView {
    /// The outcome of the refresh of one person; left out for syncs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<RefreshOutcome>,
    /// Whether everything was read, or only the changes.
    mode: SyncMode,
    /// Staff records that Wonde delivered.
    fetched: u64,
    /// How many of these are current staff.
    current: u64,
    /// People who are new in iP.
    created: u64,
    /// People with at least one changed field.
    updated: u64,
    /// People whose data already equalled the MIS.
    unchanged: u64,
    /// People who can no longer log in because they left.
    deactivated: u64,
    /// People who came back.
    restored: u64,
    /// Current people who were left out.
    skipped: u64,
    /// Records with a problem that the school should correct.
    issues: u64,
    /// What happened to classes; all 0 if they are not imported.
    classes: TeachingCountsView,
    /// What happened to subjects; all 0 if they are not imported.
    subjects: TeachingCountsView,
    /// What happened to photos; all 0 if none were requested.
    photos: PhotoCountsView,
    /// The categories above the school's limits, which need approval; empty if there are none.
    guard: Vec<AffectedView>,
    /// The categories left out when the held job was approved; iP keeps its values for them.
    left_out: Vec<AffectedView>,
    /// How the numbers differ from those that were approved; left out if the job was not held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    recounts: Vec<RecountView>,
    /// HTTP requests sent to Wonde.
    requests: u64,
    /// From the start of the attempt to its end.
    duration_ms: u64,
}

/// How much a sync would change in one category that is above the school's limit.
#[derive(Serialize, ToSchema)]
#[schema(as = Affected)]
pub(crate) struct AffectedView {
    category: GuardCategory,
    /// The number of records that would change.
    records: u64,
    /// The number of all such records.
    of: u64,
    /// The same in words.
    sentence: String,
}

/// How many records of an approved category were changed, compared with the number that was shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Recount)]
struct RecountView {
    category: GuardCategory,
    /// The number that was shown and approved.
    shown: u64,
    /// The number that was changed.
    records: u64,
    /// People among those shown whom the approver left as they are.
    kept: u64,
    /// People who are counted because of a change in the MIS since the approval.
    more: u64,
    /// People who are no longer counted because of a change in the MIS since the approval.
    fewer: u64,
}

/// What a sync did with classes, or with subjects.
#[derive(Serialize, ToSchema)]
#[schema(as = TeachingCounts)]
struct TeachingCountsView {
    /// Records that Wonde delivered.
    fetched: u64,
    /// New records in iP.
    created: u64,
    /// Records with a changed field or changed teachers.
    updated: u64,
    /// Records that already equalled the MIS.
    unchanged: u64,
    /// Records that were archived because the MIS no longer has them.
    archived: u64,
    /// Archived records that are in the MIS again.
    restored: u64,
    /// Records that were left out; each has an issue that says why.
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
    /// People whose picture was removed, because the MIS no longer has it.
    removed: u64,
    /// Photos that could not be imported; each has an issue that says why.
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
            ref recounts,
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
            recounts: recounts.iter().copied().map(RecountView::from).collect(),
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

impl From<Recount> for RecountView {
    fn from(recount: Recount) -> Self {
        let Recount { category, shown, records, kept, more, fewer } = recount;
        Self { category, shown, records, kept, more, fewer }
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

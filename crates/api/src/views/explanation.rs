use mis_sync_domain::{
    Job, Mis, Reading, School, SyncMode,
    explain::{Explanation, FieldResult, Outcome, Step, StepResult, Verdict},
};
use mis_sync_store::explain::Known;
use serde::Serialize;
use utoipa::ToSchema;

use super::{mask_text, staff::ProvenanceView, timestamp};
use crate::state::Mask;

/// Why a person is in iP, is missing, or differs from the MIS.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct ExplanationView {
    /// The id of the school in iP.
    school_id: String,
    /// Wonde's id of the person; null if none is known.
    #[schema(required)]
    wonde_id: Option<String>,
    /// The person in iP; null if there is none.
    #[schema(required, format = "uuid")]
    staff_id: Option<String>,
    /// The reason, for programs; `docs/verdicts.md` explains each.
    verdict: Verdict,
    /// The reason in one sentence, as a school understands it. It may name dates of the employment,
    /// so it is `•••••`, like the sentences of the steps, for a key that may not read personal data.
    #[schema(examples(
        "Wonde lists this person, but their employment ended on 31 August 2026, \
        so they are not imported."
    ))]
    sentence: String,
    /// The steps from a record to iP: always the same steps in the same order.
    steps: Vec<StepView>,
    /// Each field of the person in iP; empty if there is none.
    fields: Vec<ExplainedFieldView>,
    /// Wonde ids of other records of the MIS with the same work email.
    others: Vec<String>,
    /// The school in this installation where their work email is already a login; null if there
    /// is none, or if the key may not see that school.
    #[schema(required)]
    login_used_at_school: Option<String>,
    /// The run that this is based on; null if no run has read the school's people yet.
    #[schema(required)]
    last_run: Option<ReadingView>,
    /// The undo that changed the person; null if there is none, or if a later sync has been applied. The
    /// next sync applies the same again unless the MIS is corrected.
    #[schema(required)]
    undone: Option<UndoneView>,
    links: ExplanationLinks,
}

/// Who undid a sync, and when.
#[derive(Serialize, ToSchema)]
#[schema(as = Undone)]
struct UndoneView {
    /// As `requested_by` of a job.
    by: String,
    #[schema(format = DateTime)]
    at: String,
    /// The job that undid it.
    #[schema(format = "uuid")]
    job_id: String,
    /// The sync that was undone; null if it is no longer kept.
    #[schema(required, format = "uuid")]
    undo_of: Option<String>,
}

/// One step, and its answer.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedStep)]
struct StepView {
    step: Step,
    outcome: Outcome,
    sentence: String,
}

/// One field: its value in iP and in the MIS, and whether they are equal.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedField)]
struct ExplainedFieldView {
    #[serde(flatten)]
    provenance: ProvenanceView,
    /// Whether iP has the value of the MIS.
    outcome: Outcome,
    /// Why, as a school understands it.
    sentence: String,
}

/// The last run that read all of the school's people.
#[derive(Serialize, ToSchema)]
#[schema(as = Reading)]
struct ReadingView {
    #[schema(format = "uuid")]
    job_id: String,
    #[schema(format = DateTime)]
    at: String,
    /// A dry run changed nothing.
    dry_run: bool,
    mode: SyncMode,
}

/// Links from an explanation.
#[derive(Serialize, ToSchema)]
struct ExplanationLinks {
    school: String,
    /// The person in iP; null if there is none.
    #[schema(required)]
    staff: Option<String>,
    /// The last run; null if there is none.
    #[schema(required)]
    job: Option<String>,
}

impl ExplanationView {
    /// What is known of a person in this school, whose MIS is `mis`, and the conclusion.
    pub(crate) fn new(
        known: Known,
        explanation: Explanation,
        school: &School,
        mis: Option<&Mis>,
    ) -> Self {
        let account = known.evidence.account.as_ref();
        let is_linked = account.is_some_and(|account| account.wonde_id.is_some());
        let school_path = format!("/v1/schools/{}", school.id);
        let reading = known.evidence.reading.as_ref();
        let provenance = known.person.into_iter().flat_map(|person| person.fields);
        let fields = provenance.zip(explanation.fields).map(|(provenance, result)| {
            let FieldResult { field: _, outcome, sentence } = result;
            ExplainedFieldView {
                provenance: ProvenanceView::new(provenance, school, mis, is_linked),
                outcome,
                sentence,
            }
        });
        Self {
            fields: fields.collect(),
            school_id: school.id.to_string(),
            wonde_id: known.wonde_id,
            staff_id: account.map(|account| account.id.to_string()),
            verdict: explanation.verdict,
            sentence: explanation.sentence,
            steps: explanation.steps.into_iter().map(StepView::from).collect(),
            others: known.others,
            login_used_at_school: known.login_used_at.map(|id| id.to_string()),
            last_run: reading.map(ReadingView::from),
            undone: known.undone_by.map(UndoneView::from),
            links: ExplanationLinks {
                staff: account.map(|account| format!("{school_path}/staff/{}", account.id)),
                job: reading.map(|reading| format!("/v1/jobs/{}", reading.job_id)),
                school: school_path,
            },
        }
    }
}

impl Mask for ExplanationView {
    fn masked(self) -> Self {
        let step = |step: StepView| StepView { sentence: mask_text(), ..step };
        let field = |field: ExplainedFieldView| ExplainedFieldView {
            provenance: field.provenance.masked(),
            ..field
        };
        Self {
            sentence: mask_text(),
            steps: self.steps.into_iter().map(step).collect(),
            fields: self.fields.into_iter().map(field).collect(),
            ..self
        }
    }
}

impl From<StepResult> for StepView {
    fn from(result: StepResult) -> Self {
        let StepResult { step, outcome, sentence } = result;
        Self { step, outcome, sentence }
    }
}

impl From<&Reading> for ReadingView {
    fn from(reading: &Reading) -> Self {
        Self {
            job_id: reading.job_id.to_string(),
            at: timestamp(reading.read_at),
            dry_run: reading.dry_run,
            mode: reading.mode,
        }
    }
}

impl From<Job> for UndoneView {
    fn from(undo: Job) -> Self {
        Self {
            by: undo.requested_by.to_string(),
            at: timestamp(undo.created_at),
            job_id: undo.id.to_string(),
            undo_of: undo.undo_of.map(|id| id.to_string()),
        }
    }
}

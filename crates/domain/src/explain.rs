//! Why is this person here, missing or different? The answer is worked out from the evidence of the
//! last run and from the current record in iP. It is pure, so the API, the dashboard and the command
//! line give the same answer.

mod consequence;
mod fields;
mod short;
mod steps;
mod verdict;

use crate::{
    IssueCode, Mis, Reading, RecordOutcome, SchoolSettings, Sighting, StaffId, SyncedField,
    job::named,
};

pub use consequence::day;
pub use short::in_short;
pub use verdict::Verdict;

/// Everything that is known about one person.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub reading: Option<Reading>,
    /// What the last run saw of the person in the MIS.
    pub sighting: Option<Sighting>,
    /// The person's account in iP.
    pub account: Option<Account>,
    /// One entry for each of [`SyncedField::ALL`] if the person is in iP, otherwise empty.
    pub fields: Vec<FieldEvidence>,
    /// Issues of the person's record in the last runs.
    pub issues: Vec<IssueCode>,
    /// Whether their work email is a login at another school of this installation.
    pub has_login_elsewhere: bool,
}

/// A person's account in iP.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: StaffId,
    /// Wonde's id of the person; `None` if the account was made by hand and is not linked yet.
    pub wonde_id: Option<String>,
    pub active: bool,
}

/// What is known about one field of an account in iP.
#[derive(Debug, Clone, Copy)]
pub struct FieldEvidence {
    pub field: SyncedField,
    /// Whether the MIS has ever given a value.
    pub mis_said: bool,
    /// Whether iP's value differs from the last one of the MIS.
    pub differs: bool,
    /// Whether the last run was not applied (a dry run, or a held one) but would have changed the
    /// field.
    pub pending: bool,
}

named!(
    /// The questions that a record has to pass on its way into iP, in order.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = StepName))]
    Step, "step", {
        /// Does Wonde list the person?
        Fetched = "fetched",
        /// Is the person current staff?
        Current = "current",
        /// Does the school import this kind of staff (`teachers_only`)?
        InScope = "in_scope",
        /// Is there a work email that can be the login?
        WorkEmail = "work_email",
        /// Which account in iP is it?
        Matched = "matched",
        /// Is every field the same as in the MIS?
        Fields = "fields",
    }
);

named!(
    /// The answer to a [`Step`].
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = StepOutcome))]
    Outcome, "outcome", {
        /// Yes.
        Passed = "passed",
        /// No: this is the reason.
        Failed = "failed",
        /// There is no evidence either way.
        Unknown = "unknown",
        /// The question was not checked.
        NotApplicable = "not_applicable",
    }
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    pub step: Step,
    pub outcome: Outcome,
    /// The answer in words that a school understands.
    pub sentence: String,
}

/// One field, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldResult {
    /// The field.
    pub field: SyncedField,
    /// Whether it is the same as in the MIS.
    pub outcome: Outcome,
    /// The reason in words that a school understands.
    pub sentence: String,
}

/// Why a person is here, missing or different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The reason, for programs.
    pub verdict: Verdict,
    pub sentence: String,
    /// One for each of [`Step::ALL`], in that order.
    pub steps: Vec<StepResult>,
    pub fields: Vec<FieldResult>,
}

/// Explains one person of a school that has these settings and this MIS.
pub fn explain(evidence: &Evidence, settings: &SchoolSettings, mis: Option<&Mis>) -> Explanation {
    let case = Case { evidence, settings, mis };
    let fields = case.compare_fields();
    let verdict = case.verdict(&fields);
    Explanation {
        verdict,
        sentence: case.sentence(verdict, &fields),
        steps: Step::ALL.iter().map(|step| case.answer(*step, &fields)).collect(),
        fields,
    }
}

/// Everything that an explanation is built from.
struct Case<'a> {
    evidence: &'a Evidence,
    settings: &'a SchoolSettings,
    mis: Option<&'a Mis>,
}

impl Case<'_> {
    fn outcome(&self) -> Option<RecordOutcome> {
        self.evidence.sighting.as_ref().map(|sighting| sighting.outcome)
    }

    fn account(&self) -> Option<&Account> {
        self.evidence.account.as_ref()
    }

    /// Whether the last run reported this issue about the whole school.
    fn school_has(&self, code: IssueCode) -> bool {
        self.evidence.reading.as_ref().is_some_and(|reading| reading.issues.contains(&code))
    }
}

#[cfg(test)]
mod tests;

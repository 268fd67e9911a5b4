//! Why is this person here, missing or different? Worked out from what the last run left of
//! evidence and from what iP holds now; pure, so that every way of asking gets the same answer.

mod consequence;
mod fields;
mod steps;
mod verdict;

use crate::{
    IssueCode, Mis, Reading, RecordOutcome, SchoolSettings, Sighting, StaffId, SyncedField,
    job::named,
};

pub use verdict::Verdict;

/// What is known of one person.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The last run that read the school's people; `None`: none did.
    pub reading: Option<Reading>,
    /// What was seen of the person in the MIS.
    pub sighting: Option<Sighting>,
    /// The person in iP.
    pub account: Option<Account>,
    /// Each of [`SyncedField::ALL`] of the person in iP; empty without one.
    pub fields: Vec<FieldEvidence>,
    /// Issues of the person's record in the last runs.
    pub issues: Vec<IssueCode>,
    /// Their work email is a login at another school of this installation.
    pub has_login_elsewhere: bool,
}

/// Somebody in iP.
#[derive(Debug, Clone)]
pub struct Account {
    /// iP's own key.
    pub id: StaffId,
    /// Wonde's id of the person; `None`: made by hand and not linked yet.
    pub wonde_id: Option<String>,
    /// Whether the person can log in.
    pub active: bool,
}

/// What is known of one field of somebody in iP.
#[derive(Debug, Clone, Copy)]
pub struct FieldEvidence {
    /// The field.
    pub field: SyncedField,
    /// Whether the MIS ever said anything of it.
    pub mis_said: bool,
    /// iP holds something else than the MIS said last.
    pub differs: bool,
    /// The last run changed nobody (a dry run, or one that is held), and would have changed the
    /// field.
    pub pending: bool,
}

named!(
    /// A question on the way of a record into iP, in this order.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = StepName))]
    Step, "step", {
        /// Does Wonde list the person?
        Fetched = "fetched",
        /// Is the person current staff?
        Current = "current",
        /// Does the school import people of this sort?
        InScope = "in_scope",
        /// Is there a work email that can be the login?
        WorkEmail = "work_email",
        /// Who is it in iP?
        Matched = "matched",
        /// Is each field as the MIS says?
        Fields = "fields",
    }
);

named!(
    /// The answer to such a question.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = StepOutcome))]
    Outcome, "outcome", {
        /// Yes.
        Passed = "passed",
        /// No, and that is why.
        Failed = "failed",
        /// Nothing says so or otherwise.
        Unknown = "unknown",
        /// The question does not arise.
        NotApplicable = "not_applicable",
    }
);

/// One step, answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The question.
    pub step: Step,
    /// The answer.
    pub outcome: Outcome,
    /// The answer as a school understands it.
    pub sentence: String,
}

/// One field, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldResult {
    /// The field.
    pub field: SyncedField,
    /// Whether it is as the MIS says.
    pub outcome: Outcome,
    /// Why, as a school understands it.
    pub sentence: String,
}

/// Why somebody is here, missing or different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The reason, for programs.
    pub verdict: Verdict,
    /// The reason in one sentence.
    pub sentence: String,
    /// Each of [`Step::ALL`], in that order.
    pub steps: Vec<StepResult>,
    /// Each field of the person in iP.
    pub fields: Vec<FieldResult>,
}

/// Explains one person of a school with these settings, whose MIS is `mis`.
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

/// Everything that an explanation is made of.
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

    /// The last run said this of the whole school.
    fn school_has(&self, code: IssueCode) -> bool {
        self.evidence.reading.as_ref().is_some_and(|reading| reading.issues.contains(&code))
    }
}

#[cfg(test)]
mod tests;

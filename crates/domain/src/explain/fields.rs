use super::{Case, FieldEvidence, FieldResult, Outcome};
use crate::{IssueCode, Owner, OwnershipRule, RecordOutcome, SyncedField};

impl Case<'_> {
    /// Each field of the person in iP.
    pub(super) fn compare_fields(&self) -> Vec<FieldResult> {
        let is_linked = self.account().is_some_and(|account| account.wonde_id.is_some());
        let is_in_doubt = self.outcome() == Some(RecordOutcome::Issue(IssueCode::PossibleMatch));
        let compare = |evidence: &FieldEvidence| {
            let (outcome, sentence) = if is_in_doubt {
                let text = "Not compared until you decide whether the record belongs to this \
                            account.";
                (Outcome::NotApplicable, text.to_owned())
            } else if evidence.pending {
                (Outcome::Failed, "The next sync will bring the value of the MIS.".to_owned())
            } else if is_linked {
                self.compare(*evidence)
            } else {
                (Outcome::NotApplicable, "The person is not linked to the MIS.".to_owned())
            };
            FieldResult { field: evidence.field, outcome, sentence }
        };
        self.evidence.fields.iter().map(compare).collect()
    }

    fn compare(&self, evidence: FieldEvidence) -> (Outcome, String) {
        let field = evidence.field;
        let ownership = field.ownership(self.mis, self.settings);
        let is_manager = field == SyncedField::LineManager;
        if ownership.rule == OwnershipRule::NotDelivered {
            (Outcome::NotApplicable, ownership.rule.sentence())
        } else if self.is_withheld(field) {
            let text = "The school does not share this field with Wonde, so the value in iP is \
                        left unchanged.";
            (Outcome::Unknown, text.to_owned())
        } else if !evidence.mis_said {
            (
                Outcome::Unknown,
                format!("The MIS has never given a value. {}", ownership.rule.sentence()),
            )
        } else if !evidence.differs {
            (Outcome::Passed, "The same as in the MIS.".to_owned())
        } else if ownership.owner == Owner::Ip {
            (Outcome::Failed, format!("Different from the MIS. {}", ownership.rule.sentence()))
        } else if let Some(code) = self.manager_issue().filter(|_| is_manager) {
            (Outcome::Failed, code.sentence().to_owned())
        } else {
            let text = "Different from the MIS, which owns this field: the next sync will correct \
                        it.";
            (Outcome::Failed, text.to_owned())
        }
    }

    fn is_withheld(&self, field: SyncedField) -> bool {
        let code = match field {
            SyncedField::JobTitle => IssueCode::RolesWithheld,
            SyncedField::LineManager => IssueCode::LineManagersWithheld,
            SyncedField::Photo => IssueCode::PhotosWithheld,
            _ => return false,
        };
        self.school_has(code)
    }

    /// Names of the fields that the school withholds.
    pub(super) fn withheld<'a>(
        &'a self,
        fields: &'a [FieldResult],
    ) -> impl Iterator<Item = &'static str> + 'a {
        fields
            .iter()
            .filter(|field| field.outcome == Outcome::Unknown && self.is_withheld(field.field))
            .map(|field| field.field.mis_name())
    }
}

use super::{Case, FieldEvidence, FieldResult, Outcome};
use crate::{IssueCode, Owner, OwnershipRule, RecordOutcome, SyncedField};

impl Case<'_> {
    /// Each field of the person in iP.
    pub(super) fn compare_fields(&self) -> Vec<FieldResult> {
        let is_linked = self.account().is_some_and(|account| account.wonde_id.is_some());
        let is_in_doubt = self.outcome() == Some(RecordOutcome::Issue(IssueCode::PossibleMatch));
        let compare = |evidence: &FieldEvidence| {
            let (outcome, sentence) = if is_in_doubt {
                let text = "A person has to decide first whether the record means this account.";
                (Outcome::NotApplicable, text.to_owned())
            } else if evidence.pending {
                (Outcome::Failed, "The next sync brings what the MIS says.".to_owned())
            } else if is_linked {
                self.compare(*evidence)
            } else {
                (Outcome::NotApplicable, "The person is not linked with the MIS.".to_owned())
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
            let text = "The school does not share it with Wonde, so iP keeps what it has.";
            (Outcome::Unknown, text.to_owned())
        } else if !evidence.mis_said {
            (
                Outcome::Unknown,
                format!("The MIS never said anything of it. {}", ownership.rule.sentence()),
            )
        } else if !evidence.differs {
            (Outcome::Passed, "As the MIS says.".to_owned())
        } else if ownership.owner == Owner::Ip {
            (Outcome::Failed, format!("Not as the MIS says. {}", ownership.rule.sentence()))
        } else if let Some(code) = self.manager_issue().filter(|_| is_manager) {
            (Outcome::Failed, code.sentence().to_owned())
        } else {
            let text = "Not as the MIS says, which owns it: the next sync sets it right.";
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

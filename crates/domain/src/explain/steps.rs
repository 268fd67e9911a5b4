use super::{Case, FieldResult, Outcome, Step, StepResult, consequence::day};
use crate::{IssueCode, MatchedBy, RecordOutcome, Sighting, employment::Standing};

type Answer = (Outcome, String);

/// The answer of each step after one that failed.
const NOT_ASKED: &str = "Not checked, because an earlier step already has the answer.";

fn said(outcome: Outcome, text: &str) -> Answer {
    (outcome, text.to_owned())
}

fn issue(code: IssueCode) -> Answer {
    said(Outcome::Failed, code.sentence())
}

fn not_asked() -> Answer {
    said(Outcome::NotApplicable, NOT_ASKED)
}

impl Case<'_> {
    pub(super) fn answer(&self, step: Step, fields: &[FieldResult]) -> StepResult {
        let (outcome, sentence) = match (step, self.record()) {
            (Step::Fetched, _) => self.is_fetched(),
            (Step::Matched, _) => self.is_matched(),
            (Step::Fields, _) => self.are_fields_right(fields),
            (_, None) => not_asked(),
            (Step::Current, Some(sighting)) => self.is_current(sighting),
            (Step::InScope, Some(sighting)) => self.is_in_scope(sighting),
            (Step::WorkEmail, Some(sighting)) => has_work_email(sighting),
        };
        StepResult { step, outcome, sentence }
    }

    /// The record, if Wonde lists it and it can be read.
    fn record(&self) -> Option<&Sighting> {
        let unreadable = RecordOutcome::Issue(IssueCode::UnreadableRecord);
        self.evidence.sighting.as_ref().filter(|sighting| {
            sighting.outcome != RecordOutcome::Gone && sighting.outcome != unreadable
        })
    }

    fn is_fetched(&self) -> Answer {
        if self.evidence.reading.is_none() {
            return said(Outcome::Unknown, "No sync has read this school's staff from Wonde yet.");
        }
        let Some(sighting) = &self.evidence.sighting else {
            return said(Outcome::Failed, "The last sync did not see this person in the MIS.");
        };
        let since = day(Some(sighting.seen_at.date_naive()));
        match sighting.outcome {
            RecordOutcome::Gone => {
                let text = format!(
                    "Wonde listed this person before, but a run on {since} no longer found them."
                );
                (Outcome::Failed, text)
            }
            RecordOutcome::Issue(code @ IssueCode::UnreadableRecord) => issue(code),
            _ => {
                let text = format!("Wonde has listed this person like this since {since}.");
                (Outcome::Passed, text)
            }
        }
    }

    fn is_current(&self, sighting: &Sighting) -> Answer {
        match sighting.standing {
            Standing::Current => said(Outcome::Passed, "The person is current staff."),
            Standing::NotStarted => {
                let text = format!("The employment starts on {}.", day(sighting.starts_on));
                (Outcome::Failed, text)
            }
            Standing::Ended => {
                (Outcome::Failed, format!("The employment ended on {}.", day(sighting.ends_on)))
            }
            Standing::NotCurrent => {
                said(Outcome::Failed, "The MIS says that the person is not current staff.")
            }
            Standing::Unsaid if self.school_has(IssueCode::EmploymentWithheld) => {
                said(Outcome::Unknown, IssueCode::EmploymentWithheld.sentence())
            }
            Standing::Unsaid => said(
                Outcome::Unknown,
                "The MIS does not say whether the person is current staff, and it gives no start \
                 date.",
            ),
        }
    }

    fn is_in_scope(&self, sighting: &Sighting) -> Answer {
        match (sighting.outcome, sighting.teaching) {
            (RecordOutcome::NotCurrent, _) => not_asked(),
            (RecordOutcome::NotTeaching, Some(_)) => said(
                Outcome::Failed,
                "The person is not teaching staff, and the school imports teaching staff only.",
            ),
            (RecordOutcome::NotTeaching, None) => said(
                Outcome::Failed,
                "The MIS does not say that the person is teaching staff, and the school imports \
                 teaching staff only.",
            ),
            _ if self.settings.teachers_only => {
                said(Outcome::Passed, "The person is teaching staff.")
            }
            _ => said(Outcome::NotApplicable, "The school imports all staff."),
        }
    }

    fn is_matched(&self) -> Answer {
        let Some(account) = self.account() else {
            return match self.outcome() {
                Some(RecordOutcome::Imported) => said(
                    Outcome::NotApplicable,
                    "The person is new: the next sync that is applied will create them.",
                ),
                _ => said(Outcome::Failed, "No account in iP belongs to this person."),
            };
        };
        if let Some(RecordOutcome::Issue(
            code @ (IssueCode::PossibleMatch | IssueCode::TwoRecordsOfOnePerson),
        )) = self.outcome()
        {
            let is_known = code == IssueCode::TwoRecordsOfOnePerson;
            let outcome = if is_known { Outcome::Passed } else { Outcome::Unknown };
            return said(outcome, code.sentence());
        }
        let by = self.evidence.sighting.as_ref().and_then(|sighting| sighting.matched_by);
        match (by, &account.wonde_id) {
            (None, None) => {
                said(Outcome::Failed, "The person in iP is not linked to any record in Wonde.")
            }
            (None | Some(MatchedBy::WondeId), _) => {
                said(Outcome::Passed, "iP knows the person by their Wonde id.")
            }
            (Some(MatchedBy::Upi), _) => said(
                Outcome::Passed,
                "Found in iP by the unique person identifier (UPI), because Wonde gave the person \
                 a new id.",
            ),
            (Some(MatchedBy::WorkEmail), _) => said(
                Outcome::Passed,
                "Found in iP by the work email of an account that was not linked to a record.",
            ),
            (Some(MatchedBy::Decision), _) => {
                said(Outcome::Passed, "An administrator decided that this record is theirs.")
            }
            (Some(MatchedBy::New), _) => {
                said(Outcome::Passed, "A sync created the account from this record.")
            }
        }
    }

    fn are_fields_right(&self, fields: &[FieldResult]) -> Answer {
        if let Some(RecordOutcome::Issue(code @ IssueCode::NameMissing)) = self.outcome() {
            return issue(code);
        }
        let differing = self.name_differing(fields);
        let withheld: Vec<_> = self.withheld(fields).collect();
        if fields.iter().all(|field| field.outcome == Outcome::NotApplicable) {
            said(Outcome::NotApplicable, "There is no linked account in iP to compare.")
        } else if !differing.is_empty() {
            (Outcome::Failed, format!("Different from the MIS: {}.", differing.join(", ")))
        } else if !withheld.is_empty() {
            (Outcome::Unknown, format!("The school does not share {}.", withheld.join(", ")))
        } else {
            said(Outcome::Passed, "Every field that the MIS delivers is the same in iP.")
        }
    }
}

fn has_work_email(sighting: &Sighting) -> Answer {
    match sighting.outcome {
        RecordOutcome::NotCurrent | RecordOutcome::NotTeaching => not_asked(),
        RecordOutcome::Issue(
            code @ (IssueCode::NoWorkEmail
            | IssueCode::ContactDetailsWithheld
            | IssueCode::InvalidWorkEmail
            | IssueCode::SharedWorkEmail
            | IssueCode::WorkEmailInUse),
        ) => issue(code),
        RecordOutcome::Imported if !sighting.has_email => said(
            Outcome::Failed,
            "The MIS has no work email that can be a login, so the person keeps the one in iP.",
        ),
        _ if sighting.has_email => {
            said(Outcome::Passed, "The person has a work email that can be their login.")
        }
        _ => not_asked(),
    }
}

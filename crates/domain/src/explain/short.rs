use crate::{IssueCode, RecordOutcome};

/// Where a person is, in a few words: for a list in which everyone has one line.
///
/// `active` is the account in iP, if there is one; `outcome` is what the last run concluded, if it
/// saw a record.
pub fn in_short(active: Option<bool>, outcome: Option<RecordOutcome>) -> String {
    let why = outcome.and_then(left_out);
    match (active, why) {
        (Some(false), _) => "Inactive in iP, so they cannot log in".to_owned(),
        (Some(true), None) => "In iP".to_owned(),
        (Some(true), Some(why)) => format!("In iP, but {why}"),
        (None, Some(why)) => format!("Not in iP: {why}"),
        (None, None) => "Not in iP yet".to_owned(),
    }
}

/// Why a record was left out; `None` if it was not.
fn left_out(outcome: RecordOutcome) -> Option<&'static str> {
    match outcome {
        RecordOutcome::Imported => None,
        RecordOutcome::NotCurrent => Some("not current staff in the MIS"),
        RecordOutcome::NotTeaching => {
            Some("not teaching staff, and the school imports teaching staff only")
        }
        RecordOutcome::Gone => Some("Wonde no longer lists them"),
        RecordOutcome::Issue(code) => Some(reason(code)),
    }
}

fn reason(code: IssueCode) -> &'static str {
    match code {
        IssueCode::NoWorkEmail => "no work email in the MIS",
        IssueCode::InvalidWorkEmail => "the work email in the MIS is not a valid address",
        IssueCode::NameMissing => "no name in the MIS",
        IssueCode::DateUnreadable => "a date of their employment cannot be read",
        IssueCode::SharedWorkEmail => "other current staff have the same work email in the MIS",
        IssueCode::WorkEmailInUse => "their work email is already another person's login",
        IssueCode::PossibleMatch => "it has to be decided who this record is",
        IssueCode::TwoRecordsOfOnePerson => "the account follows another record of this person",
        IssueCode::NewIdNotApproved => "their new id was not approved",
        IssueCode::ContactDetailsWithheld => "the school does not share contact details",
        IssueCode::UnreadableRecord => "the record in the MIS cannot be read",
        // No other issue leaves a person out.
        _ => code.sentence(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_a_person_is_and_why() {
        let no_email = Some(RecordOutcome::Issue(IssueCode::NoWorkEmail));
        assert_eq!(in_short(None, no_email), "Not in iP: no work email in the MIS");
        assert_eq!(in_short(Some(true), Some(RecordOutcome::Imported)), "In iP");
        assert_eq!(
            in_short(Some(true), Some(RecordOutcome::Gone)),
            "In iP, but Wonde no longer lists them"
        );
        assert!(in_short(Some(false), None).starts_with("Inactive"));
    }
}

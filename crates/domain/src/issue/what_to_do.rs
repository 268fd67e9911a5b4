use super::IssueCode;

impl IssueCode {
    /// The first thing that a clerk can do about it, in one sentence. `docs/reasons.md` has the rest.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::NoWorkEmail => "Enter the work email of this person in the MIS.",
            Self::InvalidWorkEmail => "Correct the work email of this person in the MIS.",
            Self::NameMissing => "Enter forename and surname of this person in the MIS.",
            Self::SharedWorkEmail => {
                "Give each of these people a work email of their own in the MIS."
            }
            Self::WorkEmailInUse => {
                "Find the person who logs in with this email in iP, and correct the email of one of \
                 the two."
            }
            Self::PossibleMatch => "Decide in iP who this record is.",
            Self::TwoRecordsOfOnePerson => {
                "If this is one person, nothing has to be done; you can merge the two records in the \
                 MIS."
            }
            Self::UnreadableRecord => "Sync again after a day. Tell support if it is still there.",
            Self::InactiveInIp => "If the person should use iP, make them active there.",
            Self::ManagerMissing => "First correct what keeps the line manager out of iP.",
            Self::ManagerInactive | Self::ManagerCircle => "Correct the line manager in the MIS.",
            Self::PhotoUnreadable => "Save the photo in the MIS as a JPEG image.",
            Self::PhotoTooLarge => "Save a smaller photo in the MIS.",
            Self::ClassNameMissing => "Enter the name of the class in the MIS.",
            Self::SubjectNameMissing => "Enter the name of the subject in the MIS.",
            Self::ClassStaffMissing => {
                "First correct what keeps the staff of this class out of iP."
            }
            Self::TextTooLong => "Shorten the text in the MIS.",
            Self::DateUnreadable => {
                "Correct the dates of the employment and of the roles in the MIS."
            }
            Self::LineManagerDirectionUnknown | Self::UnknownMis => "Tell support.",
            Self::EmploymentWithheld
            | Self::ContactDetailsWithheld
            | Self::RolesWithheld
            | Self::LineManagersWithheld
            | Self::PhotosWithheld
            | Self::ClassesWithheld
            | Self::SubjectsWithheld
            | Self::ClassStaffWithheld
            | Self::AbsenceUnproven => {
                "Approve the permission in the Wonde portal, if the school wants to share this."
            }
            Self::DeactivationsNotApproved
            | Self::EmailsNotApproved
            | Self::JobTitlesNotApproved
            | Self::LineManagersNotApproved
            | Self::ClassesNotApproved
            | Self::NewIdNotApproved
            | Self::PersonNotApproved => {
                "Check whether the MIS is right. If it is, approve the change at the next sync."
            }
            Self::LeaverLeftActive => "If the person has left, nothing has to be done.",
        }
    }
}

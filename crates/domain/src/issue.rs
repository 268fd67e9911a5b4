use serde::{Deserialize, Serialize};

use crate::{GuardCategory, job::named};

named!(
    /// Why a record could not be taken as it is. The list is closed: each has a stable code for
    /// programs and a sentence for the school.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    IssueCode, "issue code", {
        /// No work email in the MIS, so there is no login for a new person.
        NoWorkEmail = "no_work_email",
        /// The work email is no email address.
        InvalidWorkEmail = "invalid_work_email",
        /// Forename or surname is empty: the one there is is imported; both: nothing is.
        NameMissing = "name_missing",
        /// Several current people of the school have this work email.
        SharedWorkEmail = "shared_work_email",
        /// The work email is already the login of somebody else in iP.
        WorkEmailInUse = "work_email_in_use",
        /// The record may be somebody in iP, or somebody new: a key of theirs matches and the names do
        /// not, or their own record is gone and they have much in common with it.
        PossibleMatch = "possible_match",
        /// A second current record of a person whom another one brings into iP.
        TwoRecordsOfOnePerson = "two_records_of_one_person",
        /// Wonde's record has a shape that cannot be read.
        UnreadableRecord = "unreadable_record",
        /// Current in the MIS, inactive in iP, and the school does not restore people.
        InactiveInIp = "inactive_in_ip",
        /// The line manager of the MIS is not in iP.
        ManagerMissing = "manager_missing",
        /// The line manager of the MIS is inactive in iP.
        ManagerInactive = "manager_inactive",
        /// The person would be their own line manager, directly or through others.
        ManagerCircle = "manager_circle",
        /// The photo is no JPEG, PNG or WebP image.
        PhotoUnreadable = "photo_unreadable",
        /// The photo is larger than iP takes.
        PhotoTooLarge = "photo_too_large",
        /// A class has no name.
        ClassNameMissing = "class_name_missing",
        /// A subject has no name.
        SubjectNameMissing = "subject_name_missing",
        /// The MIS names staff for a class, and none of them is in iP.
        ClassStaffMissing = "class_staff_missing",
        /// Nobody's employment was delivered, so nobody can be called current or a leaver.
        EmploymentWithheld = "employment_withheld",
        /// Contact details are refused, so nobody's work email is known.
        ContactDetailsWithheld = "contact_details_withheld",
        /// Nobody's roles were delivered though they were before, or access is refused.
        RolesWithheld = "roles_withheld",
        /// Nobody's line manager was delivered though they were before, or access is refused.
        LineManagersWithheld = "line_managers_withheld",
        /// Wonde's lists do not show whether they name people's managers or their reports.
        LineManagerDirectionUnknown = "line_manager_direction_unknown",
        /// Nobody's photo was delivered though they were before, or access is refused.
        PhotosWithheld = "photos_withheld",
        /// No class was delivered though iP has some from the MIS, or access is refused.
        ClassesWithheld = "classes_withheld",
        /// No subject was delivered though iP has some from the MIS, or access is refused.
        SubjectsWithheld = "subjects_withheld",
        /// Nobody was named for any class though people were before, or access is refused.
        ClassStaffWithheld = "class_staff_withheld",
        /// That people are deactivated is left out of an approved sync: nobody was deactivated.
        DeactivationsNotApproved = "deactivations_not_approved",
        /// New logins are left out of an approved sync: known people keep theirs.
        EmailsNotApproved = "emails_not_approved",
        /// That job titles are emptied is left out of an approved sync: they stay.
        JobTitlesNotApproved = "job_titles_not_approved",
        /// That line managers are emptied is left out of an approved sync: they stay.
        LineManagersNotApproved = "line_managers_not_approved",
        /// That classes are emptied is left out of an approved sync: they stay, with who teaches them.
        ClassesNotApproved = "classes_not_approved",
        /// The record is somebody in iP under a new id, and new ids are left out of an approved sync.
        NewIdNotApproved = "new_id_not_approved",
        /// The school's MIS is not in the table of MIS.
        UnknownMis = "unknown_mis",
        /// Something is not in its list any more, and Wonde does not say whether it still exists.
        AbsenceUnproven = "absence_unproven",
        /// Somebody who left logs in, and so many became inactive lately that they were left active.
        LeaverLeftActive = "leaver_left_active",
        /// A text is longer than iP takes, and was cut.
        TextTooLong = "text_too_long",
        /// A date of the employment or of a role is none.
        DateUnreadable = "date_unreadable",
    }
);

impl IssueCode {
    /// What Wonde, the MIS or the school keeps back: each is about the whole school, and iP keeps
    /// what it has.
    pub const WITHHELD: [Self; 8] = [
        Self::EmploymentWithheld,
        Self::ContactDetailsWithheld,
        Self::RolesWithheld,
        Self::LineManagersWithheld,
        Self::PhotosWithheld,
        Self::ClassesWithheld,
        Self::SubjectsWithheld,
        Self::ClassStaffWithheld,
    ];

    /// What is said where a category of the guard was left out of an approval.
    pub fn not_approved(category: GuardCategory) -> Self {
        match category {
            GuardCategory::Deactivated => Self::DeactivationsNotApproved,
            GuardCategory::EmailsChanged => Self::EmailsNotApproved,
            GuardCategory::JobTitlesEmptied => Self::JobTitlesNotApproved,
            GuardCategory::LineManagersEmptied => Self::LineManagersNotApproved,
            GuardCategory::ClassesEmptied => Self::ClassesNotApproved,
            GuardCategory::NewIds => Self::NewIdNotApproved,
        }
    }

    /// What the school reads.
    #[expect(clippy::too_many_lines, reason = "a table: one sentence for each code")]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoWorkEmail => {
                "This person has no work email in the MIS, and the work email is their login."
            }
            Self::InvalidWorkEmail => "The work email in the MIS is not an email address.",
            Self::NameMissing => "The forename or the surname is empty in the MIS.",
            Self::SharedWorkEmail => {
                "Several current people have this work email in the MIS, so nobody can say whose \
                 login it is."
            }
            Self::WorkEmailInUse => "This work email is already the login of somebody else in iP.",
            Self::PossibleMatch => {
                "This record may be somebody whom iP already has, or somebody new. Say whether it is \
                 the same person."
            }
            Self::TwoRecordsOfOnePerson => {
                "The MIS has two current records of this person, with the same names and work email. \
                 iP has one account for both."
            }
            Self::UnreadableRecord => {
                "Wonde delivered this record in a shape that cannot be read. Tell support the id."
            }
            Self::InactiveInIp => {
                "This person is current staff in the MIS but inactive in iP, and the school's \
                 settings do not restore people."
            }
            Self::ManagerMissing => {
                "The line manager in the MIS is not in iP, so the person's line manager in iP was \
                 left as it is."
            }
            Self::ManagerInactive => {
                "The line manager in the MIS is inactive in iP, so the person was not linked to them."
            }
            Self::ManagerCircle => {
                "In the MIS this person is above themselves, directly or through others, so their \
                 line manager in iP was left as it is."
            }
            Self::PhotoUnreadable => {
                "The photo in the MIS is not a JPEG, PNG or WebP image, so the person's picture \
                 in iP was left as it is."
            }
            Self::PhotoTooLarge => {
                "The photo in the MIS is larger than 2 MB, so the person's picture in iP was left \
                 as it is."
            }
            Self::ClassNameMissing => "This class has no name in the MIS, so it was left out.",
            Self::SubjectNameMissing => "This subject has no name in the MIS, so it was left out.",
            Self::ClassStaffMissing => {
                "The MIS names staff for this class, but none of them is in iP, so nobody is \
                 linked from the MIS."
            }
            Self::EmploymentWithheld => {
                "Wonde says nothing about anybody's employment, so nobody was imported and nobody \
                 was treated as a leaver. The school probably does not share it."
            }
            Self::ContactDetailsWithheld => {
                "Wonde delivers nobody's contact details, so nobody's work email is known. Nobody \
                 was imported or changed, and nobody who is current staff was treated as a leaver. \
                 The school probably does not share them."
            }
            Self::RolesWithheld => {
                "Wonde delivers no roles for anybody, so job titles in iP were left as they are. \
                 The school probably does not share them."
            }
            Self::LineManagersWithheld => {
                "Wonde delivers no line manager for anybody, so line managers in iP were left as \
                 they are. The school probably does not share them."
            }
            Self::LineManagerDirectionUnknown => {
                "Wonde's lists do not show whether they name people's line managers or the people \
                 who report to them, so line managers in iP were left as they are. Say which it is."
            }
            Self::PhotosWithheld => {
                "Wonde delivers no photo of anybody, so pictures in iP were left as they are. The \
                 school probably does not share them."
            }
            Self::ClassesWithheld => {
                "Wonde delivers no class, so the classes in iP were left as they are. The school \
                 probably does not share them, or the MIS has none at the moment."
            }
            Self::SubjectsWithheld => {
                "Wonde delivers no subject, so the subjects in iP were left as they are. The \
                 school probably does not share them, or the MIS has none at the moment."
            }
            Self::ClassStaffWithheld => {
                "Wonde names nobody for any class, so who teaches what in iP was left as it is. \
                 The school probably does not share it."
            }
            Self::DeactivationsNotApproved => GuardCategory::Deactivated.left_out(),
            Self::EmailsNotApproved => GuardCategory::EmailsChanged.left_out(),
            Self::JobTitlesNotApproved => GuardCategory::JobTitlesEmptied.left_out(),
            Self::LineManagersNotApproved => GuardCategory::LineManagersEmptied.left_out(),
            Self::ClassesNotApproved => GuardCategory::ClassesEmptied.left_out(),
            Self::NewIdNotApproved => GuardCategory::NewIds.left_out(),
            Self::UnknownMis => {
                "This school's MIS is not in our list, so everything that it delivers is taken. \
                 Tell support what the MIS is called."
            }
            Self::AbsenceUnproven => {
                "Some records are no longer in Wonde's lists, and Wonde does not say whether \
                 they still exist, so what iP has of them was left as it is."
            }
            Self::LeaverLeftActive => {
                "The MIS no longer has this person as current staff, but many people of the school \
                 became inactive within an hour, so this login left them active. The next full \
                 sync decides."
            }
            Self::TextTooLong => {
                "A text of this record is longer than iP takes, so the end of it was left out."
            }
            Self::DateUnreadable => {
                "A date of this person's employment or of one of their roles cannot be read. Where \
                 the employment depends on it, the person is left as they are."
            }
        }
    }

    /// The field of the MIS that mends it, in the MIS' words.
    pub fn mis_field(self) -> Option<&'static str> {
        match self {
            Self::NoWorkEmail
            | Self::InvalidWorkEmail
            | Self::SharedWorkEmail
            | Self::WorkEmailInUse => Some("Work email"),
            Self::NameMissing => Some("Forename, Surname"),
            Self::ManagerMissing | Self::ManagerInactive | Self::ManagerCircle => {
                Some("Reports to")
            }
            Self::PhotoUnreadable | Self::PhotoTooLarge => Some("Photo"),
            Self::ClassNameMissing => Some("Class name"),
            Self::SubjectNameMissing => Some("Subject name"),
            Self::ClassStaffMissing => Some("Class staff"),
            Self::DateUnreadable => Some("Start date, End date"),
            Self::UnreadableRecord
            | Self::InactiveInIp
            | Self::PossibleMatch
            | Self::TwoRecordsOfOnePerson
            | Self::EmploymentWithheld
            | Self::ContactDetailsWithheld
            | Self::RolesWithheld
            | Self::LineManagersWithheld
            | Self::LineManagerDirectionUnknown
            | Self::PhotosWithheld
            | Self::ClassesWithheld
            | Self::SubjectsWithheld
            | Self::ClassStaffWithheld
            | Self::DeactivationsNotApproved
            | Self::EmailsNotApproved
            | Self::JobTitlesNotApproved
            | Self::LineManagersNotApproved
            | Self::ClassesNotApproved
            | Self::NewIdNotApproved
            | Self::UnknownMis
            | Self::AbsenceUnproven
            | Self::LeaverLeftActive
            | Self::TextTooLong => None,
        }
    }
}

/// One record that was left out or not taken whole, and why. Ids only: the school looks the person up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Issue {
    /// Why.
    pub code: IssueCode,
    /// Whose record, or which class or subject; `None` when not even the id can be read, or when
    /// it is about the whole school.
    pub wonde_id: Option<String>,
}

impl Issue {
    /// One about the whole school.
    pub fn of_school(code: IssueCode) -> Self {
        Self { code, wonde_id: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_a_round_trip_in_every_form() {
        for code in IssueCode::ALL {
            assert_eq!(code.as_str().parse::<IssueCode>().as_ref(), Ok(code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
            assert!(code.sentence().ends_with('.'));
        }
        assert!("nonsense".parse::<IssueCode>().is_err());
    }
}

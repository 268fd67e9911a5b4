mod what_to_do;

use serde::{Deserialize, Serialize};

use crate::{GuardCategory, RecordKind, job::named};

named!(
    /// Why a record was not imported in full. The list is closed: each code is stable, and has a
    /// sentence for the school.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    IssueCode, "issue code", {
        /// There is no work email in the MIS, so a new person would have no login.
        NoWorkEmail = "no_work_email",
        /// The work email is not a valid address.
        InvalidWorkEmail = "invalid_work_email",
        /// Forename or surname is empty. With one of them the record is imported, without both it is
        /// not.
        NameMissing = "name_missing",
        /// Several current staff have this work email.
        SharedWorkEmail = "shared_work_email",
        /// The work email is already the login of another person in iP.
        WorkEmailInUse = "work_email_in_use",
        /// The record may belong to a person in iP or to someone new: either a key matches and the
        /// names do not, or the person's own record is gone and the two have much in common.
        PossibleMatch = "possible_match",
        /// A second current record of a person who is already imported from another record.
        TwoRecordsOfOnePerson = "two_records_of_one_person",
        /// Wonde's record cannot be read.
        UnreadableRecord = "unreadable_record",
        /// Current in the MIS, inactive in iP, and the school does not restore people.
        InactiveInIp = "inactive_in_ip",
        /// The line manager in the MIS is not in iP.
        ManagerMissing = "manager_missing",
        /// The line manager in the MIS is inactive in iP.
        ManagerInactive = "manager_inactive",
        /// The person would report to themselves, directly or through others.
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
        /// No employment details were delivered, so no one can be called current or a leaver.
        EmploymentWithheld = "employment_withheld",
        /// Contact details are refused, so no work email is known.
        ContactDetailsWithheld = "contact_details_withheld",
        /// No roles were delivered although they were before, or access is refused.
        RolesWithheld = "roles_withheld",
        /// No line managers were delivered although they were before, or access is refused.
        LineManagersWithheld = "line_managers_withheld",
        /// Wonde's lists do not show whether they name people's managers or their reports.
        LineManagerDirectionUnknown = "line_manager_direction_unknown",
        /// No photos were delivered although they were before, or access is refused.
        PhotosWithheld = "photos_withheld",
        /// No classes were delivered although iP has some from the MIS, or access is refused.
        ClassesWithheld = "classes_withheld",
        /// No subjects were delivered although iP has some from the MIS, or access is refused.
        SubjectsWithheld = "subjects_withheld",
        /// No class named any staff although classes did before, or access is refused.
        ClassStaffWithheld = "class_staff_withheld",
        /// The approver left out deactivations: no one was deactivated.
        DeactivationsNotApproved = "deactivations_not_approved",
        /// The approver left out changed logins: people keep theirs.
        EmailsNotApproved = "emails_not_approved",
        /// The approver left out emptied job titles: they stay.
        JobTitlesNotApproved = "job_titles_not_approved",
        /// The approver left out emptied line managers: they stay.
        LineManagersNotApproved = "line_managers_not_approved",
        /// The approver left out emptied classes: they and their teachers stay.
        ClassesNotApproved = "classes_not_approved",
        /// The record belongs to a person in iP under a new id, and the approver left out new ids.
        NewIdNotApproved = "new_id_not_approved",
        /// The approver left this person as they are.
        PersonNotApproved = "person_not_approved",
        /// The school's MIS is not in the table of MIS.
        UnknownMis = "unknown_mis",
        /// A record is missing from its list, and Wonde does not say whether it still exists.
        AbsenceUnproven = "absence_unproven",
        /// A leaver logs in, but so many people became inactive lately that this one stays active.
        LeaverLeftActive = "leaver_left_active",
        /// A text was too long for iP and was cut.
        TextTooLong = "text_too_long",
        /// A date of the employment or of a role cannot be read.
        DateUnreadable = "date_unreadable",
    }
);

impl IssueCode {
    /// What Wonde, the MIS or the school does not deliver. Each is about the whole school, and iP's
    /// values stay.
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

    /// Whose record it is about; `None` if it can be any record, or the whole school.
    pub fn record(self) -> Option<RecordKind> {
        match self {
            Self::ClassNameMissing | Self::ClassStaffMissing => Some(RecordKind::Class),
            Self::SubjectNameMissing => Some(RecordKind::Subject),
            Self::TextTooLong | Self::UnreadableRecord => None,
            _ => Some(RecordKind::Staff),
        }
    }

    /// The code for a category of the guard that was not approved.
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

    /// The sentence that the school reads.
    #[expect(clippy::too_many_lines, reason = "a table: one sentence for each code")]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoWorkEmail => {
                "This person has no work email in the MIS. They need one, because it is their \
                 login."
            }
            Self::InvalidWorkEmail => "The work email in the MIS is not a valid email address.",
            Self::NameMissing => "The forename or the surname is empty in the MIS.",
            Self::SharedWorkEmail => {
                "Several current staff share this work email in the MIS, so it is not clear \
                 whose login it is."
            }
            Self::WorkEmailInUse => "Another person in iP already logs in with this work email.",
            Self::PossibleMatch => {
                "This record may belong to a person who is already in iP, or to someone new. \
                 Please decide which."
            }
            Self::TwoRecordsOfOnePerson => {
                "The MIS has two current records for this person, with the same names and \
                 work email. iP has one account for both."
            }
            Self::UnreadableRecord => {
                "The record that Wonde sent cannot be read. Please give the id to support."
            }
            Self::InactiveInIp => {
                "This person is current staff in the MIS but inactive in iP, and the school's \
                 settings do not restore people."
            }
            Self::ManagerMissing => {
                "The line manager named in the MIS is not in iP, so the line manager in iP \
                 was left unchanged."
            }
            Self::ManagerInactive => {
                "The line manager named in the MIS is inactive in iP, so this person was not \
                 linked to them."
            }
            Self::ManagerCircle => {
                "In the MIS this person reports to themselves, directly or through others, so \
                 the line manager in iP was left unchanged."
            }
            Self::PhotoUnreadable => {
                "The photo in the MIS is not a JPEG, PNG or WebP image, so the picture in iP \
                 was left unchanged."
            }
            Self::PhotoTooLarge => {
                "The photo in the MIS is larger than 2 MB, so the picture in iP was left \
                 unchanged."
            }
            Self::ClassNameMissing => "This class has no name in the MIS, so it was not imported.",
            Self::SubjectNameMissing => {
                "This subject has no name in the MIS, so it was not imported."
            }
            Self::ClassStaffMissing => {
                "The MIS names staff for this class, but none of them is in iP, so the sync \
                 linked no one to it."
            }
            Self::EmploymentWithheld => {
                "Wonde sent no employment details for any member of staff, so no one was \
                 imported and no one was treated as a leaver. The school has probably not \
                 shared them."
            }
            Self::ContactDetailsWithheld => {
                "Wonde sent no contact details, so no work email is known. No one was \
                 imported or changed, and no current member of staff was treated as a leaver. \
                 The school has probably not shared them."
            }
            Self::RolesWithheld => {
                "Wonde sent no roles for any member of staff, so job titles in iP were left \
                 unchanged. The school has probably not shared them."
            }
            Self::LineManagersWithheld => {
                "Wonde sent no line managers, so line managers in iP were left unchanged. The \
                 school has probably not shared them."
            }
            Self::LineManagerDirectionUnknown => {
                "Wonde's lists do not show whether they name line managers or the people who \
                 report to them, so line managers in iP were left unchanged. An administrator \
                 can set which it is."
            }
            Self::PhotosWithheld => {
                "Wonde sent no photos, so pictures in iP were left unchanged. The school has \
                 probably not shared them."
            }
            Self::ClassesWithheld => {
                "Wonde sent no classes, so the classes in iP were left unchanged. The school \
                 has probably not shared them, or the MIS has none at the moment."
            }
            Self::SubjectsWithheld => {
                "Wonde sent no subjects, so the subjects in iP were left unchanged. The \
                 school has probably not shared them, or the MIS has none at the moment."
            }
            Self::ClassStaffWithheld => {
                "Wonde sent no staff for any class, so the teachers of classes in iP were \
                 left unchanged. The school has probably not shared them."
            }
            Self::DeactivationsNotApproved => GuardCategory::Deactivated.left_out(),
            Self::EmailsNotApproved => GuardCategory::EmailsChanged.left_out(),
            Self::JobTitlesNotApproved => GuardCategory::JobTitlesEmptied.left_out(),
            Self::LineManagersNotApproved => GuardCategory::LineManagersEmptied.left_out(),
            Self::ClassesNotApproved => GuardCategory::ClassesEmptied.left_out(),
            Self::NewIdNotApproved => GuardCategory::NewIds.left_out(),
            Self::PersonNotApproved => {
                "The approver of the last sync chose to leave this person as they are, so \
                 nothing about them was changed in iP."
            }
            Self::UnknownMis => {
                "This school's MIS is not in our list, so everything that it sends is \
                 imported. Please tell support the name of the MIS."
            }
            Self::AbsenceUnproven => {
                "Some records are missing from Wonde's lists, and Wonde does not say whether \
                 they still exist, so they were left unchanged in iP."
            }
            Self::LeaverLeftActive => {
                "The MIS no longer has this person as current staff, but many people at the \
                 school became inactive within the last hour, so this login did not \
                 deactivate them. The next full sync will decide."
            }
            Self::TextTooLong => "A text in this record is too long for iP, so it was shortened.",
            Self::DateUnreadable => {
                "A date of this person's employment or of one of their roles cannot be read. \
                 If their employment depends on that date, the person was left unchanged in \
                 iP."
            }
        }
    }

    /// The name of the MIS field to correct, if there is one.
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
            | Self::PersonNotApproved
            | Self::UnknownMis
            | Self::AbsenceUnproven
            | Self::LeaverLeftActive
            | Self::TextTooLong => None,
        }
    }
}

/// One record that was not imported in full, and why. It has ids only; the school looks the person
/// up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Issue {
    pub code: IssueCode,
    /// The person, class or subject. `None` if the id cannot be read, or if the issue is about the
    /// whole school.
    pub wonde_id: Option<String>,
}

impl Issue {
    /// An issue about the whole school.
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
            assert!(code.what_to_do().ends_with('.'));
        }
        assert!("nonsense".parse::<IssueCode>().is_err());
    }
}

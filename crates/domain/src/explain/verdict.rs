use super::{Case, FieldResult, Outcome, consequence::day};
use crate::{IssueCode, RecordOutcome, Sighting, employment::Standing, job::named};

named!(
    /// Why a person is in iP, is missing from it, or differs from the MIS. The list is closed;
    /// `docs/verdicts.md` says what a school can do about each.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    Verdict, "verdict", {
        /// In iP, and the same as in the MIS.
        AsInMis = "as_in_mis",
        /// In iP, but some field differs from the MIS.
        Differs = "differs",
        /// In iP, but the school does not share some field.
        Withheld = "withheld",
        /// In iP. The last run was not applied; the next one that is will change something.
        WouldChange = "would_change",
        /// Not in iP yet. The last run was not applied; the next one that is will create them.
        WouldBeCreated = "would_be_created",
        /// Current in the MIS, inactive in iP.
        InactiveInIp = "inactive_in_ip",
        /// The employment has not started yet.
        NotStarted = "not_started",
        /// The employment has ended.
        Ended = "ended",
        /// The MIS says that they are not current staff.
        NotCurrent = "not_current",
        /// The MIS says nothing about this person's employment.
        EmploymentUnknown = "employment_unknown",
        /// The school does not share employment details at all.
        EmploymentWithheld = "employment_withheld",
        /// The school imports teaching staff only.
        NotTeaching = "not_teaching",
        /// The school does not share contact details, so no work email is known.
        ContactDetailsWithheld = "contact_details_withheld",
        /// No work email.
        NoWorkEmail = "no_work_email",
        /// The work email is not a valid address.
        InvalidWorkEmail = "invalid_work_email",
        /// Forename or surname is empty.
        NameMissing = "name_missing",
        /// The employment depends on a date that cannot be read.
        DateUnreadable = "date_unreadable",
        /// Several current staff have the same work email.
        SharedWorkEmail = "shared_work_email",
        /// Another person in iP logs in with the work email.
        WorkEmailInUse = "work_email_in_use",
        /// Either a person in iP or someone new; an administrator has to decide.
        PossibleMatch = "possible_match",
        /// In iP through another current record of the same person.
        TwoRecordsOfOnePerson = "two_records_of_one_person",
        /// A person in iP whose new id has not been approved.
        NewIdNotApproved = "new_id_not_approved",
        /// A person whom the approver of a held sync left as they are.
        PersonNotApproved = "person_not_approved",
        /// Wonde's record cannot be read.
        UnreadableRecord = "unreadable_record",
        /// Listed before, and no longer listed.
        Gone = "gone",
        /// Now listed under another Wonde id.
        NewWondeId = "new_wonde_id",
        /// Added to iP by hand and not linked to any record.
        OnlyInIp = "only_in_ip",
        /// Neither in what the last sync read nor in iP.
        NotListed = "not_listed",
        /// No run has read the school's people yet.
        NeverSynced = "never_synced",
    }
);

impl Case<'_> {
    pub(super) fn verdict(&self, fields: &[FieldResult]) -> Verdict {
        if self.evidence.reading.is_none() {
            return Verdict::NeverSynced;
        }
        match (&self.evidence.sighting, self.account()) {
            (Some(sighting), _) => self.verdict_of_record(sighting, fields),
            (None, None) => Verdict::NotListed,
            (None, Some(account)) if account.wonde_id.is_none() => Verdict::OnlyInIp,
            // Linked before evidence was kept, and not in the list since.
            (None, Some(_)) => Verdict::Gone,
        }
    }

    fn verdict_of_record(&self, sighting: &Sighting, fields: &[FieldResult]) -> Verdict {
        match sighting.outcome {
            RecordOutcome::Imported => {
                self.email_issue().unwrap_or_else(|| self.verdict_of_imported(fields))
            }
            RecordOutcome::NotTeaching => Verdict::NotTeaching,
            RecordOutcome::NotCurrent => match sighting.standing {
                Standing::NotStarted => Verdict::NotStarted,
                Standing::Ended => Verdict::Ended,
                Standing::Unsaid if self.school_has(IssueCode::EmploymentWithheld) => {
                    Verdict::EmploymentWithheld
                }
                Standing::Unsaid => Verdict::EmploymentUnknown,
                Standing::NotCurrent | Standing::Current => Verdict::NotCurrent,
            },
            RecordOutcome::Gone => match self.account().and_then(|a| a.wonde_id.as_ref()) {
                Some(wonde_id) if *wonde_id != sighting.wonde_id => Verdict::NewWondeId,
                _ => Verdict::Gone,
            },
            RecordOutcome::Issue(code) => match code {
                IssueCode::NoWorkEmail => Verdict::NoWorkEmail,
                IssueCode::InvalidWorkEmail => Verdict::InvalidWorkEmail,
                IssueCode::NameMissing => Verdict::NameMissing,
                IssueCode::DateUnreadable => Verdict::DateUnreadable,
                IssueCode::SharedWorkEmail => Verdict::SharedWorkEmail,
                IssueCode::WorkEmailInUse => Verdict::WorkEmailInUse,
                IssueCode::PossibleMatch => Verdict::PossibleMatch,
                IssueCode::TwoRecordsOfOnePerson => Verdict::TwoRecordsOfOnePerson,
                IssueCode::NewIdNotApproved => Verdict::NewIdNotApproved,
                IssueCode::PersonNotApproved => Verdict::PersonNotApproved,
                IssueCode::ContactDetailsWithheld => Verdict::ContactDetailsWithheld,
                // No other issue leaves a person out.
                _ => Verdict::UnreadableRecord,
            },
        }
    }

    fn verdict_of_imported(&self, fields: &[FieldResult]) -> Verdict {
        let Some(account) = self.account() else { return Verdict::WouldBeCreated };
        if !account.active {
            return Verdict::InactiveInIp;
        }
        let has = |outcome| fields.iter().any(|field| field.outcome == outcome);
        if account.wonde_id.is_none() || self.evidence.fields.iter().any(|field| field.pending) {
            Verdict::WouldChange
        } else if has(Outcome::Failed) {
            Verdict::Differs
        } else if self.withheld(fields).next().is_some() {
            Verdict::Withheld
        } else {
            Verdict::AsInMis
        }
    }

    pub(super) fn sentence(&self, verdict: Verdict, fields: &[FieldResult]) -> String {
        let listed = |why: String| format!("Wonde lists this person, but {why}.");
        let left_out = |why: &str| listed(format!("{why}, {}", self.consequence()));
        let sighting = self.evidence.sighting.as_ref();
        match verdict {
            Verdict::AsInMis => "This person is in iP and matches the MIS.".to_owned(),
            Verdict::Differs => {
                let except = self.name_differing(fields).join(", ");
                format!("This person is in iP and matches the MIS, except for {except}.")
            }
            Verdict::Withheld => {
                let withheld: Vec<_> = self.withheld(fields).collect();
                format!(
                    "This person is in iP, but the school does not share {} with Wonde, so the \
                     value in iP is left unchanged.",
                    withheld.join(", ")
                )
            }
            Verdict::WouldChange => self.would_change(),
            Verdict::WouldBeCreated => "This person is in the MIS but not in iP yet, and the next \
                sync that is applied will create them."
                .to_owned(),
            Verdict::InactiveInIp => self.inactive(),
            Verdict::NotStarted => {
                let on = day(sighting.and_then(|sighting| sighting.starts_on));
                left_out(&format!("their employment starts on {on}"))
            }
            Verdict::Ended => {
                let on = day(sighting.and_then(|sighting| sighting.ends_on));
                left_out(&format!("their employment ended on {on}"))
            }
            Verdict::NotCurrent => left_out("the MIS says that they are not current staff"),
            Verdict::EmploymentUnknown => {
                left_out("the MIS does not say whether they work at the school")
            }
            Verdict::EmploymentWithheld => {
                left_out("the school does not share employment details with Wonde")
            }
            Verdict::ContactDetailsWithheld => left_out(
                "the school does not share contact details, such as the work email, with Wonde",
            ),
            Verdict::NotTeaching => {
                left_out("they are not teaching staff and the school imports teaching staff only")
            }
            Verdict::NoWorkEmail => self.without_email("they have no work email in the MIS"),
            Verdict::InvalidWorkEmail => {
                self.without_email("their work email is not a valid email address")
            }
            Verdict::NameMissing => left_out("both their forename and their surname are empty"),
            Verdict::DateUnreadable => {
                left_out("a start or end date of their employment cannot be read")
            }
            Verdict::SharedWorkEmail => {
                left_out("other current staff have the same work email in the MIS")
            }
            Verdict::WorkEmailInUse if self.evidence.has_login_elsewhere => left_out(
                "their work email is already a login at another school of this installation",
            ),
            Verdict::WorkEmailInUse => {
                left_out("another person in iP already logs in with their work email")
            }
            Verdict::PossibleMatch => left_out(
                "it is not clear whether they are a person who is already in iP or someone new",
            ),
            Verdict::TwoRecordsOfOnePerson => self.second_record(),
            Verdict::NewIdNotApproved => "Wonde gave this person a new id, but the approver of \
                the last sync chose not to apply new ids, so the person was left unchanged in iP."
                .to_owned(),
            Verdict::PersonNotApproved => "The approver of the last sync chose to leave this \
                person as they are, so nothing about them was changed in iP."
                .to_owned(),
            Verdict::UnreadableRecord => left_out("their record cannot be read"),
            Verdict::Gone => self.gone(),
            Verdict::NewWondeId => {
                let id = self.account().and_then(|account| account.wonde_id.as_deref());
                format!(
                    "Wonde gave this person a new id, {}, and no longer lists them under this one.",
                    id.unwrap_or_default()
                )
            }
            Verdict::OnlyInIp => {
                "This person was added to iP by hand, and no record in the MIS is \
                linked to them."
                    .to_owned()
            }
            Verdict::NotListed => "The last sync did not see this person: either they are not in \
                the MIS, or they were added since, or the school's access settings in Wonde hide \
                them."
                .to_owned(),
            Verdict::NeverSynced => "No sync has read this school's staff from Wonde yet, so \
                there is nothing to explain."
                .to_owned(),
        }
    }

    /// A person who is already in iP is imported even without a work email.
    fn email_issue(&self) -> Option<Verdict> {
        let has = |code| self.account().is_some() && self.evidence.issues.contains(&code);
        if has(IssueCode::NoWorkEmail) {
            Some(Verdict::NoWorkEmail)
        } else {
            has(IssueCode::InvalidWorkEmail).then_some(Verdict::InvalidWorkEmail)
        }
    }

    fn without_email(&self, why: &str) -> String {
        let follows = match self.outcome() {
            Some(RecordOutcome::Imported) => "so they keep their present login in iP",
            _ => self.consequence(),
        };
        format!("Wonde lists this person, but {why}, {follows}.")
    }

    fn second_record(&self) -> String {
        let leading = self.account().and_then(|account| account.wonde_id.as_deref());
        let by = leading.map_or_else(String::new, |id| format!(", {id}"));
        format!(
            "Wonde lists this person twice, and their one account in iP follows their other \
             record{by}."
        )
    }

    fn gone(&self) -> String {
        let since = match &self.evidence.sighting {
            Some(sighting) => format!(
                "Wonde has not listed this person since {}",
                day(Some(sighting.seen_at.date_naive()))
            ),
            None => "Wonde no longer lists this person".to_owned(),
        };
        format!(
            "{since} (deleted in the MIS, or hidden by the school's access settings in Wonde), {}.",
            self.consequence()
        )
    }
}

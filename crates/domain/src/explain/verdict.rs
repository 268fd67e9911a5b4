use super::{Case, FieldResult, Outcome, consequence::day};
use crate::{IssueCode, RecordOutcome, Sighting, employment::Standing, job::named};

named!(
    /// Why somebody is in iP, or is not, or is there otherwise than in the MIS. The list is
    /// closed; `docs/verdicts.md` has what a school does about each.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    Verdict, "verdict", {
        /// In iP, and as the MIS says.
        AsInMis = "as_in_mis",
        /// In iP; some field is not as the MIS says.
        Differs = "differs",
        /// In iP; some field is not shared by the school.
        Withheld = "withheld",
        /// In iP; the last run changed nobody, and the next one that does changes something.
        WouldChange = "would_change",
        /// Not in iP yet; the last run changed nobody, and the next one that does creates them.
        WouldBeCreated = "would_be_created",
        /// Current in the MIS, inactive in iP.
        InactiveInIp = "inactive_in_ip",
        /// Employment is still to begin.
        NotStarted = "not_started",
        /// Employment is over.
        Ended = "ended",
        /// The MIS says that they are not current staff.
        NotCurrent = "not_current",
        /// The MIS says nothing of this person's employment.
        EmploymentUnknown = "employment_unknown",
        /// The school shares nobody's employment.
        EmploymentWithheld = "employment_withheld",
        /// The school imports teaching staff only.
        NotTeaching = "not_teaching",
        /// The school shares nobody's contact details, and so no work email.
        ContactDetailsWithheld = "contact_details_withheld",
        /// No work email.
        NoWorkEmail = "no_work_email",
        /// The work email is no email address.
        InvalidWorkEmail = "invalid_work_email",
        /// Forename or surname is empty.
        NameMissing = "name_missing",
        /// The employment depends on a date that cannot be read.
        DateUnreadable = "date_unreadable",
        /// Several current people have the work email.
        SharedWorkEmail = "shared_work_email",
        /// Somebody else in iP has the work email as login.
        WorkEmailInUse = "work_email_in_use",
        /// It may be somebody in iP, or somebody new; a person has to decide.
        PossibleMatch = "possible_match",
        /// In iP by way of another current record of the same person.
        TwoRecordsOfOnePerson = "two_records_of_one_person",
        /// Somebody in iP under a new id, which nobody has approved.
        NewIdNotApproved = "new_id_not_approved",
        /// Wonde's record cannot be read.
        UnreadableRecord = "unreadable_record",
        /// Listed once, and not any more.
        Gone = "gone",
        /// Listed under another Wonde id now.
        NewWondeId = "new_wonde_id",
        /// Made by hand in iP; no record of Wonde belongs to them.
        OnlyInIp = "only_in_ip",
        /// Neither in Wonde's list nor in iP.
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
            // Linked before anything of it was kept, and not in the list since.
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
            Verdict::AsInMis => "This person is in iP as the MIS says.".to_owned(),
            Verdict::Differs => {
                let except = self.name_differing(fields).join(", ");
                format!("This person is in iP as the MIS says, except for {except}.")
            }
            Verdict::Withheld => {
                let withheld: Vec<_> = self.withheld(fields).collect();
                format!(
                    "This person is in iP, but the school does not share {} with Wonde, so iP \
                     keeps what it has.",
                    withheld.join(", ")
                )
            }
            Verdict::WouldChange => self.would_change(),
            Verdict::WouldBeCreated => "Wonde lists this person, who is not in iP yet: the next \
                sync that is applied creates them."
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
                left_out("the school does not share with Wonde who works there")
            }
            Verdict::ContactDetailsWithheld => {
                left_out("the school does not share contact details, and with them the work email")
            }
            Verdict::NotTeaching => {
                left_out("they are not teaching staff and the school imports only those")
            }
            Verdict::NoWorkEmail => {
                self.without_email("they have no work email in the MIS, which would be their login")
            }
            Verdict::InvalidWorkEmail => {
                self.without_email("their work email is not an email address")
            }
            Verdict::NameMissing => left_out("their forename and surname are empty"),
            Verdict::DateUnreadable => {
                left_out("a date that tells whether they work at the school cannot be read")
            }
            Verdict::SharedWorkEmail => {
                left_out("other current people have the same work email in the MIS")
            }
            Verdict::WorkEmailInUse if self.evidence.has_login_elsewhere => left_out(
                "their work email is already a login at another school of this installation",
            ),
            Verdict::WorkEmailInUse => {
                left_out("their work email is already the login of somebody else in iP")
            }
            Verdict::PossibleMatch => left_out(
                "their record may be that of somebody whom iP already has or of somebody new, which \
                 a person has to decide",
            ),
            Verdict::TwoRecordsOfOnePerson => self.second_record(),
            Verdict::NewIdNotApproved => {
                "Wonde gave this person a new id, which whoever approved the last sync left out, \
                 so the person in iP stays as they are."
                    .to_owned()
            }
            Verdict::UnreadableRecord => {
                left_out("their record arrived in a shape that cannot be read")
            }
            Verdict::Gone => self.gone(),
            Verdict::NewWondeId => {
                let id = self.account().and_then(|account| account.wonde_id.as_deref());
                format!(
                    "Wonde gave this person a new id, {}, and does not list them under this one \
                     any more.",
                    id.unwrap_or_default()
                )
            }
            Verdict::OnlyInIp => "This person was made by hand in iP, and no record of Wonde \
                belongs to them."
                .to_owned(),
            Verdict::NotListed => "Wonde does not list this person: they are hidden by the \
                school's access settings in Wonde, or not in the MIS."
                .to_owned(),
            Verdict::NeverSynced => "No sync has read this school's people from Wonde yet, so \
                nothing can be said."
                .to_owned(),
        }
    }

    /// A person whom iP has is imported without a work email.
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
            Some(RecordOutcome::Imported) => "so iP keeps the login that it has of them",
            _ => self.consequence(),
        };
        format!("Wonde lists this person, but {why}, {follows}.")
    }

    fn second_record(&self) -> String {
        let leading = self.account().and_then(|account| account.wonde_id.as_deref());
        let by = leading.map_or_else(String::new, |id| format!(", {id}"));
        format!(
            "Wonde lists this person twice, and iP has one account for both, which follows their \
             other record{by}."
        )
    }

    fn gone(&self) -> String {
        let since = match &self.evidence.sighting {
            Some(sighting) => format!(
                "Wonde listed this person before, and since {} does not any more",
                day(Some(sighting.seen_at.date_naive()))
            ),
            None => "Wonde does not list this person any more".to_owned(),
        };
        format!(
            "{since} (deleted in the MIS, or hidden by the school's access settings in Wonde), {}.",
            self.consequence()
        )
    }
}

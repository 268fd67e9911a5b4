//! What a verdict means for the person in iP.

use chrono::NaiveDate;

use super::{Case, FieldResult, Outcome};
use crate::{IssueCode, LeaverPolicy, Owner, RecordOutcome, SyncedField, employment::Standing};

/// A date as people write it.
pub fn day(date: Option<NaiveDate>) -> String {
    date.map_or_else(|| "an unknown date".to_owned(), |date| date.format("%-d %B %Y").to_string())
}

impl Case<'_> {
    /// What happens in iP to a person whose record is left out.
    pub(super) fn consequence(&self) -> &'static str {
        match self.account() {
            None => "so they are not imported",
            Some(account) if !account.active => "so they cannot log in to iP",
            Some(_) if !self.has_left() => "so they are left unchanged in iP",
            Some(_) if self.settings.leaver_policy == LeaverPolicy::Keep => {
                "and the school keeps leavers active in iP"
            }
            Some(_) => "so the next full sync will deactivate them in iP",
        }
    }

    /// Whether the MIS says that the person does not work there. Silence is not enough.
    fn has_left(&self) -> bool {
        let Some(sighting) = &self.evidence.sighting else { return true };
        match sighting.outcome {
            RecordOutcome::Gone => true,
            RecordOutcome::NotCurrent => sighting.standing != Standing::Unsaid,
            _ => false,
        }
    }

    pub(super) fn inactive(&self) -> String {
        let and = if self.settings.restore_inactive {
            "the next sync will make them active again"
        } else {
            "the school's settings do not restore people"
        };
        format!("This person is current staff in the MIS but inactive in iP, and {and}.")
    }

    pub(super) fn would_change(&self) -> String {
        let pending = self.evidence.fields.iter().filter(|field| field.pending);
        let names: Vec<_> = pending.map(|field| field.field.mis_name()).collect();
        let is_linked = self.account().is_some_and(|account| account.wonde_id.is_some());
        let what = match (is_linked, names.as_slice()) {
            (true, names) => format!("change {}", names.join(", ")),
            (false, []) => "link them to Wonde".to_owned(),
            (false, names) => format!("link them to Wonde and change {}", names.join(", ")),
        };
        format!("This person is in iP, and the next sync that is applied will {what}.")
    }

    /// Each field that differs, with the reason in brackets.
    pub(super) fn name_differing(&self, fields: &[FieldResult]) -> Vec<String> {
        fields
            .iter()
            .filter(|field| field.outcome == Outcome::Failed)
            .map(|field| {
                format!("{} ({})", field.field.mis_name(), self.why_it_differs(field.field))
            })
            .collect()
    }

    fn why_it_differs(&self, field: SyncedField) -> &'static str {
        if field.ownership(self.mis, self.settings).owner == Owner::Ip {
            "the school keeps it in iP"
        } else if field == SyncedField::LineManager && self.manager_issue().is_some() {
            "see its issue"
        } else {
            "the next sync will correct it"
        }
    }

    /// Why the line manager of the MIS could not be linked.
    pub(super) fn manager_issue(&self) -> Option<IssueCode> {
        use IssueCode::{ManagerCircle, ManagerInactive, ManagerMissing};
        let is_of_managers =
            |code: &IssueCode| matches!(code, ManagerMissing | ManagerInactive | ManagerCircle);
        self.evidence.issues.iter().copied().find(is_of_managers)
    }
}

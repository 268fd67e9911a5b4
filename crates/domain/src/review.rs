//! What a person reviews before they approve a held job: its changes grouped by person, and how many
//! of them remain if some people are left as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::{
    Affected, Change, ChangedField, ChangedRecord, FieldValue, GuardCategory, StaffId, UnknownName,
};

/// A person of a change: iP's id or, for someone new, Wonde's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PersonKey {
    /// A person in iP.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
    StaffId(StaffId),
    /// Someone who is not in iP yet.
    WondeId(String),
}

/// Before the id of someone who is not in iP yet.
const NEW: &str = "wonde:";

impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaffId(id) => id.fmt(f),
            Self::WondeId(id) => write!(f, "{NEW}{id}"),
        }
    }
}

impl FromStr for PersonKey {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text.strip_prefix(NEW) {
            Some(id) if !id.is_empty() => Ok(Self::WondeId(id.to_owned())),
            _ => text.parse().map(Self::StaffId).map_err(|_| UnknownName::new("person", text)),
        }
    }
}

/// What would change about one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewedPerson {
    /// Wonde's id of their record, if they have one.
    pub wonde_id: Option<String>,
    /// The categories of the guard that count them.
    pub categories: BTreeSet<GuardCategory>,
    /// Whether they are new in iP.
    pub is_new: bool,
    /// Their changes, in the order of the history.
    pub changes: Vec<Change>,
}

/// The changes of a job, by person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    pub people: BTreeMap<PersonKey, ReviewedPerson>,
}

/// How many records of a category change, compared with the number that a person was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recount {
    pub category: GuardCategory,
    /// How many were shown.
    pub shown: u64,
    /// How many change now.
    pub records: u64,
    /// People among those shown whom the approver left as they are.
    pub kept: u64,
    /// People whose data changed in the MIS since, so that they are counted now.
    pub more: u64,
    /// People whose data changed in the MIS since, so that they are no longer counted.
    pub fewer: u64,
}

impl Review {
    /// Groups the changes of a job. Those of classes and subjects are left out.
    pub fn of(changes: impl IntoIterator<Item = Change>) -> Self {
        let mut people: BTreeMap<PersonKey, ReviewedPerson> = BTreeMap::new();
        for change in changes {
            let Some(key) = key_of(&change) else { continue };
            let person = people.entry(key).or_default();
            person.wonde_id = person.wonde_id.take().or_else(|| change.wonde_id.clone());
            person.is_new |= change.field == ChangedField::Created;
            person.categories.extend(category_of(&change));
            person.changes.push(change);
        }
        Self { people }
    }

    /// The people that a category counts.
    pub fn people_in(&self, category: GuardCategory) -> BTreeSet<&PersonKey> {
        let is_in =
            |(_, person): &(&PersonKey, &ReviewedPerson)| person.categories.contains(&category);
        self.people.iter().filter(is_in).map(|(key, _)| key).collect()
    }

    /// How many of the shown numbers remain if these categories and people are left out.
    pub fn recount(
        &self,
        guard: &[Affected],
        left_out: &[GuardCategory],
        leave_people: &[PersonKey],
    ) -> Vec<Recount> {
        let recount = |affected: &Affected| {
            let people = self.people_in(affected.category);
            let kept = leave_people.iter().filter(|key| people.contains(key)).count() as u64;
            let records = affected.records.saturating_sub(kept);
            let is_left_out = left_out.contains(&affected.category);
            Recount {
                category: affected.category,
                shown: affected.records,
                records: if is_left_out { 0 } else { records },
                kept,
                more: 0,
                fewer: 0,
            }
        };
        guard.iter().map(recount).collect()
    }

    /// How what is done differs from what was approved after this review.
    pub fn compare(
        &self,
        approved: &[Affected],
        leave_people: &[PersonKey],
        done: &Self,
        affected: &[Affected],
    ) -> Vec<Recount> {
        let compare = |shown: &Affected| {
            let (before, now) = (self.people_in(shown.category), done.people_in(shown.category));
            let is_kept = |key: &&&PersonKey| leave_people.contains(key);
            let kept = before.iter().filter(is_kept).count() as u64;
            let gone = before.difference(&now).count() as u64;
            let same = affected.iter().find(|one| one.category == shown.category);
            Recount {
                category: shown.category,
                shown: shown.records,
                records: same.map_or(0, |one| one.records),
                kept,
                more: now.difference(&before).count() as u64,
                fewer: gone.saturating_sub(kept),
            }
        };
        approved.iter().map(compare).collect()
    }
}

impl Recount {
    /// Why the number differs, for example `4 are among the people whom the approver kept`; empty if
    /// it does not.
    pub fn reasons(&self) -> Vec<String> {
        let are = |number: u64| if number == 1 { "is" } else { "are" };
        let all = [
            (self.kept, format!("{} {} left as they are", self.kept, are(self.kept))),
            (self.more, format!("{} more since the approval", self.more)),
            (self.fewer, format!("{} no longer applicable", self.fewer)),
        ];
        all.into_iter().filter(|(number, _)| *number > 0).map(|(_, reason)| reason).collect()
    }
}

fn key_of(change: &Change) -> Option<PersonKey> {
    match change.record {
        ChangedRecord::Staff(Some(id)) => Some(PersonKey::StaffId(id)),
        ChangedRecord::Staff(None) => change.wonde_id.clone().map(PersonKey::WondeId),
        ChangedRecord::Class(_) | ChangedRecord::Subject(_) => None,
    }
}

/// The category of the guard that counts this change, if one does.
fn category_of(change: &Change) -> Option<GuardCategory> {
    let (had, has) = (change.old.is_some(), change.new.is_some());
    match change.field {
        ChangedField::Active if change.new == Some(FieldValue::Flag(false)) => {
            Some(GuardCategory::Deactivated)
        }
        ChangedField::Email if had && has => Some(GuardCategory::EmailsChanged),
        ChangedField::JobTitle if had && !has => Some(GuardCategory::JobTitlesEmptied),
        ChangedField::LineManagerId if had && !has => Some(GuardCategory::LineManagersEmptied),
        ChangedField::WondeId if had && has => Some(GuardCategory::NewIds),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

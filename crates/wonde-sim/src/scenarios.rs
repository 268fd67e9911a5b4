//! What may happen in a school between two syncs.

mod choice;
mod classes;
mod deletions;
mod emails;
mod name;
mod people;
mod photos;
mod record;
mod subjects;
mod whole;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::name::ScenarioName;
use crate::error::Error;
use crate::ids::WondeId;
use crate::mis::{Feature, Mis};
use crate::options::{Unsupported, london_date};
use crate::school::School;

/// A request for something to happen. Only `name` is required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens.
    pub name: ScenarioName,
    /// How many people, classes or subjects it affects (pairs for `email_swap` and `shared_email`).
    /// Each scenario has its own default.
    #[serde(default)]
    pub count: Option<usize>,
    /// The people it affects, by Wonde id, instead of a choice by the seed.
    #[serde(default)]
    pub staff: Vec<String>,
    /// The classes it affects, by Wonde id, instead of a choice by the seed.
    #[serde(default)]
    pub classes: Vec<String>,
    /// `subject_deleted` and `subject_renamed`: the subjects, by Wonde id, instead of a choice by
    /// the seed.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// `shrink`: how many people stay visible.
    #[serde(default)]
    pub keep: Option<usize>,
    /// `withdraw_scope` and `grant_scope`: which feature.
    #[serde(default)]
    pub scope: Option<Feature>,
    /// `withdraw_scope`: how a response shows what is withdrawn; by default as in the simulator's
    /// options.
    #[serde(default)]
    pub look: Option<Unsupported>,
    /// `mis_migration`: the new MIS; the next in the list if not given.
    #[serde(default)]
    pub mis: Option<Mis>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The scenario.
    pub scenario: ScenarioName,
    /// Wonde ids of the affected people, classes or subjects, as they are afterwards.
    pub touched: Vec<String>,
    /// The body that Wonde would post to the application's webhook, if it would.
    pub webhook: Option<Value>,
}

impl From<ScenarioName> for Scenario {
    /// The scenario with its defaults.
    fn from(name: ScenarioName) -> Self {
        Self {
            name,
            count: None,
            staff: Vec::new(),
            classes: Vec::new(),
            subjects: Vec::new(),
            keep: None,
            scope: None,
            look: None,
            mis: None,
        }
    }
}

/// Runs `scenario` in `school` at `now`.
pub(crate) fn apply(
    school: &mut School,
    scenario: &Scenario,
    now: DateTime<Utc>,
) -> Result<Outcome, Error> {
    let mut event = Event { school, scenario, now, today: london_date(now) };
    let (touched, webhook) = event.happen()?;
    school.relink();
    Ok(Outcome {
        scenario: scenario.name,
        touched: touched.iter().map(WondeId::to_string).collect(),
        webhook,
    })
}

/// A scenario while it runs.
struct Event<'a> {
    school: &'a mut School,
    scenario: &'a Scenario,
    now: DateTime<Utc>,
    today: chrono::NaiveDate,
}

impl Event<'_> {
    /// The affected records, and the body of a webhook if Wonde would post one. One line for each
    /// scenario.
    fn happen(&mut self) -> Result<(Vec<WondeId>, Option<Value>), Error> {
        let mut webhook = None;
        let touched = match self.scenario.name {
            ScenarioName::Leaver => self.leave()?,
            ScenarioName::Deleted => self.delete()?,
            ScenarioName::Joiner => self.join(1),
            ScenarioName::Grow => self.join(10),
            ScenarioName::FutureStarter => self.announce(),
            ScenarioName::Rename => self.rename()?,
            ScenarioName::NewInitials => self.change_initials()?,
            ScenarioName::TeachingChange => self.change_teaching()?,
            ScenarioName::EmailChange => self.change_email()?,
            ScenarioName::EmailSwap => self.swap_emails()?,
            ScenarioName::EmailLost => self.lose_email()?,
            ScenarioName::SharedEmail => self.share_email()?,
            ScenarioName::Restored => self.restore()?,
            ScenarioName::ReAdded => self.add_again()?,
            ScenarioName::RoleChange => self.add_role()?,
            ScenarioName::RolesEmptied => self.empty_roles()?,
            ScenarioName::ManagerChange => self.change_manager()?,
            ScenarioName::ManagersLost => self.lose_managers()?,
            ScenarioName::ManagerCycle => self.close_circle()?,
            ScenarioName::NewPhoto => self.change_photo()?,
            ScenarioName::OddPhotos => self.spoil_photos()?,
            ScenarioName::PhotoRemoved => self.remove_photo()?,
            ScenarioName::ClassRename => self.rename_class()?,
            ScenarioName::ClassTeacherChange => self.change_class_teacher()?,
            ScenarioName::ClassAdded => self.add_class()?,
            ScenarioName::ClassDeleted => self.delete_class()?,
            ScenarioName::ClassRestored => self.restore_class()?,
            ScenarioName::ClassesEmptied => self.empty_classes()?,
            ScenarioName::NoClasses => self.hide_classes(),
            ScenarioName::ClassesBack => self.show_classes(),
            ScenarioName::SubjectAdded => self.add_subject()?,
            ScenarioName::SubjectRenamed => self.rename_subject()?,
            ScenarioName::SubjectDeleted => self.delete_subject()?,
            ScenarioName::Rollover => self.roll_over()?,
            ScenarioName::Empty => self.hide(0),
            ScenarioName::Shrink => self.shrink()?,
            ScenarioName::Refill => self.refill(),
            ScenarioName::MisMigration => {
                let (touched, body) = self.migrate();
                webhook = Some(body);
                touched
            }
            ScenarioName::UnknownMis => self.lose_mis_name(),
            ScenarioName::Revoke | ScenarioName::RestoreAccess | ScenarioName::RotateToken => {
                webhook = Some(self.change_access());
                Vec::new()
            }
            ScenarioName::WithdrawScope | ScenarioName::GrantScope => self.change_scope()?,
            ScenarioName::Offline | ScenarioName::Online => {
                self.school.online = self.scenario.name == ScenarioName::Online;
                Vec::new()
            }
        };
        Ok((touched, webhook))
    }
}

#[cfg(test)]
mod tests;

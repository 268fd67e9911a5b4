//! What may happen in a school between two syncs.

mod choice;
mod emails;
mod people;
mod whole;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::ids::WondeId;
use crate::mis::{Feature, Mis};
use crate::options::london_date;
use crate::school::School;

/// An order for something to happen. Only `name` is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens.
    pub name: ScenarioName,
    /// To how many people (pairs for `email_swap` and `shared_email`); each scenario has its own default.
    #[serde(default)]
    pub count: Option<usize>,
    /// To these people, by Wonde id, instead of some chosen by the seed.
    #[serde(default)]
    pub staff: Vec<String>,
    /// `shrink`: how many people stay visible.
    #[serde(default)]
    pub keep: Option<usize>,
    /// `withdraw_scope` and `grant_scope`: which feature.
    #[serde(default)]
    pub scope: Option<Feature>,
    /// `mis_migration`: the new MIS; the next in the list if not given.
    #[serde(default)]
    pub mis: Option<Mis>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The scenario.
    pub scenario: ScenarioName,
    /// Wonde ids of the people it happened to, as they are afterwards.
    pub touched: Vec<String>,
    /// The body that Wonde would post to the application's webhook, where it would.
    pub webhook: Option<Value>,
}

macro_rules! scenario_names {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// The names of all scenarios.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ScenarioName {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ScenarioName {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in snake case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

scenario_names! {
    /// People leave: `current` false, ended yesterday. By default one.
    Leaver = "leaver",
    /// People are deleted in the MIS: gone from the list, a line among the deletions. By default one.
    Deleted = "deleted",
    /// Someone starts today. By default one.
    Joiner = "joiner",
    /// Many start today. By default ten.
    Grow = "grow",
    /// Someone is entered who starts in thirty days. By default one.
    FutureStarter = "future_starter",
    /// People take another surname; their email stays. By default one.
    Rename = "rename",
    /// People get other initials. By default one.
    NewInitials = "new_initials",
    /// People who taught no longer do, and the reverse. By default one.
    TeachingChange = "teaching_change",
    /// People get another work email. By default one.
    EmailChange = "email_change",
    /// Two people swap their work emails. By default one pair.
    EmailSwap = "email_swap",
    /// People lose their work email. By default one.
    EmailLost = "email_lost",
    /// The second of two people gets the work email of the first. By default one pair.
    SharedEmail = "shared_email",
    /// Deleted people (or else leavers) are back under their old id, `restored_at` set. By default one.
    Restored = "restored",
    /// Deleted people (or else current ones) are back with a new id and their old UPI. By default one.
    ReAdded = "re_added",
    /// People get one role more. By default one.
    RoleChange = "role_change",
    /// People lose all roles. By default everyone.
    RolesEmptied = "roles_emptied",
    /// People get the head as line manager, those who have the head none. By default one.
    ManagerChange = "manager_change",
    /// People lose their line manager. By default everyone.
    ManagersLost = "managers_lost",
    /// Two people become each other's line manager. By default one pair.
    ManagerCycle = "manager_cycle",
    /// People get a new photo. By default one.
    NewPhoto = "new_photo",
    /// The school changes its MIS: new ids and UPIs for everyone and everything, the same emails.
    MisMigration = "mis_migration",
    /// Summer: all classes are replaced, a tenth of the staff leaves, as many start.
    Rollover = "rollover",
    /// The employees list is suddenly empty, without any deletion.
    Empty = "empty",
    /// Only `keep` people stay on the employees list, without any deletion.
    Shrink = "shrink",
    /// Those whom `empty` or `shrink` hid are back.
    Refill = "refill",
    /// The school takes back its approval: 403.
    Revoke = "revoke",
    /// The school approves again.
    RestoreAccess = "restore_access",
    /// The school gets a new token; the old one is refused with 401.
    RotateToken = "rotate_token",
    /// The school withdraws one `scope`.
    WithdrawScope = "withdraw_scope",
    /// The school grants the `scope` again.
    GrantScope = "grant_scope",
    /// The MIS of the school is out of reach; the API goes on with old data.
    Offline = "offline",
    /// The MIS is in reach again.
    Online = "online",
}

impl ScenarioName {
    /// The names of all.
    pub(crate) fn all_names() -> Vec<&'static str> {
        Self::ALL.iter().map(|name| name.as_str()).collect()
    }
}

impl FromStr for ScenarioName {
    type Err = Error;

    /// Hyphens and spaces count as underscores.
    fn from_str(given: &str) -> Result<Self, Error> {
        let plain = given.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        Self::ALL
            .iter()
            .copied()
            .find(|name| name.as_str() == plain)
            .ok_or_else(|| Error::UnknownScenario(given.to_owned()))
    }
}

impl Serialize for ScenarioName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ScenarioName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl From<ScenarioName> for Scenario {
    /// The scenario with its defaults.
    fn from(name: ScenarioName) -> Self {
        Self { name, count: None, staff: Vec::new(), keep: None, scope: None, mis: None }
    }
}

/// Lets `scenario` happen in `school` at `now`.
pub(crate) fn apply(
    school: &mut School,
    scenario: &Scenario,
    now: DateTime<Utc>,
) -> Result<Outcome, Error> {
    let mut event = Event { school, scenario, now, today: london_date(now) };
    let mut webhook = None;
    let touched = match scenario.name {
        ScenarioName::Leaver => event.leave()?,
        ScenarioName::Deleted => event.delete()?,
        ScenarioName::Joiner => event.join(1),
        ScenarioName::Grow => event.join(10),
        ScenarioName::FutureStarter => event.announce(),
        ScenarioName::Rename => event.rename()?,
        ScenarioName::NewInitials => event.change_initials()?,
        ScenarioName::TeachingChange => event.change_teaching()?,
        ScenarioName::EmailChange => event.change_email()?,
        ScenarioName::EmailSwap => event.swap_emails()?,
        ScenarioName::EmailLost => event.lose_email()?,
        ScenarioName::SharedEmail => event.share_email()?,
        ScenarioName::Restored => event.restore()?,
        ScenarioName::ReAdded => event.add_again()?,
        ScenarioName::RoleChange => event.add_role()?,
        ScenarioName::RolesEmptied => event.empty_roles()?,
        ScenarioName::ManagerChange => event.change_manager()?,
        ScenarioName::ManagersLost => event.lose_managers()?,
        ScenarioName::ManagerCycle => event.close_circle()?,
        ScenarioName::NewPhoto => event.change_photo()?,
        ScenarioName::Rollover => event.roll_over()?,
        ScenarioName::Empty => event.hide(0),
        ScenarioName::Shrink => event.shrink()?,
        ScenarioName::Refill => event.refill(),
        ScenarioName::MisMigration => {
            let (touched, body) = event.migrate();
            webhook = Some(body);
            touched
        }
        ScenarioName::Revoke | ScenarioName::RestoreAccess | ScenarioName::RotateToken => {
            webhook = Some(event.change_access());
            Vec::new()
        }
        ScenarioName::WithdrawScope | ScenarioName::GrantScope => event.change_scope()?,
        ScenarioName::Offline | ScenarioName::Online => {
            event.school.online = scenario.name == ScenarioName::Online;
            Vec::new()
        }
    };
    school.relink();
    Ok(Outcome {
        scenario: scenario.name,
        touched: touched.iter().map(WondeId::to_string).collect(),
        webhook,
    })
}

/// A scenario on its way through a school.
struct Event<'a> {
    school: &'a mut School,
    scenario: &'a Scenario,
    now: DateTime<Utc>,
    today: chrono::NaiveDate,
}

#[cfg(test)]
mod tests;

//! What iP holds of one school.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    ClassId, DepartmentId, MatchedBy, RecordOutcome, StaffId, SubjectId, employment::Standing,
    line_manager::HierarchyLists,
};

/// What iP holds of one school, or of the part of it that a fetch is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Its accounts, those made by hand included.
    pub people: Vec<Account>,
    /// Further records of people who have several, and whose they are.
    pub aliases: Vec<(String, StaffId)>,
    /// What people decided of records that may mean somebody.
    pub decisions: Vec<Decision>,
    /// How the emails of the list are compared, and who else holds them.
    pub logins: Logins,
    /// Classes that came from the MIS.
    pub classes: Vec<Group<ClassId>>,
    /// Subjects that came from the MIS.
    pub subjects: Vec<Group<SubjectId>>,
    /// Departments that people are in now.
    pub departments: Vec<(DepartmentId, StaffId)>,
    /// What the last run that saw each record made of it, by Wonde id.
    pub evidence: HashMap<String, Evidence>,
    /// Which way Wonde's hierarchy points, as the last full sync that knew it went by.
    pub hierarchy_lists: Option<HierarchyLists>,
}

/// An account of iP: a person, and what the comparison has to know besides.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// iP's own key.
    pub id: StaffId,
    /// Changes whenever anything of the account does.
    pub version: u32,
    /// Whoever holds the account.
    pub person: Person,
    /// The work email as it is compared.
    pub email_key: String,
    /// A new password has to be chosen: it is so until the first login.
    pub password_reset_required: bool,
    /// As of when iP holds what the MIS says of the person; `None`: never read.
    pub read_at: Option<DateTime<Utc>>,
    /// When anything of the account last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a sync may write of an account.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Wonde's id of the record by which the person is known; `None`: not linked.
    pub wonde_id: Option<String>,
    /// Wonde's unique person identifier.
    pub upi: Option<String>,
    /// The work email, case as given.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Surname.
    pub surname: String,
    /// Initials.
    pub initials: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Non-teaching staff.
    pub non_teaching: bool,
    /// Whether the person can log in.
    pub active: bool,
    /// Whom the person reports to.
    pub line_manager: Option<Ref<StaffId>>,
    /// SHA-256 of the picture, in hex.
    pub photo_hash: Option<String>,
    /// What the MIS said last; `None`: it never said anything.
    pub mis: Option<MisValues>,
}

/// What the MIS said last of a person, whoever owns the field in iP. A field is missing where it
/// never said anything.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MisValues {
    /// The work email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The forename.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The surname.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    /// The initials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initials: Option<String>,
    /// The reverse of *teaching staff*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_teaching: Option<bool>,
    /// The roles.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub job_title: Option<Said>,
    /// Wonde id of the line manager.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub line_manager: Option<Said>,
    /// SHA-256 of the photo.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub photo_hash: Option<Said>,
}

/// What the MIS said of a field; `None`: that there is nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(pub Option<String>);

/// A field that is there says something, be it that there is nothing.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Said>, D::Error> {
    Said::deserialize(deserializer).map(Some)
}

/// Something that iP has, or that it will have once the plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ref<Id> {
    /// iP has it.
    Known(Id),
    /// The plan creates it: its place among those that are new.
    New(usize),
}

impl<Id> Ref<Id> {
    /// The id of what iP has.
    pub fn known(self) -> Option<Id> {
        match self {
            Self::Known(id) => Some(id),
            Self::New(_) => None,
        }
    }
}

/// A class or a subject of iP that came from the MIS.
#[derive(Clone, PartialEq, Eq)]
pub struct Group<Id> {
    /// iP's own key.
    pub id: Id,
    /// Changes whenever any of its fields does.
    pub version: u32,
    /// Wonde's id of it.
    pub wonde_id: String,
    /// What it is.
    pub fields: GroupFields,
    /// Who teaches it by the MIS' word, in their order.
    pub links: Vec<Link>,
    /// The places of `links` in the tables, which may have gaps.
    pub places: Vec<i32>,
    /// Who was linked by hand.
    pub by_hand: HashSet<StaffId>,
}

/// What a sync may write of a class or subject.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GroupFields {
    /// Its name.
    pub name: String,
    /// Its short code.
    pub code: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The subject of a class.
    pub subject: Option<Ref<SubjectId>>,
    /// Whether it is not archived.
    pub active: bool,
}

/// Somebody who teaches a class or subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The person.
    pub staff: Ref<StaffId>,
    /// A main teacher of it.
    pub is_main: bool,
}

/// What a person decided of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    /// The record.
    pub wonde_id: String,
    /// Whom it means; `None`: somebody new.
    pub staff_id: Option<StaffId>,
    /// The account was in doubt, so it gets a new password when it passes on.
    pub in_doubt: bool,
    /// Forename, surname and email of the record as it was shown; `None`: not kept.
    pub shown: Option<[String; 3]>,
}

/// How emails are compared, by the one rule of the database, and who holds them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Logins {
    /// The emails of the list that no account of the school has in just this spelling, and each as
    /// it is compared.
    pub keys: HashMap<String, String>,
    /// Logins that are held in other schools, as they are compared.
    pub elsewhere: HashSet<String>,
}

/// What a run made of a record of the MIS: evidence for whoever asks about that person.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Wonde's unique person identifier.
    pub upi: Option<String>,
    /// The work email as it is compared, usable or not.
    pub email_key: Option<String>,
    /// How the person stands with the school.
    pub standing: Standing,
    /// First day of employment, of people who are not imported.
    pub starts_on: Option<NaiveDate>,
    /// Last day of employment, of people who are not imported.
    pub ends_on: Option<NaiveDate>,
    /// Teaching staff; `None`: not said.
    pub teaching: Option<bool>,
    /// What became of the record.
    pub outcome: RecordOutcome,
    /// Whom it means in iP.
    pub staff: Option<Ref<StaffId>>,
    /// How the two were brought together.
    pub matched_by: Option<MatchedBy>,
}

impl Account {
    /// Nobody has logged in to it and it was never linked, so it is nobody's yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.person.wonde_id.is_none() && self.person.mis.is_none() && self.password_reset_required
    }
}

/// Personal data: only ids are printed.
macro_rules! prints_only {
    ($type:ident $(<$id:ident>)?, $field:ident) => {
        impl$(<$id: fmt::Debug>)? fmt::Debug for $type$(<$id>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type))
                    .field(stringify!($field), &self.$field)
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use prints_only;

prints_only!(Account, id);
prints_only!(Person, wonde_id);
prints_only!(Group<Id>, id);
prints_only!(Decision, wonde_id);
prints_only!(Evidence, outcome);

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Said(..)")
    }
}

impl fmt::Debug for MisValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MisValues(..)")
    }
}

impl fmt::Debug for GroupFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupFields").field("active", &self.active).finish_non_exhaustive()
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("elsewhere", &self.elsewhere.len()).finish_non_exhaustive()
    }
}

//! iP's record of one school.

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

/// iP's record of one school, or of the part that a fetch is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// All accounts, including those made by hand.
    pub people: Vec<Account>,
    pub aliases: Vec<(String, StaffId)>,
    /// Decisions about possible matches.
    pub decisions: Vec<Decision>,
    /// How the emails of the list compare, and which are in use elsewhere.
    pub logins: Logins,
    /// Classes that came from the MIS.
    pub classes: Vec<Group<ClassId>>,
    /// Subjects that came from the MIS.
    pub subjects: Vec<Group<SubjectId>>,
    /// The departments of people.
    pub departments: Vec<(DepartmentId, StaffId)>,
    /// The evidence of the last run that saw each record, by Wonde id.
    pub evidence: HashMap<String, Evidence>,
    /// Which way Wonde's lists point, as the last full sync that knew it used it.
    pub hierarchy_lists: Option<HierarchyLists>,
}

/// An account in iP: a person, and what the comparison needs besides.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub id: StaffId,
    /// Changes whenever the account changes.
    pub version: u32,
    /// The owner of the account.
    pub person: Person,
    /// The work email as it is compared.
    pub email_key: String,
    /// Whether a new password has to be chosen. It has to be until the first login.
    pub password_reset_required: bool,
    /// When the person was last read from the MIS; `None` if never.
    pub read_at: Option<DateTime<Utc>>,
    /// When the account last changed.
    pub updated_at: DateTime<Utc>,
}

/// The values of an account that a sync may write.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Wonde's id of the linked record; `None` if not linked.
    pub wonde_id: Option<String>,
    /// Wonde's unique person identifier.
    pub upi: Option<String>,
    pub email: String,
    pub first_name: String,
    pub surname: String,
    pub initials: Option<String>,
    pub job_title: Option<String>,
    pub non_teaching: bool,
    pub active: bool,
    /// The person's manager.
    pub line_manager: Option<Ref<StaffId>>,
    /// SHA-256 of the picture, in hex.
    pub photo_hash: Option<String>,
    /// What the MIS last said; `None` if it never said anything.
    pub mis: Option<MisValues>,
}

/// What the MIS last said about a person, even if iP owns the field. A field is missing if the
/// MIS never gave it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MisValues {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initials: Option<String>,
    /// The reverse of *teaching staff*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_teaching: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub job_title: Option<Said>,
    /// Wonde id of the line manager.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub line_manager: Option<Said>,
    /// SHA-256 of the photo.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub photo_hash: Option<Said>,
}

/// What the MIS said about a field; `None` if it said that there is nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(pub Option<String>);

/// A field that is present says something, even if it says that there is nothing.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Said>, D::Error> {
    Said::deserialize(deserializer).map(Some)
}

/// A record that iP has, or will have once the plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ref<Id> {
    /// The record is in iP.
    Known(Id),
    /// The plan creates it: its place among the new records.
    New(usize),
}

impl<Id> Ref<Id> {
    /// The id, if the record is in iP.
    pub fn known(self) -> Option<Id> {
        match self {
            Self::Known(id) => Some(id),
            Self::New(_) => None,
        }
    }
}

/// A class or subject in iP that came from the MIS.
#[derive(Clone, PartialEq, Eq)]
pub struct Group<Id> {
    /// iP's own key.
    pub id: Id,
    /// Changes whenever any of its fields changes.
    pub version: u32,
    /// Wonde's id of the class or subject.
    pub wonde_id: String,
    /// The values that a sync may write.
    pub fields: GroupFields,
    /// Its teachers from the MIS, in order.
    pub links: Vec<Link>,
    /// The places of `links` in the tables. They may have gaps.
    pub places: Vec<i32>,
    /// People who were linked by hand.
    pub by_hand: HashSet<StaffId>,
}

/// The fields of a class or subject that a sync may write.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GroupFields {
    pub name: String,
    pub code: Option<String>,
    pub description: Option<String>,
    /// The subject of a class.
    pub subject: Option<Ref<SubjectId>>,
    /// Whether it is not archived.
    pub active: bool,
}

/// A teacher of a class or subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub staff: Ref<StaffId>,
    /// Whether they are a main teacher.
    pub is_main: bool,
}

/// A decision about a possible match.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    pub wonde_id: String,
    /// The person that the record belongs to; `None` for someone new.
    pub staff_id: Option<StaffId>,
    /// Whether the account was in doubt, so that it gets a new password when it passes on.
    pub in_doubt: bool,
    /// Forename, surname and email of the record when it was shown; `None` if not kept.
    pub shown: Option<[String; 3]>,
}

/// How emails compare, by the rule of the database, and which are in use elsewhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Logins {
    /// The emails of the list that no account of the school has in this spelling, each with the
    /// form in which it is compared.
    pub keys: HashMap<String, String>,
    /// Logins that other schools use, in the form in which they are compared.
    pub elsewhere: HashSet<String>,
}

/// What a run concluded about a record of the MIS. It is evidence for *explain*.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Wonde's unique person identifier.
    pub upi: Option<String>,
    /// The work email in the form in which it is compared, usable or not.
    pub email_key: Option<String>,
    pub standing: Standing,
    pub starts_on: Option<NaiveDate>,
    pub ends_on: Option<NaiveDate>,
    /// Whether they are teaching staff; `None` if not given.
    pub teaching: Option<bool>,
    pub outcome: RecordOutcome,
    /// The person in iP that it belongs to.
    pub staff: Option<Ref<StaffId>>,
    /// How the two were matched.
    pub matched_by: Option<MatchedBy>,
}

impl Account {
    /// Whether it was never linked and never used to log in, so that it has no owner yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.person.wonde_id.is_none() && self.person.mis.is_none() && self.password_reset_required
    }
}

/// Values are personal data, so only ids are printed.
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

//! The names of the scenarios and what each means.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

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
    /// Someone is entered who starts in thirty days, not marked as current or otherwise. By default one.
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
    /// People with a photo get one that cannot be imported: the first no image, the second one above 3 MiB, the
    /// third an empty one, and so on. By default three.
    OddPhotos = "odd_photos",
    /// People lose their photo. By default one.
    PhotoRemoved = "photo_removed",
    /// Classes get another name. By default one.
    ClassRename = "class_rename",
    /// Classes get another main teacher; the old one no longer teaches them. By default one.
    ClassTeacherChange = "class_teacher_change",
    /// There is a new class of an existing subject, with a teacher. By default one.
    ClassAdded = "class_added",
    /// Classes are deleted in the MIS: gone from the list, a line among the deletions. By default one.
    ClassDeleted = "class_deleted",
    /// The last deleted classes are back under their old id, `restored_at` set. By default one.
    ClassRestored = "class_restored",
    /// There is a new subject without classes. By default one.
    SubjectAdded = "subject_added",
    /// Subjects get another name. By default one.
    SubjectRenamed = "subject_renamed",
    /// Subjects that are taught are gone from the list, and their classes no longer have one.
    SubjectDeleted = "subject_deleted",
    /// Classes lose all their teachers. By default every class.
    ClassesEmptied = "classes_emptied",
    /// The classes list is suddenly empty, without any deletion.
    NoClasses = "no_classes",
    /// The classes that `no_classes` hid are back.
    ClassesBack = "classes_back",
    /// The school's `mis` becomes an unknown name for good; everything else stays.
    UnknownMis = "unknown_mis",
    /// The school changes its MIS: new ids and UPIs for everyone and everything, the same emails.
    MisMigration = "mis_migration",
    /// Summer: all classes are replaced, a tenth of the staff leaves, as many start.
    Rollover = "rollover",
    /// The employees list is suddenly empty, without any deletion.
    Empty = "empty",
    /// Only `keep` people stay on the employees list, without any deletion.
    Shrink = "shrink",
    /// The people that `empty` or `shrink` hid are back.
    Refill = "refill",
    /// The school withdraws its approval: 403.
    Revoke = "revoke",
    /// The school approves again.
    RestoreAccess = "restore_access",
    /// The school gets a new token; the old one is refused with 401.
    RotateToken = "rotate_token",
    /// The school withdraws one `scope`, which then shows by `look`.
    WithdrawScope = "withdraw_scope",
    /// The school grants the `scope` again.
    GrantScope = "grant_scope",
    /// The MIS of the school cannot be reached; the API continues with old data.
    Offline = "offline",
    /// The MIS can be reached again.
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

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// iP's own key of a school: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SchoolId(String);

/// The text cannot be a school id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a school id consists of 1 to 64 letters, digits, `_` or `-`")]
pub struct InvalidSchoolId;

impl SchoolId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SchoolId {
    type Error = InvalidSchoolId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidSchoolId)
        }
    }
}

impl FromStr for SchoolId {
    type Err = InvalidSchoolId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<SchoolId> for String {
    fn from(id: SchoolId) -> Self {
        id.0
    }
}

impl fmt::Display for SchoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `UUIDv7` for one kind of record. Ids sort by the time of their creation.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, greater than every earlier one of this process.
            #[expect(clippy::new_without_default, reason = "each call makes another id")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A job of the ledger.
    JobId
);
uuid_id!(
    /// A member of staff in iP.
    StaffId
);
uuid_id!(
    /// A class in iP.
    ClassId
);
uuid_id!(
    /// A subject in iP.
    SubjectId
);
uuid_id!(
    /// A department in iP.
    DepartmentId
);
uuid_id!(
    /// An API key (not its secret).
    ApiKeyId
);
uuid_id!(
    /// One action on many jobs.
    BulkId
);
uuid_id!(
    /// An alert about a school.
    AlertId
);
uuid_id!(
    /// A webhook from Wonde.
    WebhookEventId
);
uuid_id!(
    /// A token that was typed to connect a school, until the school is chosen.
    ConnectionDraftId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn school_ids_are_checked_once() {
        for good in ["a", "Oakfield_1-x", &"x".repeat(64)] {
            assert_eq!(good.parse::<SchoolId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "é", "a/b", "a.b", &"x".repeat(65)] {
            assert_eq!(bad.parse::<SchoolId>(), Err(InvalidSchoolId), "{bad}");
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let (first, second) = (JobId::new(), JobId::new());
        assert!(first < second);
    }
}

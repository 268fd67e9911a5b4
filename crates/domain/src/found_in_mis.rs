//! The answer of the MIS to a question about a person.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::StaffId;

/// Everyone whom the school's list of staff has under this name, email or id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundInMis {
    /// How many records the list has.
    pub listed: u64,
    pub people: Vec<PersonInMis>,
    /// Whether there are more than these.
    pub has_more: bool,
}

/// A record of the MIS, and what the next sync would make of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonInMis {
    pub wonde_id: String,
    /// The person in iP.
    pub staff_id: Option<StaffId>,
    pub name: Option<String>,
    /// The id in the MIS itself.
    pub mis_id: Option<String>,
    /// Where they are, in a few words.
    pub in_short: String,
    /// Why, in one sentence.
    pub sentence: String,
}

/// Values are personal data, so only the id is printed.
impl fmt::Debug for PersonInMis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonInMis").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

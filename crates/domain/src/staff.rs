use std::fmt;

use crate::WorkEmail;

/// One current member of staff as the MIS describes them, in iP's words.
///
/// `None` in a field means *the MIS did not say*: iP keeps what it holds. Only
/// [`job_title`](Self::job_title) can also be said to be empty.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffRecord {
    /// Wonde's id of the person in this school.
    pub wonde_id: String,
    /// Wonde's unique person identifier; survives a re-added person.
    pub upi: Option<String>,
    /// The login.
    pub email: WorkEmail,
    /// Forename.
    pub first_name: String,
    /// Surname.
    pub surname: String,
    /// Initials, by which the app shows the person.
    pub initials: Option<String>,
    /// Roles joined by commas. Outer `None`: roles were not delivered. `Some(None)`: the
    /// person has none.
    pub job_title: Option<Option<String>>,
    /// The reverse of the MIS' *teaching staff*.
    pub non_teaching: Option<bool>,
}

/// Personal data: only the id is printed.
impl fmt::Debug for StaffRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffRecord").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

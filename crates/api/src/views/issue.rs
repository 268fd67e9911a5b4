use std::collections::HashMap;

use mis_sync_domain::{Issue, IssueCode, SchoolId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Access;

/// A page of issues.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueList)]
pub(crate) struct IssueListView {
    pub(crate) issues: Vec<IssueView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A record that could not be imported as it is, and why. Some issues are about the whole school.
#[derive(Serialize, ToSchema)]
#[schema(as = Issue)]
pub(crate) struct IssueView {
    /// The stable reason, for programs.
    code: IssueCode,
    /// The sentence for the school.
    sentence: &'static str,
    /// For `work_email_in_use`: the school in this installation where it is a login now; null if
    /// there is none, or if the key may not see that school.
    #[schema(required)]
    login_used_at_school: Option<String>,
    /// The field to correct in the MIS; null if there is none.
    #[schema(required)]
    mis_field: Option<&'static str>,
    /// Wonde's id of the person, class or subject; null if it cannot be read, or if the issue is
    /// about the whole school.
    #[schema(required)]
    wonde_id: Option<String>,
}

impl IssueView {
    /// Names of the columns of [`Self::cells`].
    pub(crate) const COLUMNS: [&str; 4] = ["code", "sentence", "mis_field", "wonde_id"];

    /// As a line of a table; null becomes an empty cell.
    pub(crate) fn cells(&self) -> [&str; 4] {
        [
            self.code.as_str(),
            self.sentence,
            self.mis_field.unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
        ]
    }
}

/// Which work emails that issues are about are logins at other schools, by Wonde id.
pub(crate) type UsedElsewhere = HashMap<String, SchoolId>;

impl IssueView {
    /// Adds where a login is in use, if the caller may know it.
    pub(crate) fn with_other_schools(self, elsewhere: &UsedElsewhere, access: &Access) -> Self {
        let is_in_use = self.code == IssueCode::WorkEmailInUse;
        let school = self.wonde_id.as_ref().filter(|_| is_in_use).and_then(|id| elsewhere.get(id));
        let Some(school) = school else { return self };
        let known = Some(school).filter(|school| access.sees(school));
        Self {
            sentence: USED_ELSEWHERE,
            login_used_at_school: known.map(ToString::to_string),
            ..self
        }
    }
}

/// The sentence for a school when a login is in use at another school.
const USED_ELSEWHERE: &str =
    "This work email is already a login at another school of this installation.";

impl From<Issue> for IssueView {
    fn from(issue: Issue) -> Self {
        Self {
            code: issue.code,
            sentence: issue.code.sentence(),
            mis_field: issue.code.mis_field(),
            wonde_id: issue.wonde_id,
            login_used_at_school: None,
        }
    }
}

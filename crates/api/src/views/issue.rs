use mis_sync_domain::Issue;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of issues.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueList)]
pub(crate) struct IssueListView {
    pub(crate) issues: Vec<IssueView>,
    /// Where the next page begins; null: this is the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// What could not be taken as it is, and why: mostly a record, sometimes something of the whole
/// school.
#[derive(Serialize, ToSchema)]
#[schema(as = Issue)]
pub(crate) struct IssueView {
    /// Stable reason, for programs.
    #[schema(examples("no_work_email"))]
    code: &'static str,
    /// What the school reads.
    sentence: &'static str,
    /// The field of the MIS that mends it; null: none does.
    #[schema(required)]
    mis_field: Option<&'static str>,
    /// Wonde's id of the person, class or subject; null when not even that can be read, or when
    /// it is about the whole school.
    #[schema(required)]
    wonde_id: Option<String>,
}

impl IssueView {
    /// Names of the columns of [`Self::cells`].
    pub(crate) const COLUMNS: [&str; 4] = ["code", "sentence", "mis_field", "wonde_id"];

    /// As a line of a table; null is empty.
    pub(crate) fn cells(&self) -> [&str; 4] {
        [
            self.code,
            self.sentence,
            self.mis_field.unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
        ]
    }
}

impl From<Issue> for IssueView {
    fn from(issue: Issue) -> Self {
        Self {
            code: issue.code.as_str(),
            sentence: issue.code.sentence(),
            mis_field: issue.code.mis_field(),
            wonde_id: issue.wonde_id,
        }
    }
}

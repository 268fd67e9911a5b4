use std::collections::HashMap;

use mis_sync_domain::{Issue, IssueCode, RecordKind, SchoolId};
use mis_sync_store::issues::NamedIssue;
use serde::Serialize;
use utoipa::ToSchema;

use super::mask_text;
use crate::state::{Access, Mask};

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
    /// The first thing that the school can do about it; `docs/reasons.md` has the rest.
    what_to_do: &'static str,
    /// Wonde's id of the person, class or subject; null if it cannot be read, or if the issue is
    /// about the whole school.
    #[schema(required)]
    wonde_id: Option<String>,
    /// The person in iP; null if there is none, or if the issue is not about a person.
    #[schema(required, format = "uuid")]
    staff_id: Option<String>,
    /// Forename and surname of the person in iP; of a record that is not in iP, as the MIS gave them.
    /// This, `mis_id`, `email` and `upi` are `•••••` for a key that may not read personal data.
    #[schema(required)]
    name: Option<String>,
    /// The id of the record in the MIS itself; null if there is none, or if the run was made by an
    /// older release.
    #[schema(required)]
    mis_id: Option<String>,
    /// Whose record it is; null if that is not known, or if the issue is about the whole school.
    #[schema(required)]
    record: Option<RecordKind>,
    /// The work email in the MIS (in lower case), otherwise the one in iP; null if there is none.
    #[schema(required)]
    email: Option<String>,
    /// The Unique Person Identifier; null if there is none.
    #[schema(required)]
    upi: Option<String>,
    /// The name of the class or subject; null if there is none, or if the issue is not about one.
    #[schema(required)]
    class_or_subject: Option<String>,
}

impl IssueView {
    /// Names of the columns of [`Self::cells`], for the clerk who corrects the MIS.
    pub(crate) const COLUMNS: [&str; 12] = [
        "Name",
        "MIS id",
        "Wonde id",
        "Record",
        "Class or subject",
        "Problem",
        "What to do",
        "Field in the MIS",
        "Work email",
        "UPI",
        "iP id",
        "Code",
    ];

    /// As a line of a table; null becomes an empty cell.
    pub(crate) fn cells(&self) -> [&str; 12] {
        let record = match self.record {
            Some(RecordKind::Staff) => "Person",
            Some(RecordKind::Class) => "Class",
            Some(RecordKind::Subject) => "Subject",
            None => "",
        };
        [
            self.name.as_deref().unwrap_or_default(),
            self.mis_id.as_deref().unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
            record,
            self.class_or_subject.as_deref().unwrap_or_default(),
            self.sentence,
            self.what_to_do,
            self.mis_field.unwrap_or_default(),
            self.email.as_deref().unwrap_or_default(),
            self.upi.as_deref().unwrap_or_default(),
            self.staff_id.as_deref().unwrap_or_default(),
            self.code.as_str(),
        ]
    }
}

impl Mask for IssueView {
    fn masked(self) -> Self {
        let mask = |text: Option<String>| text.map(|_| mask_text());
        Self {
            name: mask(self.name),
            mis_id: mask(self.mis_id),
            email: mask(self.email),
            upi: mask(self.upi),
            ..self
        }
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

impl From<NamedIssue> for IssueView {
    fn from(named: NamedIssue) -> Self {
        let Issue { code, wonde_id } = named.issue;
        Self {
            code,
            sentence: code.sentence(),
            login_used_at_school: None,
            mis_field: code.mis_field(),
            what_to_do: code.what_to_do(),
            wonde_id,
            staff_id: named.staff_id.map(|id| id.to_string()),
            name: named.name,
            email: named.email,
            upi: named.upi,
            class_or_subject: named.class_or_subject,
            record: named.record,
            mis_id: named.mis_id,
        }
    }
}

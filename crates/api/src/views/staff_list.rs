use chrono::{DateTime, Utc};
use mis_sync_domain::SchoolId;
use mis_sync_store::staff::ListedPerson;
use serde::Serialize;
use utoipa::ToSchema;

use super::{staff::StaffLinks, timestamp};

/// A page of a school's people.
#[derive(Serialize, ToSchema)]
#[schema(as = StaffList)]
pub(crate) struct StaffListView {
    staff: Vec<ListedStaffView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Send it as `updated_since` to read what changes from now on. All pages of a reading have the
    /// same value.
    #[schema(format = DateTime)]
    next_updated_since: String,
}

/// A person as iP holds them.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedStaff)]
pub(crate) struct ListedStaffView {
    #[schema(format = "uuid")]
    id: String,
    /// The id of the school in iP.
    school_id: String,
    /// Wonde's id of the person; null if the person was created by hand and is not linked yet.
    #[schema(required)]
    wonde_id: Option<String>,
    /// The Unique Person Identifier; null if the MIS gave none.
    #[schema(required)]
    upi: Option<String>,
    /// The work email. It is the login while the person is active.
    email: String,
    first_name: String,
    surname: String,
    #[schema(required)]
    initials: Option<String>,
    #[schema(required)]
    job_title: Option<String>,
    non_teaching: bool,
    /// The line manager in iP; null if there is none.
    #[schema(required, format = "uuid")]
    line_manager_id: Option<String>,
    /// Whether the person can log in.
    active: bool,
    /// Whether the person must press *Forgot Password* before the first login.
    password_reset_required: bool,
    #[schema(format = DateTime)]
    created_at: String,
    /// When a sync or the app last changed the person.
    #[schema(format = DateTime)]
    updated_at: String,
    links: StaffLinks,
}

impl StaffListView {
    pub(crate) fn new(
        staff: Vec<ListedStaffView>,
        next_cursor: Option<String>,
        next_updated_since: DateTime<Utc>,
    ) -> Self {
        Self { staff, next_cursor, next_updated_since: timestamp(next_updated_since) }
    }
}

impl ListedStaffView {
    /// A person of this school.
    pub(crate) fn new(person: ListedPerson, school_id: &SchoolId) -> Self {
        let member = person.member;
        Self {
            links: StaffLinks::new(school_id, member.id, person.has_photo),
            id: member.id.to_string(),
            school_id: school_id.to_string(),
            wonde_id: member.wonde_id,
            upi: member.upi,
            email: member.email,
            first_name: member.first_name,
            surname: member.surname,
            initials: member.initials,
            job_title: member.job_title,
            non_teaching: member.non_teaching,
            line_manager_id: member.line_manager_id.map(|id| id.to_string()),
            active: member.active,
            password_reset_required: person.password_reset_required,
            created_at: timestamp(person.created_at),
            updated_at: timestamp(person.updated_at),
        }
    }

    /// Names of the columns of [`Self::cells`].
    pub(crate) const COLUMNS: [&str; 14] = [
        "Surname",
        "Forename",
        "Initials",
        "Work email",
        "Job title",
        "Teaching staff",
        "Can log in",
        "Needs Forgot Password",
        "Line manager's iP id",
        "Wonde id",
        "UPI",
        "iP id",
        "Created",
        "Changed",
    ];

    /// As a line of a table; null becomes an empty cell.
    pub(crate) fn cells(&self) -> [&str; 14] {
        let yes = |flag| if flag { "yes" } else { "no" };
        [
            &self.surname,
            &self.first_name,
            self.initials.as_deref().unwrap_or_default(),
            &self.email,
            self.job_title.as_deref().unwrap_or_default(),
            yes(!self.non_teaching),
            yes(self.active),
            yes(self.password_reset_required),
            self.line_manager_id.as_deref().unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
            self.upi.as_deref().unwrap_or_default(),
            &self.id,
            &self.created_at,
            &self.updated_at,
        ]
    }
}

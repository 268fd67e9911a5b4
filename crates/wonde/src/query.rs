//! What a list or a record can be asked for.

use chrono::{DateTime, Utc};

/// Which employees, with what, in pages of which size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmployeeQuery {
    /// What to deliver with each employee. Each needs a scope of its own; the whole request may be
    /// refused for one that the school has withdrawn.
    pub include: Vec<EmployeeInclude>,
    /// Only records that changed after this moment, sent in whole seconds. Whether a change of an
    /// include alone counts is not known, so this cannot replace a full list.
    pub updated_after: Option<DateTime<Utc>>,
    /// Records in a page, instead of the configured number. Photos make pages heavy.
    pub page_size: Option<u32>,
}

/// What to deliver with each employee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmployeeInclude {
    /// Email addresses.
    ContactDetails,
    /// Dates of employment, whether current, whether teaching.
    EmploymentDetails,
    /// Roles.
    Roles,
    /// Who reports to whom.
    Hierarchy,
    /// The photo, image and all: some 100 KB for each person.
    Photo,
    /// The classes that the person teaches.
    Classes,
}

impl EmployeeInclude {
    /// As Wonde writes it, in requests and in [`Error::InvalidInclude`](crate::Error::InvalidInclude).
    pub fn name(self) -> &'static str {
        match self {
            Self::ContactDetails => "contact_details",
            Self::EmploymentDetails => "employment_details",
            Self::Roles => "roles",
            Self::Hierarchy => "hierarchy",
            Self::Photo => "photo",
            Self::Classes => "classes",
        }
    }
}

/// What to deliver with each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClassInclude {
    /// The subject as a record; its id alone comes without this too.
    Subject,
    /// Who teaches it.
    Employees,
}

impl ClassInclude {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Employees => "employees",
        }
    }
}

/// Records of which kind were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletionKind {
    /// Members of staff.
    Employee,
    /// Classes.
    Class,
}

impl DeletionKind {
    /// As Wonde writes it, in the filter and in [`Deletion::kind`](crate::Deletion::kind).
    pub fn name(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Class => "class",
        }
    }
}

/// A list with its filters.
pub(crate) struct ListQuery {
    pub(crate) resource: &'static str,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) page_size: Option<u32>,
}

impl ListQuery {
    /// `resource` from `updated_after` on, with includes by name.
    pub(crate) fn new(
        resource: &'static str,
        include: impl IntoIterator<Item = &'static str>,
        updated_after: Option<DateTime<Utc>>,
    ) -> Self {
        let mut parameters = Vec::new();
        let include = include_names(include);
        if !include.is_empty() {
            parameters.push(("include", include));
        }
        if let Some(moment) = updated_after {
            // Parts of a second are cut off: rather a record too many than one too few.
            parameters.push(("updated_after", moment.format("%Y-%m-%d %H:%M:%S").to_string()));
        }
        Self { resource, parameters, page_size: None }
    }
}

/// The value of `include`, empty where nothing is asked for.
pub(crate) fn include_names(include: impl IntoIterator<Item = &'static str>) -> String {
    include.into_iter().collect::<Vec<_>>().join(",")
}

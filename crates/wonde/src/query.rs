//! The requests that can be made for a list or a record.

use chrono::{DateTime, Utc};

/// Which employees to read, with what, in pages of which size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmployeeQuery {
    /// What to deliver with each employee. Each include needs its own scope. If the school has
    /// withdrawn one, the whole request may be refused.
    pub include: Vec<EmployeeInclude>,
    /// Only records that changed after this moment, in whole seconds. It is not known whether a
    /// change of an include alone counts, so this cannot replace a full list.
    pub updated_after: Option<DateTime<Utc>>,
    /// Records per page, instead of the configured number. Photos make pages heavy.
    pub page_size: Option<u32>,
}

/// What to deliver with each employee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmployeeInclude {
    ContactDetails,
    /// Dates of employment, and the flags for current and teaching staff.
    EmploymentDetails,
    Roles,
    /// Who reports to whom.
    Hierarchy,
    /// The photo with its image, about 100 KB for each person.
    Photo,
    /// The classes that the person teaches.
    Classes,
}

impl EmployeeInclude {
    /// The name that Wonde uses, in requests and in
    /// [`Error::InvalidInclude`](crate::Error::InvalidInclude).
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
    /// The subject as a record. Its id comes without this include too.
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

/// Which kind of records were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletionKind {
    Employee,
    Class,
}

impl DeletionKind {
    /// The name that Wonde uses, in the filter and in [`Deletion::kind`](crate::Deletion::kind).
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
            // Fractions of a second are cut off: better a record too many than one too few.
            parameters.push(("updated_after", moment.format("%Y-%m-%d %H:%M:%S").to_string()));
        }
        Self { resource, parameters, page_size: None }
    }
}

/// The value of `include`; empty if nothing is requested.
pub(crate) fn include_names(include: impl IntoIterator<Item = &'static str>) -> String {
    include.into_iter().collect::<Vec<_>>().join(",")
}

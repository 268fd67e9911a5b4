/// One of Wonde's lists that a sync may read. They are read in this order: people come first,
/// because all else is linked to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum List {
    /// Staff; here every fetch begins.
    #[default]
    Employees,
    /// Staff that were deleted.
    DeletedEmployees,
    /// Subjects.
    Subjects,
    /// Classes.
    Classes,
    /// Classes that were deleted.
    DeletedClasses,
    /// Staff once more, with their photos.
    Photos,
    /// No list of Wonde's but the last step of a full fetch: what iP has and the lists did not show
    /// is looked for.
    Missing,
}

impl List {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Employees,
        Self::DeletedEmployees,
        Self::Subjects,
        Self::Classes,
        Self::DeletedClasses,
        Self::Photos,
        Self::Missing,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == name)
    }

    /// The name in the staging tables.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Employees => "employees",
            Self::DeletedEmployees => "deleted_employees",
            Self::Subjects => "subjects",
            Self::Classes => "classes",
            Self::DeletedClasses => "deleted_classes",
            Self::Photos => "photos",
            Self::Missing => "missing",
        }
    }
}

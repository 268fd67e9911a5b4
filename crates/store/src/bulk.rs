//! What is done to many jobs at once.

/// What is done to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkAction {
    /// It is done again.
    Retry,
    /// It is called off.
    Cancel,
}

impl BulkAction {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        }
    }
}

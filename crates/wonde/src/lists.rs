//! The lists of a school.

use chrono::{DateTime, Utc};
use futures::Stream;

use crate::ahead;
use crate::client::SchoolClient;
use crate::error::Error;
use crate::models::{Class, Deletion, Employee, Subject};
use crate::pages::{Page, PageCursor};
use crate::query::{ClassInclude, DeletionKind, EmployeeInclude, EmployeeQuery, ListQuery};

impl SchoolClient {
    /// All employees that `query` asks for, page by page. The stream ends after its first error.
    /// With `from` it goes on where an earlier stream of employees stopped; the cursor then
    /// decides instead of the query.
    ///
    /// Fetching begins at once in tasks of its own (so call this inside a Tokio runtime), goes on
    /// while the consumer has a page in hand, and stops when the stream is dropped. Where the pages
    /// count up, as many as [`parallel_requests`](crate::ClientConfig::parallel_requests) are
    /// fetched or wait for their turn at the same time, see [`expecting`](Self::expecting); their
    /// order, and where they end, is the list's own all the same.
    pub fn employees(
        &self,
        query: &EmployeeQuery,
        from: Option<PageCursor>,
    ) -> impl Stream<Item = Result<Page<Employee>, Error>> + Send + use<> {
        let include = query.include.iter().copied().map(EmployeeInclude::name);
        let mut list = ListQuery::new("employees", include, query.updated_after);
        list.page_size = query.page_size;
        ahead::stream(self.clone(), &list, from)
    }

    /// All classes, or those changed after a moment; otherwise as [`employees`](Self::employees).
    pub fn classes(
        &self,
        include: &[ClassInclude],
        updated_after: Option<DateTime<Utc>>,
        from: Option<PageCursor>,
    ) -> impl Stream<Item = Result<Page<Class>, Error>> + Send + use<> {
        let include = include.iter().copied().map(ClassInclude::name);
        ahead::stream(self.clone(), &ListQuery::new("classes", include, updated_after), from)
    }

    /// All subjects, or those changed after a moment; otherwise as [`employees`](Self::employees).
    pub fn subjects(
        &self,
        updated_after: Option<DateTime<Utc>>,
        from: Option<PageCursor>,
    ) -> impl Stream<Item = Result<Page<Subject>, Error>> + Send + use<> {
        ahead::stream(self.clone(), &ListQuery::new("subjects", [], updated_after), from)
    }

    /// What was deleted, or deleted or restored after a moment; otherwise as
    /// [`employees`](Self::employees).
    pub fn deletions(
        &self,
        kind: DeletionKind,
        updated_after: Option<DateTime<Utc>>,
        from: Option<PageCursor>,
    ) -> impl Stream<Item = Result<Page<Deletion>, Error>> + Send + use<> {
        let mut list = ListQuery::new("deletions", [], updated_after);
        list.parameters.push(("type", kind.name().to_owned()));
        ahead::stream(self.clone(), &list, from)
    }
}

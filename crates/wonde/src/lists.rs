//! The lists of a school.

use chrono::{DateTime, Utc};
use futures::Stream;
use secrecy::SecretString;
use url::Url;

use crate::ahead;
use crate::client::{SchoolClient, WondeClient, extend};
use crate::error::Error;
use crate::models::{Class, Deletion, Employee, ListedSchool, Subject};
use crate::pages::{Page, PageCursor};
use crate::query::{ClassInclude, DeletionKind, EmployeeInclude, EmployeeQuery, ListQuery};

impl WondeClient {
    /// The schools that the token can see. It fails as [`school`](Self::school) does, and in the
    /// stream if Wonde does not list schools for this token.
    pub fn approved_schools(
        &self,
        token: &SecretString,
        base_url: Option<&Url>,
    ) -> Result<impl Stream<Item = Result<Page<ListedSchool>, Error>> + Send + use<>, Error> {
        let base = self.base(base_url)?;
        let reader = self.reader(base.clone(), extend(base, &["schools"]), token)?;
        Ok(ahead::stream(reader, &ListQuery::new("schools", [], None), None))
    }
}

impl SchoolClient {
    /// All employees that `query` asks for, page by page. The stream ends after its first error.
    /// With `from` it continues where an earlier stream of employees stopped; the cursor then
    /// decides instead of the query.
    ///
    /// Fetching begins at once in separate tasks (so call this inside a Tokio runtime), continues
    /// while the consumer works on a page, and stops when the stream is dropped. If the pages count
    /// up, up to [`parallel_requests`](crate::ClientConfig::parallel_requests) of them are fetched
    /// or wait for their turn at the same time, see [`expecting`](Self::expecting). The order and
    /// the end are always the list's own.
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

    /// All classes, or those that changed after a moment; see [`employees`](Self::employees).
    pub fn classes(
        &self,
        include: &[ClassInclude],
        updated_after: Option<DateTime<Utc>>,
        from: Option<PageCursor>,
    ) -> impl Stream<Item = Result<Page<Class>, Error>> + Send + use<> {
        let include = include.iter().copied().map(ClassInclude::name);
        ahead::stream(self.clone(), &ListQuery::new("classes", include, updated_after), from)
    }

    /// All subjects, or those that changed after a moment; see [`employees`](Self::employees).
    pub fn subjects(
        &self,
        updated_after: Option<DateTime<Utc>>,
        from: Option<PageCursor>,
    ) -> impl Stream<Item = Result<Page<Subject>, Error>> + Send + use<> {
        ahead::stream(self.clone(), &ListQuery::new("subjects", [], updated_after), from)
    }

    /// All deletions, or those deleted or restored after a moment; see
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

//! A list as one CSV file, however long it is.
//!
//! The file is made while it is sent: a page of rows is read when the caller's connection accepts
//! it. So no list is ever complete in memory, and if a caller goes away, the work stops.

use std::io;

use axum::{
    body::Body,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures::{StreamExt, TryStreamExt, stream};
use mis_sync_domain::{JobId, SchoolId, StaffId};
use mis_sync_store::{
    Error, Pool,
    issues::{self, NamedIssue},
    jobs,
    staff::{self, StaffFilter},
};

use crate::{
    ApiError, csv,
    rows::BEFORE_ALL,
    state::PersonalData,
    views::{ChangeView, IssueView, ListedStaffView},
};

/// How many rows are in memory at a time.
const PAGE_ROWS: u16 = 1000;

/// A list that can be downloaded.
#[derive(Clone)]
pub(crate) enum List {
    /// What a job changed.
    Changes(JobId, PersonalData),
    /// What a job could not import.
    JobIssues(JobId, PersonalData),
    /// What keeps records of a school out of iP.
    SchoolIssues(SchoolId, PersonalData),
    /// The people of a school who match.
    Staff(SchoolId, StaffFilter),
}

/// Where a row is in the order of its list.
#[derive(Debug, Clone, Copy)]
enum Place {
    Position(i64),
    Person(StaffId),
}

/// Some lines of the file.
struct Page {
    text: String,
    /// After which row the next page begins; `None` if this is the last.
    next: Option<Place>,
}

/// The whole list. Its first page is read before the answer begins, so that a database that is away
/// is reported as usual. Later it can only break off the answer.
pub(crate) async fn download(pool: &Pool, list: List) -> Result<Response, ApiError> {
    let (name, job) = (list.name(), list.job());
    let first = list.page(pool, None).await?;
    let start = csv::header(list.columns()) + &first.text;
    let pool = pool.clone();
    let rest = stream::try_unfold((list, first.next), move |(list, next)| {
        let pool = pool.clone();
        async move {
            let Some(after) = next else { return Ok(None) };
            let page = list.page(&pool, Some(after)).await?;
            Ok(Some((page.text, (list, page.next))))
        }
    });
    let span = tracing::Span::current();
    let file = name.clone();
    let rest = rest.map_err(move |error: Error| {
        let job = job.map(tracing::field::display);
        tracing::warn!(parent: &span, job.id = job, file, %error, "a download broke off");
        io::Error::other(error)
    });
    let body = Body::from_stream(stream::iter([Ok(start)]).chain(rest));
    Ok((headers(&name), body).into_response())
}

/// The headers of a CSV file with this name.
pub(crate) fn headers(name: &str) -> [(HeaderName, String); 2] {
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    [(CONTENT_TYPE, csv::MEDIA_TYPE.to_owned()), (CONTENT_DISPOSITION, disposition)]
}

impl List {
    /// What the file is called.
    fn name(&self) -> String {
        match self {
            Self::Changes(job, _) => format!("changes-{job}"),
            Self::JobIssues(job, _) => format!("issues-{job}"),
            Self::SchoolIssues(school, _) => format!("issues-{school}"),
            Self::Staff(school, _) => format!("staff-{school}"),
        }
    }

    fn job(&self) -> Option<JobId> {
        match self {
            Self::Changes(job, _) | Self::JobIssues(job, _) => Some(*job),
            Self::SchoolIssues(..) | Self::Staff(..) => None,
        }
    }

    fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Changes(..) => &ChangeView::COLUMNS,
            Self::JobIssues(..) | Self::SchoolIssues(..) => &IssueView::COLUMNS,
            Self::Staff(..) => &ListedStaffView::COLUMNS,
        }
    }

    async fn page(&self, pool: &Pool, after: Option<Place>) -> Result<Page, Error> {
        let limit = i64::from(PAGE_ROWS);
        let (after, after_person) = match after {
            None => (BEFORE_ALL, None),
            Some(Place::Position(position)) => (position, None),
            Some(Place::Person(id)) => (BEFORE_ALL, Some(id)),
        };
        let of_issues = |rows: Vec<NamedIssue>, personal: &PersonalData| {
            let place = |issue: &NamedIssue| Place::Position(issue.position);
            let rows = rows.into_iter().map(|issue| (place(&issue), IssueView::from(issue)));
            Page::of(rows, |view| csv::record(&personal.show(view).cells()))
        };
        Ok(match self {
            Self::Changes(job, personal) => {
                let rows = jobs::changes(pool, *job, after, limit).await?;
                let view = |change| personal.show(ChangeView::from(change));
                let rows = rows.into_iter().map(|(position, row)| (Place::Position(position), row));
                Page::of(rows, |change| csv::record(&view(change).cells()))
            }
            Self::JobIssues(job, personal) => {
                of_issues(issues::of_job(pool, *job, after, limit).await?, personal)
            }
            Self::SchoolIssues(school, personal) => {
                of_issues(issues::of_school(pool, school, after, limit).await?, personal)
            }
            Self::Staff(school, filter) => {
                let rows = staff::search(pool, school, filter, after_person, limit).await?;
                let rows = rows.into_iter().map(|person| (Place::Person(person.member.id), person));
                Page::of(rows, |person| csv::record(&ListedStaffView::new(person, school).cells()))
            }
        })
    }
}

impl Page {
    fn of<T>(rows: impl ExactSizeIterator<Item = (Place, T)>, line: impl Fn(T) -> String) -> Self {
        let is_full = rows.len() == usize::from(PAGE_ROWS);
        let (mut text, mut last) = (String::new(), None);
        for (place, row) in rows {
            text.push_str(&line(row));
            last = Some(place);
        }
        Self { text, next: last.filter(|_| is_full) }
    }
}

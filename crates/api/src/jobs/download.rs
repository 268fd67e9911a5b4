//! A list of a job as one CSV file, however long it is.
//!
//! The file is made while it is sent: a page of rows is read when the caller's connection accepts
//! it. So no list is ever complete in memory, and if a caller goes away, the work stops.

use std::io;

use axum::{
    body::Body,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, TryStreamExt, stream};
use mis_sync_domain::JobId;
use mis_sync_store::{Error, Pool, jobs};

use super::BEFORE_ALL;
use crate::{
    ApiError, csv,
    state::PersonalData,
    views::{ChangeView, IssueView},
};

/// How many rows are in memory at a time.
const PAGE_ROWS: u16 = 1000;

/// A list of a job that can be downloaded.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    Changes(PersonalData),
    /// They contain only codes and ids.
    Issues,
}

/// Some lines of the file.
struct Page {
    text: String,
    /// After which position the next page begins; `None` if this is the last.
    next: Option<i64>,
}

/// The whole list. Its first page is read before the answer begins, so that a database that is away
/// is reported as usual. Later it can only break off the answer.
pub(super) async fn download(pool: &Pool, job_id: JobId, list: List) -> Result<Response, ApiError> {
    let first = list.page(pool, job_id, BEFORE_ALL).await?;
    let start = csv::header(list.columns()) + &first.text;
    let pool = pool.clone();
    let rest = stream::try_unfold(first.next, move |next| {
        let pool = pool.clone();
        async move {
            let Some(after) = next else { return Ok(None) };
            let page = list.page(&pool, job_id, after).await?;
            Ok(Some((page.text, page.next)))
        }
    });
    let span = tracing::Span::current();
    let rest = rest.map_err(move |error: Error| {
        tracing::warn!(parent: &span, job.id = %job_id, %error, "a download broke off");
        io::Error::other(error)
    });
    let body = Body::from_stream(stream::iter([Ok(start)]).chain(rest));
    let file_name = format!("attachment; filename=\"{}-{job_id}.csv\"", list.name());
    let headers = [(CONTENT_TYPE, csv::MEDIA_TYPE.to_owned()), (CONTENT_DISPOSITION, file_name)];
    Ok((headers, body).into_response())
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Changes(_) => "changes",
            Self::Issues => "issues",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Changes(_) => &ChangeView::COLUMNS,
            Self::Issues => &IssueView::COLUMNS,
        }
    }

    async fn page(self, pool: &Pool, job_id: JobId, after: i64) -> Result<Page, Error> {
        let limit = i64::from(PAGE_ROWS);
        Ok(match self {
            Self::Changes(personal) => {
                let rows = jobs::changes(pool, job_id, after, limit).await?;
                let view = |change| personal.show(ChangeView::from(change));
                Page::of(rows, |change| csv::record(&view(change).cells()))
            }
            Self::Issues => {
                let rows = jobs::issues(pool, job_id, after, limit).await?;
                Page::of(rows, |issue| csv::record(&IssueView::from(issue).cells()))
            }
        })
    }
}

impl Page {
    fn of<T>(rows: Vec<(i64, T)>, line: impl Fn(T) -> String) -> Self {
        let is_full = rows.len() == usize::from(PAGE_ROWS);
        let next = rows.last().map(|(position, _)| *position).filter(|_| is_full);
        Self { text: rows.into_iter().map(|(_, row)| line(row)).collect(), next }
    }
}

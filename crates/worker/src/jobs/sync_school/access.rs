//! Which of the things that we ask for a school does not grant.

use futures::{Stream, TryStreamExt};
use mis_sync_domain::IssueCode;
use mis_sync_wonde::{EmployeeInclude, EmployeeQuery, Error as WondeError, Page, SchoolClient};

/// Includes without which staff can still be synced, and what is said where they are refused.
pub(super) const OPTIONAL: [(EmployeeInclude, IssueCode); 2] = [
    (EmployeeInclude::Roles, IssueCode::RolesWithheld),
    (EmployeeInclude::Hierarchy, IssueCode::LineManagersWithheld),
];

/// Those of `asked` that the school refuses, each asked for alone: the 403 of a request for
/// several does not say reliably which it was.
pub(super) async fn refused(
    client: &SchoolClient,
    asked: &[EmployeeInclude],
) -> Result<Vec<EmployeeInclude>, WondeError> {
    let mut refused = Vec::new();
    for (include, _) in OPTIONAL.iter().filter(|(include, _)| asked.contains(include)) {
        let query = EmployeeQuery {
            include: vec![*include],
            page_size: Some(1),
            ..EmployeeQuery::default()
        };
        if is_refused(client.employees(&query, None)).await? {
            refused.push(*include);
        }
    }
    Ok(refused)
}

/// Whether the school refuses its classes altogether, and not only who teaches them.
pub(super) async fn refuses_classes(client: &SchoolClient) -> Result<bool, WondeError> {
    is_refused(client.classes(&[], None, None)).await
}

async fn is_refused<T>(
    pages: impl Stream<Item = Result<Page<T>, WondeError>>,
) -> Result<bool, WondeError> {
    futures::pin_mut!(pages);
    match pages.try_next().await {
        Ok(_) => Ok(false),
        Err(WondeError::Forbidden { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

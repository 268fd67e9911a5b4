//! Finds out which requested includes a school does not grant, or its MIS does not have.

use futures::{Stream, TryStreamExt};
use mis_sync_domain::IssueCode;
use mis_sync_wonde::{EmployeeInclude, EmployeeQuery, Error as WondeError, Page, SchoolClient};

/// Includes that a sync of staff can omit, and the issue if they are refused.
const OPTIONAL: [(EmployeeInclude, IssueCode); 2] = [
    (EmployeeInclude::Roles, IssueCode::RolesWithheld),
    (EmployeeInclude::Hierarchy, IssueCode::LineManagersWithheld),
];

/// The issue if an include is refused.
pub(crate) fn withheld(include: EmployeeInclude) -> Option<IssueCode> {
    match include {
        EmployeeInclude::ContactDetails => Some(IssueCode::ContactDetailsWithheld),
        EmployeeInclude::EmploymentDetails => Some(IssueCode::EmploymentWithheld),
        _ => OPTIONAL.iter().find(|(known, _)| *known == include).map(|(_, code)| *code),
    }
}

/// The refused includes of `asked`. If the refusal of the whole request names none of them, each is
/// requested alone, because a 403 does not say reliably which one it was. After a 403 only includes
/// that a sync can omit count.
pub(crate) async fn refused(
    client: &SchoolClient,
    asked: &[EmployeeInclude],
    refusal: &WondeError,
) -> Result<Vec<EmployeeInclude>, WondeError> {
    let named = named(asked, refusal);
    if !named.is_empty() {
        return Ok(named);
    }
    let is_forbidden = matches!(refusal, WondeError::Forbidden { .. });
    let is_optional = |include| OPTIONAL.iter().any(|(known, _)| *known == include);
    let mut refused = Vec::new();
    for include in asked.iter().copied().filter(|&include| !is_forbidden || is_optional(include)) {
        let query = EmployeeQuery {
            include: vec![include],
            page_size: Some(1),
            ..EmployeeQuery::default()
        };
        if is_refused(client.employees(&query, None)).await? {
            refused.push(include);
        }
    }
    Ok(refused)
}

/// The includes of `asked` that the refusal itself names.
pub(crate) fn named(asked: &[EmployeeInclude], refusal: &WondeError) -> Vec<EmployeeInclude> {
    let WondeError::InvalidInclude { named } = refusal else { return Vec::new() };
    let is_named = |include: &EmployeeInclude| named.iter().any(|name| name == include.name());
    asked.iter().copied().filter(is_named).collect()
}

/// Whether the school refuses its classes altogether, and not only who teaches them.
pub(super) async fn refuses_classes(client: &SchoolClient) -> Result<bool, WondeError> {
    is_refused(client.classes(&[], None, None)).await
}

async fn is_refused<T>(
    pages: impl Stream<Item = Result<Page<T>, WondeError>>,
) -> Result<bool, WondeError> {
    Ok(first_page(pages).await?.is_none())
}

/// The first page of a list, if it has one; `None` if the school refuses the list.
pub(crate) async fn first_page<T>(
    pages: impl Stream<Item = Result<Page<T>, WondeError>>,
) -> Result<Option<Option<Page<T>>>, WondeError> {
    futures::pin_mut!(pages);
    match pages.try_next().await {
        Ok(page) => Ok(Some(page)),
        Err(WondeError::Forbidden { .. } | WondeError::InvalidInclude { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

//! The pages of a list, and the addresses that they may have.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Position, Url};

use crate::envelope::UndecodableRecord;
use crate::error::Error;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The records in Wonde's order. One that does not decode does not affect the others.
    pub records: Vec<Result<T, UndecodableRecord>>,
    /// Where the next page is; `None` on the last page. Store it to continue later.
    pub next: Option<PageCursor>,
}

/// Path and query of a page's address, without the host. It may come from a database, so it is
/// checked again before it is used. `Debug` leaves out the query.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageCursor(String);

impl PageCursor {
    pub(crate) fn of(url: &Url) -> Self {
        Self(url[Position::BeforePath..Position::AfterQuery].to_owned())
    }

    /// The page's address, checked as in [`within_list`].
    pub(crate) fn within(&self, root: &Url, resource: &str) -> Result<Url, Error> {
        within_list(root, resource, root, &self.0)
    }
}

impl fmt::Debug for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.split('?').next().unwrap_or_default();
        f.debug_tuple("PageCursor").field(&path).finish()
    }
}

/// Resolves an address that `page` names. It is accepted only for this list of this school on this
/// school's server: a token that can read many schools must not mix them, and a stored cursor of
/// employees must not be used for classes. Behind a proxy the server may name itself with another
/// scheme, port or path prefix. These are never used: the next request always goes to the root that
/// the token belongs to.
pub(crate) fn within_list(
    root: &Url,
    resource: &str,
    page: &Url,
    address: &str,
) -> Result<Url, Error> {
    let url = page
        .join(address)
        .map_err(|_unparsable| Error::decode("the address of the next page is not a URL"))?;
    let own = format!("{}/{resource}", root.path());
    let of_school = own.rfind("/schools/").unwrap_or_default();
    let same_list = url.path().trim_end_matches('/').ends_with(&own[of_school..]);
    let same_server = matches!(url.scheme(), "http" | "https") && url.host() == root.host();
    if !same_server || !same_list {
        return Err(Error::ForeignNext { host: url.host_str().unwrap_or_default().to_owned() });
    }
    // Only the query may come from outside.
    let mut next = root.clone();
    next.set_path(&own);
    next.set_query(url.query());
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Url {
        Url::parse("https://api.example/v1.0/schools/A1").unwrap()
    }

    fn first() -> Url {
        Url::parse("https://api.example/v1.0/schools/A1/employees?per_page=2").unwrap()
    }

    #[test]
    fn own_addresses_pass_and_lose_what_is_not_path_or_query() {
        let page = "https://api.example/v1.0/schools/A1/employees?page=2";
        for address in [
            page,
            "https://api.example:443/v1.0/schools/A1/employees?page=2#x",
            "https://user:word@api.example/v1.0/schools/A1/employees?page=2",
            "http://api.example/v1.0/schools/A1/employees?page=2",
            "https://api.example:8443/v1.0/schools/A1/employees?page=2",
            "//API.example/v1.0/schools/A1/employees?page=2",
            "HTTP://API.EXAMPLE:80/v1.0/schools/A1/employees/?page=2",
            "https://api.example/schools/A1/employees?page=2",
            "https://api.example/gateway/v2/schools/A1/employees?page=2",
            "/schools/A1/employees?page=2",
            "/v1.0/schools/A1/employees?page=2",
            "employees?page=2",
            "?page=2",
        ] {
            let next = within_list(&root(), "employees", &first(), address);
            assert_eq!(next.unwrap().as_str(), page, "{address}");
        }
    }

    #[test]
    fn foreign_addresses_are_refused() {
        for (address, expected) in [
            ("https://evil.example/v1.0/schools/A1/employees?page=2", "evil.example"),
            ("//evil.example/v1.0/schools/A1/employees", "evil.example"),
            ("https://api.example@evil.example/v1.0/schools/A1/e", "evil.example"),
            ("https://api.example/v1.0/schools/A2/employees", "api.example"),
            ("https://api.example/v1.0/schools/A11/employees", "api.example"),
            ("https://api.example/v1.0/schools/A1/../A2/employees", "api.example"),
            ("https://api.example/v1.0/schools/A1/%2e%2e/A2/employees", "api.example"),
            ("https://api.example/A1/employees", "api.example"),
            ("https://api.example/old-schools/A1/employees", "api.example"),
            ("https://api.example/schools/A1/employees/schools/A2/employees", "api.example"),
            ("https://api.example/v1.0/schools/A1/classes", "api.example"),
            ("https://api.example/v1.0/schools/A1/employees/A7", "api.example"),
            ("https://api.example/v1.0/schools/A1", "api.example"),
            ("ftp://api.example/v1.0/schools/A1/employees", "api.example"),
            ("file:///v1.0/schools/A1/employees", ""),
        ] {
            match within_list(&root(), "employees", &first(), address) {
                Err(Error::ForeignNext { host }) => assert_eq!(host, expected, "{address}"),
                other => panic!("{address}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_cursor_survives_storage_and_hides_its_query() {
        let url = Url::parse("https://api.example/v1.0/schools/A1/employees?cursor=xyz").unwrap();
        let cursor = PageCursor::of(&url);
        let stored = serde_json::to_string(&cursor).unwrap();
        assert_eq!(stored, r#""/v1.0/schools/A1/employees?cursor=xyz""#);
        assert_eq!(serde_json::from_str::<PageCursor>(&stored).unwrap(), cursor);
        assert_eq!(format!("{cursor:?}"), r#"PageCursor("/v1.0/schools/A1/employees")"#);
    }
}

//! The paths of the Wonde API and where each leads.

use axum::http::Method;

use super::{Call, lists, schools};
use crate::refusal::Refusal;

/// A path below `/v1.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path<'a> {
    Schools(SchoolList),
    School(&'a str),
    Meta(&'a str),
    Permissions(&'a str),
    Acl(&'a str),
    RequestAccess(&'a str),
    RevokeAccess(&'a str),
    Counts(&'a str),
    List(&'a str, Kind),
    Item(&'a str, Kind, &'a str),
    Unknown,
}

/// Lists of schools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchoolList {
    Approved,
    All,
    Pending,
    Audited,
    Offline,
    Declined,
    Revoked,
}

/// Lists within a school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Employees,
    Classes,
    Subjects,
    Groups,
    Photos,
    Deletions,
}

impl<'a> Path<'a> {
    /// Reads a path; a slash at the end makes no difference.
    pub(super) fn parse(path: &'a str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
        match parts[..] {
            ["schools"] => Self::Schools(SchoolList::Approved),
            ["schools", "all"] => Self::Schools(SchoolList::All),
            ["schools", "pending"] => Self::Schools(SchoolList::Pending),
            ["schools", "audited"] => Self::Schools(SchoolList::Audited),
            ["schools", "offline"] => Self::Schools(SchoolList::Offline),
            ["schools", "declined"] => Self::Schools(SchoolList::Declined),
            ["schools", "revoked"] => Self::Schools(SchoolList::Revoked),
            ["schools", id] => Self::School(id),
            ["meta", "schools", id] => Self::Meta(id),
            ["meta", "schools", id, "permissions"] => Self::Permissions(id),
            ["meta", "schools", id, "acl"] => Self::Acl(id),
            ["schools", id, "request-access"] => Self::RequestAccess(id),
            ["schools", id, "revoke-access"] => Self::RevokeAccess(id),
            ["schools", id, "counts"] => Self::Counts(id),
            ["schools", id, list] => {
                Kind::parse(list).map_or(Self::Unknown, |kind| Self::List(id, kind))
            }
            ["schools", id, list, item] => match Kind::parse(list) {
                None | Some(Kind::Deletions) => Self::Unknown,
                Some(kind) => Self::Item(id, kind, item),
            },
            _ => Self::Unknown,
        }
    }

    pub(super) fn school(&self) -> Option<&'a str> {
        match *self {
            Self::Schools(_) | Self::Unknown => None,
            Self::School(id) | Self::Meta(id) | Self::Permissions(id) | Self::Counts(id) => {
                Some(id)
            }
            Self::Acl(id)
            | Self::RequestAccess(id)
            | Self::RevokeAccess(id)
            | Self::List(id, _)
            | Self::Item(id, _, _) => Some(id),
        }
    }

    /// The path with placeholders.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Schools(SchoolList::Approved) => "schools",
            Self::Schools(SchoolList::All) => "schools/all",
            Self::Schools(SchoolList::Pending) => "schools/pending",
            Self::Schools(SchoolList::Audited) => "schools/audited",
            Self::Schools(SchoolList::Offline) => "schools/offline",
            Self::Schools(SchoolList::Declined) => "schools/declined",
            Self::Schools(SchoolList::Revoked) => "schools/revoked",
            Self::School(_) => "schools/{id}",
            Self::Meta(_) => "meta/schools/{id}",
            Self::Permissions(_) => "meta/schools/{id}/permissions",
            Self::Acl(_) => "meta/schools/{id}/acl",
            Self::RequestAccess(_) => "schools/{id}/request-access",
            Self::RevokeAccess(_) => "schools/{id}/revoke-access",
            Self::Counts(_) => "schools/{id}/counts",
            Self::List(_, kind) => kind.templates().0,
            Self::Item(_, kind, _) => kind.templates().1,
            Self::Unknown => "unknown",
        }
    }
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "employees" => Self::Employees,
            "classes" => Self::Classes,
            "subjects" => Self::Subjects,
            "groups" => Self::Groups,
            "photos" => Self::Photos,
            "deletions" => Self::Deletions,
            _ => return None,
        })
    }

    /// The templates of the list and of an item.
    fn templates(self) -> (&'static str, &'static str) {
        match self {
            Self::Employees => ("schools/{id}/employees", "schools/{id}/employees/{id}"),
            Self::Classes => ("schools/{id}/classes", "schools/{id}/classes/{id}"),
            Self::Subjects => ("schools/{id}/subjects", "schools/{id}/subjects/{id}"),
            Self::Groups => ("schools/{id}/groups", "schools/{id}/groups/{id}"),
            Self::Photos => ("schools/{id}/photos", "schools/{id}/photos/{id}"),
            Self::Deletions => ("schools/{id}/deletions", "schools/{id}/deletions/{id}"),
        }
    }
}

/// Leads a call to its answer.
pub(super) fn dispatch(
    call: &Call<'_>,
    path: &Path<'_>,
    method: &Method,
) -> Result<Vec<u8>, Refusal> {
    let wanted = match path {
        Path::RequestAccess(_) => &Method::POST,
        Path::RevokeAccess(_) => &Method::DELETE,
        _ => &Method::GET,
    };
    if *path == Path::Unknown {
        return Err(Refusal::not_found());
    }
    if method != wanted {
        return Err(Refusal::wrong_method());
    }
    match *path {
        Path::Schools(list) => schools::list_schools(call, list),
        Path::School(id) => schools::get_school(call, id),
        Path::Meta(id) => schools::get_meta(call, id),
        Path::Permissions(id) => schools::list_permissions(call, id),
        Path::Acl(id) => schools::get_acl(call, id),
        Path::RequestAccess(id) => schools::request_access(call, id),
        Path::RevokeAccess(id) => schools::revoke_access(call, id),
        Path::Counts(id) => schools::get_counts(call, id),
        Path::List(id, kind) => lists::list(call, id, kind),
        Path::Item(id, kind, item) => lists::get(call, id, kind, item),
        Path::Unknown => Err(Refusal::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_makes_no_difference() {
        for path in [
            "/v1.0/schools",
            "/v1.0/schools/A1/employees",
            "/v1.0/meta/schools/A1",
            "/v1.0/schools/A1/classes/A2",
        ] {
            assert_ne!(Path::parse(path), Path::Unknown, "{path}");
            assert_eq!(Path::parse(path), Path::parse(&format!("{path}/")));
        }
        assert_eq!(Path::parse("/v1.0/schools/A1/wizards"), Path::Unknown);
        assert_eq!(
            Path::parse("/v1.0/schools/A1/employees/A2").template(),
            "schools/{id}/employees/{id}"
        );
    }
}

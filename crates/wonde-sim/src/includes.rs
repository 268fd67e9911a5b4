//! What the API can include, and what a request asks for.

use crate::mis::Feature;
use crate::options::UnknownInclude;
use crate::query::Query;
use crate::refusal::Refusal;

/// Advertised by a list of employees.
pub(crate) const EMPLOYEE: &[&str] = &[
    "contact_details",
    "employment_details",
    "extended_details",
    "roles",
    "roles.contract",
    "allowances",
    "allowances.contract",
    "scales",
    "scales.contract",
    "photo",
    "contracts",
    "contracts.roles",
    "contracts.salary",
    "contracts.salary.allowances",
    "contracts.salary.scales",
    "salary",
    "salary.contract",
    "groups",
    "campus",
    "classes",
    "classes.subject",
    "behaviours",
    "behaviours.students",
    "hierarchy",
    "hierarchy.employment_details",
    "employee_absences",
    "identifiers",
    "user_defined_fields",
    "next_of_kin",
    "employment_checks",
    "qualifications",
];

/// Advertised by a single employee on top of [`EMPLOYEE`].
pub(crate) const EMPLOYEE_ALONE: &[&str] =
    &["classes.lessons", "classes.lessons.period", "classes.lessons.room"];

/// Advertised by classes.
pub(crate) const CLASS: &[&str] = &[
    "subject",
    "students",
    "students.contact_details",
    "students.education_details",
    "students.extended_details",
    "students.campus",
    "students.house",
    "students.registration",
    "students.year",
    "students.boarding",
    "students.enrolments",
    "employees",
    "employees.contact_details",
    "employees.employment_details",
    "employees.extended_details",
    "lessons",
    "lessons.room",
    "lessons.period",
];

/// Advertised by subjects.
pub(crate) const SUBJECT: &[&str] =
    &["classes", "classes.lessons", "classes.lessons.period", "classes.lessons.room"];

/// Advertised by groups.
pub(crate) const GROUP: &[&str] = &["students", "employees"];

/// Advertised by schools.
pub(crate) const SCHOOL: &[&str] = &["cbds"];

/// What to include, as a tree.
#[derive(Debug, Default)]
pub(crate) struct Includes(Vec<(String, Includes)>);

impl Includes {
    /// Reads `include` against what is advertised.
    pub(crate) fn from_query(
        query: &Query,
        advertised: &[&[&str]],
        unknown: UnknownInclude,
    ) -> Result<Self, Refusal> {
        let mut tree = Self::default();
        for path in query.list("include") {
            if advertised.iter().any(|list| list.contains(&path)) {
                tree.add(path);
            } else if unknown == UnknownInclude::Refuse {
                return Err(Refusal::invalid_include(path));
            }
        }
        Ok(tree)
    }

    /// What is to be included under `name`, if that itself is.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, below)| below)
    }

    /// Whether `name` is to be included.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a dotted path with all its parents.
    fn add(&mut self, path: &str) {
        let (name, rest) =
            path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let at = self.0.iter().position(|(key, _)| key == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Self::default()));
            self.0.len() - 1
        });
        if let Some(rest) = rest {
            self.0[at].1.add(rest);
        }
    }
}

/// The features behind the includes of an employee; `classes` have several, see [`Feature::CLASS_LINKS`].
pub(crate) const EMPLOYEE_FEATURES: [(&str, Feature); 5] = [
    ("roles", Feature::Roles),
    ("photo", Feature::Photo),
    ("hierarchy", Feature::LineManager),
    ("contact_details", Feature::ContactDetails),
    ("employment_details", Feature::EmploymentDetails),
];

/// The permission that opens a feature.
pub(crate) fn permission(feature: Feature) -> &'static str {
    match feature {
        Feature::Roles => "employee-roles.read",
        Feature::Photo => "employee-photo.read",
        Feature::LineManager => "employee-hierarchy.read",
        Feature::StaffLinks => "class-employees.read",
        Feature::ContactDetails => "employee-contact-details.read",
        Feature::EmploymentDetails => "employee-employment-details.read",
        Feature::Classes => "classes.read",
        Feature::Subjects => "subjects.read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_include_brings_its_parents() {
        let query = Query::parse("include=classes.subject,photo,%20roles,shoes");
        let tree = Includes::from_query(&query, &[EMPLOYEE], UnknownInclude::Ignore).unwrap();
        assert!(
            tree.has("classes") && tree.has("photo") && tree.has("roles") && !tree.has("shoes")
        );
        assert!(tree.get("classes").unwrap().has("subject"));
        let refused =
            Includes::from_query(&query, &[EMPLOYEE], UnknownInclude::Refuse).unwrap_err();
        assert_eq!(refused.status, 400);
        assert_eq!(refused.body["error_description"], "shoes");
    }
}

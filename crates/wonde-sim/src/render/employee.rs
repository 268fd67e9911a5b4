//! An employee with everything that can be included.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::dates::DateObject;
use super::details::{
    ContactJson, ContractJson, EmploymentJson, NO_CONTACT, NO_EMPLOYMENT, PhotoJson, RoleJson,
};
use super::teaching::{ClassJson, GroupJson, Pivot};
use super::{Data, Look, many, none_of_many};
use crate::includes::{EMPLOYEE, Includes};
use crate::mis::Feature;
use crate::options::HierarchyDirection;
use crate::school::{Employee, School, Times};

/// An employee on the wire.
#[derive(Clone, Copy)]
pub(crate) struct EmployeeJson<'a> {
    pub(crate) school: &'a School,
    pub(crate) employee: &'a Employee,
    pub(crate) includes: &'a Includes,
    pub(crate) look: Look,
    /// How the employee is related to the class that lists them.
    pub(crate) pivot: Option<Pivot>,
}

impl Serialize for EmployeeJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let employee = self.employee;
        map.serialize_entry("id", &employee.id)?;
        map.serialize_entry("upi", &employee.upi)?;
        map.serialize_entry("mis_id", &employee.mis_id.to_string())?;
        map.serialize_entry("initials", &employee.initials)?;
        map.serialize_entry("title", &employee.title)?;
        map.serialize_entry("surname", &employee.surname)?;
        map.serialize_entry("forename", &employee.forename)?;
        map.serialize_entry("middle_names", &employee.middle_names)?;
        map.serialize_entry("legal_surname", &employee.surname)?;
        map.serialize_entry("legal_forename", &employee.forename)?;
        map.serialize_entry("gender", &employee.gender)?;
        map.serialize_entry("date_of_birth", &employee.date_of_birth.map(DateObject::civil))?;
        times(&mut map, &employee.times)?;
        if let Some(pivot) = &self.pivot {
            map.serialize_entry("meta", pivot)?;
        }
        self.details(&mut map)?;
        self.links(&mut map)?;
        self.rest(&mut map)?;
        map.end()
    }
}

impl EmployeeJson<'_> {
    /// Includes that describe the person.
    fn details<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (person, includes) = (self.employee, self.includes);
        if includes.has("contact_details") {
            let contact = self.to_one(Feature::ContactDetails, Some(&person.contact), &NO_CONTACT);
            map.serialize_entry(
                "contact_details",
                &contact.map(|data| Data { data: data.map(ContactJson) }),
            )?;
        }
        if includes.has("employment_details") {
            let has = person.employment.as_ref();
            let employment = self.to_one(Feature::EmploymentDetails, has, &NO_EMPLOYMENT);
            map.serialize_entry(
                "employment_details",
                &employment.map(|data| Data { data: data.map(EmploymentJson) }),
            )?;
        }
        if includes.has("extended_details") {
            map.serialize_entry("extended_details", &Data { data: json!({}) })?;
        }
        if let Some(below) = includes.get("roles") {
            if self.school.delivers(Feature::Roles) {
                let contract = below
                    .has("contract")
                    .then_some(person.employment.as_ref())
                    .map(|employment| (person, employment));
                many(
                    map,
                    "roles",
                    person.roles.iter().map(|role| RoleJson { role, person, contract }),
                )?;
            } else {
                self.none_of_many(map, "roles", Feature::Roles)?;
            }
        }
        if includes.has("photo") {
            let photo = self.to_one(Feature::Photo, person.photo.map(Some), None);
            map.serialize_entry("photo", &photo.map(|data| Data { data: data.map(PhotoJson) }))?;
        }
        Ok(())
    }

    #[expect(clippy::option_option, reason = "the wire has both nulls")]
    fn to_one<T>(self, feature: Feature, has: Option<T>, bare: T) -> Option<Option<T>> {
        self.look.to_one(self.school, feature, has, bare)
    }

    /// An include of many records whose `feature` is not shared.
    fn none_of_many<M: SerializeMap>(
        self,
        map: &mut M,
        key: &'static str,
        feature: Feature,
    ) -> Result<(), M::Error> {
        none_of_many(map, key, self.look.without(self.school, feature))
    }

    /// Includes that lead to other records.
    fn links<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (school, id, look) = (self.school, self.employee.id, self.look);
        let nothing = Includes::default();
        if self.includes.has("groups") {
            let groups = school.groups_of(id).map(|group| GroupJson {
                school,
                group,
                includes: &nothing,
                look,
            });
            map.serialize_entry("groups", &Data { data: groups.collect::<Vec<_>>() })?;
        }
        if let Some(includes) = self.includes.get("classes") {
            if let Some(missing) = school.first_missing(&Feature::CLASS_LINKS) {
                self.none_of_many(map, "classes", missing)?;
            } else {
                let class = |class| ClassJson {
                    school,
                    class,
                    includes,
                    look,
                    pivot: Pivot::between(class, id),
                };
                map.serialize_entry(
                    "classes",
                    &Data { data: school.classes_of(id).map(class).collect::<Vec<_>>() },
                )?;
            }
        }
        if let Some(includes) = self.includes.get("hierarchy") {
            if school.delivers(Feature::LineManager) {
                let person =
                    |employee| EmployeeJson { school, employee, includes, look, pivot: None };
                let others: Vec<_> = match look.hierarchy {
                    HierarchyDirection::Manager => self
                        .employee
                        .manager
                        .and_then(|manager| school.employee(manager))
                        .map(person)
                        .into_iter()
                        .collect(),
                    HierarchyDirection::Reports => school.reports_of(id).map(person).collect(),
                };
                map.serialize_entry("hierarchy", &Data { data: others })?;
            } else {
                self.none_of_many(map, "hierarchy", Feature::LineManager)?;
            }
        }
        Ok(())
    }

    /// Includes that the API advertises but the simulator does not have.
    fn rest<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        const MODELLED: [&str; 8] = [
            "contact_details",
            "employment_details",
            "extended_details",
            "roles",
            "photo",
            "groups",
            "classes",
            "hierarchy",
        ];
        if self.includes.has("contracts") {
            let contract = self
                .employee
                .employment
                .as_ref()
                .map(|employment| ContractJson { person: self.employee, employment });
            many(map, "contracts", contract.iter())?;
        }
        for name in EMPLOYEE
            .iter()
            .filter(|name| !name.contains('.') && !MODELLED.contains(name) && **name != "contracts")
        {
            if self.includes.has(name) {
                map.serialize_entry(name, &Data { data: [(); 0] })?;
            }
        }
        Ok(())
    }
}

/// `restored_at`, `updated_at` and `created_at` in the order of an employee.
fn times<M: SerializeMap>(map: &mut M, times: &Times) -> Result<(), M::Error> {
    map.serialize_entry("restored_at", &times.restored.map(DateObject::moment))?;
    map.serialize_entry("updated_at", &DateObject::moment(times.updated))?;
    map.serialize_entry("created_at", &DateObject::moment(times.created))
}

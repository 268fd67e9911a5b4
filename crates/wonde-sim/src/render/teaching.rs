//! Classes, subjects, groups and deletions.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::dates::DateObject;
use super::employee::EmployeeJson;
use super::{Data, Look, none_of_many};
use crate::ids::WondeId;
use crate::includes::Includes;
use crate::mis::Feature;
use crate::school::{Class, Deletion, Group, School, Subject, Times};

/// How a person and a class are related.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Pivot {
    is_main_teacher: bool,
    is_class_teacher: bool,
    role: &'static str,
    all_roles: [&'static str; 1],
}

impl Pivot {
    /// The pivot of a person who teaches the class.
    pub(crate) fn between(class: &Class, employee: WondeId) -> Option<Self> {
        let teacher = class.teachers.iter().find(|teacher| teacher.employee == employee)?;
        Some(Self::new(teacher.main))
    }

    fn new(main: bool) -> Self {
        let role = if main { "Main Class Teacher" } else { "Class Teacher" };
        Self { is_main_teacher: main, is_class_teacher: !main, role, all_roles: [role] }
    }
}

/// A class on the wire.
#[derive(Clone, Copy)]
pub(crate) struct ClassJson<'a> {
    pub(crate) school: &'a School,
    pub(crate) class: &'a Class,
    pub(crate) includes: &'a Includes,
    pub(crate) look: Look,
    /// How the class is related to the employee who lists it.
    pub(crate) pivot: Option<Pivot>,
}

impl Serialize for ClassJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let class = self.class;
        map.serialize_entry("id", &class.id)?;
        map.serialize_entry("mis_id", &class.mis_id.to_string())?;
        map.serialize_entry("name", &class.name)?;
        map.serialize_entry("code", &class.code)?;
        map.serialize_entry("description", &class.description)?;
        match (self.includes.has("subject"), class.subject) {
            // Bare ids become objects if the subject is included; a class without one keeps its
            // null.
            (true, Some(subject)) => self.subject(&mut map, subject)?,
            (_, subject) => map.serialize_entry("subject", &subject)?,
        }
        map.serialize_entry("alternative", &())?;
        map.serialize_entry("priority", &())?;
        record_times(&mut map, &class.times)?;
        map.serialize_entry("meta", &self.pivot)?;
        if let Some(includes) = self.includes.get("employees") {
            self.employees(&mut map, includes)?;
        }
        for name in ["students", "lessons"].into_iter().filter(|name| self.includes.has(name)) {
            map.serialize_entry(name, &Data { data: [(); 0] })?;
        }
        map.end()
    }
}

impl ClassJson<'_> {
    fn subject<M: SerializeMap>(&self, map: &mut M, id: WondeId) -> Result<(), M::Error> {
        let (school, look) = (self.school, self.look);
        let subject =
            school.subject(id).map(|subject| SubjectJson { school, subject, includes: None, look });
        let shown = look.to_one(school, Feature::Subjects, Some(subject), None);
        map.serialize_entry("subject", &shown.map(|data| Data { data }))
    }

    fn employees<M: SerializeMap>(&self, map: &mut M, includes: &Includes) -> Result<(), M::Error> {
        let (school, look) = (self.school, self.look);
        if !school.delivers(Feature::StaffLinks) {
            return none_of_many(map, "employees", look.without(school, Feature::StaffLinks));
        }
        let people = self.class.teachers.iter().filter_map(|teacher| {
            let employee = school.employee(teacher.employee)?;
            Some(EmployeeJson {
                school,
                employee,
                includes,
                look,
                pivot: Some(Pivot::new(teacher.main)),
            })
        });
        map.serialize_entry("employees", &Data { data: people.collect::<Vec<_>>() })
    }
}

/// A subject on the wire.
#[derive(Clone, Copy)]
pub(crate) struct SubjectJson<'a> {
    pub(crate) school: &'a School,
    pub(crate) subject: &'a Subject,
    /// `None` if nothing can be included beneath.
    pub(crate) includes: Option<&'a Includes>,
    pub(crate) look: Look,
}

impl Serialize for SubjectJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let subject = self.subject;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &subject.id)?;
        map.serialize_entry("mis_id", &subject.mis_id.to_string())?;
        map.serialize_entry("code", &subject.code)?;
        map.serialize_entry("name", &subject.name)?;
        map.serialize_entry("active", &true)?;
        map.serialize_entry("created_at", &DateObject::moment(subject.times.created))?;
        map.serialize_entry("updated_at", &DateObject::moment(subject.times.updated))?;
        if let Some(includes) = self.includes.and_then(|includes| includes.get("classes")) {
            let (school, look) = (self.school, self.look);
            if school.delivers(Feature::Classes) {
                let class = |class| ClassJson { school, class, includes, look, pivot: None };
                let data: Vec<_> = school.classes_in(subject.id).map(class).collect();
                map.serialize_entry("classes", &Data { data })?;
            } else {
                none_of_many(&mut map, "classes", look.without(school, Feature::Classes))?;
            }
        }
        map.end()
    }
}

/// A group on the wire.
#[derive(Clone, Copy)]
pub(crate) struct GroupJson<'a> {
    pub(crate) school: &'a School,
    pub(crate) group: &'a Group,
    pub(crate) includes: &'a Includes,
    pub(crate) look: Look,
}

impl Serialize for GroupJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (school, group) = (self.school, self.group);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &group.id)?;
        map.serialize_entry("mis_id", &group.mis_id.to_string())?;
        map.serialize_entry("name", &group.name)?;
        map.serialize_entry("code", &())?;
        map.serialize_entry("type", &group.kind)?;
        map.serialize_entry("description", &group.name)?;
        map.serialize_entry("notes", &())?;
        record_times(&mut map, &group.times)?;
        map.serialize_entry("meta", &())?;
        if let Some(includes) = self.includes.get("employees") {
            let people = group.members.iter().filter_map(|&member| school.employee(member));
            let person = |employee| EmployeeJson {
                school,
                employee,
                includes,
                look: self.look,
                pivot: None,
            };
            map.serialize_entry(
                "employees",
                &Data { data: people.map(person).collect::<Vec<_>>() },
            )?;
        }
        if self.includes.has("students") {
            map.serialize_entry("students", &Data { data: [(); 0] })?;
        }
        map.end()
    }
}

/// A line of the deletions list.
#[derive(Clone, Copy)]
pub(crate) struct DeletionJson<'a>(pub(crate) &'a Deletion);

impl Serialize for DeletionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("type", self.0.kind)?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("mis_id", &self.0.mis_id.to_string())?;
        map.serialize_entry("deleted_at", &DateObject::moment(self.0.deleted_at))?;
        map.serialize_entry("restored_at", &self.0.restored_at.map(DateObject::moment))?;
        map.end()
    }
}

/// `restored_at`, `created_at` and `updated_at` in the order of classes and groups.
fn record_times<M: SerializeMap>(map: &mut M, times: &Times) -> Result<(), M::Error> {
    map.serialize_entry("restored_at", &times.restored.map(DateObject::moment))?;
    map.serialize_entry("created_at", &DateObject::moment(times.created))?;
    map.serialize_entry("updated_at", &DateObject::moment(times.updated))
}

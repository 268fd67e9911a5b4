//! The state of one school as its MIS has it: people, classes, subjects, groups and what was deleted.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use rand::rngs::StdRng;

use crate::ids::{Ids, WondeId};
use crate::mis::{Feature, Mis};
use crate::options::Unsupported;
use crate::photo::Image;

/// One school. Its lists are sorted by id, which is the order of creation.
#[derive(Debug)]
pub(crate) struct School {
    pub(crate) id: WondeId,
    pub(crate) profile: Profile,
    /// What it delivers, and its name unless that is an unknown one.
    pub(crate) mis: Mis,
    pub(crate) has_unknown_mis: bool,
    pub(crate) token: String,
    pub(crate) access: Access,
    pub(crate) online: bool,
    /// Features whose scope the school has withdrawn, each with its own look if it has one.
    pub(crate) withdrawn: BTreeMap<Feature, Option<Unsupported>>,
    pub(crate) employees: Vec<Employee>,
    /// People deleted in the MIS, who may come back.
    pub(crate) departed: Vec<Employee>,
    /// People that the API has stopped showing without any deletion.
    pub(crate) withheld: Vec<Employee>,
    pub(crate) classes: Vec<Class>,
    /// Classes deleted in the MIS, which may come back.
    pub(crate) departed_classes: Vec<Class>,
    /// Classes that the API has stopped showing without any deletion.
    pub(crate) withheld_classes: Vec<Class>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) groups: Vec<Group>,
    pub(crate) deletions: Vec<Deletion>,
    pub(crate) links: Links,
    pub(crate) ids: Ids,
    pub(crate) next_mis_id: u32,
    /// How often each local part of a work email was used, so that none is used twice.
    pub(crate) email_parts: HashMap<String, u32>,
    pub(crate) rng: StdRng,
}

/// What is public about a school.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    /// The domain of its work emails.
    pub(crate) domain: String,
    pub(crate) phase: &'static str,
    pub(crate) urn: u32,
    pub(crate) la_code: u32,
    pub(crate) establishment_number: u32,
    pub(crate) street: &'static str,
    pub(crate) town: &'static str,
    pub(crate) postcode: String,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Whether the school lets the application read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Approved,
    Revoked,
}

/// A person as the MIS has them, current or not.
#[derive(Debug, Clone)]
pub(crate) struct Employee {
    pub(crate) id: WondeId,
    pub(crate) upi: Option<String>,
    pub(crate) mis_id: u32,
    pub(crate) initials: Option<String>,
    pub(crate) title: Option<&'static str>,
    pub(crate) surname: Option<String>,
    pub(crate) forename: Option<String>,
    pub(crate) middle_names: Option<&'static str>,
    pub(crate) gender: Option<&'static str>,
    pub(crate) date_of_birth: Option<NaiveDate>,
    pub(crate) times: Times,
    pub(crate) contact: Contact,
    pub(crate) employment: Option<Employment>,
    pub(crate) roles: Vec<Role>,
    pub(crate) photo: Option<Photo>,
    pub(crate) manager: Option<WondeId>,
}

/// When a record was created, changed and restored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) restored: Option<DateTime<Utc>>,
}

impl Times {
    /// Of a record made just now.
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self { created: now, updated: now, restored: None }
    }
}

/// Emails and phones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contact {
    pub(crate) work_email: Option<String>,
    pub(crate) home_email: Option<String>,
    pub(crate) work_phone: Option<String>,
}

/// Employment in the MIS; null fields are nulls in the response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Employment {
    pub(crate) current: Option<bool>,
    pub(crate) teaching_staff: Option<bool>,
    pub(crate) start: Option<NaiveDate>,
    pub(crate) end: Option<NaiveDate>,
    pub(crate) staff_code: Option<String>,
}

/// A role of a person.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: WondeId,
    pub(crate) name: Option<&'static str>,
    pub(crate) code: Option<&'static str>,
}

/// A photo; the file is made from `seed` when asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Photo {
    pub(crate) id: WondeId,
    pub(crate) seed: u64,
    pub(crate) image: Image,
    pub(crate) times: Times,
}

/// A teaching group.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) id: WondeId,
    pub(crate) mis_id: u32,
    pub(crate) name: String,
    pub(crate) code: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) subject: Option<WondeId>,
    pub(crate) teachers: Vec<Teacher>,
    pub(crate) times: Times,
}

/// Who teaches a class, and whether as its main teacher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Teacher {
    pub(crate) employee: WondeId,
    pub(crate) main: bool,
}

/// A subject.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) id: WondeId,
    pub(crate) mis_id: u32,
    pub(crate) name: &'static str,
    pub(crate) code: Option<&'static str>,
    pub(crate) times: Times,
}

/// A group that is no class: registration, year, house, department.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: WondeId,
    pub(crate) mis_id: u32,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) members: Vec<WondeId>,
    pub(crate) times: Times,
}

/// A line of the deletions list.
#[derive(Debug, Clone)]
pub(crate) struct Deletion {
    /// Its place in the list, which is not in the response.
    pub(crate) entry: WondeId,
    pub(crate) kind: &'static str,
    pub(crate) id: WondeId,
    pub(crate) mis_id: u32,
    pub(crate) deleted_at: DateTime<Utc>,
    pub(crate) restored_at: Option<DateTime<Utc>>,
}

/// Links read backwards, as positions in the school's lists.
#[derive(Debug, Default)]
pub(crate) struct Links {
    classes_of: HashMap<WondeId, Vec<usize>>,
    groups_of: HashMap<WondeId, Vec<usize>>,
    reports_of: HashMap<WondeId, Vec<usize>>,
    classes_in: HashMap<WondeId, Vec<usize>>,
}

impl School {
    /// Whether `feature` reaches the application: the MIS has it and the school has not withdrawn it.
    pub(crate) fn delivers(&self, feature: Feature) -> bool {
        self.mis.supports(feature) && !self.withdrawn.contains_key(&feature)
    }

    /// The first of `features` that does not reach the application.
    pub(crate) fn first_missing(&self, features: &[Feature]) -> Option<Feature> {
        features.iter().copied().find(|&feature| !self.delivers(feature))
    }

    /// How a response shows a feature that is not shared; `otherwise` if the withdrawal did not
    /// say.
    pub(crate) fn look_without(&self, feature: Feature, otherwise: Unsupported) -> Unsupported {
        self.withdrawn.get(&feature).copied().flatten().unwrap_or(otherwise)
    }

    /// The shared classes.
    pub(crate) fn classes_shown(&self) -> &[Class] {
        if self.delivers(Feature::Classes) { &self.classes } else { &[] }
    }

    /// The shared subjects.
    pub(crate) fn subjects_shown(&self) -> &[Subject] {
        if self.delivers(Feature::Subjects) { &self.subjects } else { &[] }
    }

    /// The person of that id.
    pub(crate) fn employee(&self, id: WondeId) -> Option<&Employee> {
        find(&self.employees, id, |employee| employee.id)
    }

    /// The subject of that id.
    pub(crate) fn subject(&self, id: WondeId) -> Option<&Subject> {
        find(&self.subjects, id, |subject| subject.id)
    }

    /// The classes that a person teaches.
    pub(crate) fn classes_of(&self, employee: WondeId) -> impl Iterator<Item = &Class> {
        positions(&self.links.classes_of, employee).iter().map(|&at| &self.classes[at])
    }

    /// The groups that a person belongs to.
    pub(crate) fn groups_of(&self, employee: WondeId) -> impl Iterator<Item = &Group> {
        positions(&self.links.groups_of, employee).iter().map(|&at| &self.groups[at])
    }

    /// The people whose line manager a person is.
    pub(crate) fn reports_of(&self, manager: WondeId) -> impl Iterator<Item = &Employee> {
        positions(&self.links.reports_of, manager).iter().map(|&at| &self.employees[at])
    }

    /// The classes of a subject.
    pub(crate) fn classes_in(&self, subject: WondeId) -> impl Iterator<Item = &Class> {
        positions(&self.links.classes_in, subject).iter().map(|&at| &self.classes[at])
    }

    /// Updates the backward links. It is needed after every change of a list or link.
    pub(crate) fn relink(&mut self) {
        let mut links = Links::default();
        for (at, class) in self.classes.iter().enumerate() {
            for teacher in &class.teachers {
                links.classes_of.entry(teacher.employee).or_default().push(at);
            }
            if let Some(subject) = class.subject {
                links.classes_in.entry(subject).or_default().push(at);
            }
        }
        for (at, group) in self.groups.iter().enumerate() {
            for &member in &group.members {
                links.groups_of.entry(member).or_default().push(at);
            }
        }
        for (at, employee) in self.employees.iter().enumerate() {
            if let Some(manager) = employee.manager {
                links.reports_of.entry(manager).or_default().push(at);
            }
        }
        self.links = links;
    }

    /// The next record number of the MIS.
    pub(crate) fn take_mis_id(&mut self) -> u32 {
        self.next_mis_id += 1;
        self.next_mis_id
    }
}

/// The item of that id in a list sorted by id.
pub(crate) fn find<T>(items: &[T], id: WondeId, key: impl Fn(&T) -> WondeId) -> Option<&T> {
    items.binary_search_by_key(&id, key).ok().map(|at| &items[at])
}

fn positions(index: &HashMap<WondeId, Vec<usize>>, key: WondeId) -> &[usize] {
    index.get(&key).map_or(&[], Vec::as_slice)
}

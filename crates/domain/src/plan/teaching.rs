//! Classes and subjects, and who teaches them, once everyone is in iP.
//!
//! Only lists that were read to their end count. What is gone is archived, but never because a list
//! is empty. Links are rebuilt for each record that was fetched; links made by hand stay.

mod compare;
mod person;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{lookup::Lookup, roster::Roster};
use crate::{ClassId, GuardCategory, Issue, SubjectId, Teacher, TeachingKind, TeachingRecord};
pub use compare::{Changed, Difference, Emptied, New};
use compare::{Comparison, compare};

use super::held::Ref;

/// The result for classes and subjects.
#[derive(Default)]
pub(super) struct Taught {
    pub(super) classes: Difference<ClassId>,
    pub(super) subjects: Difference<SubjectId>,
    pub(super) issues: Vec<Issue>,
}

/// Compares subjects and then classes.
pub(super) fn compare_all(of: &Lookup<'_>, roster: &Roster<'_>) -> Taught {
    let mut taught = Taught::default();
    let (imports, fetched) = (of.rules.sync.imports, of.fetched);
    if let Some(said) = fetched.subjects.as_deref().filter(|_| imports.subjects) {
        // Only all classes together say who teaches a subject.
        let classes =
            fetched.classes.as_deref().filter(|_| imports.subject_staff && fetched.is_full);
        let said = latest(said);
        let said = match classes {
            Some(classes) => name_teachers(said, &latest(classes)),
            None => said.into_iter().map(Cow::Borrowed).collect(),
        };
        let by = Comparison {
            kind: TeachingKind::Subject,
            is_full: fetched.is_full,
            gone: &fetched.gone.subjects,
            subjects: HashMap::new(),
            links_staff: imports.subject_staff,
            keeps: false,
        };
        taught.subjects = compare(&by, &of.held.subjects, &said, roster, &mut taught.issues);
    }
    if let Some(alone) = &fetched.alone {
        taught.classes = person::link(of, roster, alone);
    } else if let Some(said) = fetched.classes.as_deref().filter(|_| imports.classes) {
        let said: Vec<_> = latest(said).into_iter().map(Cow::Borrowed).collect();
        let by = Comparison {
            kind: TeachingKind::Class,
            is_full: fetched.is_full,
            gone: &fetched.gone.classes,
            subjects: known_subjects(of, &taught.subjects),
            links_staff: imports.class_staff,
            keeps: of.leaves_out(GuardCategory::ClassesEmptied),
        };
        taught.classes = compare(&by, &of.held.classes, &said, roster, &mut taught.issues);
    }
    taught
}

/// Each record once, in its last delivery, ordered by id.
fn latest(records: &[TeachingRecord]) -> Vec<&TeachingRecord> {
    let last: HashMap<&str, &TeachingRecord> =
        records.iter().map(|record| (record.wonde_id.as_str(), record)).collect();
    let mut latest: Vec<_> = last.into_values().collect();
    latest.sort_by(|one, other| one.wonde_id.cmp(&other.wonde_id));
    latest
}

/// The teachers of a subject's classes are the teachers of the subject, main teachers first.
fn name_teachers<'a>(
    subjects: Vec<&'a TeachingRecord>,
    classes: &[&TeachingRecord],
) -> Vec<Cow<'a, TeachingRecord>> {
    if classes.iter().all(|class| class.staff.is_none()) {
        return subjects.into_iter().map(Cow::Borrowed).collect();
    }
    let mut teachers: HashMap<&str, Vec<&Teacher>> = HashMap::new();
    for class in classes {
        let crate::SubjectOfClass::Of(subject) = &class.subject else { continue };
        teachers.entry(subject).or_default().extend(class.staff.iter().flatten());
    }
    let with_teachers = |subject: &TeachingRecord| {
        let all = teachers.get(subject.wonde_id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let (main, other): (Vec<&Teacher>, Vec<&Teacher>) =
            all.iter().partition(|teacher| teacher.is_main);
        let mut seen = HashSet::new();
        let staff = main.into_iter().chain(other).filter(|one| seen.insert(&one.wonde_id));
        Cow::Owned(TeachingRecord { staff: Some(staff.cloned().collect()), ..subject.clone() })
    };
    subjects.into_iter().map(with_teachers).collect()
}

/// The school's subjects by Wonde id, if the school imports subjects.
fn known_subjects<'a>(
    of: &Lookup<'a>,
    subjects: &'a Difference<SubjectId>,
) -> HashMap<&'a str, Ref<SubjectId>> {
    if !of.rules.sync.imports.subjects {
        return HashMap::new();
    }
    let held = of.held.subjects.iter().map(|held| (held.wonde_id.as_str(), Ref::Known(held.id)));
    let new =
        subjects.new.iter().enumerate().map(|(at, new)| (new.wonde_id.as_str(), Ref::New(at)));
    held.chain(new).collect()
}

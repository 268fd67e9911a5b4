//! Classes and subjects, and who teaches them: the second pass, once everybody is in iP.

mod class;
mod compare;
mod person;
mod rows;
mod subject;

use std::collections::{HashMap, HashSet};

use mis_sync_domain::{GuardCategory, IssueCode, TeachingCounts, TeachingKind};
use sqlx::PgConnection;

use super::{Run, issues::Issues, roster::Roster};
use crate::{Error, staging::List};
pub(super) use compare::Emptied;
use compare::{Comparison, Reference, compare};
use rows::Staged;

pub(super) use person::link_person;

/// What became of classes and subjects.
#[derive(Default)]
pub(super) struct Taught {
    pub(super) classes: TeachingCounts,
    pub(super) subjects: TeachingCounts,
    pub(super) classes_emptied: Emptied,
}

/// Brings subjects and then classes up to date. Of each only what was read to its end.
///
/// What is gone is archived ([`staging::missing`](crate::staging::missing) says what a full list
/// has to prove for that), but never on the word of an empty list. Links are rebuilt record by record,
/// for what was fetched whole; those that somebody made by hand stay.
pub(super) async fn apply(
    db: &mut PgConnection,
    run: &Run<'_>,
    roster: &Roster,
    issues: &mut Issues,
) -> Result<Taught, Error> {
    let mut taught = Taught::default();
    let imports = run.rules.imports;
    if !imports.classes && !imports.subjects {
        return Ok(taught);
    }
    let classes = rows::read_staged(db, run, TeachingKind::Class).await?;
    if imports.subjects && run.fetched.has_read(List::Subjects) {
        let mut staged = rows::read_staged(db, run, TeachingKind::Subject).await?;
        // Only all classes together say who teaches a subject.
        if imports.subject_staff && run.fetched.is_full && run.fetched.has_read(List::Classes) {
            name_teachers_of_subjects(&mut staged, &classes);
        }
        let comparison = Comparison {
            kind: TeachingKind::Subject,
            is_full: run.fetched.is_full,
            gone: rows::read_gone(db, run, TeachingKind::Subject).await?,
            subjects: HashMap::new(),
            links_staff: imports.subject_staff,
            keeps: false,
        };
        let held = subject::read(db, run.school_id).await?;
        let difference = compare(&comparison, held, staged, roster, issues);
        rows::record(db, run, TeachingKind::Subject, &difference).await?;
        if !run.dry_run {
            subject::write(db, run.school_id, &difference).await?;
        }
        taught.subjects = difference.counts;
    }
    if imports.classes && run.fetched.has_read(List::Classes) {
        let comparison = Comparison {
            kind: TeachingKind::Class,
            is_full: run.fetched.is_full,
            gone: rows::read_gone(db, run, TeachingKind::Class).await?,
            subjects: known_subjects(db, run).await?,
            links_staff: imports.class_staff,
            keeps: run.fetched.leaves_out(GuardCategory::ClassesEmptied),
        };
        let held = class::read(db, run.school_id).await?;
        let difference = compare(&comparison, held, classes, roster, issues);
        rows::record(db, run, TeachingKind::Class, &difference).await?;
        if !run.dry_run {
            class::write(db, run.school_id, &difference).await?;
        }
        taught.classes = difference.counts;
        taught.classes_emptied = difference.emptied();
    }
    Ok(taught)
}

/// Whoever teaches a class of a subject teaches the subject, main teachers first.
fn name_teachers_of_subjects(subjects: &mut [Staged], classes: &[Staged]) {
    let mut teachers: HashMap<&str, Teachers<'_>> = HashMap::new();
    for class in classes {
        let (Some(subject), Some(staff)) = (&class.subject, &class.staff) else { continue };
        let (main, other) = staff.split_at(class.main_teachers.min(staff.len()));
        let of_subject = teachers.entry(subject).or_default();
        of_subject.main.extend(main);
        of_subject.other.extend(other);
    }
    if classes.iter().all(|class| class.staff.is_none()) {
        return;
    }
    for subject in subjects {
        let of_subject = teachers.remove(subject.wonde_id.as_str()).unwrap_or_default();
        let mut seen = HashSet::new();
        let mut staff: Vec<String> = Vec::new();
        staff.extend(of_subject.main.into_iter().filter(|id| seen.insert(*id)).cloned());
        subject.main_teachers = staff.len();
        staff.extend(of_subject.other.into_iter().filter(|id| seen.insert(*id)).cloned());
        subject.staff = Some(staff);
    }
}

/// Wonde ids of those who teach the classes of a subject.
#[derive(Default)]
struct Teachers<'a> {
    main: Vec<&'a String>,
    other: Vec<&'a String>,
}

/// The subjects of the school by Wonde id, where the school imports any.
async fn known_subjects(
    db: &mut PgConnection,
    run: &Run<'_>,
) -> Result<HashMap<String, Reference>, Error> {
    if !run.rules.imports.subjects {
        return Ok(HashMap::new());
    }
    let mut known: HashMap<String, Reference> = subject::read(db, run.school_id)
        .await?
        .into_iter()
        .map(|subject| (subject.wonde_id, Reference::Known(subject.id)))
        .collect();
    if run.dry_run {
        for subject in rows::read_staged(db, run, TeachingKind::Subject).await? {
            let coming = || Reference::Coming(subject.wonde_id.clone());
            known.entry(subject.wonde_id.clone()).or_insert_with(coming);
        }
    }
    Ok(known)
}

/// What is said of a whole list that is empty, or names nobody, though iP has some from it.
fn withheld(kind: TeachingKind) -> IssueCode {
    match kind {
        TeachingKind::Class => IssueCode::ClassesWithheld,
        TeachingKind::Subject => IssueCode::SubjectsWithheld,
    }
}

//! Subjects, classes and groups, and who teaches or leads them.

use chrono::{DateTime, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::ids::WondeId;
use crate::names;
use crate::school::{Class, Employee, Group, School, Subject, Teacher, Times};

/// Gives a school its subjects, classes and groups, made at `made`. The caller relinks.
pub(crate) fn timetable(school: &mut School, made: DateTime<Utc>) {
    let times = Times::new(made);
    school.groups = groups(school, times);
    if !school.mis.has_groups_only() {
        school.subjects = subjects(school, times);
        classes(school, made);
    }
}

/// Replaces the classes by new ones of the same subjects. The caller relinks.
pub(crate) fn classes(school: &mut School, made: DateTime<Utc>) {
    if school.subjects.is_empty() {
        return;
    }
    let teachers = teachers(school);
    let count = (school.employees.len() / 2).max(1);
    school.classes = (0..count)
        .map(|number| {
            let subject = school.subjects.choose(&mut school.rng).map(|subject| subject.id);
            let subject = subject.filter(|_| school.rng.random_bool(0.95));
            let mut class = class(school, number, subject, Times::new(made));
            class.teachers = class_teachers(&teachers, &mut school.rng);
            class
        })
        .collect();
}

/// People who teach, current or not.
pub(crate) fn teachers(school: &School) -> Vec<WondeId> {
    let teaches = |person: &&Employee| {
        person.employment.as_ref().is_some_and(|employment| employment.teaching_staff == Some(true))
    };
    school.employees.iter().filter(teaches).map(|person| person.id).collect()
}

fn subjects(school: &mut School, times: Times) -> Vec<Subject> {
    let pool =
        if school.mis.is_primary() { names::PRIMARY_SUBJECTS } else { names::SECONDARY_SUBJECTS };
    let count = (school.employees.len() / 3).max(1);
    pool.iter()
        .take(count)
        .map(|&(name, code)| Subject {
            id: school.ids.take(),
            mis_id: school.take_mis_id(),
            name,
            code: Some(code).filter(|_| school.rng.random_bool(0.8)),
            times,
        })
        .collect()
}

/// A new class for `school`, not yet in its list and without teachers. Its name follows from its `number`.
pub(crate) fn class(
    school: &mut School,
    number: usize,
    subject: Option<WondeId>,
    times: Times,
) -> Class {
    let subject_name = subject.and_then(|id| school.subject(id)).map(|subject| subject.name);
    let year = if school.mis.is_primary() { number % 6 + 1 } else { number % 7 + 7 };
    let short: String = subject_name.unwrap_or("Tu").chars().take(2).collect();
    let name =
        format!("{year}{}/{short}{}", if number.is_multiple_of(2) { 'A' } else { 'B' }, number + 1);
    Class {
        id: school.ids.take(),
        mis_id: school.take_mis_id(),
        code: Some(format!("{short}{year}-{}", number + 1)).filter(|_| school.rng.random_bool(0.5)),
        description: Some(
            subject_name.map_or(name.clone(), |subject| format!("Year {year} {subject}")),
        ),
        subject,
        teachers: Vec::new(),
        name,
        times,
    }
}

/// One main teacher, often another one, sometimes none. The main teacher is not always first.
fn class_teachers(teachers: &[WondeId], rng: &mut StdRng) -> Vec<Teacher> {
    let count = [1, 1, 1, 1, 2, 2, 2, 3, 1, 0].choose(rng).copied().unwrap_or(1);
    let picked: Vec<WondeId> = teachers.sample(rng, count).copied().collect();
    let main = picked.choose(rng).copied();
    picked.into_iter().map(|employee| Teacher { employee, main: Some(employee) == main }).collect()
}

/// A registration group for every tenth person, and one year group.
fn groups(school: &mut School, times: Times) -> Vec<Group> {
    let teachers = teachers(school);
    let count = (school.employees.len() / 10).max(1);
    let years = if school.mis.is_primary() { 1..7 } else { 7..14 };
    let mut groups = Vec::new();
    for (number, year) in years.cycle().take(count).enumerate() {
        let members = teachers.sample(&mut school.rng, 1).copied().collect();
        groups.push(group(
            school,
            format!("{year}{}", if number.is_multiple_of(2) { 'M' } else { 'N' }),
            "REGISTRATION",
            members,
            times,
        ));
    }
    groups.push(group(school, "Kestrel".to_owned(), "HOUSE", Vec::new(), times));
    groups
}

fn group(
    school: &mut School,
    name: String,
    kind: &'static str,
    members: Vec<WondeId>,
    times: Times,
) -> Group {
    Group { id: school.ids.take(), mis_id: school.take_mis_id(), name, kind, members, times }
}

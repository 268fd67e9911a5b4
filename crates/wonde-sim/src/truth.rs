//! What iP should hold of a school after one full sync into an empty iP. It states the rules of the
//! agreement a second time, without a line of the worker's code, so that the two can be compared.

mod shapes;

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, NaiveDate};

pub use self::shapes::{ClassTruth, NotImported, Reason, StaffTruth, SubjectTruth, Truth};
use crate::ids::WondeId;
use crate::mis::Feature;
use crate::photo::Image;
use crate::school::{Class, Employee, Employment, School, Subject};

/// The truth about `school` on the civil date `today`.
pub(crate) fn truth(school: &School, today: NaiveDate) -> Truth {
    let verdicts = verdicts(school, today);
    let imported: HashSet<WondeId> = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.is_none())
        .map(|(person, _)| person.id)
        .collect();
    let mut truth = Truth {
        school_id: school.id.to_string(),
        mis: school.mis,
        delivers: Feature::ALL.into_iter().filter(|&feature| school.delivers(feature)).collect(),
        staff: verdicts
            .iter()
            .filter(|(_, reason)| reason.is_none())
            .map(|(person, _)| staff(school, person, &imported))
            .collect(),
        not_imported: verdicts
            .iter()
            .filter_map(|(person, reason)| {
                reason.map(|reason| NotImported { wonde_id: person.id.to_string(), reason })
            })
            .collect(),
        classes: school
            .classes_shown()
            .iter()
            .map(|class| class_truth(school, class, &imported))
            .collect(),
        subjects: school
            .subjects_shown()
            .iter()
            .map(|subject| subject_truth(school, subject, &imported))
            .collect(),
    };
    truth.staff.sort_by(|a, b| a.wonde_id.cmp(&b.wonde_id));
    truth.not_imported.sort_by(|a, b| a.wonde_id.cmp(&b.wonde_id));
    truth.classes.sort_by(|a, b| a.wonde_id.cmp(&b.wonde_id));
    truth.subjects.sort_by(|a, b| a.wonde_id.cmp(&b.wonde_id));
    truth
}

/// The ids of the people who are imported.
pub(crate) fn imported(school: &School, today: NaiveDate) -> HashSet<WondeId> {
    let verdicts = verdicts(school, today);
    verdicts
        .into_iter()
        .filter(|(_, verdict)| verdict.is_none())
        .map(|(person, _)| person.id)
        .collect()
}

/// Everyone, with the reason against importing them, if there is one.
fn verdicts(school: &School, today: NaiveDate) -> Vec<(&Employee, Option<Reason>)> {
    let mut holders: HashMap<String, u32> = HashMap::new();
    let alone: Vec<_> = school
        .employees
        .iter()
        .map(|person| {
            let reason = reason_alone(school, person, today);
            let has_email = matches!(reason, None | Some(Reason::NameMissing));
            if let Some(email) = work_email(school, person).filter(|_| has_email) {
                *holders.entry(email.to_lowercase()).or_default() += 1;
            }
            (person, reason)
        })
        .collect();
    alone
        .into_iter()
        .map(|(person, reason)| {
            let shared = || {
                work_email(school, person)
                    .is_some_and(|email| holders.get(&email.to_lowercase()).is_some_and(|&n| n > 1))
            };
            (person, reason.or_else(|| shared().then_some(Reason::SharedWorkEmail)))
        })
        .collect()
}

/// The reason that lies in the person alone.
fn reason_alone(school: &School, person: &Employee, today: NaiveDate) -> Option<Reason> {
    let employment =
        person.employment.as_ref().filter(|_| school.delivers(Feature::EmploymentDetails));
    if !employment.is_some_and(|employment| is_current(employment, today)) {
        return Some(Reason::NotCurrent);
    }
    let Some(email) = work_email(school, person) else { return Some(Reason::NoWorkEmail) };
    if !looks_like_email(email) {
        return Some(Reason::InvalidWorkEmail);
    }
    let named =
        filled(person.forename.as_deref()).is_some() || filled(person.surname.as_deref()).is_some();
    (!named).then_some(Reason::NameMissing)
}

/// Whether the employment is current: the flag says so, or without a flag it has begun and not
/// ended.
fn is_current(employment: &Employment, today: NaiveDate) -> bool {
    let Some(start) = employment.start else { return employment.current == Some(true) };
    // An end before the start, or in a very early year, counts as none.
    let end = employment.end.filter(|end| *end >= start && end.year() >= 1950);
    employment.current.unwrap_or(start <= today && end.is_none_or(|end| end >= today))
}

fn work_email<'a>(school: &School, person: &'a Employee) -> Option<&'a str> {
    filled(person.contact.work_email.as_deref())
        .filter(|_| school.delivers(Feature::ContactDetails))
}

/// One @ with something on both sides, a dot in the domain, and no white space.
fn looks_like_email(email: &str) -> bool {
    let mut parts = email.split('@');
    let sides = (parts.next(), parts.next(), parts.next());
    let (Some(name), Some(domain), None) = sides else { return false };
    let has_dot = domain.split('.').count() > 1 && domain.split('.').all(|part| !part.is_empty());
    !name.is_empty() && has_dot && !email.contains(char::is_whitespace)
}

fn staff(school: &School, person: &Employee, imported: &HashSet<WondeId>) -> StaffTruth {
    let text = |field: &Option<String>| filled(field.as_deref()).unwrap_or_default().to_owned();
    // A file that is not an image, or is too large, is not imported.
    let photo =
        person.photo.filter(|photo| school.delivers(Feature::Photo) && photo.image == Image::Drawn);
    let employment = person.employment.as_ref();
    StaffTruth {
        wonde_id: person.id.to_string(),
        upi: person.upi.clone(),
        mis_id: person.mis_id.to_string(),
        email: text(&person.contact.work_email),
        first_name: text(&person.forename),
        surname: text(&person.surname),
        initials: filled(person.initials.as_deref()).map(str::to_owned),
        job_title: job_title(school, person),
        non_teaching: employment
            .and_then(|employment| employment.teaching_staff)
            .is_some_and(|teaching| !teaching),
        line_manager_wonde_id: line_manager(school, person, imported)
            .map(|manager| manager.to_string()),
        has_photo: photo.is_some(),
        photo_hash: photo.map(|photo| photo.hash()),
    }
}

fn job_title(school: &School, person: &Employee) -> Option<String> {
    let mut titles: Vec<&str> = Vec::new();
    for role in person.roles.iter().filter(|_| school.delivers(Feature::Roles)) {
        if let Some(name) = filled(role.name).filter(|name| !titles.contains(name)) {
            titles.push(name);
        }
    }
    (!titles.is_empty()).then(|| titles.join(", "))
}

/// The line manager, unless they are not imported, are the same person, or lead back to the person.
fn line_manager(
    school: &School,
    person: &Employee,
    imported: &HashSet<WondeId>,
) -> Option<WondeId> {
    let delivered = school.delivers(Feature::LineManager);
    let manager = person.manager.filter(|id| delivered && imported.contains(id))?;
    let mut passed = HashSet::new();
    let mut above = Some(manager);
    while let Some(id) = above.filter(|id| imported.contains(id) && passed.insert(*id)) {
        above = school.employee(id).and_then(|employee| employee.manager);
    }
    (!passed.contains(&person.id)).then_some(manager)
}

fn class_truth(school: &School, class: &Class, imported: &HashSet<WondeId>) -> ClassTruth {
    let mut teachers: Vec<_> =
        class.teachers.iter().filter(|teacher| imported.contains(&teacher.employee)).collect();
    teachers.sort_by_key(|teacher| !teacher.main);
    if !school.delivers(Feature::StaffLinks) {
        teachers.clear();
    }
    ClassTruth {
        wonde_id: class.id.to_string(),
        name: class.name.clone(),
        code: class.code.clone(),
        description: class.description.clone(),
        // A subject that is not imported cannot be linked.
        subject_wonde_id: class
            .subject
            .filter(|_| school.delivers(Feature::Subjects))
            .map(|subject| subject.to_string()),
        staff: teachers.into_iter().map(|teacher| teacher.employee.to_string()).collect(),
    }
}

fn subject_truth(school: &School, subject: &Subject, imported: &HashSet<WondeId>) -> SubjectTruth {
    let linked = school.first_missing(&Feature::CLASS_LINKS).is_none();
    let teachers =
        school.classes_in(subject.id).filter(|_| linked).flat_map(|class| &class.teachers);
    let mut staff: Vec<String> = teachers
        .filter(|teacher| imported.contains(&teacher.employee))
        .map(|teacher| teacher.employee.to_string())
        .collect();
    staff.sort();
    staff.dedup();
    SubjectTruth {
        wonde_id: subject.id.to_string(),
        name: subject.name.to_owned(),
        code: subject.code.map(str::to_owned),
        staff,
    }
}

/// The trimmed text, if anything is left of it.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;

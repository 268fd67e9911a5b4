//! Which records of a list a query asks for, page by page.

use chrono::{DateTime, NaiveDate, Utc};

use crate::mis::Feature;
use crate::paging::{Page, PageRequest};
use crate::query::{Flag, Query};
use crate::refusal::Refusal;
use crate::school::{Class, Deletion, Employee, Group, School, Subject, Times};

pub(super) fn employees<'a>(
    school: &'a School,
    request: &PageRequest,
    query: &Query,
) -> Result<Page<'a, Employee>, Refusal> {
    let filter = EmployeeFilter::from_query(query)?;
    Ok(match &filter {
        None => request.of_all(&school.employees, |employee| employee.id),
        Some(filter) => request.of_some(
            &school.employees,
            |employee| employee.id,
            |employee| filter.keeps(school, employee),
        ),
    })
}

/// The filters of the employees list, read once for all employees.
struct EmployeeFilter<'a> {
    changed: Changed,
    start_before: Option<NaiveDate>,
    start_after: Option<NaiveDate>,
    only_mis_ids: Option<Vec<&'a str>>,
    has_role: Option<Flag<'a>>,
    has_contract: Option<Flag<'a>>,
    has_class: Option<Flag<'a>>,
    has_group: Option<Flag<'a>>,
}

impl<'a> EmployeeFilter<'a> {
    /// `None` if nothing is filtered.
    fn from_query(query: &'a Query) -> Result<Option<Self>, Refusal> {
        const NAMES: [&str; 9] = [
            "has_role",
            "has_contract",
            "has_class",
            "has_group",
            "employment_start_before",
            "employment_start_after",
            "only_mis_ids",
            "updated_after",
            "updated_before",
        ];
        if NAMES.iter().all(|name| query.get(name).is_none()) {
            return Ok(None);
        }
        Ok(Some(Self {
            changed: Changed::from_query(query)?,
            start_before: query.date("employment_start_before")?,
            start_after: query.date("employment_start_after")?,
            only_mis_ids: query
                .get("only_mis_ids")
                .map(|ids| ids.split(',').map(str::trim).collect()),
            has_role: query.flag("has_role"),
            has_contract: query.flag("has_contract"),
            has_class: query.flag("has_class"),
            has_group: query.flag("has_group"),
        }))
    }

    fn keeps(&self, school: &School, employee: &Employee) -> bool {
        let start = employee.employment.as_ref().and_then(|employment| employment.start);
        self.changed.keeps(&employee.times)
            && self.start_before.is_none_or(|before| start.is_some_and(|start| start < before))
            && self.start_after.is_none_or(|after| start.is_some_and(|start| start > after))
            && self
                .only_mis_ids
                .as_ref()
                .is_none_or(|ids| ids.contains(&employee.mis_id.to_string().as_str()))
            && self.keeps_links(school, employee)
    }

    /// The filters by what a person has: any role, contract, class or group, or the one of that code or id.
    fn keeps_links(&self, school: &School, employee: &Employee) -> bool {
        let roles = || employee.roles.iter().filter(|_| school.delivers(Feature::Roles));
        let has_links = school.first_missing(&Feature::CLASS_LINKS).is_none();
        let classes = || school.classes_of(employee.id).filter(|_| has_links);
        let groups = || school.groups_of(employee.id);
        self.has_role.is_none_or(|flag| {
            flag.passes(roles().next().is_some(), |code| {
                roles().any(|role| role.code == Some(code))
            })
        }) && self
            .has_contract
            .is_none_or(|flag| flag.passes(employee.employment.is_some(), |_| false))
            && self.has_class.is_none_or(|flag| {
                flag.passes(classes().next().is_some(), |id| {
                    classes().any(|class| class.id.to_string() == id)
                })
            })
            && self.has_group.is_none_or(|flag| {
                flag.passes(groups().next().is_some(), |id| {
                    groups().any(|group| group.id.to_string() == id)
                })
            })
    }
}

pub(super) fn classes<'a>(
    school: &'a School,
    request: &PageRequest,
    query: &Query,
) -> Result<Page<'a, Class>, Refusal> {
    let changed = Changed::from_query(query)?;
    Ok(request.of_some(
        school.classes_shown(),
        |class| class.id,
        |class| {
            changed.keeps(&class.times)
                && query.get("class_name").is_none_or(|name| class.name == name)
                && query.get("class_subject").is_none_or(|id| {
                    class.subject.is_some_and(|subject| subject.to_string() == id)
                })
                // Every class has pupils, although the simulator does not know them; there are no
                // lessons.
                && query.flag("has_students").is_none_or(|flag| flag.passes(true, |_| false))
                && query.flag("has_lessons").is_none_or(|flag| flag.passes(false, |_| false))
        },
    ))
}

pub(super) fn subjects<'a>(
    school: &'a School,
    request: &PageRequest,
    query: &Query,
) -> Result<Page<'a, Subject>, Refusal> {
    let changed = Changed::from_query(query)?;
    Ok(request.of_some(
        school.subjects_shown(),
        |subject| subject.id,
        |subject| {
            changed.keeps(&subject.times)
                && query.get("subject_name").is_none_or(|name| subject.name == name)
                && query.get("subject_code").is_none_or(|code| subject.code == Some(code))
        },
    ))
}

pub(super) fn groups<'a>(
    school: &'a School,
    request: &PageRequest,
    query: &Query,
) -> Result<Page<'a, Group>, Refusal> {
    let changed = Changed::from_query(query)?;
    Ok(request.of_some(
        &school.groups,
        |group| group.id,
        |group| {
            changed.keeps(&group.times)
                && query.get("type").is_none_or(|kinds| {
                    kinds.split(',').any(|kind| kind.trim().eq_ignore_ascii_case(group.kind))
                })
                && query
                    .flag("has_employees")
                    .is_none_or(|flag| flag.passes(!group.members.is_empty(), |_| false))
                && query.flag("has_students").is_none_or(|flag| flag.passes(false, |_| false))
        },
    ))
}

/// The people whose photo is on the page.
pub(super) fn photos<'a>(
    school: &'a School,
    request: &PageRequest,
    query: &Query,
) -> Result<Page<'a, Employee>, Refusal> {
    let changed = Changed::from_query(query)?;
    let shown = school.delivers(Feature::Photo);
    Ok(request.of_some(
        &school.employees,
        |employee| employee.id,
        |employee| shown && employee.photo.is_some_and(|photo| changed.keeps(&photo.times)),
    ))
}

pub(super) fn deletions<'a>(
    school: &'a School,
    request: &PageRequest,
    query: &Query,
) -> Result<Page<'a, Deletion>, Refusal> {
    let changed = Changed::from_query(query)?;
    Ok(request.of_some(
        &school.deletions,
        |deletion| deletion.entry,
        |deletion| {
            changed.contains(deletion.restored_at.unwrap_or(deletion.deleted_at))
                && query.get("type").is_none_or(|kind| deletion.kind == kind)
        },
    ))
}

/// `updated_after` and `updated_before`.
struct Changed {
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Changed {
    fn from_query(query: &Query) -> Result<Self, Refusal> {
        Ok(Self { after: query.moment("updated_after")?, before: query.moment("updated_before")? })
    }

    fn keeps(&self, times: &Times) -> bool {
        self.contains(times.updated)
    }

    fn contains(&self, moment: DateTime<Utc>) -> bool {
        self.after.is_none_or(|after| moment > after)
            && self.before.is_none_or(|before| moment < before)
    }
}

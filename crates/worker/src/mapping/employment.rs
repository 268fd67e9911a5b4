//! Employment, its dates and the roles.

use chrono::NaiveDate;
use mis_sync_domain::{
    JobTitle,
    employment::{self, Employment, Standing},
    school_day, teaching_role,
};
use mis_sync_wonde::{Employee, EmploymentDetails, Role, WondeDate};

use super::{MappingRules, texts::Texts};

pub(super) fn details(employee: &Employee) -> Option<&EmploymentDetails> {
    employee.employment_details.delivered().and_then(Option::as_ref)
}

/// Whether anything is given. A school that does not share them has only nulls.
pub(super) fn says_something(details: &EmploymentDetails) -> bool {
    details.current.is_some()
        || details.employment_start_date.is_some()
        || details.employment_end_date.is_some()
}

/// What a record says about the employment.
pub(super) fn said(employee: &Employee) -> Employment {
    let Some(details) = details(employee) else { return Employment::default() };
    Employment {
        current: details.current,
        start: details.employment_start_date.as_ref().and_then(day),
        end: details.employment_end_date.as_ref().and_then(day),
    }
}

pub(super) fn standing(employee: &Employee, rules: MappingRules) -> Standing {
    employment::standing(&said(employee), rules.today)
}

/// It is not clear whether the person works at the school: the MIS has no flag, and a date that
/// decides cannot be read. So they are neither restored nor deactivated.
pub(super) fn is_undecided(employee: &Employee, rules: MappingRules) -> bool {
    let depends_on_dates = said(employee).current.is_none()
        && matches!(standing(employee, rules), Standing::Current | Standing::Unsaid);
    depends_on_dates && has_unreadable_date(employee)
}

fn has_unreadable_date(employee: &Employee) -> bool {
    let Some(details) = details(employee) else { return false };
    [details.employment_start_date, details.employment_end_date].into_iter().any(is_unreadable)
}

/// Whether a date of the employment or of a role cannot be read.
pub(super) fn has_any_unreadable_date(employee: &Employee, rules: MappingRules) -> bool {
    let dates = delivered_roles(employee, rules).into_iter().flatten();
    has_unreadable_date(employee)
        || dates.flat_map(|role| [role.start_date, role.end_date]).any(is_unreadable)
}

fn is_unreadable(date: Option<WondeDate>) -> bool {
    date.is_some_and(|date| date.is_unreadable())
}

/// A date with a zone is a moment, and means the day that it then is at the school.
fn day(date: &WondeDate) -> Option<NaiveDate> {
    date.instant().map(school_day).or(date.civil())
}

/// The roles that the person has today.
fn todays_roles(employee: &Employee, rules: MappingRules) -> Option<impl Iterator<Item = &Role>> {
    let is_under_way = move |role: &&Role| {
        let day = |date: Option<WondeDate>| date.as_ref().and_then(day);
        employment::is_under_way(day(role.start_date), day(role.end_date), rules.today)
    };
    Some(delivered_roles(employee, rules)?.iter().filter(is_under_way))
}

fn delivered_roles(employee: &Employee, rules: MappingRules) -> Option<&Vec<Role>> {
    employee.roles.delivered().filter(|_| rules.roles_supported)
}

pub(super) fn job_title(employee: &Employee, rules: MappingRules, texts: &mut Texts) -> JobTitle {
    let Some(today) = todays_roles(employee, rules) else { return JobTitle::NotDelivered };
    let names: Vec<String> = today.filter_map(|role| texts.title(role.name.as_deref())).collect();
    let (title, is_cut) = JobTitle::from_roles(names.iter().map(String::as_str));
    texts.is_any_cut |= is_cut;
    title
}

/// Whether the person teaches: the MIS' flag says so, or without one a role does.
pub(super) fn teaches(employee: &Employee, rules: MappingRules) -> bool {
    let flag = details(employee).and_then(|details| details.teaching_staff);
    flag.unwrap_or_else(|| {
        let mut texts = Texts::default();
        let mut today = todays_roles(employee, rules).into_iter().flatten();
        today.any(|role| {
            let name = texts.title(role.name.as_deref());
            name.is_some_and(|name| teaching_role::is_of_teacher(&name))
        })
    })
}

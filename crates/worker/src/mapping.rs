//! Wonde's shapes become the domain's. Pure: no I/O, no clock, nothing remembered between
//! records, so one bad record is that record's problem alone.

pub mod deletions;
pub mod photos;
pub mod teaching;

use chrono::NaiveDate;
use mis_sync_domain::{
    Capability, Issue, IssueCode, JobTitle, Mis, RecordOutcome, SchoolSettings, StaffRecord,
    WorkEmail,
    employment::{self, Employment, Standing},
    plan::{LeftOut, MappedPage, Present},
};
use mis_sync_wonde::{Employee, EmployeeInclude, EmploymentDetails, Page, WondeDate};

/// What the mapping of a school's records depends on besides the records.
#[expect(clippy::struct_excessive_bools, reason = "each one answers a question of its own")]
#[derive(Debug, Clone, Copy)]
pub struct MappingRules {
    /// Decides who is current.
    pub today: NaiveDate,
    /// Whether contact details are delivered: without them nobody's work email is known.
    pub contact_details: bool,
    /// Whether employment details are delivered: without them nobody is known to be current.
    pub employment_details: bool,
    /// Whether the school's MIS delivers roles.
    pub roles_supported: bool,
    /// Whether the school's MIS delivers who reports to whom.
    pub hierarchy_supported: bool,
    /// Leave out everybody who is not said to be teaching staff.
    pub teachers_only: bool,
}

impl MappingRules {
    /// Those of a school on `today`.
    pub fn of_school(today: NaiveDate, mis: Option<&Mis>, settings: &SchoolSettings) -> Self {
        Self {
            today,
            contact_details: true,
            employment_details: true,
            roles_supported: Mis::supports(mis, Capability::Roles),
            hierarchy_supported: Mis::supports(mis, Capability::ReportsTo),
            teachers_only: settings.teachers_only,
        }
    }

    /// Exactly what the mapping reads; scopes that are not needed are not asked for.
    pub fn includes(self) -> Vec<EmployeeInclude> {
        let wanted = [
            (EmployeeInclude::ContactDetails, self.contact_details),
            (EmployeeInclude::EmploymentDetails, self.employment_details),
            (EmployeeInclude::Roles, self.roles_supported),
            (EmployeeInclude::Hierarchy, self.hierarchy_supported),
        ];
        wanted.into_iter().filter_map(|(include, is_wanted)| is_wanted.then_some(include)).collect()
    }

    /// What is left out counts as not said: iP keeps what it has.
    pub fn leave_out(&mut self, refused: &[EmployeeInclude]) {
        self.contact_details &= !refused.contains(&EmployeeInclude::ContactDetails);
        self.employment_details &= !refused.contains(&EmployeeInclude::EmploymentDetails);
        self.roles_supported &= !refused.contains(&EmployeeInclude::Roles);
        self.hierarchy_supported &= !refused.contains(&EmployeeInclude::Hierarchy);
    }
}

/// What a record comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// Not employed today: no business of iP's.
    NotCurrent,
    /// Current, but the school imports teaching staff only.
    NotTeaching,
    /// Current, but contact details are withheld from everybody. The school is told so once.
    NoContactDetails,
    /// Current, but cannot be imported.
    Problem(IssueCode),
    /// To be imported.
    Staff(StaffRecord),
}

/// Maps one person.
pub fn staff_from_wonde(employee: &Employee, rules: MappingRules) -> Mapped {
    if !employment::is_current(&employment(employee), rules.today) {
        return Mapped::NotCurrent;
    }
    let teaching = details(employee).and_then(|details| details.teaching_staff);
    if rules.teachers_only && teaching != Some(true) {
        return Mapped::NotTeaching;
    }
    if !rules.contact_details {
        return Mapped::NoContactDetails;
    }
    let Some(email) = work_email(employee) else {
        return Mapped::Problem(IssueCode::NoWorkEmail);
    };
    let Ok(email) = WorkEmail::parse(&email) else {
        return Mapped::Problem(IssueCode::InvalidWorkEmail);
    };
    let (Some(first_name), Some(surname)) =
        (clean(employee.forename.as_deref()), clean(employee.surname.as_deref()))
    else {
        return Mapped::Problem(IssueCode::NameMissing);
    };
    Mapped::Staff(StaffRecord {
        wonde_id: employee.id.as_str().to_owned(),
        upi: clean(employee.upi.as_deref()),
        email,
        first_name,
        surname,
        initials: clean(employee.initials.as_deref()),
        job_title: job_title(employee, rules),
        non_teaching: teaching.map(|teaching| !teaching),
        hierarchy: hierarchy(employee, rules),
    })
}

/// Maps a page; every record of it is accounted for.
pub fn map_page(page: &Page<Employee>, rules: MappingRules) -> MappedPage {
    let mut mapped = MappedPage { fetched: page.records.len() as u64, ..MappedPage::default() };
    for (place, record) in (0..).zip(&page.records) {
        match record {
            Err(undecodable) => {
                let wonde_id = clean(undecodable.wonde_id.as_deref());
                let code = IssueCode::UnreadableRecord;
                match wonde_id.clone() {
                    Some(wonde_id) => {
                        mapped.left_out.push(unreadable(&wonde_id));
                        mapped.present.push(Present { wonde_id, upi: None, hierarchy: None });
                    }
                    None => mapped.nameless += 1,
                }
                mapped.issues.push((place, Issue { code, wonde_id }));
            }
            Ok(employee) => add_employee(&mut mapped, place, employee, rules),
        }
    }
    mapped
}

fn add_employee(mapped: &mut MappedPage, place: u64, employee: &Employee, rules: MappingRules) {
    let says_employment = details(employee).is_some_and(says_something);
    mapped.employment_said += u64::from(says_employment);
    let leave_out = |outcome| left_out(employee, rules, outcome);
    match staff_from_wonde(employee, rules) {
        Mapped::NotCurrent => {
            // Nothing said is no word of having left.
            if says_employment {
                mapped.gone.employees.insert(employee.id.as_str().to_owned());
            }
            mapped.left_out.push(leave_out(RecordOutcome::NotCurrent));
        }
        Mapped::NotTeaching => {
            mapped.current += 1;
            mapped.skipped += 1;
            mapped.present.push(present(employee, rules));
            mapped.left_out.push(leave_out(RecordOutcome::NotTeaching));
        }
        Mapped::NoContactDetails => {
            mapped.current += 1;
            mapped.skipped += 1;
            mapped.present.push(present(employee, rules));
            let outcome = RecordOutcome::Issue(IssueCode::ContactDetailsWithheld);
            mapped.left_out.push(leave_out(outcome));
        }
        Mapped::Problem(code) => {
            mapped.current += 1;
            mapped.skipped += 1;
            mapped.present.push(present(employee, rules));
            mapped.left_out.push(leave_out(RecordOutcome::Issue(code)));
            let wonde_id = Some(employee.id.as_str().to_owned());
            mapped.issues.push((place, Issue { code, wonde_id }));
        }
        Mapped::Staff(staff) => {
            mapped.current += 1;
            mapped.staff.push((place, staff));
        }
    }
}

fn details(employee: &Employee) -> Option<&EmploymentDetails> {
    employee.employment_details.delivered().and_then(Option::as_ref)
}

/// Not only nulls, which is how a school looks that does not share them.
fn says_something(details: &EmploymentDetails) -> bool {
    details.current.is_some()
        || details.employment_start_date.is_some()
        || details.employment_end_date.is_some()
}

/// Somebody current who is not imported has not left.
fn present(employee: &Employee, rules: MappingRules) -> Present {
    Present {
        wonde_id: employee.id.as_str().to_owned(),
        upi: clean(employee.upi.as_deref()),
        hierarchy: hierarchy(employee, rules),
    }
}

/// What is kept of somebody who is not imported, so that the school can be told why.
fn left_out(employee: &Employee, rules: MappingRules, outcome: RecordOutcome) -> LeftOut {
    let said = employment(employee);
    LeftOut {
        wonde_id: employee.id.as_str().to_owned(),
        upi: clean(employee.upi.as_deref()),
        email: work_email(employee),
        standing: employment::standing(&said, rules.today),
        starts_on: said.start,
        ends_on: said.end,
        teaching: details(employee).and_then(|details| details.teaching_staff),
        outcome,
    }
}

fn unreadable(wonde_id: &str) -> LeftOut {
    LeftOut {
        wonde_id: wonde_id.to_owned(),
        upi: None,
        email: None,
        standing: Standing::Unsaid,
        starts_on: None,
        ends_on: None,
        teaching: None,
        outcome: RecordOutcome::Issue(IssueCode::UnreadableRecord),
    }
}

fn employment(employee: &Employee) -> Employment {
    let Some(details) = details(employee) else { return Employment::default() };
    Employment {
        current: details.current,
        start: details.employment_start_date.as_ref().and_then(WondeDate::civil),
        end: details.employment_end_date.as_ref().and_then(WondeDate::civil),
    }
}

/// Only the *work* address can be a login; a private one never becomes it.
fn work_email(employee: &Employee) -> Option<String> {
    let contact = employee.contact_details.delivered()?.as_ref()?;
    clean(contact.emails.work.as_deref())
}

fn job_title(employee: &Employee, rules: MappingRules) -> JobTitle {
    let delivered = employee.roles.delivered().filter(|_| rules.roles_supported);
    let Some(all) = delivered else { return JobTitle::NotDelivered };
    let names: Vec<String> = all.iter().filter_map(|role| clean(role.name.as_deref())).collect();
    JobTitle::from_roles(names.iter().map(String::as_str))
}

/// Who is listed above or below the person. `None`: the MIS said nothing about it.
fn hierarchy(employee: &Employee, rules: MappingRules) -> Option<Vec<String>> {
    let listed = employee.hierarchy.delivered().filter(|_| rules.hierarchy_supported)?;
    Some(listed.iter().map(|id| id.as_str().to_owned()).collect())
}

/// Text without control characters and surrounding white space; `None` when nothing is left.
/// Postgres cannot hold a NUL, and no name has a line break.
fn clean(text: Option<&str>) -> Option<String> {
    let text: String = text?.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests;

//! Converts Wonde's records to the domain's. Pure: no I/O, no clock, and no memory between records,
//! so one bad record affects only itself.

pub mod deletions;
mod employment;
pub mod photos;
pub mod teaching;
mod texts;

use chrono::NaiveDate;
use mis_sync_domain::{
    Capability, Issue, IssueCode, Mis, RecordKind, RecordOutcome, SchoolSettings, StaffRecord,
    WorkEmail,
    employment::Standing,
    plan::{Label, LeftOut, MappedPage, Present},
    text,
};
use mis_sync_wonde::{Employee, EmployeeInclude, Page};

use employment::{details, says_something};
use texts::Texts;

/// What the mapping depends on besides the records.
#[expect(clippy::struct_excessive_bools, reason = "each one answers a separate question")]
#[derive(Debug, Clone, Copy)]
pub struct MappingRules {
    /// Decides who is current.
    pub today: NaiveDate,
    /// Whether contact details are delivered. Without them no work email is known.
    pub contact_details: bool,
    /// Whether employment details are delivered. Without them no one is known to be current.
    pub employment_details: bool,
    /// Whether the school's MIS delivers roles.
    pub roles_supported: bool,
    /// Whether the school's MIS delivers line managers.
    pub hierarchy_supported: bool,
    /// Leave out everyone who is teaching staff neither by the MIS' flag nor by a role.
    pub teachers_only: bool,
}

impl MappingRules {
    /// The rules of a school on `today`.
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

    /// Exactly the includes that the mapping reads. Scopes that are not needed are not requested.
    pub fn includes(self) -> Vec<EmployeeInclude> {
        let wanted = [
            (EmployeeInclude::ContactDetails, self.contact_details),
            (EmployeeInclude::EmploymentDetails, self.employment_details),
            (EmployeeInclude::Roles, self.roles_supported),
            (EmployeeInclude::Hierarchy, self.hierarchy_supported),
        ];
        wanted.into_iter().filter_map(|(include, is_wanted)| is_wanted.then_some(include)).collect()
    }

    /// An omitted include counts as not given, so iP's values stay.
    pub fn leave_out(&mut self, refused: &[EmployeeInclude]) {
        self.contact_details &= !refused.contains(&EmployeeInclude::ContactDetails);
        self.employment_details &= !refused.contains(&EmployeeInclude::EmploymentDetails);
        self.roles_supported &= !refused.contains(&EmployeeInclude::Roles);
        self.hierarchy_supported &= !refused.contains(&EmployeeInclude::Hierarchy);
    }
}

/// The result for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// Not employed today, so of no interest to iP.
    NotCurrent,
    /// Nothing is said about the employment, which does not mean that they have left.
    EmploymentUnsaid,
    /// Current, but the school imports teaching staff only.
    NotTeaching,
    /// Current, but contact details are withheld from everyone. The school gets one issue for that.
    NoContactDetails,
    /// Cannot be imported, and is not treated as a leaver.
    Problem(IssueCode),
    /// To be imported, but without a work email only if they are already in iP.
    Staff {
        /// The record to import.
        record: Box<StaffRecord>,
        /// Issues of the record.
        issues: Vec<IssueCode>,
    },
}

/// Maps one person.
pub fn staff_from_wonde(employee: &Employee, rules: MappingRules) -> Mapped {
    if employment::is_undecided(employee, rules) {
        return Mapped::Problem(IssueCode::DateUnreadable);
    }
    match employment::standing(employee, rules) {
        Standing::Current => {}
        Standing::Unsaid => return Mapped::EmploymentUnsaid,
        _ => return Mapped::NotCurrent,
    }
    if rules.teachers_only && !employment::teaches(employee, rules) {
        return Mapped::NotTeaching;
    }
    if !rules.contact_details {
        return Mapped::NoContactDetails;
    }
    current_staff(employee, rules)
}

fn current_staff(employee: &Employee, rules: MappingRules) -> Mapped {
    let mut texts = Texts::default();
    let email = work_email(employee);
    let first_name = texts.name(employee.forename.as_deref());
    let surname = texts.name(employee.surname.as_deref());
    if first_name.is_none() && surname.is_none() {
        return Mapped::Problem(email.err().unwrap_or(IssueCode::NameMissing));
    }
    let lacks_name = first_name.is_none() || surname.is_none();
    let teaching = details(employee).and_then(|details| details.teaching_staff);
    let record = StaffRecord {
        wonde_id: employee.id.as_str().to_owned(),
        upi: texts::key(employee.upi.as_deref()),
        email: email.clone().ok(),
        first_name: first_name.unwrap_or_default(),
        surname: surname.unwrap_or_default(),
        initials: texts.name(employee.initials.as_deref()),
        job_title: employment::job_title(employee, rules, &mut texts),
        non_teaching: teaching.map(|teaching| !teaching),
        hierarchy: hierarchy(employee, rules),
    };
    let has_unreadable_date = employment::has_any_unreadable_date(employee, rules);
    let found = [
        email.err(),
        lacks_name.then_some(IssueCode::NameMissing),
        texts.is_any_cut.then_some(IssueCode::TextTooLong),
        has_unreadable_date.then_some(IssueCode::DateUnreadable),
    ];
    Mapped::Staff { record: Box::new(record), issues: found.into_iter().flatten().collect() }
}

/// Maps a page. Every record of it is accounted for.
pub fn map_page(page: &Page<Employee>, rules: MappingRules) -> MappedPage {
    let mut mapped = MappedPage { fetched: page.records.len() as u64, ..MappedPage::default() };
    for (place, record) in (0..).zip(&page.records) {
        match record {
            Err(undecodable) => {
                let wonde_id = texts::key(undecodable.wonde_id.as_deref());
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
    mapped.employment_said += u64::from(details(employee).is_some_and(says_something));
    mapped.labels.push(label(employee));
    let wonde_id = employee.id.as_str().to_owned();
    let issue = |code| (place, Issue { code, wonde_id: Some(wonde_id.clone()) });
    match staff_from_wonde(employee, rules) {
        Mapped::NotCurrent => {
            mapped.left_out.push(left_out(employee, rules, RecordOutcome::NotCurrent));
            mapped.gone.employees.insert(wonde_id);
        }
        Mapped::EmploymentUnsaid => {
            mapped.left_out.push(left_out(employee, rules, RecordOutcome::NotCurrent));
            mapped.present.push(present(employee, rules));
        }
        Mapped::NotTeaching => skip(mapped, employee, rules, RecordOutcome::NotTeaching),
        Mapped::NoContactDetails => {
            let outcome = RecordOutcome::Issue(IssueCode::ContactDetailsWithheld);
            skip(mapped, employee, rules, outcome);
        }
        Mapped::Problem(code) => {
            mapped.issues.push(issue(code));
            skip(mapped, employee, rules, RecordOutcome::Issue(code));
        }
        Mapped::Staff { record, issues } => {
            mapped.current += 1;
            // Whether they are imported depends on whether they are in iP.
            if let Some(code) = issues.first().copied().filter(|_| record.email.is_none()) {
                mapped.left_out.push(left_out(employee, rules, RecordOutcome::Issue(code)));
            }
            mapped.issues.extend(issues.into_iter().map(issue));
            mapped.staff.push((place, *record));
        }
    }
}

/// A current person who is not imported has not left.
fn skip(mapped: &mut MappedPage, employee: &Employee, rules: MappingRules, outcome: RecordOutcome) {
    mapped.current += 1;
    mapped.skipped += 1;
    mapped.present.push(present(employee, rules));
    mapped.left_out.push(left_out(employee, rules, outcome));
}

fn present(employee: &Employee, rules: MappingRules) -> Present {
    Present {
        wonde_id: employee.id.as_str().to_owned(),
        upi: texts::key(employee.upi.as_deref()),
        hierarchy: hierarchy(employee, rules),
    }
}

/// What is kept about a person who is not imported, so that the school can learn why.
fn left_out(employee: &Employee, rules: MappingRules, outcome: RecordOutcome) -> LeftOut {
    let said = employment::said(employee);
    // A text that is not an address may have any length, and it is looked up by an index.
    let as_written = || Some(text::cut(&written_email(employee)?, text::MAX_NAME).to_owned());
    LeftOut {
        wonde_id: employee.id.as_str().to_owned(),
        upi: texts::key(employee.upi.as_deref()),
        email: work_email(employee).map(String::from).ok().or_else(as_written),
        standing: employment::standing(employee, rules),
        starts_on: said.start,
        ends_on: said.end,
        teaching: details(employee).and_then(|details| details.teaching_staff),
        outcome,
    }
}

fn label(employee: &Employee) -> Label {
    let mut texts = Texts::default();
    let names = [texts.name(employee.forename.as_deref()), texts.name(employee.surname.as_deref())];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Label {
        record: RecordKind::Staff,
        wonde_id: employee.id.as_str().to_owned(),
        name: Some(name).filter(|name| !name.is_empty()),
        mis_id: texts::key(employee.mis_id.as_deref()),
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

/// Only the *work* address can be a login, never a private one.
fn work_email(employee: &Employee) -> Result<WorkEmail, IssueCode> {
    let written = written_email(employee).ok_or(IssueCode::NoWorkEmail)?;
    WorkEmail::parse(&written).map_err(|_| IssueCode::InvalidWorkEmail)
}

fn written_email(employee: &Employee) -> Option<String> {
    let contact = employee.contact_details.delivered()?.as_ref()?;
    // Longer than any address may be, so that a text that was cut is not one.
    Texts::default().description(contact.emails.work.as_deref())
}

/// The people above or below the person; `None` if the MIS said nothing about it.
fn hierarchy(employee: &Employee, rules: MappingRules) -> Option<Vec<String>> {
    let listed = employee.hierarchy.delivered().filter(|_| rules.hierarchy_supported)?;
    Some(listed.iter().map(|id| id.as_str().to_owned()).collect())
}

#[cfg(test)]
mod tests;

//! What the comparison programs fetch: plain requests, plain serde, the fields that the sync
//! uses and no tolerance. They keep the same people as the sync and give them the same fields;
//! [`rounds`](super::rounds) looks whether that is so.

use std::collections::HashSet;

use chrono::NaiveDate;
use mis_sync_cli::Failure;
use mis_sync_domain::{
    JobTitle, WorkEmail,
    employment::{self, Employment},
};
use mis_sync_wonde_sim::SchoolSummary;
use reqwest::Client;
use serde::Deserialize;

/// Records per page, for the sync as for the comparison programs.
pub(super) const PAGE_SIZE: u16 = 200;

/// A current member of staff, ready to be written.
pub(super) struct Person {
    pub(super) wonde_id: String,
    pub(super) upi: Option<String>,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) surname: String,
    pub(super) initials: Option<String>,
    pub(super) job_title: Option<String>,
    pub(super) non_teaching: bool,
}

/// The pages of a school's staff, one after the other.
pub(super) struct Pages<'a> {
    http: &'a Client,
    token: &'a str,
    today: NaiveDate,
    next: Option<String>,
    logins: HashSet<String>,
}

impl<'a> Pages<'a> {
    pub(super) fn of(
        http: &'a Client,
        base_url: &str,
        school: &'a SchoolSummary,
        today: NaiveDate,
    ) -> Self {
        let first = format!(
            "{base_url}/schools/{}/employees?include=contact_details,employment_details,roles\
             &per_page={PAGE_SIZE}",
            school.id
        );
        Self { http, token: &school.token, today, next: Some(first), logins: HashSet::new() }
    }

    /// Those of the next page who are to be written; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Person>>, Failure> {
        let Some(url) = self.next.take() else { return Ok(None) };
        let answer = self.http.get(url).bearer_auth(self.token).send().await?.error_for_status()?;
        let list: List = serde_json::from_slice(&answer.bytes().await?)
            .map_err(|error| Failure::work(format!("the list cannot be read: {error}")))?;
        self.next = list.meta.pagination.next;
        let mut people: Vec<Person> =
            list.data.into_iter().filter_map(|employee| employee.person(self.today)).collect();
        // A login belongs to one person only.
        people.retain(|person| self.logins.insert(person.email.to_lowercase()));
        Ok(Some(people))
    }
}

#[derive(Deserialize)]
struct List {
    data: Vec<Employee>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Pagination {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Employee {
    id: String,
    upi: Option<String>,
    initials: Option<String>,
    forename: Option<String>,
    surname: Option<String>,
    contact_details: Data<Contact>,
    employment_details: Data<Option<Details>>,
    roles: Data<Vec<Role>>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Contact {
    emails: Emails,
}

#[derive(Deserialize)]
struct Emails {
    work: Option<String>,
}

#[derive(Deserialize)]
struct Details {
    current: Option<bool>,
    teaching_staff: Option<bool>,
    employment_start_date: Option<Date>,
    employment_end_date: Option<Date>,
}

#[derive(Deserialize)]
struct Date {
    date: String,
}

impl Date {
    fn day(&self) -> Option<NaiveDate> {
        self.date.get(..10)?.parse().ok()
    }
}

#[derive(Deserialize)]
struct Role {
    name: Option<String>,
}

impl Employee {
    fn person(self, today: NaiveDate) -> Option<Person> {
        let details = self.employment_details.data?;
        let employment = Employment {
            current: details.current,
            start: details.employment_start_date.as_ref().and_then(Date::day),
            end: details.employment_end_date.as_ref().and_then(Date::day),
        };
        if !employment::is_current(&employment, today) {
            return None;
        }
        let email = trimmed(self.contact_details.data.emails.work)?;
        let (first_name, surname) = (trimmed(self.forename), trimmed(self.surname));
        if first_name.is_none() && surname.is_none() {
            return None;
        }
        let (title, _) =
            JobTitle::from_roles(self.roles.data.iter().filter_map(|role| role.name.as_deref()));
        Some(Person {
            wonde_id: self.id,
            upi: trimmed(self.upi),
            email: WorkEmail::parse(&email).ok()?.as_str().to_owned(),
            first_name: first_name.unwrap_or_default(),
            surname: surname.unwrap_or_default(),
            initials: trimmed(self.initials),
            job_title: title.as_deref().map(str::to_owned),
            non_teaching: details.teaching_staff == Some(false),
        })
    }
}

fn trimmed(text: Option<String>) -> Option<String> {
    let text = text?;
    let trimmed = text.trim();
    if trimmed.len() == text.len() {
        return (!text.is_empty()).then_some(text);
    }
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

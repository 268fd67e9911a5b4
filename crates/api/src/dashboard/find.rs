//! What the box at the top finds: people by name, email or any id, schools and jobs. What was typed may be
//! personal data, so it is posted and never part of an address.

mod answer;
mod ask;
mod results;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_domain::{Action, AuditAction, Job, NameQuery, School, SchoolId};
use mis_sync_store::{
    audit::Entry,
    find::{self as people, FoundPerson, Sought},
    jobs::{self, JobFilter},
    schools,
};

pub(super) use answer::show as answer;
pub(super) use ask::ask;

use super::{
    form::Posted,
    jobs::by_id,
    login::go,
    page::{Page, Tab, form_token},
    parts::{job_path, person_path, school_path},
};
use crate::{ApiError, state::Operator};

/// How many people are shown.
const SHOWN: usize = 25;
/// How many schools, jobs, and people of a kind are looked for: one more than is shown.
const HITS: i64 = 26;
/// The longest text that is looked at, in characters. No name, email or id is longer.
const LONGEST: usize = 200;

/// Everything that was found.
#[derive(Default)]
struct Results {
    people: Vec<FoundPerson>,
    schools: Vec<(SchoolId, String)>,
    jobs: Vec<Job>,
}

/// What was typed, and in which school.
struct Typed<'a> {
    text: &'a str,
    /// The school of the page on which it was typed.
    school: Option<&'a School>,
}

/// The empty page.
pub(super) async fn show(operator: Operator) -> Response {
    render(
        &operator,
        &Typed { text: "", school: None },
        &html! {
            p.quiet { "Find a person, a school or a job. " (what_is_found(&operator)) }
        },
    )
}

pub(super) async fn find(posted: Posted) -> Result<Response, ApiError> {
    let operator = &posted.operator;
    let school = match posted.fields().text("school") {
        Some(id) => Some(operator.access().school(id).await?),
        None => None,
    };
    let text = posted.fields().text("q").unwrap_or_default();
    let text = bare(mis_sync_domain::text::cut(text, LONGEST));
    let typed = Typed { text, school: school.as_ref() };
    let results = search(operator, &typed).await?;
    if let Some(place) = only_one(&typed, &results) {
        return Ok(go(&place, None));
    }
    if operator.is_allowed(Action::SeePersonalData) && !results.people.is_empty() {
        let entry = Entry {
            school_id: school.as_ref().map(|school| school.id.clone()),
            subject: Some("find".to_owned()),
            ..Entry::new(AuditAction::Reveal)
        };
        operator.access().read_personal_data(&posted.actor()?, &entry).await?;
    }
    let content = results::show(operator, &typed, &results).await?;
    Ok(render(operator, &typed, &content))
}

/// What was pasted, without what is around it: `Lena <lena@oak.example>,` has an email, and *person
/// 8c55d1f0* an id.
fn bare(text: &str) -> &str {
    let text =
        text.split_once('<').map_or(text, |(_, rest)| if rest.contains('@') { rest } else { text });
    let text = text.trim_matches(|c: char| c.is_whitespace() || ",;<>\"()".contains(c));
    let last = text.strip_prefix("person ").or_else(|| text.strip_prefix("job "));
    last.map(str::trim).filter(|id| is_short_id(id)).unwrap_or(text)
}

/// Whether this is the end of an id, as pages show it.
fn is_short_id(text: &str) -> bool {
    text.len() == 8 && text.chars().all(|c| c.is_ascii_hexdigit())
}

async fn search(operator: &Operator, typed: &Typed<'_>) -> Result<Results, ApiError> {
    let pool = operator.access().pool();
    if typed.text.is_empty() {
        return Ok(Results::default());
    }
    let (people, schools, jobs) = tokio::try_join!(
        search_people(operator, typed),
        async {
            if typed.school.is_some() {
                return Ok(Vec::new());
            }
            schools::find(pool, typed.text, HITS).await
        },
        async {
            match by_id(pool, typed.text, &JobFilter::default()).await? {
                Some(filter) => jobs::list(pool, &filter, HITS).await,
                None => Ok(Vec::new()),
            }
        },
    )?;
    Ok(Results { people, schools, jobs })
}

/// People whom the operator may find: without the right to see personal data, only by an id.
async fn search_people(
    operator: &Operator,
    typed: &Typed<'_>,
) -> Result<Vec<FoundPerson>, mis_sync_store::Error> {
    let pool = operator.access().pool();
    let school_id = typed.school.map(|school| &school.id);
    let sought = Sought { text: typed.text, school_id };
    if !operator.is_allowed(Action::SeePersonalData) {
        let is_email = typed.text.contains('@');
        return if is_email { Ok(Vec::new()) } else { people::by_key(pool, sought).await };
    }
    let query = NameQuery::parse(typed.text).filter(|_| !typed.text.contains('@'));
    let by_name = async {
        match &query {
            Some(query) => people::by_name(pool, query, school_id, HITS).await,
            None => Ok(Vec::new()),
        }
    };
    let (by_key, by_name, with_issue) = tokio::try_join!(
        people::by_key(pool, sought),
        by_name,
        people::with_issue(pool, sought, query.as_ref(), HITS),
    )?;
    Ok(people::without_repeats([by_key, by_name, with_issue].concat()))
}

/// The page of the one thing that has this id or email.
fn only_one(typed: &Typed<'_>, results: &Results) -> Option<String> {
    let is = |id: &dyn ToString| {
        let id = id.to_string().to_ascii_lowercase();
        let text = typed.text.to_ascii_lowercase();
        id == text || (is_short_id(&text) && id.ends_with(&text))
    };
    match (&results.people[..], &results.schools[..], &results.jobs[..]) {
        ([person], [], []) => {
            let is_email = typed.text.contains('@');
            let is_id = person.staff_id.is_some_and(|id| is(&id))
                || person.wonde_id.as_ref().is_some_and(|id| is(id));
            // A name is no id: the person may be a namesake, so the list offers to ask the MIS.
            (is_email || is_id).then(|| path_of(person)).flatten()
        }
        ([], schools, []) => schools.iter().find(|(id, _)| is(id)).map(|(id, _)| school_path(id)),
        ([], [], [job]) if is(&job.id) => Some(job_path(job.id)),
        _ => None,
    }
}

/// The page of a person; `None` if the record has no id.
fn path_of(person: &FoundPerson) -> Option<String> {
    let id = person.staff_id.map(|id| id.to_string()).or_else(|| person.wonde_id.clone())?;
    Some(person_path(&person.school_id, &id))
}

fn render(operator: &Operator, typed: &Typed<'_>, content: &Markup) -> Response {
    let school = typed.school;
    let content = html! {
        h1 { "Find" }
        form.search method="post" action="/dashboard/find" {
            (form_token(operator))
            label.hidden for="q" { "Name, email or id" }
            input #q name="q" type="search" value=(typed.text) autocomplete="off" spellcheck="false"
                placeholder="Name, email or id";
            @if let Some(school) = school {
                label {
                    input type="checkbox" name="school" value=(school.id) checked;
                    " only in "
                    (school.name)
                }
            }
            button { "Find" }
        }
        (content)
    };
    let page = Page { operator, tab: Tab::Schools, title: "Find", watch: None };
    page.show(&content).into_response()
}

/// What the box takes, for this operator.
fn what_is_found(operator: &Operator) -> Markup {
    html! {
        @if operator.is_allowed(Action::SeePersonalData) {
            "People are found by the beginning of any part of their name, by work email, staff id, "
            "Wonde id, UPI or MIS id."
        } @else {
            "Your role finds people by their staff id or Wonde id. Names and emails are personal data: "
            "a key of the role operator or admin finds people by them."
        }
    }
}

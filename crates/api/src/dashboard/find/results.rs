//! What was found, by kind.

use maud::{Markup, html};
use mis_sync_domain::{Action, Job, NameQuery, explain::in_short};
use mis_sync_store::find::FoundPerson;

use super::{Results, SHOWN, Typed, ask, path_of, what_is_found};
use crate::{
    ApiError,
    dashboard::parts::{job_path, names_of, school, school_path, scroll, state, time, what},
    state::Operator,
};

pub(super) async fn show(
    operator: &Operator,
    typed: &Typed<'_>,
    results: &Results,
) -> Result<Markup, ApiError> {
    let Results { people, schools, jobs } = results;
    let (in_ip, not_in_ip): (Vec<_>, Vec<_>) =
        people.iter().take(SHOWN).partition(|person| person.staff_id.is_some());
    let nothing = people.is_empty() && schools.is_empty() && jobs.is_empty();
    let may_see = operator.is_allowed(Action::SeePersonalData);
    let too_short = NameQuery::parse(typed.text).is_none();
    let ask = ask::form(operator, typed).await?;
    Ok(html! {
        @if too_short {
            p.warning role="status" { "Type at least two letters or digits." }
        } @else if nothing {
            p.warning role="status" {
                @match typed.school {
                    Some(school) => { "Nothing in iP or in the last sync of " (school.name) " matches." },
                    None => "Nothing in iP or in the last syncs matches.",
                }
                " "
                (what_is_found(operator))
            }
        } @else if !may_see {
            p.quiet { (what_is_found(operator)) }
        }
        @if !in_ip.is_empty() { (section("People in iP", &in_ip, may_see)) }
        @if !not_in_ip.is_empty() {
            (section("Not in iP: the last sync left them out", &not_in_ip, may_see))
        }
        @if people.len() > SHOWN {
            p.quiet { "There are more people than these. Type more of the name, or search on the page of the school." }
        }
        @if !schools.is_empty() {
            section.panel {
                header { h2 { "Schools" } }
                ul.hits {
                    @for (id, name) in schools {
                        li {
                            a href=(school_path(id)) { (name) " " code.quiet { (id) } }
                        }
                    }
                }
            }
        }
        @if !jobs.is_empty() { (found_jobs(operator, jobs).await) }
        @if may_see && !too_short { (ask) }
    })
}

fn section(title: &str, people: &[&FoundPerson], may_see: bool) -> Markup {
    html! {
        section.panel {
            header { h2 { (title) } }
            (scroll(title, &html! {
                table.rows.cards {
                    thead {
                        tr { th { "Person" } th { "School" } th { "Where they are" } th { "Ids" } }
                    }
                    tbody {
                        @for person in people { (row(person, may_see)) }
                    }
                }
            }))
        }
    }
}

fn row(person: &FoundPerson, may_see: bool) -> Markup {
    let name = person.name.as_deref().map(str::trim).filter(|name| may_see && !name.is_empty());
    let called = name.unwrap_or(if may_see { "(no name)" } else { "•••••" });
    html! {
        tr {
            td {
                @match path_of(person) {
                    Some(path) => a.open href=(path) { (called) },
                    None => (called),
                }
            }
            td data-label="School" { a href=(school_path(&person.school_id)) { (person.school_name) } }
            td.wide { (in_short(person.active, person.outcome)) }
            td data-label="Ids" {
                @if let Some(id) = person.mis_id.as_ref().filter(|_| may_see) { "MIS id " code { (id) } " " }
                @if let Some(id) = &person.wonde_id { "Wonde id " code { (id) } }
            }
        }
    }
}

async fn found_jobs(operator: &Operator, jobs: &[Job]) -> Markup {
    let pool = operator.access().pool();
    let names = names_of(pool, jobs.iter().filter_map(|job| job.school_id.as_ref())).await;
    html! {
        section.panel {
            header { h2 { "Jobs" } }
            ul {
                @for job in jobs {
                    li {
                        a href=(job_path(job.id)) { (what(job)) }
                        " "
                        (school(&names, job.school_id.as_ref()))
                        " "
                        (state(job.state))
                        " "
                        (time(operator, job.created_at))
                    }
                }
            }
        }
    }
}

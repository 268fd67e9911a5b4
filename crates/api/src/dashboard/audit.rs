//! Who did what, when, why, to which job or school.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{Action, AuditAction};
use mis_sync_store::audit::{self, AuditFilter, AuditLine};
use url::form_urlencoded::Serializer;

use super::{
    form::Posted,
    page::{Page, Tab, form_token},
    parts::{Names, badge, empty, job_path, names_of, number, panel, read, school, scroll, time},
};
use crate::{ApiError, parameters::Parameters, state::Operator};

/// Lines per page.
const LIMIT: usize = 50;

pub(super) async fn show(operator: Operator, parameters: Parameters) -> Result<Response, ApiError> {
    let filter = read_filter(parameters)?;
    Ok(render(&operator, &filter, None).await)
}

fn read_filter(mut parameters: Parameters) -> Result<AuditFilter, ApiError> {
    parameters.drop_empty();
    let filter = AuditFilter {
        school_id: parameters.take("school", "a school's id")?,
        job_id: parameters.take("job", "a job's id")?,
        action: parameters.take("action", "an action")?,
        actor: parameters.take_text("actor", "the name of a key or command")?,
        before: parameters.take("before", "a position")?,
    };
    parameters.finish("`school`, `job`, `action`, `actor` and `before`")?;
    Ok(filter)
}

async fn render(operator: &Operator, filter: &AuditFilter, verdict: Option<Markup>) -> Response {
    let limit = i64::try_from(LIMIT + 1).expect("a small number");
    let pool = operator.access().pool();
    let lines = read(audit::list(pool, filter, limit)).await;
    let schools = lines.iter().flatten().filter_map(|line| line.school_id.as_ref());
    let names = names_of(pool, schools).await;
    let content = html! {
        div.title {
            h1 { "Audit log" }
            form.buttons method="post" action="/dashboard/audit/verify" {
                (form_token(operator))
                button { "Verify the chain" }
            }
        }
        p.quiet {
            "Each line carries the hash of the line before, so a line cannot be changed or removed unnoticed. "
            code { "mis-sync audit verify" }
            " checks the same without this service."
        }
        @if let Some(verdict) = verdict { (verdict) }
        (filters(filter))
        (panel(
            "Newest first",
            "As of page load",
            &lines,
            |lines| table(operator, filter, lines, &names),
        ))
    };
    Page { operator, tab: Tab::Audit, title: "Audit log", watch: None }.show(&content)
}

fn filters(filter: &AuditFilter) -> Markup {
    html! {
        form.filters action="/dashboard/audit" {
            label {
                "School"
                input
                    name="school"
                    value=[filter.school_id.as_ref().map(ToString::to_string)]
                    autocomplete="off"
                    placeholder="id";
            }
            label {
                "Job"
                input
                    name="job"
                    value=[filter.job_id.map(|id| id.to_string())]
                    autocomplete="off"
                    placeholder="id";
            }
            label {
                "Action"
                select name="action" {
                    option value="" { "any" }
                    @for action in AuditAction::ALL {
                        option value=(action) selected[filter.action == Some(*action)] {
                            (action.as_str().replace('_', " "))
                        }
                    }
                }
            }
            label {
                "By"
                input
                    name="actor"
                    value=[filter.actor.as_deref()]
                    autocomplete="off"
                    placeholder="name of a key";
            }
            span.buttons {
                button { "Filter" }
                " "
                a.button href="/dashboard/audit" { "Clear" }
            }
        }
    }
}

fn table(operator: &Operator, filter: &AuditFilter, lines: &[AuditLine], names: &Names) -> Markup {
    if lines.is_empty() {
        return empty(
            "No line matches.",
            &html! {
                "Everything that people do here, with the API or on the command line is recorded. "
                a href="/dashboard/audit" { "Clear the filter" }
            },
        );
    }
    let page = &lines[..lines.len().min(LIMIT)];
    html! {
        (scroll("Audit log", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th.number { "#" }
                        th { "When" }
                        th { "Who" }
                        th { "What" }
                        th { "To" }
                        th { "Why" }
                        th { "Hash" }
                    }
                }
                tbody {
                    @for line in page {
                        tr {
                            td.number data-label="Line" { (number(line.position)) }
                            td { (time(operator, line.at)) }
                            td {
                                (line.actor)
                                @if line.api_key_id.is_none() {
                                    " "
                                    span.quiet { "(command)" }
                                }
                            }
                            td { (line.action.as_str().replace('_', " ")) }
                            td { (target(line, names)) }
                            td data-label="Why" {
                                @match &line.reason {
                                    Some(reason) => (reason),
                                    None => span.quiet { "–" },
                                }
                            }
                            td data-label="Hash" {
                                code title=(line.hash) { (short_hash(line)) }
                            }
                        }
                    }
                }
            }
        }))
        @if let Some(last) = page.last().filter(|_| lines.len() > LIMIT) {
            nav.pages aria-label="Pages of the log" {
                a.button href=(older(filter, last.position)) { "Older" }
            }
        }
    }
}

fn target(line: &AuditLine, names: &Names) -> Markup {
    html! {
        @if let Some(id) = &line.school_id { (school(names, id)) " " }
        @if let Some(job) = line.job_id {
            a href=(job_path(job)) {
                "job "
                code { (super::parts::short(job)) }
            }
            " "
        }
        @if let Some(person) = line.staff_id {
            (super::parts::person(line.school_id.as_ref(), &person.to_string()))
            " "
        }
        @match (bulk(line), &line.subject) {
            (Some((action, id)), _) => a href={ "/dashboard/bulk/" (id) } {
                (action)
                " "
                code { (id) }
            },
            (None, Some(subject)) => code { (subject) },
            (None, None) => "",
        }
    }
}

/// The action on many jobs, and the id of its progress page.
fn bulk(line: &AuditLine) -> Option<(&str, &str)> {
    line.subject.as_deref().filter(|_| line.action == AuditAction::Bulk)?.split_once(' ')
}

fn short_hash(line: &AuditLine) -> String {
    line.hash.to_string().chars().take(8).collect()
}

fn older(filter: &AuditFilter, before: i64) -> String {
    let mut query = Serializer::new(String::new());
    let fields = [
        ("school", filter.school_id.as_ref().map(ToString::to_string)),
        ("job", filter.job_id.map(|id| id.to_string())),
        ("action", filter.action.map(|action| action.to_string())),
        ("actor", filter.actor.clone()),
        ("before", Some(before.to_string())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    format!("/dashboard/audit?{}", query.finish())
}

/// Verifies the whole chain.
pub(super) async fn verify(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::UseDashboard)?;
    let verdict = match audit::verify(access.pool()).await? {
        Ok(verified) => html! {
            p.good role="status" {
                (badge("succeeded", "✓", "unbroken"))
                " All "
                (number(i128::from(verified.lines)))
                " lines are unchanged."
                @if let Some(head) = verified.head_hash {
                    " Head: "
                    code.whole { (head) }
                    " Store it elsewhere: "
                    code { "mis-sync audit verify --head" }
                    " also checks that none was removed from the end."
                }
            }
        },
        Err(broken) => html! {
            p.failure role="alert" { (badge("failed", "✕", "broken")) " " (broken.to_string()) "." }
        },
    };
    Ok(render(&posted.operator, &AuditFilter::default(), Some(verdict)).await)
}

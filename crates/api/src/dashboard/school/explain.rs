//! Why is this person here, missing or different? The answer holds personal data, so asking is
//! noted.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{
    Action, AuditAction, School,
    explain::{Explanation, Outcome},
};
use mis_sync_store::{
    audit::Entry,
    explain::{Known, Who, gather},
};

use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        page::form_token,
        parts::{badge, school_path, scroll},
        undone,
    },
    parameters::PathId,
    state::{Access, Operator},
};

/// The box, and the answer below it.
pub(super) fn panel(operator: &Operator, school: &School, answer: Option<Markup>) -> Markup {
    html! {
        section #explain.panel {
            header {
                h2 { "Why is this person here, missing or different?" }
                p.source { "What the last runs saw, and what iP holds" }
            }
            @if operator.is_allowed(Action::SeePersonalData) {
                form.inline method="post" action={ (school_path(&school.id)) "/explain#explain" } {
                    (form_token(operator))
                    label {
                        "Work email, Wonde id or staff id"
                        input name="who" required autocomplete="off" spellcheck="false";
                    }
                    button { "Explain" }
                    span.quiet { "noted in the audit log" }
                }
            } @else {
                p.quiet {
                    "The answer holds personal data. A key of the role operator or admin may ask."
                }
            }
            @if let Some(answer) = answer { (answer) }
        }
    }
}

pub(in crate::dashboard) async fn explain(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::SeePersonalData)?;
    let school = access.school(&id).await?;
    let who = read_who(posted.fields().required("who")?);
    let found = gather(access.pool(), &school.id, &who).await?;
    let staff_id = found.as_ref().and_then(|known| known.person.as_ref()).map(|person| person.id);
    let entry =
        Entry { school_id: Some(school.id.clone()), staff_id, ..Entry::new(AuditAction::Reveal) };
    access.read_personal_data(&posted.actor()?, &entry).await?;
    let answer = match found {
        None => {
            html! { p.refusal role="status" { "The school has no person with this staff id." } }
        }
        Some(known) => {
            let mis = access.mis_of(&school);
            let explanation =
                mis_sync_domain::explain::explain(&known.evidence, &school.settings, mis);
            html! {
                (undone::in_force(&posted.operator, &school.id, staff_id).await)
                (show(access, &known, &explanation))
            }
        }
    };
    super::render(&posted.operator, &school, Some(answer)).await
}

/// What the person typed: an email has an `@`, a staff id is a UUID, everything else is Wonde's.
fn read_who(text: &str) -> Who {
    if text.contains('@') {
        return Who::Email(text.to_owned());
    }
    text.parse().map_or_else(|_| Who::WondeId(text.to_owned()), Who::Staff)
}

fn show(access: &Access, known: &Known, explanation: &Explanation) -> Markup {
    let person = known.person.as_ref();
    html! {
        div.answer role="status" {
            p.verdict {
                strong { (explanation.sentence) }
            }
            p.quiet {
                code { (explanation.verdict.as_str()) }
                @if let Some(id) = &known.wonde_id {
                    " · Wonde id "
                    code { (id) }
                }
                @if let Some(person) = person {
                    " · staff id "
                    code { (person.id) }
                }
            }
            ol.steps {
                @for step in &explanation.steps {
                    li {
                        (outcome(step.outcome))
                        " "
                        strong { (step.step.as_str().replace('_', " ")) }
                        ": "
                        (step.sentence)
                    }
                }
            }
            @if let Some(person) = person.filter(|person| !person.fields.is_empty()) {
                (scroll("Fields", &html! {
                    table.rows {
                        thead {
                            tr {
                                th { "Field" }
                                th { "iP" }
                                th { "MIS" }
                                th { "Same?" }
                                th { "Why" }
                            }
                        }
                        tbody {
                            @for (provenance, result) in person.fields.iter().zip(&explanation.fields) {
                                tr {
                                    td { (provenance.field.as_str().replace('_', " ")) }
                                    td {
                                        (provenance
                                            .ip_value
                                            .as_ref()
                                            .map_or("–", |value| value.as_str()))
                                    }
                                    td {
                                        (provenance
                                            .mis_value
                                            .as_ref()
                                            .map_or("–", |value| value.as_str()))
                                    }
                                    td { (outcome(result.outcome)) }
                                    td { (result.sentence) }
                                }
                            }
                        }
                    }
                }))
            }
            @if let Some(school) = known.login_used_at.as_ref().filter(|school| access.sees(school)) {
                p {
                    "The login is in use at "
                    a href=(school_path(school)) { (school) }
                    "."
                }
            }
            @if !known.others.is_empty() {
                p {
                    "Others in the MIS have the same work email: "
                    @for id in &known.others {
                        code { (id) }
                        " "
                    }
                }
            }
        }
    }
}

fn outcome(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Passed => badge("succeeded", "✓", "yes"),
        Outcome::Failed => badge("failed", "✕", "no"),
        Outcome::Unknown => badge("retrying", "?", "unknown"),
        Outcome::NotApplicable => badge("cancelled", "–", "does not arise"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_types_is_known_by_its_shape() {
        assert!(matches!(read_who("a@oak.example"), Who::Email(_)));
        assert!(matches!(read_who("01985bb3-d16d-7a13-92dd-9b0131ca3f1d"), Who::Staff(_)));
        assert!(matches!(read_who("A1329183376"), Who::WondeId(_)));
    }
}

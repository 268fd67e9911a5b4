//! Which record of the MIS is which person in iP: side by side, decided one by one, several at once,
//! or all that are certain.

use std::collections::HashSet;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mis_sync_domain::{
    Action, AuditAction, School, StaffId,
    plan::{MatchReason, Named, Pair, certain},
};
use mis_sync_store::{
    audit::Entry,
    matches::{self, Candidate},
};

use super::{
    form::{Fields, Posted},
    login::go,
    page::{Page, Tab, form_token},
    parts::{badge, count, empty, school_path, scroll},
};
use crate::{
    ApiError,
    parameters::{Parameters, PathId},
    state::{Access, Operator, PersonalData},
};

/// Possible matches on a page.
const LIMIT: usize = 50;

/// What a button says about a record.
enum Decision<'a> {
    Same(&'a str, StaffId),
    New(&'a str),
    /// The decision no longer counts.
    Open(&'a str),
}

pub(super) async fn show(
    operator: Operator,
    PathId(id): PathId,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    parameters.drop_empty();
    let page = parameters.take("page", "a page's number")?.unwrap_or_default();
    parameters.finish("`page`")?;
    let school = operator.access().school(&id).await?;
    render(&operator, &school, page, None).await
}

async fn render(
    operator: &Operator,
    school: &School,
    page: usize,
    notice: Option<&str>,
) -> Result<Response, ApiError> {
    let access = operator.access();
    let found = matches::list(access.pool(), &school.id).await?;
    let entry = Entry {
        school_id: Some(school.id.clone()),
        subject: Some("matches".to_owned()),
        ..Entry::new(AuditAction::Reveal)
    };
    let personal = if found.is_empty() {
        PersonalData::Masked
    } else {
        access.read_personal_data(&access.actor(None), &entry).await?
    };
    let content = html! {
        p {
            a href=(school_path(&school.id)) { (school.name) }
        }
        h1 { "Possible matches" }
        p.quiet {
            "A record in the MIS has a new id and may be a person who is in iP. The same person keeps \
             their login, password and history; someone new gets an account of their own. The next full \
             sync follows the decisions; until then you can change them."
        }
        @if let Some(notice) = notice {
            p.refusal role="alert" { (notice) }
        }
        @if found.is_empty() {
            (empty("No possible matches wait for a decision.", &html! {
                a href=(school_path(&school.id)) { "To the school" }
            }))
        } @else { (list(operator, school, &found, page, personal)) }
    };
    let page = Page { operator, tab: Tab::Schools, title: "Possible matches", watch: None };
    Ok(page.show(&content).into_response())
}

fn list(
    operator: &Operator,
    school: &School,
    found: &[Candidate],
    page: usize,
    personal: PersonalData,
) -> Markup {
    let may_decide = operator.is_allowed(Action::Sync);
    let open = found.iter().filter(|candidate| candidate.decision.is_none());
    let open: HashSet<&str> = open.map(|candidate| candidate.wonde_id.as_str()).collect();
    let path = |page: usize| format!("{}/matches?page={page}", school_path(&school.id));
    let shown = found.iter().skip(page * LIMIT).take(LIMIT);
    html! {
        form.matches method="post" action=(path(page)) {
            (form_token(operator))
            div.title {
                h2 { (count(size(open.len()), "record is open", "records are open")) }
                @if may_decide { (at_once(certain_of(found).len())) }
            }
            (scroll("Possible matches", &html! {
                table.rows.cards {
                    thead {
                        tr {
                            th { "In iP" }
                            th { "In the MIS" }
                            th.number { "Score" }
                            th { "Why" }
                            th { "Decision" }
                        }
                    }
                    tbody {
                        @for candidate in shown { (row(candidate, personal, may_decide)) }
                    }
                }
            }))
            @if may_decide {
                p.buttons {
                    "Ticked: "
                    button name="decide" value="same" { "Same person" }
                    button name="decide" value="new" { "Someone new" }
                }
            }
        }
        nav.pages aria-label="Pages of the list" {
            @if page > 0 {
                a.button href=(path(page - 1)) { "Previous" }
            }
            @if (page + 1) * LIMIT < found.len() {
                a.button href=(path(page + 1)) { "Next" }
            }
        }
    }
}

fn size(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The button for all certain matches, which asks first.
fn at_once(certain: usize) -> Markup {
    html! {
        @if certain > 0 {
            details.action {
                summary.button.primary {
                    "All "
                    (count(size(certain), "certain one", "certain ones"))
                }
                div.sheet {
                    p {
                        (count(size(certain), "record is", "records are"))
                        " linked to the person in iP. Certain means: the forename and either the work \
                         email, or the surname and a class, are the same, and no other record or \
                         person comes into question."
                    }
                    button.primary name="decide" value="certain" { "Same person for all of them" }
                }
            }
        }
    }
}

fn row(candidate: &Candidate, personal: PersonalData, may_decide: bool) -> Markup {
    let Candidate { wonde_id, staff_id, .. } = candidate;
    let is_same = candidate.decision == Some(Some(*staff_id));
    html! {
        tr #{ "match-" (wonde_id) "-" (staff_id) } {
            td data-label="In iP" {
                @if may_decide && candidate.decision.is_none() {
                    input.tick
                        type="checkbox"
                        name={ "tick." (wonde_id) "." (staff_id) }
                        aria-label="Tick this match";
                }
                (named(&candidate.ip, personal))
            }
            td data-label="In the MIS" {
                (named(&candidate.mis, personal))
                div.quiet {
                    code { (wonde_id) }
                }
            }
            td.number data-label="Score" { (candidate.score) }
            td.wide { (why(candidate)) }
            td {
                @match (candidate.decision, may_decide) {
                    (None, false) => span.quiet { "open" },
                    (None, true) => {
                        span.buttons {
                            button name="decide" value={ "same." (wonde_id) "." (staff_id) } {
                                "Same person"
                            }
                            button name="decide" value={ "new." (wonde_id) } { "Someone new" }
                        }
                    }
                    (Some(staff), _) => {
                        @if is_same { (badge("succeeded", "✓", "same person")) }
                        @else if staff.is_none() { (badge("running", "+", "someone new")) }
                        @else { (badge("cancelled", "–", "another person")) }
                        @if may_decide && (is_same || staff.is_none()) {
                            " "
                            button name="decide" value={ "open." (wonde_id) } { "Take back" }
                        }
                    }
                }
            }
        }
    }
}

fn named(named: &Named, personal: PersonalData) -> Markup {
    html! {
        @if personal == PersonalData::Shown {
            strong { (named.first_name) " " (named.surname) }
            div.quiet { (if named.email.is_empty() { "no email" } else { &named.email }) }
            div.quiet {
                (named.initials.as_deref().unwrap_or("no initials"))
                ", "
                (named.job_title.as_deref().unwrap_or("no job title"))
            }
        } @else { span.hidden-data { "•••••" } }
    }
}

/// What is the same, and what a person recognises others by and is not.
fn why(candidate: &Candidate) -> Markup {
    let words = |reason: &MatchReason| match reason {
        MatchReason::WondeId => "Wonde id",
        MatchReason::Upi => "UPI",
        MatchReason::WorkEmail => "work email",
        MatchReason::Surname => "surname",
        MatchReason::FirstName => "forename",
        MatchReason::Initials => "initials",
        MatchReason::Classes => "a class",
    };
    let same: Vec<&str> = candidate.reasons.iter().map(words).collect();
    let compared = [MatchReason::WorkEmail, MatchReason::Surname, MatchReason::FirstName];
    let differ = compared.iter().filter(|reason| !candidate.reasons.contains(reason));
    let differ: Vec<&str> = differ.map(words).collect();
    html! {
        "Same: "
        (same.join(", "))
        @if !differ.is_empty() {
            div.quiet { "Different: " (differ.join(", ")) }
        }
        @if candidate.in_doubt {
            div.quiet { "In doubt: if it is the same person, the account gets a new password." }
        }
    }
}

/// The matches that no one has to look at.
fn certain_of(found: &[Candidate]) -> Vec<&Candidate> {
    let pairs = found.iter().map(|candidate| Pair {
        wonde_id: &candidate.wonde_id,
        staff_id: candidate.staff_id,
        score: candidate.score,
        reasons: &candidate.reasons,
        in_doubt: candidate.in_doubt,
    });
    let certain = certain(&pairs.collect::<Vec<_>>());
    let is_open = |at: &usize| found[*at].decision.is_none();
    certain.into_iter().filter(is_open).map(|at| &found[at]).collect()
}

/// Stores one decision or several, each with its line in the audit log.
pub(super) async fn decide(
    PathId(id): PathId,
    mut parameters: Parameters,
    posted: Posted,
) -> Result<Response, ApiError> {
    let page: usize = parameters.take("page", "a page's number")?.unwrap_or_default();
    let access = posted.may(Action::Sync)?;
    let school = access.school(&id).await?;
    let found = matches::list(access.pool(), &school.id).await?;
    let what = posted.fields().required("decide")?;
    let decisions: Vec<Decision<'_>> = match what {
        "certain" => {
            let certain = certain_of(&found).into_iter();
            certain.map(|one| Decision::Same(&one.wonde_id, one.staff_id)).collect()
        }
        "same" | "new" => ticked(posted.fields(), what == "same"),
        one => read(one).into_iter().collect(),
    };
    let (wanted, mut kept) = (decisions.len(), 0);
    for decision in decisions {
        kept += usize::from(store(access, &posted, &school, decision).await?);
    }
    if wanted > 0 && kept == wanted {
        return Ok(go(&format!("{}/matches?page={page}", school_path(&school.id)), None));
    }
    let notice = if wanted == 0 {
        "Nothing was decided: tick the matches first.".to_owned()
    } else {
        format!(
            "{} of {wanted} no longer applied, because a sync has changed the list meanwhile.",
            wanted - kept
        )
    };
    let page = render(&posted.operator, &school, page, Some(&notice)).await?;
    Ok((StatusCode::CONFLICT, page).into_response())
}

fn ticked(fields: &Fields, is_same: bool) -> Vec<Decision<'_>> {
    let pairs = fields.names_after("tick.").filter_map(pair);
    pairs
        .map(
            |(wonde_id, staff_id)| {
                if is_same { Decision::Same(wonde_id, staff_id) } else { Decision::New(wonde_id) }
            },
        )
        .collect()
}

/// A record and a person in iP, as forms name them.
fn pair(text: &str) -> Option<(&str, StaffId)> {
    let (wonde_id, staff_id) = text.split_once('.')?;
    Some((wonde_id, staff_id.parse().ok()?))
}

/// The decision of the button of one row.
fn read(value: &str) -> Option<Decision<'_>> {
    let (what, rest) = value.split_once('.')?;
    match what {
        "same" => pair(rest).map(|(wonde_id, staff_id)| Decision::Same(wonde_id, staff_id)),
        "new" => Some(Decision::New(rest)),
        "open" => Some(Decision::Open(rest)),
        _ => None,
    }
}

/// Whether the decision could be stored.
async fn store(
    access: &Access,
    posted: &Posted,
    school: &School,
    decision: Decision<'_>,
) -> Result<bool, ApiError> {
    let (pool, actor) = (access.pool(), posted.actor()?);
    Ok(match decision {
        Decision::Same(wonde_id, staff_id) => {
            matches::decide(pool, &school.id, wonde_id, Some(staff_id), &actor).await?
        }
        Decision::New(wonde_id) => {
            matches::decide(pool, &school.id, wonde_id, None, &actor).await?
        }
        Decision::Open(wonde_id) => matches::reopen(pool, &school.id, wonde_id, &actor).await?,
    })
}

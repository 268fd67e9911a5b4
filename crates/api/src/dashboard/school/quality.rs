//! What the MIS clerk has to correct, by reason, and the same as a file.

use std::collections::BTreeMap;

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{Action, AuditAction, School};
use mis_sync_store::{audit::Entry, issues::NamedIssue};

use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        page::form_token,
        parts::{number, school_path, scroll},
    },
    download::{self as file, List},
    parameters::PathId,
    state::Operator,
};

pub(super) fn show(operator: &Operator, school: &School, issues: &[NamedIssue]) -> Markup {
    if issues.is_empty() {
        let never = school.last_synced_at.is_none();
        return html! {
            p.quiet {
                @if never { "No sync of this school has been applied yet." } @else {
                    "Nothing to correct: every record in the MIS could be imported."
                }
            }
        };
    }
    let mut reasons: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for NamedIssue { issue, .. } in issues {
        reasons.entry(issue.code.as_str()).or_insert((0, issue.code.sentence())).0 += 1;
    }
    html! {
        (scroll("Data quality", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "Reason" }
                        th.number { "Records" }
                        th { "Code" }
                    }
                }
                tbody {
                    @for (code, (records, sentence)) in &reasons {
                        tr {
                            td.wide { (sentence) }
                            td.number data-label="Records" {
                                (number(i64::try_from(*records).unwrap_or(i64::MAX)))
                            }
                            td {
                                code.quiet { (code) }
                            }
                        }
                    }
                }
            }
        }))
        @if operator.is_allowed(Action::SeePersonalData) {
            form.inline method="post" action={ (school_path(&school.id)) "/quality" } {
                (form_token(operator))
                button { "Download for the MIS clerk (CSV)" }
                " "
                span.quiet { "with names and emails; recorded in the audit log" }
            }
        }
    }
}

pub(in crate::dashboard) async fn download(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::SeePersonalData)?;
    let school = access.school(&id).await?;
    let entry = Entry {
        school_id: Some(school.id.clone()),
        subject: Some("issues".into()),
        ..Entry::new(AuditAction::Export)
    };
    let personal = access.read_personal_data(&posted.actor()?, &entry).await?;
    file::download(access.pool(), List::SchoolIssues(school.id, personal)).await
}

//! What the MIS clerk has to correct, by reason, and the same as a file.

use std::collections::BTreeMap;

use axum::{
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mis_sync_domain::{Action, AuditAction, School};
use mis_sync_store::{
    audit::Entry,
    schools::{self, Flaw},
};

use crate::{
    ApiError, csv,
    dashboard::{
        form::Posted,
        page::form_token,
        parts::{number, school_path, scroll},
    },
    parameters::PathId,
    state::Operator,
};

/// Columns of the file.
const COLUMNS: [&str; 7] =
    ["wonde_id", "upi", "name_in_ip", "work_email", "problem", "what_it_means", "code"];

pub(super) fn show(operator: &Operator, school: &School, flaws: &[Flaw]) -> Markup {
    if flaws.is_empty() {
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
    for flaw in flaws {
        reasons.entry(flaw.code.as_str()).or_insert((0, flaw.code.sentence())).0 += 1;
    }
    html! {
        (scroll("Data quality", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "Reason" }
                        th.number { "Records" }
                        th { "What it means" }
                    }
                }
                tbody {
                    @for (code, (records, sentence)) in &reasons {
                        tr {
                            td {
                                code { (code) }
                            }
                            td.number data-label="Records" {
                                (number(i64::try_from(*records).unwrap_or(i64::MAX)))
                            }
                            td.wide { (sentence) }
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
    let flaws = schools::flaws(access.pool(), &school.id).await?;
    let entry = Entry {
        school_id: Some(school.id.clone()),
        subject: Some("data quality".into()),
        ..Entry::new(AuditAction::Export)
    };
    access.read_personal_data(&posted.actor()?, &entry).await?;
    let file = flaws.iter().fold(csv::header(&COLUMNS), |file, flaw| file + &line(flaw));
    let name = format!("attachment; filename=\"data-quality-{}.csv\"", school.id);
    Ok(([(CONTENT_TYPE, csv::MEDIA_TYPE.to_owned()), (CONTENT_DISPOSITION, name)], file)
        .into_response())
}

fn line(flaw: &Flaw) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    csv::record(&[
        &text(&flaw.wonde_id),
        &text(&flaw.upi),
        text(&flaw.name).trim(),
        &text(&flaw.email),
        &flaw.code.as_str().replace('_', " "),
        flaw.code.sentence(),
        flaw.code.as_str(),
    ])
}

//! Which records a job left out or did not import in full, by reason.

use std::collections::BTreeMap;

use maud::{Markup, html};
use mis_sync_domain::{Issue, IssueCode, Job, JobId, RecordKind};
use mis_sync_store::{Error, Pool, jobs};

use crate::dashboard::parts::{count, number, person, scroll};

/// Issues per page.
const LIMIT: i64 = 500;

pub(super) async fn page(pool: &Pool, id: JobId) -> Result<Vec<(i64, Issue)>, Error> {
    jobs::issues(pool, id, 0, LIMIT).await
}

pub(super) fn show(job: &Job, issues: &[(i64, Issue)]) -> Markup {
    if issues.is_empty() {
        let why = match (&job.report, job.state.is_finished()) {
            (Some(_), _) => "No record had an issue.",
            (None, true) => "The records were never compared.",
            (None, false) => "None so far.",
        };
        return html! { p.quiet { (why) } };
    }
    let mut reasons: BTreeMap<&str, (IssueCode, Vec<&str>)> = BTreeMap::new();
    for (_, issue) in issues {
        let records = &mut reasons.entry(issue.code.as_str()).or_insert((issue.code, Vec::new())).1;
        records.extend(issue.wonde_id.as_deref());
    }
    html! {
        (scroll("Issues", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "Reason, and which records" }
                        th.number { "Records" }
                        th { "Code" }
                    }
                }
                tbody {
                    @for (code, records) in reasons.values() {
                        tr {
                            td.wide { (code.sentence()) (which(job, *code, records)) }
                            td.number data-label="Records" {
                                @if records.is_empty() {
                                    span.quiet { "all" }
                                } @else {
                                    (number(i128::try_from(records.len()).unwrap_or_default()))
                                }
                            }
                            td {
                                code.quiet { (code.as_str()) }
                            }
                        }
                    }
                }
            }
        }))
        @if i64::try_from(issues.len()).is_ok_and(|shown| shown >= LIMIT) {
            p.quiet {
                "The first "
                (number(LIMIT))
                " are shown. The school's page has the data-quality report with all of them."
            }
        }
    }
}

/// The records, folded away. An issue of the whole school has none.
fn which(job: &Job, code: IssueCode, records: &[&str]) -> Markup {
    if records.is_empty() {
        return html! {};
    }
    html! {
        details #{ "issue-" (code.as_str()) }.data {
            summary {
                (count(i128::try_from(records.len()).unwrap_or_default(), "Wonde id", "Wonde ids"))
            }
            ul.ids {
                @for id in records {
                    li {
                        @if code.record() == Some(RecordKind::Staff) {
                            (person(job.school_id.as_ref(), id))
                        } @else {
                            code.whole { (id) }
                        }
                    }
                }
            }
        }
    }
}

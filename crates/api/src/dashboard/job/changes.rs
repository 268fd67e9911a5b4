//! What a job changed or would change: first in groups, then field by field. Names, emails and
//! what else is about a person is hidden until somebody who may asks to see it, and that is noted.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{
    Action, AuditAction, Change, ChangedField, ChangedRecord, FieldValue, Job, JobId, JobState,
};
use mis_sync_store::{
    Error, Pool, audit,
    jobs::{self, ChangeGroup, ChangeKind},
};

use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        page::form_token,
        parts::{count, job_path, scroll},
    },
    parameters::{Parameters, PathId},
    state::Operator,
};

/// Changes on a page.
const LIMIT: usize = 50;

/// Whether personal data is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum Shown {
    Hidden,
    Shown,
}

/// Which of the changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::dashboard) struct Wanted {
    /// Of this field alone.
    field: Option<ChangedField>,
    /// After this position.
    after: i64,
}

impl Wanted {
    pub(super) fn read(mut parameters: Parameters) -> Result<Self, ApiError> {
        let field = parameters.take("field", "a field that jobs change")?;
        let after = parameters.take("after", "a position")?.unwrap_or_default();
        parameters.finish("`field` and `after`")?;
        Ok(Self { field, after })
    }

    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(field) = self.field {
            query.append_pair("field", field.as_str());
        }
        if self.after > 0 {
            query.append_pair("after", &self.after.to_string());
        }
        query.finish()
    }
}

/// A page of changes, one more than is shown where there are more.
pub(super) async fn page(
    pool: &Pool,
    id: JobId,
    wanted: &Wanted,
) -> Result<Vec<(i64, Change)>, Error> {
    let limit = i64::try_from(LIMIT + 1).expect("a small number");
    jobs::changes_of_field(pool, id, wanted.field, wanted.after, limit).await
}

/// What happened or would happen, in groups that narrow the list below.
pub(in crate::dashboard) fn summary(job: &Job, groups: &[ChangeGroup], wanted: &Wanted) -> Markup {
    if groups.is_empty() {
        return html! { p.quiet { @if job.state.is_finished() { "Nothing changed." } @else { "Nothing yet." } } };
    }
    html! {
        ul.groups {
            @for group in groups {
                li data-kind=(tone(group)) {
                    a href={ (job_path(job.id)) "?field=" (group.field.as_str()) "#changes" }
                        aria-current=[(wanted.field == Some(group.field)).then_some("true")] { (sentence(job, group)) }
                }
            }
            @if wanted.field.is_some() { li { a href={ (job_path(job.id)) "#changes" } { "All of them" } } }
        }
    }
}

/// Which groups deserve a second look.
fn tone(group: &ChangeGroup) -> &'static str {
    match (group.kind, group.field) {
        (ChangeKind::Emptied, _) | (ChangeKind::SwitchedOff, ChangedField::Active) => "danger",
        (_, ChangedField::Email | ChangedField::WondeId) => "warning",
        _ => "calm",
    }
}

/// `12 people deactivated`, `3 job titles emptied`.
fn sentence(job: &Job, group: &ChangeGroup) -> String {
    let records = match group.record {
        jobs::RecordKind::Staff => ("person", "people"),
        jobs::RecordKind::Class => ("class", "classes"),
        jobs::RecordKind::Subject => ("subject", "subjects"),
    };
    let would = job.options.dry_run || job.state == JobState::Held;
    let of = count(group.number, records.0, records.1);
    let field = words(group.field);
    let what = match (group.kind, group.field, group.record) {
        (ChangeKind::Created, ..) => "new".to_owned(),
        (ChangeKind::SwitchedOff, ChangedField::Active, jobs::RecordKind::Staff) => {
            "no longer able to log in".to_owned()
        }
        (ChangeKind::SwitchedOff, ChangedField::Active, _) => "archived".to_owned(),
        (ChangeKind::SwitchedOn, ChangedField::Active, _) => "back".to_owned(),
        (ChangeKind::Emptied, ..) => format!("without {field} any more"),
        (ChangeKind::Filled, ..) => format!("with {field} for the first time"),
        _ => format!("with another {field}"),
    };
    if would { format!("{of} would be {what}") } else { format!("{of} {what}") }
}

fn words(field: ChangedField) -> String {
    field.as_str().replace("_id", "").replace('_', " ")
}

/// The changes one by one.
pub(super) fn show(
    operator: &Operator,
    job: &Job,
    changes: &[(i64, Change)],
    wanted: &Wanted,
    shown: Shown,
) -> Markup {
    if changes.is_empty() {
        return html! {};
    }
    let page = &changes[..changes.len().min(LIMIT)];
    let has_hidden = page.iter().any(|(_, change)| is_personal(change.field));
    html! {
        div #changes .list-head {
            @match shown {
                Shown::Hidden if has_hidden && operator.is_allowed(Action::SeePersonalData) => {
                    form method="post" action={ (job_path(job.id)) "/changes?" (wanted.query()) "#changes" } {
                        (form_token(operator))
                        button { "Show personal data" } " " span.quiet { "noted in the audit log" }
                    }
                }
                Shown::Hidden if has_hidden => p.quiet { "Personal data is hidden. A key of the role operator or admin may show it." },
                Shown::Hidden => {},
                Shown::Shown => p.refusal role="status" { "Personal data is shown on this page. That is noted in the audit log." },
            }
        }
        (list(page.iter().map(|(_, change)| change), shown))
        nav.pages aria-label="Pages of the changes" {
            @if wanted.after > 0 {
                a.button href={ (job_path(job.id)) "?" (Wanted { after: 0, ..wanted.clone() }.query()) "#changes" } { "First" }
            }
            @if let Some((position, _)) = page.last().filter(|_| changes.len() > LIMIT) {
                a.button href={ (job_path(job.id)) "?" (Wanted { after: *position, ..wanted.clone() }.query()) "#changes" } { "Next" }
            }
        }
    }
}

/// Changes as a table.
pub(in crate::dashboard) fn list<'a>(
    changes: impl Iterator<Item = &'a Change>,
    shown: Shown,
) -> Markup {
    html! {
        (scroll("Changes", &html! {
            table.rows.tight {
                thead { tr { th { "Whose" } th { "Field" } th { "Old" } th { "New" } } }
                tbody { @for change in changes {
                    tr {
                        td { (whose(change)) }
                        td { (words(change.field)) }
                        td.value { (value(change.field, change.old.as_ref(), shown)) }
                        td.value { (value(change.field, change.new.as_ref(), shown)) }
                    }
                } }
            }
        }))
    }
}

fn whose(change: &Change) -> Markup {
    let (kind, id) = match change.record {
        ChangedRecord::Staff(id) => ("person", id.map(|id| id.to_string())),
        ChangedRecord::Class(id) => ("class", id.map(|id| id.to_string())),
        ChangedRecord::Subject(id) => ("subject", id.map(|id| id.to_string())),
    };
    let id = id.or_else(|| change.wonde_id.clone());
    html! { (kind) " " @match id {
        Some(id) => code title=(id) { (tail(&id)) },
        None => span.quiet { "new" },
    } }
}

fn tail(id: &str) -> &str {
    id.char_indices().rev().nth(7).map_or(id, |(at, _)| &id[at..])
}

fn value(field: ChangedField, value: Option<&FieldValue>, shown: Shown) -> Markup {
    html! { @match value {
        None => span.quiet { "–" },
        Some(_) if is_personal(field) && shown == Shown::Hidden => span.hidden-data title="Hidden" { "•••••" span.hidden { " hidden" } },
        Some(value) if field == ChangedField::Staff => { @for id in value.as_str().split(',') { code title=(id) { (tail(id)) } " " } }
        Some(value) => (value.as_str()),
    } }
}

/// Whether what a field holds is about a person. Ids and switches say nothing by themselves.
fn is_personal(field: ChangedField) -> bool {
    matches!(
        field,
        ChangedField::Email
            | ChangedField::FirstName
            | ChangedField::Surname
            | ChangedField::Initials
            | ChangedField::JobTitle
            | ChangedField::Upi
    )
}

/// The job's page with personal data on it.
pub(in crate::dashboard) async fn reveal(
    PathId(job_id): PathId,
    parameters: Parameters,
    posted: Posted,
) -> Result<Response, ApiError> {
    let wanted = Wanted::read(parameters)?;
    let (access, job) = posted.job(Action::SeePersonalData, &job_id).await?;
    let entry = audit::Entry::of_job(AuditAction::Reveal, &job);
    audit::note(access.pool(), &posted.actor()?, &entry).await?;
    super::render(&posted.operator, &job_id, &wanted, Shown::Shown).await
}

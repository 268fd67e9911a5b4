//! What a job changed or would change: first in groups, then field by field. Names, emails and
//! other personal data are hidden until a person who may see them asks for them, which is logged.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{
    Action, AuditAction, Change, ChangedField, ChangedRecord, FieldValue, Job, JobId, JobState,
    RecordKind, SchoolId,
};
use mis_sync_store::{
    Error, Pool,
    jobs::{self, ChangeGroup, ChangeKind},
    sessions::REVEAL_MINUTES,
};

use super::{is_to_review, review};
use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        login::go,
        page::form_token,
        parts::{count, job_path, person, scroll},
    },
    download::{List, download},
    jobs::note,
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

/// Which of the changes are listed.
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

    /// The job's page with these changes.
    pub(super) fn address(&self, job: &Job) -> String {
        let query = self.query();
        let path = job_path(job.id);
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// Whether it is the beginning of all.
    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
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
        return html! {
            p.quiet {
                @if job.state.is_finished() { "Nothing changed." } @else { "Nothing yet." }
            }
        };
    }
    html! {
        ul.groups {
            @for group in groups {
                li data-kind=(tone(group)) {
                    a   href={ (job_path(job.id)) "?field=" (group.field.as_str()) "#changes" }
                        aria-current=[(wanted.field == Some(group.field)).then_some("true")]
                    { (sentence(job, group)) }
                }
            }
            @if wanted.field.is_some() {
                li {
                    a href={ (job_path(job.id)) "#changes" } { "All of them" }
                }
            }
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
        RecordKind::Staff => ("person", "people"),
        RecordKind::Class => ("class", "classes"),
        RecordKind::Subject => ("subject", "subjects"),
    };
    let would = job.options.dry_run || job.state == JobState::Held;
    let of = count(group.number, records.0, records.1);
    let field = words(group.field);
    let (done, would_do) = match (group.kind, group.field, group.record) {
        (ChangeKind::Created, ..) => ("new".to_owned(), "be new".to_owned()),
        (ChangeKind::SwitchedOff, ChangedField::Active, RecordKind::Staff) => {
            ("can no longer log in".to_owned(), "no longer be able to log in".to_owned())
        }
        (ChangeKind::SwitchedOff, ChangedField::Active, _) => {
            ("archived".to_owned(), "be archived".to_owned())
        }
        (ChangeKind::SwitchedOn, ChangedField::Active, _) => {
            ("back".to_owned(), "be back".to_owned())
        }
        (ChangeKind::Emptied, ChangedField::Staff, RecordKind::Class) => {
            ("left without a teacher".to_owned(), "be left without a teacher".to_owned())
        }
        (ChangeKind::Emptied, ..) => (format!("lost their {field}"), format!("lose their {field}")),
        (ChangeKind::Filled, ..) => {
            (format!("got a first {field}"), format!("get a first {field}"))
        }
        _ => {
            let verb = if would { "would change" } else { "changed" };
            return format!("{of}: {field} {verb}");
        }
    };
    if would { format!("{of} would {would_do}") } else { format!("{of} {done}") }
}

pub(in crate::dashboard) fn words(field: ChangedField) -> &'static str {
    match field {
        ChangedField::Created => "created",
        ChangedField::WondeId => "Wonde id",
        ChangedField::Upi => "UPI",
        ChangedField::Email => "sign-in email",
        ChangedField::FirstName => "first name",
        ChangedField::Surname => "surname",
        ChangedField::Initials => "initials",
        ChangedField::JobTitle => "job title",
        ChangedField::NonTeaching => "teaching status",
        ChangedField::Active => "active",
        ChangedField::PasswordResetRequired => "password",
        ChangedField::LineManagerId => "line manager",
        ChangedField::PhotoHash => "photo",
        ChangedField::DepartmentId => "department",
        ChangedField::Name => "name",
        ChangedField::Code => "code",
        ChangedField::Description => "description",
        ChangedField::SubjectId => "subject",
        ChangedField::Staff => "staff",
        ChangedField::MainTeachers => "main teachers",
    }
}

/// The field that asks for personal data.
pub(super) const REVEAL: &str = "reveal";

/// Whether personal data is shown, and the button of the form around it that shows it.
pub(super) fn curtain(operator: &Operator, shown: Shown) -> Markup {
    html! {
        @match shown {
            Shown::Hidden if operator.is_allowed(Action::SeePersonalData) => div.list-head {
                span.quiet { "Personal data is hidden; showing it is noted in the audit log." }
                button name=(REVEAL) value="on" { "Show personal data" }
            },
            Shown::Hidden => p.quiet {
                "Personal data is hidden. A key of the role operator or admin may show it."
            },
            Shown::Shown => p.warning role="status" {
                "Personal data is shown on the pages of this job for "
                (REVEAL_MINUTES)
                " minutes. That is noted in the audit log."
            },
        }
    }
}

/// The same as a form of its own.
pub(super) fn curtain_alone(
    operator: &Operator,
    job: &Job,
    wanted: &Wanted,
    shown: Shown,
) -> Markup {
    if shown == Shown::Shown || !operator.is_allowed(Action::SeePersonalData) {
        return curtain(operator, shown);
    }
    html! {
        form method="post" action={ (job_path(job.id)) "/changes?" (wanted.query()) } {
            (form_token(operator))
            (curtain(operator, shown))
        }
    }
}

/// Whether there is anything to hide.
pub(super) fn has_personal(changes: &[(i64, Change)]) -> bool {
    changes.iter().any(|(_, change)| change.field.is_personal())
}

/// The changes one by one.
pub(super) fn show(job: &Job, changes: &[(i64, Change)], wanted: &Wanted, shown: Shown) -> Markup {
    if changes.is_empty() {
        return html! {};
    }
    let page = &changes[..changes.len().min(LIMIT)];
    html! {
        span #changes {}
        (list(job.school_id.as_ref(), page, shown))
        nav.pages aria-label="Pages of the changes" {
            @if wanted.after > 0 {
                a   .button
                    href={
                        (job_path(job.id))
                        "?"
                        (Wanted { after: 0, ..wanted.clone() }.query())
                        "#changes"
                    }
                { "First" }
            }
            @if let Some((position, _)) = page.last().filter(|_| changes.len() > LIMIT) {
                a   .button
                    href={
                        (job_path(job.id))
                        "?"
                        (Wanted { after: *position, ..wanted.clone() }.query())
                        "#changes"
                    }
                { "Next" }
            }
        }
    }
}

/// Changes as a table. Records that are new, of which there is nothing more to say, are folded away.
fn list(school: Option<&SchoolId>, changes: &[(i64, Change)], shown: Shown) -> Markup {
    let changes = changes.iter().map(|(_, change)| change);
    let (new, other): (Vec<&Change>, Vec<&Change>) =
        changes.partition(|change| change.field == ChangedField::Created);
    html! {
        @if !new.is_empty() {
            details #new.data {
                summary {
                    (count(
                        i128::try_from(new.len()).unwrap_or_default(),
                        "new record",
                        "new records",
                    ))
                    " on this page"
                }
                ul.ids {
                    @for change in new {
                        li { (whose(school, change)) }
                    }
                }
            }
        }
        @if !other.is_empty() { (table(school, &other, shown)) }
    }
}

fn table(school: Option<&SchoolId>, changes: &[&Change], shown: Shown) -> Markup {
    html! {
        (scroll("Changes", &html! {
            table.rows.tight {
                thead {
                    tr {
                        th { "Whose" }
                        th { "Field" }
                        th { "Old" }
                        th { "New" }
                    }
                }
                tbody {
                    @for change in changes {
                        tr {
                            td { (whose(school, change)) }
                            td { (words(change.field)) }
                            td.value { (value(change, change.old.as_ref(), shown)) }
                            td.value { (value(change, change.new.as_ref(), shown)) }
                        }
                    }
                }
            }
        }))
    }
}

fn whose(school: Option<&SchoolId>, change: &Change) -> Markup {
    let id = change.record.id().map(|id| id.to_string()).or_else(|| change.wonde_id.clone());
    html! {
        @match (change.record.kind(), id) {
            (RecordKind::Staff, Some(id)) => (person(school, &id)),
            (RecordKind::Staff, None) => { "person " span.quiet { "new" } },
            (kind, Some(id)) => { (kind.as_str()) " " code title=(id) { (tail(&id)) } },
            (kind, None) => { (kind.as_str()) " " span.quiet { "new" } },
        }
    }
}

pub(super) fn tail(id: &str) -> &str {
    id.char_indices().rev().nth(7).map_or(id, |(at, _)| &id[at..])
}

pub(in crate::dashboard) fn value(
    change: &Change,
    value: Option<&FieldValue>,
    shown: Shown,
) -> Markup {
    let Some(value) = value else { return html! { span.quiet { "–" } } };
    if change.field.is_personal() && shown == Shown::Hidden {
        return html! {
            span.hidden-data title="Hidden" {
                "•••••"
                span.hidden { " hidden" }
            }
        };
    }
    let is_person = matches!(change.record, ChangedRecord::Staff(_));
    match (change.field, value.as_str()) {
        (ChangedField::Active, "true") if is_person => html! { "can log in" },
        (ChangedField::Active, "false") if is_person => html! { "cannot log in" },
        (ChangedField::Active, "true") => html! { "in use" },
        (ChangedField::Active, "false") => html! { "archived" },
        (ChangedField::PasswordResetRequired, "true") => html! { "new, known to no one" },
        (ChangedField::PasswordResetRequired, _) => html! { "their own" },
        (ChangedField::NonTeaching, "true") => html! { "does not teach" },
        (ChangedField::NonTeaching, "false") => html! { "teaches" },
        (
            ChangedField::Staff
            | ChangedField::MainTeachers
            | ChangedField::LineManagerId
            | ChangedField::DepartmentId
            | ChangedField::SubjectId
            | ChangedField::PhotoHash,
            ids,
        ) => html! {
            @for id in ids.split(',') {
                code title=(id) { (tail(id)) }
                " "
            }
        },
        (_, text) => html! { (text) },
    }
}

/// A change in a line: `email a@oak.example → b@oak.example`.
pub(super) fn described(change: &Change, shown: Shown) -> Markup {
    let is_person = matches!(change.record, ChangedRecord::Staff(_));
    match (change.field, change.new.as_ref().map(FieldValue::as_str)) {
        (ChangedField::Created, _) => html! { "would be new in iP" },
        (ChangedField::Active, Some("false")) if is_person => {
            html! { "would no longer be able to log in" }
        }
        (ChangedField::Active, Some("true")) if is_person => {
            html! { "would be able to log in again" }
        }
        _ => html! {
            (words(change.field))
            ": "
            (value(change, change.old.as_ref(), shown))
            " → "
            (value(change, change.new.as_ref(), shown))
        },
    }
}

/// Shows personal data on the pages of the job for a while, which is noted.
pub(in crate::dashboard) async fn reveal(
    PathId(job_id): PathId,
    parameters: Parameters,
    posted: Posted,
) -> Result<Response, ApiError> {
    let wanted = Wanted::read(parameters)?;
    let (_, job) = posted.job(Action::SeePersonalData, &job_id).await?;
    posted.operator.reveal(&job, posted.actor()?.reason).await?;
    Ok(go(&wanted.address(&job), None))
}

/// The changes as a file, which is noted. Of a held job it is the review, with the names of everyone.
pub(in crate::dashboard) async fn download_changes(
    PathId(job_id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let (access, job) = posted.job(Action::SeePersonalData, &job_id).await?;
    let personal = note(access, &job, AuditAction::Export, "changes").await?;
    if is_to_review(&job) {
        return review::download(access.pool(), &job).await;
    }
    download(access.pool(), List::Changes(job.id, personal)).await
}

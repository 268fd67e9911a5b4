//! Parts that several pages use.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, Render, html};
use mis_sync_domain::{Affected, Clock, Job, JobId, JobState, SchoolId, StaffId};
use mis_sync_store::{Pool, schools, workers::RunningJob};
use tokio::time::timeout;

use super::page::form_token;
use crate::{ApiError, state::Operator};

/// A part of a page that takes longer than this is left out, and the others are shown.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the data of a panel. If that fails, the panel says so.
pub(super) async fn read<T, E: Into<ApiError>>(
    what: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match timeout(PATIENCE, what).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let error: ApiError = error.into();
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(cause, "a panel of the dashboard cannot be shown");
            Err(error.to_string())
        }
        Err(_) => {
            tracing::warn!("a panel of the dashboard took too long");
            Err(format!("It did not answer within {} seconds.", PATIENCE.as_secs()))
        }
    }
}

/// The true time, whatever clock a test gives the schedule: ages are counted from times that
/// Postgres wrote.
pub(super) fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// A part of a page with a heading and the source of its figures.
pub(super) fn panel<T>(
    title: impl Render,
    source: &str,
    read: &Result<T, String>,
    show: impl FnOnce(&T) -> Markup,
) -> Markup {
    html! {
        section.panel {
            header {
                h2 { (title) }
                p.source { (source) }
            }
            @match read {
                Ok(value) => (show(value)),
                Err(reason) => (broken(reason)),
            }
        }
    }
}

/// What stands in place of data that cannot be read.
pub(super) fn broken(reason: &str) -> Markup {
    html! {
        p.broken role="status" {
            strong { "This cannot be shown now. " }
            (reason)
            " The rest of the page is not affected."
        }
    }
}

/// A table that scrolls by itself if the page is too narrow for it.
pub(super) fn scroll(label: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// Names of schools by their ids.
pub(super) type Names = HashMap<String, String>;

/// A school: its name, and its id if it is different. Nothing for a job without a school.
pub(super) fn school<'a>(names: &Names, id: impl Into<Option<&'a SchoolId>>) -> Markup {
    let Some(id) = id.into() else { return html! {} };
    html! { a href=(school_path(id)) title=(id) { (name_of(names, id)) } }
}

/// A job that a worker runs, and its school.
pub(super) fn running(names: &Names, job: &RunningJob) -> Markup {
    html! {
        a href=(job_path(job.id)) {
            (name_of(names, &job.school_id))
            " "
            code { (short(job.id)) }
        }
    }
}

/// A job in the words of a heading: `the full sync of Oak School`.
pub(super) fn whose(names: &Names, job: &Job) -> String {
    let what = what(job).to_lowercase();
    match &job.school_id {
        Some(id) => format!("the {what} of {}", name_of(names, id)),
        None => format!("the {what}"),
    }
}

/// The name of a school, or its id if the name is not known.
pub(super) fn name_of<'a>(names: &'a Names, id: &'a SchoolId) -> &'a str {
    names.get(id.as_str()).map_or(id.as_str(), String::as_str)
}

/// The names of these schools; if they cannot be read, the ids are shown.
pub(super) async fn names_of(pool: &Pool, ids: impl IntoIterator<Item = &SchoolId>) -> Names {
    let ids: Vec<&SchoolId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Names::new();
    }
    read(schools::names(pool, &ids)).await.unwrap_or_default()
}

/// What the guard found in a category, and the share of the records.
pub(super) fn share(affected: &Affected) -> Markup {
    html! {
        strong { (affected.sentence()) }
        " "
        meter
            min="0"
            max=(affected.of.max(1))
            low=(affected.of / 5)
            high=(affected.of / 2)
            optimum="0"
            value=(affected.records)
            aria-label="Share" {}
        " "
        (affected.records * 100 / affected.of.max(1))
        " %"
    }
}

/// A heading that changes, and is then announced to screen readers.
pub(super) fn announced(heading: &str) -> Markup {
    html! { span aria-live="polite" { (heading) } }
}

/// A job's state: colour, shape and word.
pub(super) fn state(state: JobState) -> Markup {
    let shape = match state {
        JobState::Queued => "○",
        JobState::Running => "◐",
        JobState::Retrying => "↻",
        JobState::Held => "‖",
        JobState::Succeeded => "✓",
        JobState::Failed => "✕",
        JobState::Cancelled => "–",
    };
    badge(state.as_str(), shape, state.as_str())
}

/// A word with a colour and a shape, so that it does not depend on the colour.
pub(super) fn badge(kind: &str, shape: &str, text: &str) -> Markup {
    html! {
        span.badge data-kind=(kind) {
            span aria-hidden="true" { (shape) }
            (text)
        }
    }
}

/// A time, with the exact one on a hover.
pub(super) fn time(operator: &Operator, at: DateTime<Utc>) -> Markup {
    let preferences = operator.preferences();
    html! {
        time datetime=(at.to_rfc3339()) title=(preferences.exact_time(at)) {
            (preferences.time(at, now()))
        }
    }
}

/// The same, or a dash.
pub(super) fn time_or_dash(operator: &Operator, at: Option<DateTime<Utc>>) -> Markup {
    html! {
        @match at {
            Some(at) => (time(operator, at)),
            None => span.quiet { "–" },
        }
    }
}

/// A duration in its two largest units: `2 h 5 min`, `340 ms`.
pub(super) fn length(time: TimeDelta) -> String {
    let milliseconds = time.num_milliseconds().max(0);
    let (days, hours) = (milliseconds / 86_400_000, milliseconds / 3_600_000 % 24);
    let (minutes, seconds) = (milliseconds / 60_000 % 60, milliseconds / 1000 % 60);
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => match milliseconds % 1000 / 100 {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        },
        60_000..3_600_000 => two(minutes, "min", seconds, "s"),
        3_600_000..86_400_000 => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

fn two(large: i64, unit: &str, small: i64, of: &str) -> String {
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {of}") }
}

/// How long ago, in one unit: more would only jump.
pub(super) fn ago(at: DateTime<Utc>) -> String {
    let seconds = (now() - at).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A number with thousands separators.
pub(super) fn number(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 job`, `2 jobs`.
pub(super) fn count(number_of: impl Into<i128> + Copy, one: &str, many: &str) -> String {
    format!("{} {}", number(number_of), if number_of.into() == 1 { one } else { many })
}

/// The end of an id, which is what differs between ids of the same time.
pub(super) fn short(id: JobId) -> String {
    let text = id.to_string();
    text[text.len() - 8..].to_owned()
}

/// A school's page.
pub(super) fn school_path(id: &SchoolId) -> String {
    format!("/dashboard/schools/{id}")
}

/// The page of a person, by staff id, or by Wonde id if they are not in iP. A Wonde id has nothing that an
/// address would have to escape; an odd one of a broken record is escaped all the same.
pub(super) fn person_path(school: &SchoolId, id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/dashboard/schools/{school}/people/{}", id.replace('+', "%20"))
}

/// A link to a person, whose name is not shown: the end of a staff id, or a whole Wonde id.
pub(super) fn person(school: Option<&SchoolId>, id: &str) -> Markup {
    let tail = if id.parse::<StaffId>().is_ok() { &id[id.len() - 8..] } else { id };
    html! {
        @match school {
            Some(school) => a href=(person_path(school, id)) title=(id) { "person " code { (tail) } },
            None => span title=(id) { "person " code { (tail) } },
        }
    }
}

/// A job's page.
pub(super) fn job_path(id: JobId) -> String {
    format!("/dashboard/jobs/{id}")
}

/// What a job was asked to do, in a word or two.
pub(super) fn what(job: &Job) -> &'static str {
    use mis_sync_domain::{JobKind, SyncMode};
    match (job.kind, job.undo_of, job.options.dry_run, job.options.mode) {
        (JobKind::RefreshUser, ..) => "Login refresh",
        (JobKind::CheckSchool, ..) => "Check of a school",
        (JobKind::FindPerson, ..) => "Search in the MIS",
        (JobKind::HandleWebhook, ..) => "Webhook from Wonde",
        (JobKind::SendAlert, ..) => "Alert message",
        (JobKind::SendCallback, ..) => "Message about a job",
        (JobKind::ActOnJobs, ..) => "Action on many jobs",
        (JobKind::ListApprovedSchools, ..) => "List of approved schools",
        (JobKind::Unknown, ..) => "Unknown to this release",
        (JobKind::SyncSchool, Some(_), ..) => "Undo",
        (JobKind::SyncSchool, None, true, _) => "Dry run",
        (JobKind::SyncSchool, None, false, SyncMode::Delta) => "Delta sync",
        (JobKind::SyncSchool, None, false, SyncMode::Full) => "Full sync",
    }
}

/// How long a job ran, or has run, without the time between its attempts.
pub(super) fn ran(job: &Job) -> Option<TimeDelta> {
    job.ran(now())
}

/// An action: a button that asks for confirmation, and accepts a reason.
pub(super) struct ActionButton<'a> {
    pub(super) label: &'a str,
    /// Whose action it is, as the end of a heading: `the sync of Oak School`.
    pub(super) whose: String,
    pub(super) action: String,
    /// What will happen.
    pub(super) says: &'a str,
    /// `danger`, `primary` or nothing.
    pub(super) kind: &'a str,
}

impl ActionButton<'_> {
    /// The button with its form; `fields` are further fields of the form.
    pub(super) fn show(&self, operator: &Operator, fields: &Markup) -> Markup {
        html! {
            details.action {
                summary class={ "button " (self.kind) } { (self.label) }
                form.sheet method="post" action=(self.action) {
                    (form_token(operator))
                    p {
                        strong { (self.label) " " (self.whose) }
                    }
                    p { (self.says) }
                    (fields)
                    label {
                        "Reason "
                        span.quiet { "(goes to the audit log)" }
                        input name="reason" maxlength="500" autocomplete="off";
                    }
                    button class=(self.kind) { (self.label) }
                }
            }
        }
    }
}

/// A list that is empty, and what to do next.
pub(super) fn empty(title: &str, next: &Markup) -> Markup {
    html! {
        div.empty {
            p {
                strong { (title) }
            }
            div { (next) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_their_two_largest_units() {
        for (milliseconds, text) in [
            (-5, "0 ms"),
            (340, "340 ms"),
            (1250, "1.2 s"),
            (15_000, "15 s"),
            (61_000, "1 min 1 s"),
            (1_800_000, "30 min"),
            (7_500_000, "2 h 5 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(length(TimeDelta::milliseconds(milliseconds)), text);
        }
    }

    #[test]
    fn thousands_are_apart() {
        for (plain, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(number(plain), text);
        }
        assert_eq!(
            (count(1, "job", "jobs"), count(0, "job", "jobs")),
            ("1 job".into(), "0 jobs".into())
        );
    }
}

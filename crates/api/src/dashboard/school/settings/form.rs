//! The form of a school's settings: its fields, and how they are read.

use maud::{Markup, html};
use mis_sync_domain::{Guard, GuardCategory, LeaverPolicy, School, line_manager::HierarchyLists};
use serde_json::{Map, Value, json};

use super::{HIERARCHY, SWITCHES, Seen, Tried, connection, dates, hours, limit_in_words};
use crate::{
    dashboard::{form::Fields, page::form_token, parts::school_path, school::View},
    views::FieldError,
};

/// A field with text: its name in the form, its path in the settings, its label, and what it means.
type Text = (&'static str, &'static str, &'static str, &'static str);

const TEXTS: [Text; 6] = [
    (
        "freshness",
        "refresh_freshness_minutes",
        "A login is fresh for (minutes)",
        "A person read within this time is not read again at a login; 0 reads everyone each time.",
    ),
    ("nightly_from", "schedule.nightly_from", "Nightly sync from", "A time of day like 01:00."),
    (
        "nightly_until",
        "schedule.nightly_until",
        "Nightly sync until",
        "It begins before this time, which may be on the next day.",
    ),
    ("time_zone", "schedule.time_zone", "Time zone", "An IANA name like Europe/London."),
    (
        "blackout_dates",
        "schedule.blackout_dates",
        "No syncs on",
        "Holidays: 2026-12-21 to 2027-01-03, 2027-02-15 to 2027-02-19.",
    ),
    (
        "blackout_hours",
        "schedule.blackout_hours",
        "No syncs at",
        "Hours of each day: 08:00 to 09:30, 15:00 to 16:00.",
    ),
];

pub(super) fn show(of: &View<'_>) -> Markup {
    let school = of.school;
    let tried = of.said.tried.as_ref();
    let seen = serde_json::to_string(&Seen::of(school)).expect("texts and settings are plain JSON");
    html! {
        details.data open[tried.is_some() || crate::dashboard::school::banner::is_new(of)] {
            summary { "Change" }
            form.settings-form
                method="post"
                action={ (school_path(&school.id)) "/settings#settings" }
            {
                (form_token(of.operator))
                input type="hidden" name="version" value=(school.version());
                input type="hidden" name="seen" value=(seen);
                @if let Some(tried) = tried { (what_happened(tried)) }
                (connection::fields(school, tried))
                (switches(school, tried))
                div.fields {
                    @for text in &TEXTS { (text_field(school, tried, text)) }
                    (hierarchy(school, tried))
                }
                (limits(school, tried))
                div.buttons {
                    button.primary { "Save" }
                    button name="what" value="default-limits" { "Save with all limits back to default" }
                }
            }
        }
    }
}

/// Why the form is shown again.
fn what_happened(tried: &Tried) -> Markup {
    html! {
        @if tried.wrong.is_empty() {
            div.refusal role="alert" {
                p {
                    "Another person changed this school after you opened the form, so nothing was saved. \
                     Below is what you typed; saving again keeps it."
                }
                @if !tried.changed.is_empty() {
                    p { "Now in force:" }
                    ul {
                        @for (name, value) in &tried.changed {
                            li { (name) ": " strong { (value) } }
                        }
                    }
                }
            }
        } @else {
            p.refusal role="alert" { "Nothing was saved: some fields are not valid." }
        }
    }
}

fn switches(school: &School, tried: Option<&Tried>) -> Markup {
    let mut settings = school.settings.clone();
    let is_on = |name: &str, now: bool| tried.map_or(now, |tried| tried.fields.is_set(name));
    html! {
        fieldset.switches {
            legend { "Rules" }
            @for (name, text, note, of) in SWITCHES {
                label {
                    input type="checkbox" name=(name) checked[is_on(name, *of(&mut settings))];
                    span { (text) span.quiet { " " (note) } }
                }
            }
            label {
                input
                    type="checkbox"
                    name="keep_leavers"
                    checked[is_on("keep_leavers", settings.leaver_policy == LeaverPolicy::Keep)];
                span {
                    "Leavers stay active"
                    span.quiet { " Otherwise they can no longer log in." }
                }
            }
        }
    }
}

/// What is wrong with a field of the connection, or with the setting of this path.
pub(super) fn wrong(tried: Option<&Tried>, path: &str) -> Markup {
    let of =
        |wrong: &&FieldError| wrong.field.strip_prefix("settings.").unwrap_or(&wrong.field) == path;
    let found = tried.and_then(|tried| tried.wrong.iter().find(of));
    html! { @if let Some(wrong) = found { span.wrong role="alert" { "It " (wrong.message) "." } } }
}

fn text_field(school: &School, tried: Option<&Tried>, (name, path, label, note): &Text) -> Markup {
    let schedule = &school.settings.schedule;
    let now = match *name {
        "freshness" => school.settings.refresh_freshness_minutes.to_string(),
        "nightly_from" => schedule.nightly_from.into(),
        "nightly_until" => schedule.nightly_until.into(),
        "time_zone" => schedule.time_zone.to_string(),
        "blackout_dates" => dates(&schedule.blackout_dates),
        _ => hours(&schedule.blackout_hours),
    };
    let value = typed(tried, name).unwrap_or(now);
    html! {
        label {
            (label)
            input name=(name) value=(value) autocomplete="off" spellcheck="false";
            (wrong(tried, path))
            span.quiet { (note) }
        }
    }
}

pub(super) fn typed(tried: Option<&Tried>, name: &str) -> Option<String> {
    tried.map(|tried| tried.fields.text(name).unwrap_or_default().to_owned())
}

fn hierarchy(school: &School, tried: Option<&Tried>) -> Markup {
    let now = school.settings.hierarchy_lists.map_or("", HierarchyLists::as_str).to_owned();
    let chosen = typed(tried, "hierarchy_lists").unwrap_or(now);
    html! {
        label {
            "Lists of line managers name"
            select name="hierarchy_lists" {
                @for (way, text) in HIERARCHY {
                    @let value = way.map_or("", HierarchyLists::as_str);
                    option value=(value) selected[value == chosen] { (text) }
                }
            }
            (wrong(tried, "hierarchy_lists"))
        }
    }
}

fn limits(school: &School, tried: Option<&Tried>) -> Markup {
    let input = |category: GuardCategory, part: &str, now: String, unit: &str| {
        let path = format!("guard.{category}.{part}");
        let value = typed(tried, &path).unwrap_or(now);
        html! {
            label {
                span.hidden { (category.phrase()) ", " }
                (unit)
                input name=(path) value=(value) inputmode="numeric" autocomplete="off";
                (wrong(tried, &path))
            }
        }
    };
    html! {
        fieldset.limits {
            legend { "Limits" }
            p.quiet {
                "A sync above both numbers of a line needs approval before it changes anything. An empty \
                 field takes the default."
            }
            @for category in GuardCategory::ALL {
                @let limit = school.settings.guard.limit(*category);
                div.limit {
                    span { "Hold if more " (category.phrase()) }
                    (input(*category, "count", limit.count.to_string(), "than"))
                    (input(*category, "percent", u8::from(limit.percent).to_string(), "and than %"))
                    span.quiet {
                        "default: " (limit_in_words(Guard::default().limit(*category)))
                    }
                }
            }
        }
    }
}

/// The request that the form means, which is read like any other. What the form lacks stays.
pub(super) fn read(school: &School, fields: &Fields) -> Map<String, Value> {
    let mut settings = school.settings.clone();
    for (name, _, _, of) in SWITCHES {
        *of(&mut settings) = fields.is_set(name);
    }
    let keeps = fields.is_set("keep_leavers");
    settings.leaver_policy = if keeps { LeaverPolicy::Keep } else { LeaverPolicy::Deactivate };
    let mut all = serde_json::to_value(&settings).expect("settings are plain JSON");
    for (name, path, ..) in TEXTS {
        if fields.is_set(name) {
            let text = fields.text(name).unwrap_or_default();
            *at(&mut all, path) =
                if name.starts_with("blackout") { ranges(text) } else { plain(text) };
        }
    }
    if fields.is_set("hierarchy_lists") {
        all["hierarchy_lists"] = fields.text("hierarchy_lists").map_or(Value::Null, Value::from);
    }
    for category in GuardCategory::ALL {
        let default = Guard::default().limit(*category);
        let default = serde_json::to_value(default).expect("a limit is plain JSON");
        for part in ["count", "percent"] {
            let path = format!("guard.{category}.{part}");
            let is_default = fields.text("what") == Some("default-limits");
            if is_default || fields.is_set(&path) {
                let typed = fields.text(&path).filter(|_| !is_default);
                *at(&mut all, &path) = typed.map_or_else(|| default[part].clone(), plain);
            }
        }
    }
    let Value::Object(mut body) = json!({
        "name": school.name,
        "wonde_school_id": school.wonde_school_id,
        "wonde_base_url": school.wonde_base_url,
        "settings": all,
    }) else {
        unreachable!("it is written as an object")
    };
    connection::read(school, fields, &mut body);
    body
}

/// The value at this path.
fn at<'a>(all: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').fold(all, |value, name| &mut value[name])
}

/// A number, or the text as it is.
fn plain(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
}

/// Ranges like `08:00 to 09:30, 15:00 to 16:00`; a single date is a range of one day.
fn ranges(text: &str) -> Value {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let range = |part: &str| {
        let (from, until) = part.split_once(" to ").unwrap_or((part, part));
        json!({ "from": from.trim(), "until": until.trim() })
    };
    parts.map(range).collect()
}

//! The school's settings, for reading and, for administrators, for changing.

mod connection;
mod form;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mis_sync_domain::{
    Action, ConnectSchool, DateRange, GuardCategory, GuardLimit, HourRange, LeaverPolicy, School,
    SchoolSettings, line_manager::HierarchyLists,
};
use mis_sync_store::schools::{self, OnlyIf};
use serde::{Deserialize, Serialize};

use super::{Said, View, render_with};
use crate::{
    ApiError,
    dashboard::{
        form::{Fields, Posted},
        login::go,
        parts::school_path,
    },
    parameters::PathId,
    schools::connection as request,
    views::FieldError,
};

/// A switch: its name in forms, its label, what it means, and its field.
type Switch = (&'static str, &'static str, &'static str, fn(&mut SchoolSettings) -> &mut bool);

const SWITCHES: &[Switch] = &[
    ("teachers_only", "Teachers only", "Only teaching staff are imported.", |s| {
        &mut s.teachers_only
    }),
    ("restore_inactive", "Restore from inactive", "People who come back can log in again.", |s| {
        &mut s.restore_inactive
    }),
    (
        "line_manager_editable",
        "Line manager editable",
        "iP sets line managers; the MIS fills them for new people only.",
        |s| &mut s.line_manager_editable,
    ),
    (
        "job_title_editable",
        "Job title editable",
        "iP sets job titles; the MIS fills them for new people only.",
        |s| &mut s.job_title_editable,
    ),
    (
        "initials_managed_in_ip",
        "Initials managed in iP",
        "iP sets initials; the MIS fills them for new people only.",
        |s| &mut s.initials_managed_in_ip,
    ),
    (
        "clear_departments",
        "Clear departments on sync",
        "Each sync clears who belongs to which department.",
        |s| &mut s.clear_departments,
    ),
    ("import_classes", "Import classes", "With who teaches them.", |s| &mut s.import_classes),
    ("import_subjects", "Import subjects", "As the MIS names them.", |s| &mut s.import_subjects),
    (
        "import_photos",
        "Import photos on every sync",
        "Otherwise photos are imported on request.",
        |s| &mut s.import_photos,
    ),
    (
        "guard",
        "Hold unusually large changes",
        "A sync above the limits below needs approval.",
        |s| &mut s.guard.enabled,
    ),
    ("schedule", "Sync every night", "A full sync between the times below.", |s| {
        &mut s.schedule.enabled
    }),
    ("hourly_delta", "Delta every hour", "Each hour reads what changed.", |s| {
        &mut s.schedule.hourly_delta
    }),
];

/// What Wonde's lists of line managers name: the value in forms, and in words.
const HIERARCHY: [(Option<HierarchyLists>, &str); 3] = [
    (None, "as the lists show"),
    (Some(HierarchyLists::Managers), "a person's managers"),
    (Some(HierarchyLists::Reports), "the people who report to a person"),
];

/// A person is read again at a login at least once a day.
const LONGEST_FRESH: u16 = 1440;

/// A form that was not saved: what was typed, what is wrong with it, and what another person changed
/// in the meantime.
pub(super) struct Tried {
    fields: Fields,
    wrong: Vec<FieldError>,
    changed: Vec<(String, String)>,
}

pub(super) fn show(of: &View<'_>) -> Markup {
    html! {
        section #settings.panel {
            header {
                h2 { "Settings" }
                p.source { "As the iP app or an administrator set them" }
            }
            dl.facts {
                @for (name, value) in facts(&Seen::of(of.school)) {
                    div {
                        dt { (name) }
                        dd { (value) }
                    }
                }
            }
            @if of.operator.is_allowed(Action::ManageSchools) { (form::show(of)) }
        }
    }
}

/// What the form changes, as a person saw it.
#[derive(Serialize, Deserialize)]
struct Seen {
    name: String,
    wonde_school_id: String,
    mis: Option<String>,
    callback_url: Option<String>,
    settings: SchoolSettings,
}

impl Seen {
    /// What the posted form was filled with.
    fn read(fields: &Fields) -> Option<Self> {
        serde_json::from_str(fields.text("seen")?).ok()
    }

    fn of(school: &School) -> Self {
        Self {
            name: school.name.clone(),
            wonde_school_id: school.wonde_school_id.clone(),
            mis: school.mis.clone(),
            callback_url: school.callback_url.clone(),
            settings: school.settings.clone(),
        }
    }
}

/// What the head of the page shows besides the settings.
fn head(seen: &Seen) -> [(String, String); 3] {
    let mis = seen.mis.as_deref().unwrap_or("not said");
    [("Name", seen.name.as_str()), ("Wonde id", &seen.wonde_school_id), ("MIS", mis)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Every setting in words.
fn facts(seen: &Seen) -> Vec<(String, String)> {
    let mut settings = seen.settings.clone();
    let mut facts = Vec::new();
    for (_, text, _, of) in SWITCHES {
        facts.push(((*text).to_owned(), if *of(&mut settings) { "on" } else { "off" }.to_owned()));
    }
    let leavers = match settings.leaver_policy {
        LeaverPolicy::Deactivate => "can no longer log in",
        LeaverPolicy::Keep => "stay active",
    };
    let lists = HIERARCHY.iter().find(|(way, _)| *way == settings.hierarchy_lists);
    let lists = lists.map_or("", |(_, text)| text);
    let schedule = &settings.schedule;
    let night = format!(
        "{} to {}, {}",
        String::from(schedule.nightly_from),
        String::from(schedule.nightly_until),
        schedule.time_zone
    );
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let minutes = settings.refresh_freshness_minutes;
    facts.extend([
        ("Leavers".to_owned(), leavers.to_owned()),
        ("Lists of line managers name".to_owned(), lists.to_owned()),
        ("A login is fresh for".to_owned(), format!("{minutes} min")),
        ("Nightly sync".to_owned(), night),
        ("No syncs on".to_owned(), or_none(dates(&schedule.blackout_dates))),
        ("No syncs at".to_owned(), or_none(hours(&schedule.blackout_hours))),
        ("Callback address".to_owned(), or_none(seen.callback_url.clone().unwrap_or_default())),
    ]);
    for category in GuardCategory::ALL {
        facts.push((limit_name(*category), limit_in_words(settings.guard.limit(*category))));
    }
    facts
}

fn limit_name(category: GuardCategory) -> String {
    format!("Held above: {}", category.as_str().replace('_', " "))
}

fn limit_in_words(limit: GuardLimit) -> String {
    format!("{} and {} %", limit.count, u8::from(limit.percent))
}

fn dates(ranges: &[DateRange]) -> String {
    let text = |range: &DateRange| format!("{} to {}", range.from, range.until);
    ranges.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn hours(ranges: &[HourRange]) -> String {
    let text = |range: &HourRange| {
        format!("{} to {}", String::from(range.from), String::from(range.until))
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(", ")
}

pub(in crate::dashboard) async fn change(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageSchools)?;
    let school = access.school(&id).await?;
    let wrong = match save(&posted, &school).await {
        Ok(Some(school)) => return Ok(go(&school_path(&school.id), None)),
        Ok(None) => return Err(ApiError::TokenMissing),
        Err(ApiError::ChangedMeanwhile) => {
            let now = access.school(&id).await?;
            return again(&posted, &now, StatusCode::CONFLICT, Vec::new()).await;
        }
        Err(ApiError::InvalidSchool { errors }) => errors,
        Err(ApiError::WondeSchoolTaken) => vec![request::wonde_id_taken()],
        Err(error) => return Err(error),
    };
    again(&posted, &school, StatusCode::UNPROCESSABLE_ENTITY, wrong).await
}

/// Stores what was typed, as `PUT` does. Returns `None` if the school has no token.
async fn save(posted: &Posted, school: &School) -> Result<Option<School>, ApiError> {
    let (access, fields) = (posted.operator.access(), posted.fields());
    let body = form::read(school, fields);
    let (changed, secrets) = request::read(school.id.clone(), body.into(), access.address_rules())?;
    if is_fresh_for_too_long(&changed) {
        let message = format!("has to be 0 to {LONGEST_FRESH} minutes");
        let field = "settings.refresh_freshness_minutes".to_owned();
        return Err(ApiError::InvalidSchool { errors: vec![FieldError { field, message }] });
    }
    let seen = fields.text("version").and_then(|version| version.parse().ok());
    let only_if = seen.map_or(OnlyIf::Always, |version| OnlyIf::IsOneOf(vec![version]));
    let actor = posted.actor()?;
    let by = access.connector(&actor, &only_if);
    Ok(schools::connect(access.pool(), by, &changed, secrets).await?)
}

fn is_fresh_for_too_long(school: &ConnectSchool) -> bool {
    let settings = school.settings.as_ref();
    settings.is_some_and(|settings| settings.refresh_freshness_minutes > LONGEST_FRESH)
}

/// The page with the form as it was typed, over the school as it is now.
async fn again(
    posted: &Posted,
    school: &School,
    status: StatusCode,
    wrong: Vec<FieldError>,
) -> Result<Response, ApiError> {
    let fields = posted.fields().clone();
    let all = |seen: &Seen| [head(seen).to_vec(), facts(seen)].concat();
    let changed = Seen::read(&fields).map(|seen| {
        let before = all(&seen);
        all(&Seen::of(school)).into_iter().filter(|fact| !before.contains(fact)).collect()
    });
    let tried = Tried { fields, wrong, changed: changed.unwrap_or_default() };
    let said = Said { tried: Some(tried), ..Said::default() };
    let page = render_with(&posted.operator, school, said).await?;
    Ok((status, page).into_response())
}

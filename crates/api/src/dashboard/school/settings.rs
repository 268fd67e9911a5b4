//! The school's settings, for reading and, for administrators, for changing.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{
    Action, ConnectSchool, GuardCategory, LeaverPolicy, School, SchoolSettings, Update,
    line_manager::HierarchyLists,
};
use mis_sync_store::schools::{self, OnlyIf, Secrets};

use crate::{
    ApiError,
    dashboard::{form::Posted, login::go, page::form_token, parts::school_path},
    parameters::PathId,
    state::Operator,
};

/// A switch: its name in forms, its label, and its field.
type Switch = (&'static str, &'static str, fn(&mut SchoolSettings) -> &mut bool);

const SWITCHES: &[Switch] = &[
    ("teachers_only", "Teachers only", |s| &mut s.teachers_only),
    ("restore_inactive", "Restore from inactive", |s| &mut s.restore_inactive),
    ("line_manager_editable", "Line manager editable", |s| &mut s.line_manager_editable),
    ("job_title_editable", "Job title editable", |s| &mut s.job_title_editable),
    ("initials_managed_in_ip", "Initials managed in iP", |s| &mut s.initials_managed_in_ip),
    ("clear_departments", "Clear departments on sync", |s| &mut s.clear_departments),
    ("import_classes", "Import classes", |s| &mut s.import_classes),
    ("import_subjects", "Import subjects", |s| &mut s.import_subjects),
    ("import_photos", "Import photos on every sync", |s| &mut s.import_photos),
    ("guard", "Hold unusually large changes", |s| &mut s.guard.enabled),
    ("schedule", "Sync every night", |s| &mut s.schedule.enabled),
    ("hourly_delta", "Delta every hour", |s| &mut s.schedule.hourly_delta),
];

/// What Wonde's lists of line managers name: the value in forms, and in words.
const HIERARCHY: [(Option<HierarchyLists>, &str); 3] = [
    (None, "as the lists show"),
    (Some(HierarchyLists::Managers), "a person's managers"),
    (Some(HierarchyLists::Reports), "the people who report to a person"),
];

pub(super) fn show(operator: &Operator, school: &School) -> Markup {
    let mut settings = school.settings.clone();
    let switches: Vec<_> =
        SWITCHES.iter().map(|(name, text, of)| (*name, *text, *of(&mut settings))).collect();
    html! {
        section.panel {
            header {
                h2 { "Settings" }
                p.source { "As the iP app or an administrator set them" }
            }
            dl.facts {
                @for (_, text, is_on) in &switches {
                    div {
                        dt { (text) }
                        dd { (if *is_on { "on" } else { "off" }) }
                    }
                }
                div {
                    dt { "Leavers" }
                    dd { (policy(settings.leaver_policy)) }
                }
                @for (_, text) in HIERARCHY.iter().filter(|(way, _)| *way == settings.hierarchy_lists) {
                    div {
                        dt { "Lists of line managers name" }
                        dd { (text) }
                    }
                }
                div {
                    dt { "A login is fresh for" }
                    dd { (settings.refresh_freshness_minutes) " min" }
                }
                @for category in GuardCategory::ALL {
                    @let limit = settings.guard.limit(*category);
                    div {
                        dt { "Held above: " (category.as_str().replace('_', " ")) }
                        dd { (u8::from(limit.percent)) " % and " (limit.count) }
                    }
                }
            }
            @if operator.is_allowed(Action::ManageSchools) { (form(operator, school, &switches)) }
        }
    }
}

fn policy(policy: LeaverPolicy) -> &'static str {
    match policy {
        LeaverPolicy::Deactivate => "can no longer log in",
        LeaverPolicy::Keep => "stay active",
    }
}

fn form(operator: &Operator, school: &School, switches: &[(&str, &str, bool)]) -> Markup {
    html! {
        details.data {
            summary { "Change" }
            form.settings method="post" action={ (school_path(&school.id)) "/settings" } {
                (form_token(operator))
                @for (name, text, is_on) in switches {
                    label.chip {
                        input type="checkbox" name=(name) checked[*is_on];
                        span { (text) }
                    }
                }
                label.chip {
                    input
                        type="checkbox"
                        name="keep_leavers"
                        checked[school.settings.leaver_policy == LeaverPolicy::Keep];
                    span { "Leavers stay active" }
                }
                label {
                    "Lists of line managers name"
                    select name="hierarchy_lists" {
                        @for (way, text) in HIERARCHY {
                            option
                                value=(way.map_or("", HierarchyLists::as_str))
                                selected[way == school.settings.hierarchy_lists]
                            { (text) }
                        }
                    }
                }
                label {
                    "A login is fresh for (minutes)"
                    input
                        name="freshness"
                        type="number"
                        min="0"
                        max="1440"
                        required
                        value=(school.settings.refresh_freshness_minutes);
                }
                button.primary { "Save" }
            }
        }
    }
}

pub(in crate::dashboard) async fn change(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageSchools)?;
    let school = access.school(&id).await?;
    let fields = posted.fields();
    let mut settings = school.settings;
    for (name, _, of) in SWITCHES {
        *of(&mut settings) = fields.is_set(name);
    }
    settings.leaver_policy =
        if fields.is_set("keep_leavers") { LeaverPolicy::Keep } else { LeaverPolicy::Deactivate };
    let wrong = || ApiError::MalformedBody("a login is fresh for 0 to 1440 minutes".into());
    settings.refresh_freshness_minutes = fields
        .required("freshness")?
        .parse()
        .ok()
        .filter(|minutes| *minutes <= 1440)
        .ok_or_else(wrong)?;
    let lists = fields.text("hierarchy_lists").map(str::parse).transpose();
    settings.hierarchy_lists = lists.map_err(|_unknown| {
        ApiError::MalformedBody("lists of line managers name managers or reports".into())
    })?;
    let changed = ConnectSchool {
        id: school.id.clone(),
        name: school.name,
        wonde_school_id: school.wonde_school_id,
        wonde_base_url: school.wonde_base_url,
        mis: school.mis,
        settings: Some(settings),
        callback_url: Update::Keep,
    };
    let actor = posted.actor()?;
    let by = access.connector(&actor, &OnlyIf::Always);
    let done = schools::connect(access.pool(), by, &changed, Secrets::default()).await?;
    done.map(|school| go(&school_path(&school.id), None)).ok_or(ApiError::TokenMissing)
}

//! The school's own rules, as they are set.

use maud::{Markup, html};
use mis_sync_domain::{GuardCategory, LeaverPolicy, School};

pub(super) fn show(school: &School) -> Markup {
    let settings = &school.settings;
    let switches = [
        ("Teachers only", settings.teachers_only),
        ("Restore from inactive", settings.restore_inactive),
        ("Line manager editable", settings.line_manager_editable),
        ("Job title editable", settings.job_title_editable),
        ("Initials managed in iP", settings.initials_managed_in_ip),
        ("Clear departments on sync", settings.clear_departments),
        ("Import classes", settings.import_classes),
        ("Import subjects", settings.import_subjects),
        ("Import photos on every sync", settings.import_photos),
        ("Deactivate leavers", settings.leaver_policy == LeaverPolicy::Deactivate),
        ("Guard", settings.guard.enabled),
        ("Nightly sync", settings.schedule.enabled),
        ("Hourly delta", settings.schedule.hourly_delta),
    ];
    html! {
        section.panel {
            header { h2 { "Settings" } p.source { "Set by the iP app, or with PUT /v1/schools/" (school.id) } }
            dl.facts {
                @for (name, is_on) in switches { div { dt { (name) } dd { (if is_on { "on" } else { "off" }) } } }
                div { dt { "A login is fresh for" } dd { (settings.refresh_freshness_minutes) " min" } }
                @for category in GuardCategory::ALL {
                    @let limit = settings.guard.limit(*category);
                    div { dt { "Held above: " (category.as_str().replace('_', " ")) }
                        dd { (u8::from(limit.percent)) " % and " (limit.count) } }
                }
            }
        }
    }
}

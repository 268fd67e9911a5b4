use chrono::{DateTime, Utc};
use mis_sync_domain::{
    LeaverPolicy, School, SchoolSettings, TokenState, Update, line_manager::HierarchyLists,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{SchoolCheckView, guard::GuardView, schedule::ScheduleView, timestamp};

/// What connects a school.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchoolRequest {
    /// Its display name.
    #[schema(value_type = String, min_length = 1, max_length = 200, required)]
    pub(crate) name: Option<String>,
    /// Wonde's id of the school.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9]{1,32}$", examples("A1930499544"), required)]
    pub(crate) wonde_school_id: Option<String>,
    /// The school's Wonde token. Needed unless the service holds one already.
    #[schema(write_only, pattern = "^[!-~]{1,512}$")]
    pub(crate) token: Option<String>,
    /// The MIS, if it is known. If left out, it stays unchanged. Null is as if left out, except in a
    /// `PATCH`: there it removes the MIS, and the next sync asks Wonde.
    #[serde(default, deserialize_with = "update")]
    #[schema(value_type = Option<String>)]
    pub(crate) mis: Update<String>,
    /// The school's own Wonde address (regions differ). If left out, the configured one is used.
    #[schema(format = "uri")]
    pub(crate) wonde_base_url: Option<String>,
    /// The school's own settings. If left out, they stay unchanged.
    #[schema(value_type = Option<SettingsView>)]
    pub(crate) settings: Option<SchoolSettings>,
    /// Where a message is posted when a sync of the school has ended or is held. The host has to be
    /// one of `callbacks.allowed_hosts`. If left out, it stays unchanged; null removes it.
    #[serde(default, deserialize_with = "update")]
    #[schema(value_type = Option<String>, format = "uri")]
    pub(crate) callback_url: Update<String>,
    /// The secret that signs these messages: `whsec_` and the base64 of 24 to 64 random bytes. Needed
    /// unless the service holds one already.
    #[schema(write_only)]
    pub(crate) callback_secret: Option<String>,
}

/// A change of a school, as a JSON Merge Patch. `SchoolRequest` describes the fields.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read as a `SchoolRequest` once it is merged")]
pub(crate) struct SchoolPatch {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(pattern = "^[A-Za-z0-9]{1,32}$")]
    wonde_school_id: Option<String>,
    #[schema(write_only, pattern = "^[!-~]{1,512}$")]
    token: Option<String>,
    mis: Option<String>,
    #[schema(format = "uri")]
    wonde_base_url: Option<String>,
    settings: Option<SettingsView>,
    #[schema(format = "uri")]
    callback_url: Option<String>,
    #[schema(write_only)]
    callback_secret: Option<String>,
}

/// Unlike for other fields, null is not the same as left out.
fn update<'de, D: Deserializer<'de>>(from: D) -> Result<Update<String>, D::Error> {
    Ok(Option::deserialize(from)?.map_or(Update::Remove, Update::Set))
}

/// A page of schools.
#[derive(Serialize, ToSchema)]
#[schema(as = SchoolList)]
pub(crate) struct SchoolListView {
    pub(crate) schools: Vec<SchoolView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A school and its connection to the MIS. Its token is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = School)]
pub(crate) struct SchoolView {
    /// The id of the school in iP.
    id: String,
    name: String,
    wonde_school_id: String,
    /// Null if the configured address is used.
    #[schema(required)]
    wonde_base_url: Option<String>,
    /// As the caller or Wonde spells it; null until it is known.
    #[schema(required)]
    mis: Option<String>,
    settings: SettingsView,
    token_state: TokenState,
    /// Where messages about the school's jobs are posted; null if nowhere.
    #[schema(required)]
    callback_url: Option<String>,
    /// What Wonde said when it was last asked what the school grants; null if it never was.
    #[schema(required)]
    last_check: Option<SchoolCheckView>,
    /// End of the last sync that was applied.
    #[schema(format = DateTime, required)]
    last_synced_at: Option<String>,
    /// When the next scheduled sync begins; a missed one begins as soon as a worker is running.
    /// Null if the schedule is off, or if the school has no token that Wonde accepts.
    #[schema(format = DateTime, required)]
    next_sync_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    pub(crate) links: SchoolLinks,
}

/// A school's own settings; each has a default.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of iP's settings page")]
pub(crate) struct SettingsView {
    /// Import teaching staff only.
    #[schema(default = false, required = false)]
    teachers_only: bool,
    /// A person who comes back is made active again.
    #[schema(default = true, required = false)]
    restore_inactive: bool,
    /// Line managers are set in iP; the MIS only fills them on creation.
    #[schema(default = false, required = false)]
    line_manager_editable: bool,
    /// Whether Wonde's lists of line managers name a person's managers or the people who report to
    /// them; null if this is worked out from the lists, now or in an earlier sync.
    #[schema(required = false)]
    hierarchy_lists: Option<HierarchyLists>,
    /// Job titles are set in iP; the MIS only fills them on creation.
    #[schema(default = false, required = false)]
    job_title_editable: bool,
    /// Initials are set in iP; the MIS only fills them on creation.
    #[schema(default = false, required = false)]
    initials_managed_in_ip: bool,
    /// Department membership is cleared on each sync.
    #[schema(default = false, required = false)]
    clear_departments: bool,
    /// Import classes.
    #[schema(default = true, required = false)]
    import_classes: bool,
    /// Import subjects.
    #[schema(default = false, required = false)]
    import_subjects: bool,
    /// Import photos on every sync.
    #[schema(default = false, required = false)]
    import_photos: bool,
    /// What happens to a person who left.
    #[schema(required = false)]
    leaver_policy: LeaverPolicy,
    /// How much a sync may change without approval; above that it is held.
    #[schema(required = false)]
    guard: GuardView,
    /// When the school is synced automatically.
    #[schema(required = false)]
    schedule: ScheduleView,
    /// A person who was read from the MIS within this many minutes before their login is not
    /// read again; 0: everyone is read, at each login.
    #[schema(default = 1, required = false)]
    refresh_freshness_minutes: u16,
}

/// Links from a school.
#[derive(Serialize, ToSchema)]
pub(crate) struct SchoolLinks {
    #[serde(rename = "self")]
    pub(crate) this: String,
    /// The address to request a sync.
    sync: String,
    /// Its jobs, newest first.
    jobs: String,
    /// The check that was requested with `verify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) check: Option<String>,
}

impl SchoolView {
    /// The school, and the time of its next scheduled sync.
    pub(crate) fn new(school: School, next_sync_at: Option<DateTime<Utc>>) -> Self {
        let this = format!("/v1/schools/{}", school.id);
        Self {
            links: SchoolLinks {
                sync: format!("{this}/sync"),
                jobs: format!("/v1/jobs?school_id={}", school.id),
                check: None,
                this,
            },
            id: school.id.into(),
            name: school.name,
            wonde_school_id: school.wonde_school_id,
            wonde_base_url: school.wonde_base_url,
            mis: school.mis,
            settings: (&school.settings).into(),
            token_state: school.token,
            callback_url: school.callback_url,
            last_check: school.last_check.as_ref().map(SchoolCheckView::from),
            last_synced_at: school.last_synced_at.map(timestamp),
            next_sync_at: next_sync_at.map(timestamp),
            created_at: timestamp(school.created_at),
            updated_at: timestamp(school.updated_at),
        }
    }
}

impl From<&SchoolSettings> for SettingsView {
    fn from(settings: &SchoolSettings) -> Self {
        // Taken apart, so that a setting that is added to the domain is not forgotten here.
        let SchoolSettings {
            teachers_only,
            restore_inactive,
            line_manager_editable,
            hierarchy_lists,
            job_title_editable,
            initials_managed_in_ip,
            clear_departments,
            import_classes,
            import_subjects,
            import_photos,
            leaver_policy,
            guard,
            schedule,
            refresh_freshness_minutes,
        } = settings;
        Self {
            teachers_only: *teachers_only,
            restore_inactive: *restore_inactive,
            line_manager_editable: *line_manager_editable,
            hierarchy_lists: *hierarchy_lists,
            job_title_editable: *job_title_editable,
            initials_managed_in_ip: *initials_managed_in_ip,
            clear_departments: *clear_departments,
            import_classes: *import_classes,
            import_subjects: *import_subjects,
            import_photos: *import_photos,
            leaver_policy: *leaver_policy,
            guard: (*guard).into(),
            schedule: schedule.into(),
            refresh_freshness_minutes: *refresh_freshness_minutes,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_on_the_wire_are_those_of_the_domain() {
        for leaver_policy in [LeaverPolicy::Deactivate, LeaverPolicy::Keep] {
            let settings = SchoolSettings { leaver_policy, ..SchoolSettings::default() };
            let view = serde_json::to_value(SettingsView::from(&settings)).unwrap();
            assert_eq!(view, serde_json::to_value(&settings).unwrap());
        }
        for lists in [HierarchyLists::Managers, HierarchyLists::Reports] {
            let settings =
                SchoolSettings { hierarchy_lists: Some(lists), ..SchoolSettings::default() };
            let view = serde_json::to_value(SettingsView::from(&settings)).unwrap();
            assert_eq!(view, serde_json::to_value(&settings).unwrap());
        }
        let schedule = json!({
            "enabled": false, "time_zone": "Asia/Kolkata", "nightly_from": "22:30",
            "nightly_until": "04:15", "hourly_delta": true,
            "blackout_dates": [{"from": "2026-12-21", "until": "2027-01-03"}],
            "blackout_hours": [{"from": "08:00", "until": "17:30"}],
        });
        let settings = json!({ "schedule": schedule });
        let settings: SchoolSettings = serde_json::from_value(settings).unwrap();
        let view = serde_json::to_value(SettingsView::from(&settings)).unwrap();
        assert_eq!(view["schedule"], schedule);
    }
}

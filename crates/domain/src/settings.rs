use serde::{Deserialize, Serialize};

use crate::{Guard, Schedule, job::named, line_manager::HierarchyLists};

/// A school's settings, as on iP's MIS settings page. Each has a default, so that you can connect a
/// school without giving any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of iP's settings page")]
pub struct SchoolSettings {
    /// Import teaching staff only.
    pub teachers_only: bool,
    /// Whether returning people become active again.
    pub restore_inactive: bool,
    /// Line managers are set in iP; the MIS fills them only when a person is created.
    pub line_manager_editable: bool,
    /// Which way Wonde's lists of line managers point; `None` to find it from the lists.
    pub hierarchy_lists: Option<HierarchyLists>,
    /// Job titles are set in iP; the MIS fills them only when a person is created.
    pub job_title_editable: bool,
    /// Initials are set in iP; the MIS fills them only when a person is created.
    pub initials_managed_in_ip: bool,
    /// Whether department memberships are cleared with each sync.
    pub clear_departments: bool,
    pub import_classes: bool,
    pub import_subjects: bool,
    /// Import photos with every sync, not only on request.
    pub import_photos: bool,
    /// What happens to leavers.
    pub leaver_policy: LeaverPolicy,
    /// How much a sync may change without approval.
    pub guard: Guard,
    /// When the school is synced automatically.
    pub schedule: Schedule,
    /// A person who was read from the MIS within this many minutes is not read again at a login; 0
    /// reads everyone at each login.
    pub refresh_freshness_minutes: u16,
}

named!(
    /// What happens to leavers.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    LeaverPolicy, "policy for leavers", {
        /// They can no longer log in; the person and their history stay.
        #[default]
        /// They can no longer log in; the person and their history stay.
        Deactivate = "deactivate",
        /// Nothing happens.
        Keep = "keep",
    }
);

impl Default for SchoolSettings {
    fn default() -> Self {
        Self {
            teachers_only: false,
            restore_inactive: true,
            line_manager_editable: false,
            hierarchy_lists: None,
            job_title_editable: false,
            initials_managed_in_ip: false,
            clear_departments: false,
            import_classes: true,
            import_subjects: false,
            import_photos: false,
            leaver_policy: LeaverPolicy::Deactivate,
            guard: Guard::default(),
            schedule: Schedule::default(),
            refresh_freshness_minutes: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_left_out_take_their_default_and_unknown_ones_are_refused() {
        assert_eq!(SchoolSettings::default().refresh_freshness_minutes, 1);
        let settings: SchoolSettings = serde_json::from_str(r#"{"teachers_only":true}"#).unwrap();
        assert!(settings.teachers_only && settings.import_classes);
        let way =
            |json| serde_json::from_str::<SchoolSettings>(json).map(|all| all.hierarchy_lists);
        assert_eq!(way(r#"{"hierarchy_lists":"reports"}"#).unwrap(), Some(HierarchyLists::Reports));
        assert_eq!(way(r#"{"hierarchy_lists":null}"#).unwrap(), None);
        assert!(way(r#"{"hierarchy_lists":"sideways"}"#).is_err());
        let unknown = serde_json::from_str::<SchoolSettings>(r#"{"teacher_only":true}"#);
        assert!(unknown.unwrap_err().to_string().contains("unknown field `teacher_only`"));
    }
}

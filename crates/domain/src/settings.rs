use serde::{Deserialize, Serialize};

use crate::{Guard, Schedule, job::named, line_manager::HierarchyLists};

/// A school's own rules, as iP's MIS settings page knows them. Every one has a default, so
/// that a school can be connected without naming any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of iP's settings page")]
pub struct SchoolSettings {
    /// Import teaching staff only.
    pub teachers_only: bool,
    /// Somebody who comes back is made active again.
    pub restore_inactive: bool,
    /// Line managers are set in iP; the MIS only fills them on creation.
    pub line_manager_editable: bool,
    /// Which way Wonde's lists of line managers point for this school; `None`: its lists tell.
    pub hierarchy_lists: Option<HierarchyLists>,
    /// Job titles are set in iP; the MIS only fills them on creation.
    pub job_title_editable: bool,
    /// Initials are set in iP; the MIS only fills them on creation.
    pub initials_managed_in_ip: bool,
    /// Department membership is cleared on each sync.
    pub clear_departments: bool,
    /// Import classes.
    pub import_classes: bool,
    /// Import subjects.
    pub import_subjects: bool,
    /// Import photos on every sync, not only when one is asked for.
    pub import_photos: bool,
    /// What happens to somebody who left.
    pub leaver_policy: LeaverPolicy,
    /// How much a sync may change unasked.
    pub guard: Guard,
    /// When the school is synced by itself.
    pub schedule: Schedule,
    /// Somebody who was read from the MIS in so many minutes before their login is not read
    /// again; 0: everybody is, at each login.
    pub refresh_freshness_minutes: u16,
}

named!(
    /// What happens to somebody who left.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    LeaverPolicy, "policy for leavers", {
        /// They can no longer log in; the person and their history stay.
        #[default]
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

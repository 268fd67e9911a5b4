use crate::{Capability, LeaverPolicy, Mis, SchoolSettings};

/// What a sync may do to the people that iP already holds. A new person is filled with all
/// that the MIS delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncRules {
    /// Which fields follow the MIS.
    pub owned: OwnedFields,
    /// Somebody inactive who is current staff is made active again.
    pub restores: bool,
    /// Somebody active who is no longer current staff is deactivated.
    pub deactivates: bool,
}

/// Which fields of an existing person the MIS may change; names, email and teaching always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedFields {
    /// Initials follow the MIS.
    pub initials: bool,
    /// The job title follows the roles of the MIS.
    pub job_title: bool,
    /// The line manager follows the MIS.
    pub line_manager: bool,
}

impl SyncRules {
    /// Decides by what the MIS can deliver and by what the school keeps in its own hands.
    pub fn decide(mis: Option<&Mis>, settings: &SchoolSettings) -> Self {
        let supports = |capability| Mis::supports(mis, capability);
        Self {
            owned: OwnedFields {
                initials: !settings.initials_managed_in_ip,
                job_title: !settings.job_title_editable && supports(Capability::Roles),
                line_manager: !settings.line_manager_editable && supports(Capability::ReportsTo),
            },
            restores: settings.restore_inactive,
            deactivates: settings.leaver_policy == LeaverPolicy::Deactivate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MisTable;

    #[test]
    fn the_school_and_the_mis_can_each_take_a_field_away() {
        let table = MisTable::built_in();
        let settings = SchoolSettings::default();
        let owned =
            |mis, settings: &SchoolSettings| SyncRules::decide(table.find(mis), settings).owned;
        let all = OwnedFields { initials: true, job_title: true, line_manager: true };
        assert_eq!(owned("SIMS", &settings), all);
        let isams = OwnedFields { job_title: false, line_manager: false, ..all };
        assert_eq!(owned("isams", &settings), isams);
        assert_eq!(owned("Bromcom", &settings), OwnedFields { line_manager: false, ..all });

        let own = SchoolSettings {
            job_title_editable: true,
            initials_managed_in_ip: true,
            line_manager_editable: true,
            ..settings
        };
        let none = OwnedFields { initials: false, job_title: false, line_manager: false };
        assert_eq!(owned("SIMS", &own), none);
    }

    #[test]
    fn the_school_decides_on_leavers_and_returners() {
        let rules = |settings: &SchoolSettings| SyncRules::decide(None, settings);
        let settings = SchoolSettings::default();
        assert!(rules(&settings).deactivates && rules(&settings).restores);
        let keep = SchoolSettings {
            leaver_policy: LeaverPolicy::Keep,
            restore_inactive: false,
            ..settings
        };
        assert!(!rules(&keep).deactivates && !rules(&keep).restores);
    }
}

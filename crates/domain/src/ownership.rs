use crate::{Capability, Mis, SchoolSettings};

/// Which fields of an *existing* person the MIS may change. A new person is filled with all
/// that the MIS delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedFields {
    /// Initials follow the MIS.
    pub initials: bool,
    /// The job title follows the roles of the MIS.
    pub job_title: bool,
}

impl OwnedFields {
    /// Decides by what the MIS can deliver and by what the school keeps in its own hands.
    pub fn decide(mis: Option<&Mis>, settings: &SchoolSettings) -> Self {
        Self {
            initials: !settings.initials_managed_in_ip,
            job_title: !settings.job_title_editable && Mis::supports(mis, Capability::Roles),
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
        let sims = OwnedFields::decide(table.find("SIMS"), &settings);
        assert_eq!(sims, OwnedFields { initials: true, job_title: true });
        assert!(!OwnedFields::decide(table.find("isams"), &settings).job_title);

        let own =
            SchoolSettings { job_title_editable: true, initials_managed_in_ip: true, ..settings };
        let kept = OwnedFields::decide(table.find("SIMS"), &own);
        assert_eq!(kept, OwnedFields { initials: false, job_title: false });
    }
}

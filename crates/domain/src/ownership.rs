use crate::{
    Capability, LeaverPolicy, Mis, SchoolSettings, SyncOptions, job::named,
    line_manager::HierarchyLists,
};

named!(
    /// A field of a person that a sync fills.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    SyncedField, "field of a person", {
        /// The forename.
        FirstName = "first_name",
        /// The surname.
        Surname = "surname",
        /// The initials.
        Initials = "initials",
        /// The work email, which is the login.
        Email = "email",
        /// The roles, joined by commas.
        JobTitle = "job_title",
        /// The reverse of *teaching staff*.
        NonTeaching = "non_teaching",
        /// The picture.
        Photo = "photo_hash",
        /// The person's manager.
        LineManager = "line_manager_id",
    }
);

named!(
    /// Who decides the value of a field for a person who is already in iP.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    Owner, "owner of a field", {
        /// The MIS: its value replaces the one in iP.
        Mis = "mis",
        /// iP: the value there is never overwritten.
        Ip = "ip",
    }
);

/// Why a field has its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnershipRule {
    /// The MIS always owns this field.
    Always,
    /// The MIS owns it, but only when photos are asked for.
    OnRequest,
    /// This MIS does not deliver the field.
    NotDelivered,
    /// The school manages the field in iP, by this setting.
    Setting(&'static str),
}

/// Who owns a field, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    pub owner: Owner,
    /// The rule that makes them the owner.
    pub rule: OwnershipRule,
}

impl SyncedField {
    /// Whether the value is personal data; see [`crate::ChangedField::is_personal`].
    pub fn is_personal(self) -> bool {
        !matches!(self, Self::NonTeaching | Self::LineManager)
    }

    /// The name of the field in the MIS.
    pub fn mis_name(self) -> &'static str {
        match self {
            Self::Email => "Work email",
            Self::FirstName => "Forename",
            Self::Surname => "Surname",
            Self::Initials => "Initials",
            Self::JobTitle => "Roles",
            Self::NonTeaching => "Teaching staff",
            Self::LineManager => "Reports to",
            Self::Photo => "Photo",
        }
    }

    /// What the MIS has to support for this field; `None` if every MIS delivers it.
    pub fn needs(self) -> Option<Capability> {
        match self {
            Self::JobTitle => Some(Capability::Roles),
            Self::LineManager => Some(Capability::ReportsTo),
            Self::Photo => Some(Capability::Photo),
            _ => None,
        }
    }

    /// Who owns the field of an existing person. A new person gets everything that the MIS delivers.
    pub fn ownership(self, mis: Option<&Mis>, settings: &SchoolSettings) -> Ownership {
        let ip = |rule| Ownership { owner: Owner::Ip, rule };
        if self.needs().is_some_and(|capability| !Mis::supports(mis, capability)) {
            return ip(OwnershipRule::NotDelivered);
        }
        let kept_by = match self {
            Self::Initials if settings.initials_managed_in_ip => Some("initials_managed_in_ip"),
            Self::JobTitle if settings.job_title_editable => Some("job_title_editable"),
            Self::LineManager if settings.line_manager_editable => Some("line_manager_editable"),
            _ => None,
        };
        if let Some(setting) = kept_by {
            return ip(OwnershipRule::Setting(setting));
        }
        let on_request = self == Self::Photo && !settings.import_photos;
        let rule = if on_request { OwnershipRule::OnRequest } else { OwnershipRule::Always };
        Ownership { owner: Owner::Mis, rule }
    }
}

impl OwnershipRule {
    pub fn sentence(self) -> String {
        match self {
            Self::Always => "The MIS owns this field.".to_owned(),
            Self::OnRequest => {
                "The MIS owns this field; it is imported only on request.".to_owned()
            }
            Self::NotDelivered => "This MIS does not deliver this field.".to_owned(),
            Self::Setting(name) => {
                format!("The school manages this field in iP (setting `{name}`).")
            }
        }
    }
}

/// What a sync does, decided from the MIS, the school's settings and the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncRules {
    /// Which fields of existing people follow the MIS.
    pub owned: OwnedFields,
    /// Which way Wonde's lists of line managers point, if the school's settings say so.
    pub hierarchy_lists: Option<HierarchyLists>,
    /// Whether inactive people who are current staff are made active again.
    pub restores: bool,
    /// Whether leavers are deactivated.
    pub deactivates: bool,
    /// What is imported besides people.
    pub imports: Imports,
    /// Whether the department assignments of all synced people are archived.
    pub clears_departments: bool,
}

/// Which fields of an existing person the MIS may change. Names, email and teaching status it always
/// may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedFields {
    /// Whether initials follow the MIS.
    pub initials: bool,
    /// Whether the job title follows the roles in the MIS.
    pub job_title: bool,
    /// Whether the line manager follows the MIS.
    pub line_manager: bool,
}

/// What a sync imports besides people and their fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub struct Imports {
    pub classes: bool,
    pub subjects: bool,
    /// The teachers of classes.
    pub class_staff: bool,
    /// The teachers of subjects.
    pub subject_staff: bool,
    pub photos: bool,
}

impl SyncRules {
    /// Decides the rules from the MIS, the settings and the request.
    pub fn decide(mis: Option<&Mis>, settings: &SchoolSettings, options: SyncOptions) -> Self {
        let owned = |field: SyncedField| field.ownership(mis, settings).owner == Owner::Mis;
        let supports = |capability| Mis::supports(mis, capability);
        Self {
            owned: OwnedFields {
                initials: owned(SyncedField::Initials),
                job_title: owned(SyncedField::JobTitle),
                line_manager: owned(SyncedField::LineManager),
            },
            hierarchy_lists: settings.hierarchy_lists,
            restores: settings.restore_inactive,
            deactivates: settings.leaver_policy == LeaverPolicy::Deactivate,
            imports: Imports {
                classes: settings.import_classes,
                subjects: settings.import_subjects,
                class_staff: settings.import_classes && supports(Capability::ClassStaff),
                subject_staff: settings.import_subjects && supports(Capability::SubjectStaff),
                photos: (settings.import_photos || options.photos) && supports(Capability::Photo),
            },
            clears_departments: settings.clear_departments,
        }
    }

    /// The same rules for one person at a login: photos take too long, and only a sync clears
    /// departments.
    #[must_use]
    pub fn at_login(self) -> Self {
        let imports = Imports { photos: false, ..self.imports };
        Self { imports, clears_departments: false, ..self }
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
        let owned = |mis, settings: &SchoolSettings| {
            SyncRules::decide(table.find(mis), settings, SyncOptions::default()).owned
        };
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
        let rules =
            |settings: &SchoolSettings| SyncRules::decide(None, settings, SyncOptions::default());
        let settings = SchoolSettings::default();
        assert!(rules(&settings).deactivates && rules(&settings).restores);
        let keep = SchoolSettings {
            leaver_policy: LeaverPolicy::Keep,
            restore_inactive: false,
            ..settings
        };
        assert!(!rules(&keep).deactivates && !rules(&keep).restores);
    }

    #[test]
    fn what_is_imported_follows_settings_mis_and_request() {
        let table = MisTable::built_in();
        let imports = |mis: &str, settings: &SchoolSettings, photos| {
            let options = SyncOptions { photos, ..SyncOptions::default() };
            SyncRules::decide(table.find(mis), settings, options).imports
        };
        let settings = SchoolSettings::default();
        let classes = Imports { classes: true, class_staff: true, ..Imports::default() };
        assert_eq!(imports("SIMS", &settings, false), classes);
        assert_eq!(imports("SIMS", &settings, true), Imports { photos: true, ..classes });
        assert!(!imports("RM Integris", &settings, true).photos, "asking does not help");
        let all = SchoolSettings { import_subjects: true, import_photos: true, ..settings };
        let bromcom = Imports { classes: true, subjects: true, photos: true, ..Imports::default() };
        assert_eq!(imports("Bromcom", &all, false), bromcom);
        let none = SchoolSettings { import_classes: false, ..SchoolSettings::default() };
        assert_eq!(imports("SIMS", &none, false), Imports::default());
    }

    #[test]
    fn a_login_leaves_photos_and_departments_to_the_syncs() {
        let settings = SchoolSettings {
            import_photos: true,
            clear_departments: true,
            ..SchoolSettings::default()
        };
        let rules = SyncRules::decide(None, &settings, SyncOptions::default());
        let at_login = rules.at_login();
        assert!(rules.imports.photos && rules.clears_departments);
        assert!(!at_login.imports.photos && !at_login.clears_departments);
        assert_eq!((at_login.owned, at_login.deactivates), (rules.owned, rules.deactivates));
        assert!(at_login.imports.class_staff);
    }

    #[test]
    fn ownership_names_its_rule() {
        let table = MisTable::built_in();
        let settings = SchoolSettings { job_title_editable: true, ..SchoolSettings::default() };
        let rule = |field: SyncedField, mis| field.ownership(table.find(mis), &settings).rule;
        assert_eq!(rule(SyncedField::Email, "SIMS"), OwnershipRule::Always);
        assert_eq!(rule(SyncedField::Photo, "SIMS"), OwnershipRule::OnRequest);
        let by_setting = OwnershipRule::Setting("job_title_editable");
        assert_eq!(rule(SyncedField::JobTitle, "SIMS"), by_setting);
        assert_eq!(rule(SyncedField::JobTitle, "WCBS"), OwnershipRule::NotDelivered);
    }
}

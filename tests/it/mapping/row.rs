use std::collections::BTreeMap;

use mis_sync_domain::{Capability, MisTable, SchoolId};
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Mis, Scenario, ScenarioName, Truth};
use serde_json::{Value, json};

use crate::{
    press::{apply, sync},
    rows::{execute, number, texts},
};

/// A row of the agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    FirstName,
    Surname,
    Initials,
    WorkEmail,
    JobTitle,
    NonTeaching,
    Photo,
    LineManager,
    Password,
    CurrentStaff,
    Class,
    ClassStaff,
    Subject,
    SubjectStaff,
}

impl Row {
    pub(crate) const ALL: [Self; 14] = [
        Self::FirstName,
        Self::Surname,
        Self::Initials,
        Self::WorkEmail,
        Self::JobTitle,
        Self::NonTeaching,
        Self::Photo,
        Self::LineManager,
        Self::Password,
        Self::CurrentStaff,
        Self::Class,
        Self::ClassStaff,
        Self::Subject,
        Self::SubjectStaff,
    ];

    /// The name of its test.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::Surname => "surname",
            Self::Initials => "initials",
            Self::WorkEmail => "work_email",
            Self::JobTitle => "job_title",
            Self::NonTeaching => "non_teaching",
            Self::Photo => "photo",
            Self::LineManager => "line_manager",
            Self::Password => "password",
            Self::CurrentStaff => "current_staff",
            Self::Class => "class",
            Self::ClassStaff => "class_staff",
            Self::Subject => "subject",
            Self::SubjectStaff => "subject_staff",
        }
    }

    /// What the MIS must be able to deliver for it.
    pub(crate) fn needs(self) -> Option<Capability> {
        match self {
            Self::JobTitle => Some(Capability::Roles),
            Self::Photo => Some(Capability::Photo),
            Self::LineManager => Some(Capability::ReportsTo),
            Self::ClassStaff => Some(Capability::ClassStaff),
            Self::SubjectStaff => Some(Capability::SubjectStaff),
            _ => None,
        }
    }

    /// By the table that the code uses.
    pub(crate) fn is_supported(self, mis: Mis) -> bool {
        let table = MisTable::built_in();
        let known = table.find(mis.wire_name()).expect("the table has every MIS");
        self.needs()
            .is_none_or(|capability| mis_sync_domain::Mis::supports(Some(known), capability))
    }

    /// What happens in the MIS to change it.
    fn scenario(self) -> Option<ScenarioName> {
        match self {
            Self::FirstName | Self::Password => None,
            Self::Surname => Some(ScenarioName::Rename),
            Self::Initials => Some(ScenarioName::NewInitials),
            Self::WorkEmail => Some(ScenarioName::EmailChange),
            Self::JobTitle => Some(ScenarioName::RoleChange),
            Self::NonTeaching => Some(ScenarioName::TeachingChange),
            Self::Photo => Some(ScenarioName::NewPhoto),
            Self::LineManager => Some(ScenarioName::ManagerChange),
            Self::CurrentStaff => Some(ScenarioName::Leaver),
            Self::Class => Some(ScenarioName::ClassRename),
            Self::ClassStaff | Self::SubjectStaff => Some(ScenarioName::ClassTeacherChange),
            Self::Subject => Some(ScenarioName::SubjectRenamed),
        }
    }

    /// SQL that returns Wonde id and value of each record in iP.
    fn held(self) -> String {
        let of_staff = |value: &str| {
            format!(
                "SELECT json_build_array(s.wonde_id, {value})::text FROM staff s WHERE s.active"
            )
        };
        let links = |kind: &str| {
            format!(
                "SELECT json_build_array(r.wonde_id, (
                    SELECT coalesce(json_agg(p.wonde_id ORDER BY p.wonde_id COLLATE \"C\"), '[]')
                    FROM {kind}_staff l JOIN staff p ON p.id = l.staff_id WHERE l.{kind}_id = r.id
                ))::text FROM {kind} r WHERE r.active"
            )
        };
        match self {
            Self::FirstName => of_staff("s.first_name"),
            Self::Surname => of_staff("s.surname"),
            Self::Initials => of_staff("s.initials"),
            Self::WorkEmail => of_staff("s.email"),
            Self::JobTitle => of_staff("s.job_title"),
            Self::NonTeaching => of_staff("s.non_teaching"),
            Self::Photo => of_staff("s.photo_hash"),
            Self::LineManager => {
                of_staff("(SELECT m.wonde_id FROM staff m WHERE m.id = s.line_manager_id)")
            }
            Self::Password => {
                of_staff("s.password_reset_required AND s.password_hash LIKE '$pbkdf2-sha256$%'")
            }
            Self::CurrentStaff => of_staff("true"),
            Self::Class => "SELECT json_build_array(wonde_id,
                json_build_array(name, code, description))::text FROM class WHERE active"
                .to_owned(),
            Self::ClassStaff => links("class"),
            Self::Subject => "SELECT json_build_array(wonde_id, json_build_array(name, code))::text
                FROM subject WHERE active"
                .to_owned(),
            Self::SubjectStaff => links("subject"),
        }
    }

    /// The same from the simulator's truth.
    fn wanted(self, truth: &Truth) -> BTreeMap<String, Value> {
        let staff = || truth.staff.iter();
        let of_staff = |value: &dyn Fn(&mis_sync_wonde_sim::StaffTruth) -> Value| {
            staff().map(|person| (person.wonde_id.clone(), value(person))).collect()
        };
        let sorted = |mut staff: Vec<String>| {
            staff.sort();
            json!(staff)
        };
        match self {
            Self::FirstName => of_staff(&|person| json!(person.first_name)),
            Self::Surname => of_staff(&|person| json!(person.surname)),
            Self::Initials => of_staff(&|person| json!(person.initials)),
            Self::WorkEmail => of_staff(&|person| json!(person.email)),
            Self::JobTitle => of_staff(&|person| json!(person.job_title)),
            Self::NonTeaching => of_staff(&|person| json!(person.non_teaching)),
            Self::Photo => of_staff(&|person| json!(person.photo_hash)),
            Self::LineManager => of_staff(&|person| json!(person.line_manager_wonde_id)),
            Self::Password | Self::CurrentStaff => of_staff(&|_| json!(true)),
            Self::Class => truth
                .classes
                .iter()
                .map(|c| (c.wonde_id.clone(), json!([c.name, c.code, c.description])))
                .collect(),
            Self::ClassStaff => truth
                .classes
                .iter()
                .map(|class| (class.wonde_id.clone(), sorted(class.staff.clone())))
                .collect(),
            Self::Subject => truth
                .subjects
                .iter()
                .map(|subject| (subject.wonde_id.clone(), json!([subject.name, subject.code])))
                .collect(),
            Self::SubjectStaff => truth
                .subjects
                .iter()
                .map(|subject| (subject.wonde_id.clone(), sorted(subject.staff.clone())))
                .collect(),
        }
    }

    /// SQL that writes something by hand, and SQL that counts where it is still there.
    fn by_hand(self) -> Option<(String, String)> {
        let of_staff = |column: &str, value: &str| {
            (
                format!("UPDATE staff SET {column} = {value}"),
                format!("SELECT count(*) FROM staff WHERE {column} IS NOT DISTINCT FROM {value}"),
            )
        };
        let links = |kind: &str| {
            (
                format!(
                    "INSERT INTO {kind}_staff ({kind}_id, staff_id)
                    SELECT r.id, (SELECT id FROM staff WHERE active ORDER BY id LIMIT 1)
                    FROM {kind} r WHERE r.active ON CONFLICT DO NOTHING"
                ),
                format!("SELECT count(*) FROM {kind}_staff WHERE NOT from_mis"),
            )
        };
        match self {
            Self::FirstName => Some(of_staff("first_name", "'By hand'")),
            Self::Surname => Some(of_staff("surname", "'By hand'")),
            Self::Initials => Some(of_staff("initials", "'ZZ9'")),
            Self::WorkEmail => Some(of_staff("email", "wonde_id || '@by-hand.example'")),
            Self::JobTitle => Some(of_staff("job_title", "'By hand'")),
            Self::NonTeaching => Some(of_staff("non_teaching", "(length(surname) % 2 = 0)")),
            Self::Photo => Some(of_staff("photo_hash", "'by hand'")),
            Self::LineManager => Some(of_staff("line_manager_id", "id")),
            Self::ClassStaff => Some(links("class")),
            Self::SubjectStaff => Some(links("subject")),
            Self::Password | Self::CurrentStaff | Self::Class | Self::Subject => None,
        }
    }
}

/// One row at one school.
pub(super) struct Case<'a> {
    pub(super) app: &'a TestApp,
    pub(super) school: &'a SchoolId,
    pub(super) row: Row,
    pub(super) is_supported: bool,
}

impl Case<'_> {
    pub(super) async fn first_sync(&self) {
        sync(self.app, self.school).await;
        self.assert_as_in_the_mis("first sync").await;
        let unsupported = |value: &Value| value.is_null() || *value == json!([]);
        if !self.is_supported {
            let held = self.held().await;
            assert!(held.values().all(unsupported), "{:?} is not delivered", self.row);
        }
    }

    /// Something changes in the MIS, and iP changes only if the MIS delivers it.
    pub(super) async fn change_in_the_mis(&self) {
        let Some(scenario) = self.row.scenario() else { return };
        let before = self.held().await;
        if before.is_empty() {
            // A primary school without classes has none to change.
            return;
        }
        apply(self.app, self.school, Scenario::from(scenario));
        sync(self.app, self.school).await;
        self.assert_as_in_the_mis("change in the MIS").await;
        if self.row != Row::SubjectStaff {
            assert_eq!(self.held().await != before, self.is_supported, "{:?}", self.row);
        }
    }

    /// A value written by hand stays if the MIS does not deliver the field, and is replaced if it
    /// does. People linked to a class by hand always stay.
    pub(super) async fn hand_edit(&self) {
        let Some((write, count)) = self.row.by_hand() else { return };
        execute(self.app, &write).await;
        let before = number(self.app, &count).await;
        sync(self.app, self.school).await;
        let after = number(self.app, &count).await;
        let is_link = matches!(self.row, Row::ClassStaff | Row::SubjectStaff);
        if is_link || !self.is_supported {
            assert_eq!(after, before, "{:?}: a hand edit is lost", self.row);
        } else {
            assert!(after < before, "{:?}: the MIS does not win", self.row);
            // If the MIS has no value, nothing is replaced.
            let truth = self.app.simulator.simulator().truth(self.school.as_str()).unwrap();
            let held = self.held().await;
            let wanted = self.row.wanted(&truth);
            let says = |value: &Value| !value.is_null() && value != "";
            for (wonde_id, value) in wanted.iter().filter(|(_, value)| says(value)) {
                assert_eq!(&held[wonde_id], value, "{:?}, hand edit", self.row);
            }
        }
    }

    async fn assert_as_in_the_mis(&self, when: &str) {
        let truth = self.app.simulator.simulator().truth(self.school.as_str()).unwrap();
        assert_eq!(self.held().await, self.row.wanted(&truth), "{:?}, {when}", self.row);
    }

    async fn held(&self) -> BTreeMap<String, Value> {
        let rows = texts(self.app, &self.row.held()).await;
        rows.iter().map(|row| serde_json::from_str::<(String, Value)>(row).unwrap()).collect()
    }
}

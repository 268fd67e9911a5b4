//! Every row of the agreement for every MIS: first sync, a change in the MIS, and a value that
//! somebody wrote by hand in iP. `docs/mapping.md` lists these tests and is checked here.

mod page;
mod row;

use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Mis, SimulatorOptions};
use serde_json::json;

use row::Row;

/// One test for each row, by the row's name; one module for each MIS, by the id in
/// `config/mis.toml`.
macro_rules! rows_of {
    ($($mis:ident = $variant:ident),+ $(,)?) => {
        /// The MIS that have a module here, by its name.
        pub(crate) const MODULES: &[(&str, Mis)] = &[$((stringify!($mis), Mis::$variant)),+];
        $(mod $mis {
            use super::{Mis, Row, holds};
            rows_of!(@row Mis::$variant,
                first_name = FirstName, surname = Surname, initials = Initials,
                work_email = WorkEmail, job_title = JobTitle, non_teaching = NonTeaching,
                photo = Photo, line_manager = LineManager, password = Password,
                current_staff = CurrentStaff, class = Class, class_staff = ClassStaff,
                subject = Subject, subject_staff = SubjectStaff,
            );
        })+
    };
    (@row $mis:expr, $($test:ident = $row:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $test() {
            assert_eq!(stringify!($test), Row::$row.name());
            holds(Row::$row, $mis).await;
        })+
    };
}

rows_of!(
    sims = Sims,
    arbor = Arbor,
    rm_integris = RmIntegris,
    facility_cmis = Cmis,
    pupilasset = PupilAsset,
    isams = Isams,
    scholarpack = ScholarPack,
    bromcom = Bromcom,
    wcbs = Wcbs,
    engage = Engage,
    progresso = Progresso,
);

async fn holds(row: Row, mis: Mis) {
    let simulator = SimulatorOptions { schools: 1, mis: Some(mis), ..SimulatorOptions::default() };
    let options = TestAppOptions { simulator, page_size: 50, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    // A change here is one of everybody.
    let settings = json!({
        "import_classes": true, "import_subjects": true, "import_photos": true,
        "guard": { "enabled": false },
    });
    let school = app.connect_school_with(0, settings).await;
    let case = row::Case { app: &app, school: &school, row, is_supported: row.is_supported(mis) };
    case.first_sync().await;
    case.change_in_the_mis().await;
    case.hand_edit().await;
}

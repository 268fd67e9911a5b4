//! Messages of Postgres quote values, and values are personal data: they go nowhere.

use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;

use crate::{process::MIS_SYNC, rows::execute};

/// Stands for a person's data in a message of the database.
const MARKER: &str = "ada.marker@oak.example";

#[tokio::test]
async fn what_the_database_says_is_in_no_job_and_in_no_log() {
    let simulator = SimulatorOptions { schools: 1, staff: 12, ..SimulatorOptions::default() };
    let options = TestAppOptions { simulator, worker: false, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    execute(
        &app,
        &format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'invalid input syntax: \"{MARKER}\"' USING
                     ERRCODE = '22P02', DETAIL = 'Row of {MARKER}', HINT = '{MARKER}',
                     CONSTRAINT = 'staff_marker';
             END $$"
        ),
    )
    .await;
    execute(&app, "CREATE TRIGGER refuse BEFORE INSERT ON staff EXECUTE FUNCTION refuse()").await;
    let worker = MIS_SYNC.start(&app, &["worker"], &[("MIS_SYNC__LOG__LEVEL", "trace")]);
    let job = app.press_sync(&school).await;
    let failed = app.wait_for_job(&job, "an attempt fails", |job| !job["error"].is_null()).await;
    assert_eq!(
        failed["error"]["detail"],
        "The database refused a statement (SQLSTATE 22P02, constraint staff_marker)."
    );
    assert!(!failed.to_string().contains(MARKER), "{failed}");
    let logged = eventually("the attempt is logged", async || {
        Some(worker.printed()).filter(|printed| printed.contains("22P02"))
    })
    .await;
    assert!(!logged.contains(MARKER), "{logged}");
}

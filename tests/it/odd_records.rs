//! A school with one of each odd record: what can be read is imported, and the school gets an issue
//! for each of the others.

use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Simulator, SimulatorOptions};

use crate::{
    people::assert_equal_to_truth,
    press::{issues, sync_job},
    rows::texts,
};

#[tokio::test]
async fn each_odd_record_is_imported_or_told_and_costs_itself_alone() {
    let simulator = SimulatorOptions { schools: 1, odd: true, ..SimulatorOptions::default() };
    // The odd records are on the first of several pages.
    let options = TestAppOptions { simulator, page_size: 10, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    for _ in 0..2 {
        let (job, _) = sync_job(&app, &school).await;
        assert_equal_to_truth(&app, &school).await;
        let told = issues(&app, &job).await;
        for odd in Simulator::odd_records() {
            let about = |(_, wonde_id): &&(String, Option<String>)| {
                odd.wonde_id.is_some() && wonde_id.as_deref() == odd.wonde_id
            };
            let codes: Vec<&str> =
                told.iter().filter(about).map(|(code, _)| code.as_str()).collect();
            let expected: Vec<&str> =
                odd.issue.into_iter().filter(|_| odd.wonde_id.is_some()).collect();
            assert_eq!(codes, expected, "{}", odd.about);
        }
        let nameless = told
            .iter()
            .filter(|(code, wonde_id)| wonde_id.is_none() && code == "unreadable_record");
        assert_eq!(nameless.count(), 4, "{told:?}");
    }
    let classes = texts(&app, "SELECT wonde_id FROM class WHERE name LIKE 'Odd%'").await;
    assert_eq!(classes, ["A201"]);
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let staff = "SELECT s.wonde_id FROM class_staff l JOIN class c ON c.id = l.class_id
        JOIN staff s ON s.id = l.staff_id WHERE c.wonde_id = 'A201' AND l.is_main_teacher";
    let odd = truth.classes.iter().find(|class| class.wonde_id == "A201").unwrap();
    assert_eq!(texts(&app, staff).await, odd.staff);
}

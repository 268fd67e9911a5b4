//! The people in iP, compared one by one with the simulator's own list.

use std::collections::BTreeMap;

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use serde_json::{Value, json};

/// Asserts that iP holds exactly the people that the simulator says it should, field by field.
pub(crate) async fn assert_equal_to_truth(app: &TestApp, school: &SchoolId) {
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let wanted: BTreeMap<String, Value> = truth
        .staff
        .iter()
        .map(|person| {
            let fields = json!([
                person.upi,
                person.email,
                person.first_name,
                person.surname,
                person.initials,
                person.job_title,
                person.non_teaching,
                true,
            ]);
            (person.wonde_id.clone(), fields)
        })
        .collect();
    let held: BTreeMap<String, Value> = mis_sync_store::staff::list(&app.pool, school)
        .await
        .unwrap()
        .into_iter()
        .map(|person| {
            let fields = json!([
                person.upi,
                person.email,
                person.first_name,
                person.surname,
                person.initials,
                person.job_title,
                person.non_teaching,
                person.active,
            ]);
            (person.wonde_id.unwrap_or_default(), fields)
        })
        .collect();
    assert!(!wanted.is_empty(), "a school without staff proves nothing");
    assert_eq!(held, wanted);
}

//! The people in iP, compared one by one with the simulator's own list.

use std::collections::{BTreeMap, HashMap};

use mis_sync_domain::{SchoolId, StaffId};
use mis_sync_testing::TestApp;
use serde_json::{Value, json};

/// Asserts that exactly the people that the simulator says are active in iP, field by field.
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
                person.line_manager_wonde_id,
            ]);
            (person.wonde_id.clone(), fields)
        })
        .collect();
    let people = mis_sync_store::staff::list(&app.pool, school).await.unwrap();
    let wonde_ids: HashMap<StaffId, Option<String>> =
        people.iter().map(|person| (person.id, person.wonde_id.clone())).collect();
    let held: BTreeMap<String, Value> = people
        .into_iter()
        .filter(|person| person.active)
        .map(|person| {
            let fields = json!([
                person.upi,
                person.email,
                person.first_name,
                person.surname,
                person.initials,
                person.job_title,
                person.non_teaching,
                person.line_manager_id.and_then(|id| wonde_ids[&id].clone()),
            ]);
            (person.wonde_id.unwrap_or_default(), fields)
        })
        .collect();
    assert!(!wanted.is_empty(), "a school without staff proves nothing");
    assert_eq!(held, wanted);
}

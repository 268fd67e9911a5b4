use uuid::Uuid;

use super::super::Held;
use super::super::fixture::{
    NOTHING, RULES, account, compare, email, id, list, record, rules, school,
};
use crate::{DepartmentId, StaffRecord};

#[test]
fn whoever_is_synced_is_taken_out_of_their_departments_where_the_school_wants_that() {
    let [maths, art] = [1, 2].map(|number| DepartmentId(Uuid::from_u128(number)));
    let departments =
        vec![(art, id("a1")), (maths, id("a1")), (art, id("a2")), (art, id("a3")), (art, id("a4"))];
    let held = Held { departments, ..school(["a1", "a2", "a3", "a4"].map(account)) };
    // Bea asks for Cat's login, and Dan is not in the list.
    let bea = StaffRecord { email: email("a4@oak.example"), ..record("a2") };
    let fetched = list([record("a1"), bea, record("a3")]);
    let clears = rules(|rules| rules.clears_departments = true);
    let plan = compare(&held, &fetched, &clears);
    let cleared: Vec<_> =
        plan.departments.iter().map(|one| (one.department, one.staff_id)).collect();
    assert_eq!(cleared, [(maths, id("a1")), (art, id("a1")), (art, id("a3"))]);
    assert_eq!(plan.told()[0], "a1 department_id=");
    // A person who is only removed from departments is updated, and counts once.
    assert_eq!((plan.report.updated, plan.report.unchanged), (2, 0));
    assert_eq!(compare(&held, &list([record("a1")]), &RULES).told(), NOTHING);
}

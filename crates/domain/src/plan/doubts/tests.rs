use super::super::Held;
use super::super::fixture::{
    NOTHING, RULES, account, by_hand, compare, delta, inactive, list, person, record, school,
    stranger, with,
};
use crate::StaffRecord;

/// The lines for this list, and the possible matches of its records.
fn judged(held: &Held, staff: impl IntoIterator<Item = StaffRecord>) -> [Vec<String>; 2] {
    let plan = compare(held, &list(staff).gone(&["a1"]), &RULES);
    [plan.told(), plan.candidates()]
}

#[test]
fn an_id_of_which_neither_name_nor_email_agrees_waits_and_the_account_stays() {
    let held = school([account("a1"), account("a2")]);
    let cy = stranger("a1", "Cy", "cy@oak.example");
    let [told, candidates] = judged(&held, [cy.clone(), record("a2")]);
    assert_eq!(told, ["a1 possible_match"]);
    assert_eq!(candidates, ["a1?a1 30 wonde_id"]);
    // In a delta as well.
    let plan = compare(&held, &delta([cy]), &RULES);
    assert_eq!(plan.told(), ["a1 possible_match"]);
    assert!(plan.candidates[0].in_doubt);
}

#[test]
fn two_records_of_someone_else_are_in_doubt_as_one_is() {
    let cy = stranger("a1", "Cy", "cy@oak.example");
    let second = StaffRecord { wonde_id: "b1".into(), ..cy.clone() };
    let [told, candidates] = judged(&school([account("a1")]), [cy, second]);
    assert_eq!(told, ["a1 possible_match", "b1 two_records_of_one_person"]);
    assert_eq!(candidates, ["a1?a1 30 wonde_id"]);
}

#[test]
fn whoever_changes_everything_but_one_thing_stays_who_they_are() {
    let held = school([account("a1")]);
    let cy = stranger("a1", "Cy", "cy@oak.example");
    for same in [
        StaffRecord { first_name: record("a1").first_name, ..cy.clone() },
        StaffRecord { surname: record("a1").surname, ..cy.clone() },
        StaffRecord { email: record("a1").email, ..cy },
    ] {
        let [told, candidates] = judged(&held, [same]);
        assert_eq!((told.len(), candidates), (2, Vec::new()), "{told:?}");
    }
}

#[test]
fn a_upi_in_doubt_waits_even_where_its_person_is_inactive() {
    let left = |account| person(account, |person| person.upi = Some("u77".into()));
    let cy = StaffRecord { upi: Some("u77".into()), ..stranger("b1", "Cy", "cy@oak.example") };
    for held in [school([left(account("a1"))]), school([left(inactive("a1"))])] {
        let [told, candidates] = judged(&held, [cy.clone()]);
        assert_eq!(told, ["b1 possible_match"]);
        assert_eq!(candidates, ["b1?a1 30 upi"]);
    }
}

#[test]
fn a_mailbox_in_doubt_waits_while_its_owner_can_log_in() {
    let namesake = StaffRecord {
        first_name: "Sara".into(),
        initials: Some("SA".into()),
        wonde_id: "b1".into(),
        ..record("a1")
    };
    let holder = |account| person(account, |person| person.initials = Some("RA".into()));
    let [told, candidates] = judged(&school([holder(account("a1"))]), [namesake.clone()]);
    assert_eq!(told, ["b1 possible_match"]);
    assert_eq!(candidates, ["b1?a1 65 work_email+surname"]);
    // The mailbox of an inactive person was handed on.
    let [told, candidates] = judged(&school([holder(inactive("a1"))]), [namesake.clone()]);
    assert_eq!((told, candidates), (vec!["b1 created".to_owned()], Vec::new()));
    // The surname of an account made by hand may differ.
    let [told, candidates] =
        judged(&school([by_hand("a1")]), [StaffRecord { surname: "Khan".into(), ..namesake }]);
    assert_eq!(told, ["b1 possible_match"]);
    assert_eq!(candidates, ["b1?a1 40 work_email"]);
}

#[test]
fn an_account_that_nobody_has_used_passes_from_nobody() {
    let unused = with(by_hand("a1"), |account| account.password_reset_required = true);
    let cy = stranger("b1", "Cy", "a1@oak.example");
    let [told, candidates] = judged(&school([unused]), [cy.clone()]);
    assert_eq!(told, ["a1 wonde_id=b1", "a1 first_name=Cy", "a1 surname=Of Cy"]);
    assert_eq!(candidates, NOTHING);
    // An account that was linked once has an owner, whether or not they have logged in.
    let once = with(account("a1"), |account| {
        account.password_reset_required = true;
        account.person.wonde_id = None;
    });
    assert_eq!(judged(&school([once]), [cy])[0], ["b1 possible_match"]);
}

#[test]
fn whoever_is_meant_by_another_record_is_not_in_doubt() {
    // Cy has Ada's UPI, and Ada is there under another id with her work email.
    let ada = person(by_hand("a1"), |person| person.upi = Some("u77".into()));
    let cy = StaffRecord { upi: Some("u77".into()), ..stranger("b1", "Cy", "cy@oak.example") };
    let again = StaffRecord { wonde_id: "a9".into(), ..record("a1") };
    let [told, candidates] = judged(&school([ada]), [cy, again]);
    assert_eq!(told, ["b1 created", "a1 wonde_id=a9"]);
    assert_eq!(candidates, NOTHING);
}

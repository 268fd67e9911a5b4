use super::super::fixture::{
    NOTHING, RULES, account, compare, delta, email, id, list, person, record, school, stranger,
    with,
};
use super::super::{Account, Decision, Held};
use crate::StaffRecord;

/// A decision about a record, made when Cy was shown.
fn decision(wonde_id: &str, whom: Option<&str>, in_doubt: bool) -> Decision {
    let shown = ["Cy", "Of Cy", "cy@oak.example"].map(str::to_owned);
    Decision { wonde_id: wonde_id.into(), staff_id: whom.map(id), in_doubt, shown: Some(shown) }
}

fn cy(wonde_id: &str) -> StaffRecord {
    stranger(wonde_id, "Cy", "cy@oak.example")
}

fn decided(
    people: impl IntoIterator<Item = Account>,
    decisions: impl IntoIterator<Item = Decision>,
) -> Held {
    Held { decisions: decisions.into_iter().collect(), ..school(people) }
}

#[test]
fn an_account_that_passes_on_gets_the_record_and_a_new_password() {
    let held = decided([account("a1")], [decision("a1", Some("a1"), true)]);
    let plan = compare(&held, &list([cy("a1")]), &RULES);
    let lines = [
        "a1 email=cy@oak.example",
        "a1 first_name=Cy",
        "a1 surname=Of Cy",
        "a1 password_reset_required=true",
    ];
    assert_eq!(plan.told(), lines);
    assert_eq!(plan.changed[0].new_password, Some(false));
    assert_eq!((plan.used_decisions, plan.candidates), (vec!["a1".to_owned()], Vec::new()));
}

#[test]
fn someone_found_again_under_another_id_keeps_the_password() {
    let again = StaffRecord { email: email("new@new.example"), ..record("a1") };
    let again = StaffRecord { wonde_id: "b1".into(), ..again };
    let held =
        decided([account("a1")], [Decision { shown: None, ..decision("b1", Some("a1"), false) }]);
    let plan = compare(&held, &list([again]).gone(&["a1"]), &RULES);
    assert_eq!(plan.told(), ["a1 wonde_id=b1", "a1 email=new@new.example"]);
    assert_eq!((plan.changed[0].new_password, plan.used_decisions), (None, vec!["b1".to_owned()]));
}

#[test]
fn someone_new_gets_the_id_and_the_account_that_had_it_is_a_leavers() {
    let ada = || person(account("a1"), |ada| ada.upi = Some("u1".into()));
    let with_upi = |upi: &str| StaffRecord { upi: Some(upi.into()), ..cy("a1") };
    let held = || decided([ada()], [decision("a1", None, true)]);
    let lines = ["a1 created", "a1 wonde_id=", "a1 upi=", "a1 active=false"];
    assert_eq!(compare(&held(), &list([with_upi("u1")]), &RULES).told(), lines);
    // Their own UPI stays.
    let lines = ["a1 created", "a1 wonde_id=", "a1 active=false"];
    assert_eq!(compare(&held(), &list([with_upi("u2")]), &RULES).told(), lines);
    assert_eq!(compare(&held(), &delta([with_upi("u2")]), &RULES).told(), lines);
}

#[test]
fn a_decision_counts_while_the_record_is_the_one_that_was_shown() {
    let held = decided([account("a1")], [decision("a1", Some("a1"), true)]);
    let another = compare(&held, &list([stranger("a1", "Dan", "dan@oak.example")]), &RULES);
    assert_eq!(another.told(), ["a1 possible_match"]);
    assert_eq!(another.used_decisions, NOTHING);
    // With one thing in common it is the same record.
    let renamed = compare(&held, &list([stranger("a1", "Dan", "cy@oak.example")]), &RULES);
    assert!(renamed.told().contains(&"a1 first_name=Dan".to_owned()));
    // If what was shown was not kept, the decision counts.
    let unseen = Decision { shown: None, ..decision("a1", Some("a1"), true) };
    let held = decided([account("a1")], [unseen]);
    let followed = compare(&held, &list([stranger("a1", "Dan", "dan@oak.example")]), &RULES);
    assert_eq!(followed.used_decisions, ["a1"]);
}

#[test]
fn a_record_that_ip_knows_means_whom_ip_says_unless_that_is_in_doubt() {
    // Before the sync Ada's own record is back, and the decision applies to no one.
    let held = decided([account("a1")], [Decision { shown: None, ..decision("a1", None, true) }]);
    let plan = compare(&held, &list([record("a1")]), &RULES);
    assert_eq!(plan.told(), NOTHING);
    assert_eq!(plan.used_decisions, ["a1"], "and is used up");
}

#[test]
fn two_decisions_for_one_account_contradict_each_other() {
    let both = [decision("b1", Some("a1"), false), decision("b2", Some("a1"), false)];
    let held = decided([account("a1")], both);
    let second = StaffRecord { email: email("cy2@oak.example"), ..cy("b2") };
    let told = compare(&held, &list([cy("b1"), second]).gone(&["a1"]), &RULES).told();
    assert_eq!(told, ["b1 created", "b2 created", "a1 active=false"]);
    // If only one of them is in the list, that one counts.
    let told = compare(&held, &list([cy("b1")]).gone(&["a1"]), &RULES).told();
    assert_eq!(told[0], "a1 wonde_id=b1");
}

#[test]
fn someone_who_is_in_the_list_under_another_id_is_meant_by_that_one() {
    let held = decided([account("a1")], [decision("b1", Some("a1"), false)]);
    let told = compare(&held, &list([record("a1"), cy("b1")]), &RULES).told();
    assert_eq!(told, ["b1 created"]);
    // It is not in the list, which is enough for a person to decide.
    let told = compare(&held, &list([cy("b1")]), &RULES).told();
    assert_eq!(told[0], "a1 wonde_id=b1");
}

#[test]
fn a_decision_is_not_used_up_while_its_record_is_left_out() {
    let holder = person(account("a2"), |holder| holder.email = "cy@oak.example".into());
    let held = decided([account("a1"), holder], [decision("a1", Some("a1"), true)]);
    let fetched = with(list([cy("a1")]), |_| ()).present("a2", None);
    let plan = compare(&held, &fetched, &RULES);
    assert_eq!(plan.told(), ["a1 work_email_in_use"]);
    assert_eq!(plan.used_decisions, NOTHING);
    assert_eq!(plan.changed, [], "and no password is drawn");
}

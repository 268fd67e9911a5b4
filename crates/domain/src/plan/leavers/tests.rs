use super::super::fixture::{
    NOTHING, RULES, account, by_hand, compare, delta, email, id, inactive, list, person, record,
    rules, school, told, with,
};
use super::super::{Affected, Alone, Fetched, Held, Rules};
use crate::{GuardCategory, RecordOutcome, StaffRecord};

const LEFT: RecordOutcome = RecordOutcome::NotCurrent;

fn two() -> Held {
    school([account("a1"), account("a2")])
}

/// A full list with only Ada.
fn only_ada() -> Fetched {
    list([record("a1")])
}

#[test]
fn whoever_is_gone_or_not_current_is_deactivated() {
    let leaves = ["a2 active=false"];
    assert_eq!(told(&two(), &only_ada().gone(&["a2"]), &RULES), leaves, "looked for");
    assert_eq!(told(&two(), &only_ada().left_out("a2", LEFT), &RULES), leaves, "not current");
    assert_eq!(told(&two(), &delta([]).gone(&["a2"]), &RULES), leaves, "by the word of a delta");
    assert_eq!(
        told(&school([account("a1"), inactive("a2")]), &only_ada().gone(&["a2"]), &RULES),
        NOTHING
    );
}

#[test]
fn absence_has_to_be_proved() {
    let nameless = with(only_ada(), |list| list.counts.nameless = 1);
    let unsaid = with(only_ada(), |list| list.counts.employment_said = 0);
    let keep = rules(|rules| rules.deactivates = false);
    let gone = |list: Fetched| list.gone(&["a2"]);
    assert_eq!(told(&two(), &only_ada(), &RULES), NOTHING, "merely missing");
    assert_eq!(told(&two(), &gone(nameless), &RULES), NOTHING, "may be the nameless one");
    assert_eq!(told(&two(), &gone(unsaid), &RULES), ["school employment_withheld"]);
    assert_eq!(told(&two(), &gone(only_ada()), &keep), NOTHING, "the policy keeps");
    // In a delta this does not prove that a record is not current; `gone` would say so.
    let fetched = delta([record("a1")]).left_out("a2", LEFT);
    assert_eq!(told(&two(), &fetched, &RULES), NOTHING);
}

#[test]
fn whoever_is_left_out_for_another_reason_has_not_left() {
    let gone = || only_ada().gone(&["a2"]);
    assert_eq!(told(&two(), &gone().present("a2", None), &RULES), NOTHING, "lost the email");
    // Added again, and cannot be imported yet.
    let with_upi = person(account("a2"), |a2| a2.upi = Some("u2".into()));
    let held = school([account("a1"), with_upi]);
    assert_eq!(told(&held, &gone().present("b2", Some("u2")), &RULES), NOTHING);
    // The record asks for a login in doubt.
    let doubtful = StaffRecord { email: email("a1@oak.example"), ..record("a2") };
    let fetched = list([record("a1"), doubtful]);
    assert_eq!(told(&two(), &fetched, &RULES), ["a2 shared_work_email"]);
    // A record under a new id may be theirs.
    let again = StaffRecord { wonde_id: "b2".into(), ..record("a2") };
    let fetched = list([record("a1"), again]).gone(&["a2"]);
    assert_eq!(told(&two(), &fetched, &RULES), ["a2 wonde_id=b2"]);
}

#[test]
fn accounts_made_by_hand_are_left_alone() {
    let held = school([account("a1"), by_hand("a2")]);
    assert_eq!(told(&held, &only_ada().gone(&["a2"]), &RULES), NOTHING);
}

#[test]
fn whoever_has_several_records_leaves_with_the_last_of_them() {
    let held = || Held { aliases: vec![("b2".into(), id("a2"))], ..two() };
    let gone = |names: &[&str]| only_ada().gone(names);
    assert_eq!(told(&held(), &gone(&["a2"]), &RULES), NOTHING);
    assert_eq!(told(&held(), &gone(&["a2", "b2"]), &RULES), ["a2 active=false"]);
    let present = gone(&["a2", "b2"]).present("b2", None);
    assert_eq!(told(&held(), &present, &RULES), NOTHING);
}

#[test]
fn whoever_was_read_after_the_fetch_began_is_as_that_found_them() {
    let fetched = only_ada().gone(&["a2"]);
    let read = |seconds| {
        let at = fetched.started_at + chrono::TimeDelta::seconds(seconds);
        let later = with(account("a2"), |a2| a2.read_at = Some(at));
        told(&school([account("a1"), later]), &fetched, &RULES)
    };
    assert_eq!(read(1), NOTHING);
    assert_eq!(read(0), ["a2 active=false"]);
}

#[test]
fn where_it_was_not_approved_everybody_stays() {
    let leavers = Affected { category: GuardCategory::Deactivated, records: 1, of: 2 };
    let rules = Rules { left_out: vec![leavers], ..RULES };
    let fetched = only_ada().gone(&["a2"]);
    assert_eq!(told(&two(), &fetched, &rules), ["school deactivations_not_approved"]);
}

#[test]
fn where_many_left_lately_a_login_closes_no_account_more() {
    let alone = Alone { staff_id: id("a2"), wonde_id: "a2".into(), teaches: None };
    let login = Fetched { alone: Some(alone), ..delta([]).gone(&["a2"]) };
    let many = Rules { has_many_recent_leavers: true, ..RULES };
    assert_eq!(told(&two(), &login, &RULES), ["a2 active=false"]);
    assert_eq!(told(&two(), &login, &many), ["a2 leaver_left_active"]);
    // In a sync that is for the guard to decide.
    assert_eq!(told(&two(), &only_ada().gone(&["a2"]), &many), ["a2 active=false"]);
}

#[test]
fn an_empty_list_is_told_of_to_the_guard() {
    let plan = compare(&two(), &list([]).gone(&["a1", "a2"]), &RULES);
    assert!(plan.empties_school);
    let held = crate::Guard { enabled: false, ..crate::Guard::default() }.judge(&plan);
    let everybody = Affected { category: GuardCategory::Deactivated, records: 2, of: 2 };
    assert_eq!(held, [everybody], "whatever the limits are");
    assert!(!compare(&two(), &only_ada().gone(&["a2"]), &RULES).empties_school);
    assert!(!compare(&two(), &list([]), &RULES).empties_school, "no one is proved to be gone");
}

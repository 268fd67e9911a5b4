//! What the rules have in common: who a list has read, and how issues are reported.

use super::fixture::{
    RULES, account, compare, delta, email, group, id, inactive, list, person, record, rules,
    school, stranger, taught, teaching, told, with,
};
use super::{Alone, Fetched, Rules};
use crate::{ClassId, Issue, IssueCode, PersonKey, StaffId, StaffRecord};

#[test]
fn a_full_list_says_whom_it_missed_and_a_delta_whom_it_read() {
    let doubtful = stranger("a4", "Cy", "cy@oak.example");
    let held = school(["a1", "a2", "a3", "a4"].map(account).into_iter().chain([inactive("a5")]));
    let reads = |fetched: &Fetched| {
        let plan = compare(&held, fetched, &RULES);
        (plan.read, plan.missed)
    };
    let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect::<Vec<StaffId>>();
    let full = list([record("a1"), doubtful.clone()]).gone(&["a2"]);
    assert_eq!(reads(&full), (ids(&[]), ids(&["a3", "a4"])), "who left is none to be missed");
    let delta = delta([record("a3"), record("a1"), doubtful]);
    assert_eq!(reads(&delta), (ids(&["a1", "a3"]), ids(&[])));
}

#[test]
fn a_login_has_read_the_person_unless_their_record_is_in_doubt() {
    let alone = Alone { staff_id: id("a1"), wonde_id: "a1".into(), teaches: None };
    let read = |fetched: Fetched| {
        let fetched = Fetched { alone: Some(alone.clone()), ..fetched };
        compare(&school([account("a1")]), &fetched, &RULES).read
    };
    assert_eq!(read(delta([record("a1")])), [id("a1")]);
    assert_eq!(read(delta([]).gone(&["a1"])), [id("a1")]);
    assert_eq!(read(delta([]).present("a1", None)), [id("a1")]);
    assert_eq!(read(delta([stranger("a1", "Cy", "cy@oak.example")])), []);
}

#[test]
fn issues_come_in_the_order_of_the_list_each_once_and_those_of_the_school_last() {
    let issue = |place, code, name: Option<&str>| {
        (place, Issue { code, wonde_id: name.map(str::to_owned) })
    };
    let shared = |name| StaffRecord { email: record("a1").email, ..record(name) };
    let held = school([account("a1")]);
    let mut fetched = list([record("a1"), shared("a2"), shared("a3")]);
    fetched.counts.employment_said = 0;
    fetched.staff[1].0 = 10;
    fetched.staff[2].0 = 4;
    fetched.issues = vec![
        issue(7, IssueCode::NoWorkEmail, Some("a4")),
        issue(7, IssueCode::NoWorkEmail, Some("a4")),
        issue(2, IssueCode::UnreadableRecord, None),
        issue(3, IssueCode::UnreadableRecord, None),
        issue(9, IssueCode::EmploymentWithheld, None),
    ];
    let told = [
        "school unreadable_record",
        "school unreadable_record",
        "a3 shared_work_email",
        "a4 no_work_email",
        // The fetch reports it, and the comparison does not repeat it.
        "school employment_withheld",
        "a2 shared_work_email",
    ];
    assert_eq!(compare(&held, &fetched, &RULES).told(), told);
}

#[test]
fn whoever_stays_inactive_is_told_of_only_where_their_record_is_applied() {
    let keep = rules(|rules| rules.restores = false);
    let fetched = list([record("a1")]);
    let later = with(inactive("a1"), |a1| {
        a1.read_at = Some(fetched.started_at + chrono::TimeDelta::seconds(1));
    });
    assert_eq!(compare(&school([inactive("a1")]), &fetched, &keep).told(), ["a1 inactive_in_ip"]);
    assert!(compare(&school([later]), &fetched, &keep).told().is_empty());
}

#[test]
fn nothing_personal_is_printed() {
    let ada = person(account("a1"), |ada| ada.upi = Some("secret".into()));
    let held = school([ada]);
    let fetched = list([stranger("a1", "Secret", "secret@oak.example"), record("secret-2")]);
    let plan = compare(&held, &fetched, &RULES);
    let text = format!("{held:?} {plan:?} {fetched:?}");
    assert!(text.contains("a1") && !text.contains("Secret") && !text.contains("@oak"), "{text}");
    assert!(!text.contains("secret\""), "{text}");
}

/// The rules after these people were left as they are.
fn leaving(people: impl IntoIterator<Item = PersonKey>) -> Rules {
    with(teaching(), |rules| rules.leave_people = people.into_iter().collect())
}

#[test]
fn people_whom_the_approver_left_stay_as_they_are_and_the_others_do_not() {
    let people = || school([account("a1"), account("a2"), account("a3")]);
    let changed = StaffRecord { initials: Some("XX".into()), ..record("a1") };
    let fetched = || list([changed.clone(), record("new")]).gone(&["a2", "a3"]);
    let all = ["new created", "a1 initials=XX", "a2 active=false", "a3 active=false"];
    assert_eq!(told(&people(), &fetched(), &leaving([])), all);
    let leave = [
        PersonKey::StaffId(id("a1")),
        PersonKey::StaffId(id("a2")),
        PersonKey::WondeId("new".into()),
    ];
    let mut lines = told(&people(), &fetched(), &leaving(leave));
    lines.sort();
    let expected = [
        "a1 person_not_approved",
        "a2 person_not_approved",
        "a3 active=false",
        "new person_not_approved",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_leaver_who_is_left_keeps_the_login_and_the_classes() {
    let mut held = school([account("a1"), account("a2"), account("b1")]);
    held.classes = vec![group("k1", ClassId, &["a2"])];
    let heir = StaffRecord { email: email("a2@oak.example"), ..record("b1") };
    let mut fetched = list([record("a1"), heir]).gone(&["a2"]);
    fetched.classes = Some(vec![taught("k1", &["a1"])]);
    let lines = told(&held, &fetched, &leaving([PersonKey::StaffId(id("a2"))]));
    assert!(lines.contains(&"b1 work_email_in_use".to_owned()), "{lines:?}");
    assert!(lines.contains(&"a2 person_not_approved".to_owned()), "{lines:?}");
    let class = lines.iter().find(|line| line.starts_with("k1 staff=")).unwrap();
    assert!(class.contains("a1") && class.contains("a2"), "{class}");
    let lines = told(&held, &fetched, &leaving([]));
    assert!(lines.contains(&"k1 staff=a1".to_owned()), "{lines:?}");
}

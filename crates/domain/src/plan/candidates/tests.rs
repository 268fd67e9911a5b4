use super::super::Fetched;
use super::super::fixture::{
    NOTHING, RULES, account, compare, delta, email, group, inactive, list, person, record, school,
    stranger, taught, teaching, told, with,
};
use super::{MatchReason, Pair, certain};
use crate::{ClassId, JobTitle, RecordOutcome, StaffId, StaffRecord};

/// The record of `a1` under a new id and with another login.
fn moved() -> StaffRecord {
    StaffRecord { wonde_id: "b1".into(), email: email("new@new.example"), ..record("a1") }
}

#[test]
fn whoever_has_much_in_common_with_someone_gone_waits_and_nobody_leaves_meanwhile() {
    let held = school([account("a1"), account("a2")]);
    let plan = compare(&held, &list([moved(), record("a2")]).gone(&["a1"]), &RULES);
    assert_eq!(plan.told(), ["b1 possible_match"]);
    assert_eq!(plan.candidates(), ["b1?a1 45 surname+first_name"]);
    assert!(!plan.candidates[0].in_doubt);
    let said = &plan.candidates[0].said;
    let said = [&said.first_name, &said.surname, &said.email].map(String::as_str);
    assert_eq!(said, ["Robin", "A1", "new@new.example"]);
}

#[test]
fn a_match_keeps_the_initials_and_the_roles_of_its_record() {
    let held = school([account("a1")]);
    let said = |job_title| StaffRecord { initials: Some("RA".into()), job_title, ..moved() };
    for (job_title, kept) in [
        (JobTitle::Roles("Teacher, SENCO".into()), Some("Teacher, SENCO")),
        (JobTitle::Empty, None),
        (JobTitle::NotDelivered, None),
    ] {
        let plan = compare(&held, &list([said(job_title)]).gone(&["a1"]), &RULES);
        let said = &plan.candidates[0].said;
        assert_eq!((said.initials.as_deref(), said.job_title.as_deref()), (Some("RA"), kept));
    }
}

#[test]
fn login_or_surname_and_forename_or_initials_must_be_in_common() {
    let held = |first_name: &str| {
        let ada = person(account("a1"), |ada| {
            ada.first_name = first_name.into();
            ada.initials = Some("RA".into());
        });
        school([ada])
    };
    let with_initials = |record| StaffRecord { initials: Some("ra".into()), ..record };
    let same_login = |surname: &str| StaffRecord {
        email: email("a1@oak.example"),
        surname: surname.into(),
        ..moved()
    };
    for (first_name, said, expected) in [
        ("Robin", moved(), Some("45 surname+first_name")),
        ("ROBIN", moved(), Some("45 surname+first_name")),
        ("Robin", with_initials(moved()), Some("50 surname+first_name+initials")),
        ("Roberta", with_initials(moved()), Some("30 surname+initials")),
        ("Robin", same_login("New"), Some("60 work_email+first_name")),
        ("Roberta", with_initials(same_login("New")), Some("45 work_email+initials")),
        // The surname alone, and the login alone: a namesake, and a successor.
        ("Roberta", moved(), None),
        ("Roberta", same_login("New"), None),
        // Neither of the two.
        ("Robin", StaffRecord { surname: "New".into(), ..moved() }, None),
    ] {
        let plan = compare(&held(first_name), &list([said]).gone(&["a1"]), &RULES);
        let candidates: Vec<String> =
            expected.iter().map(|expected| format!("b1?a1 {expected}")).collect();
        assert_eq!(plan.candidates(), candidates, "{first_name}");
        assert_eq!(plan.created.is_empty(), expected.is_some(), "{first_name} {expected:?}");
    }
}

#[test]
fn only_someone_active_whose_id_is_proved_to_be_gone_is_found_again() {
    let new = ["b1 created"];
    let waits = ["b1 possible_match"];
    let nameless = |list| with(list, |list: &mut Fetched| list.counts.nameless = 1);
    let held = || school([account("a1")]);
    let gone = || list([moved()]).gone(&["a1"]);
    assert_eq!(told(&held(), &gone(), &RULES), waits);
    assert_eq!(told(&held(), &list([moved()]), &RULES), new, "merely missing");
    assert_eq!(told(&held(), &list([moved(), record("a1")]), &RULES), new, "still there");
    assert_eq!(told(&held(), &nameless(gone()), &RULES), new, "may be the nameless one");
    let delta = delta([moved()]).gone(&["a1"]);
    assert_eq!(told(&held(), &delta, &RULES), ["b1 created", "a1 active=false"], "a delta");
    assert_eq!(told(&school([inactive("a1")]), &gone(), &RULES), new, "left long ago");
    let left = list([moved()]).left_out("a1", RecordOutcome::NotCurrent).gone(&["a1"]);
    let lines = ["b1 created", "a1 active=false"];
    assert_eq!(told(&held(), &left, &RULES), lines, "in the list as a leaver");
    let by_upi = person(account("a1"), |ada| ada.upi = Some("u1".into()));
    let there = gone().present("c1", Some("u1"));
    assert_eq!(told(&school([by_upi]), &there, &RULES), new, "there under yet another id");
}

#[test]
fn one_record_may_mean_several_and_several_records_one() {
    let namesake = person(account("a2"), |person| person.surname = "A1".into());
    let held = school([account("a1"), namesake]);
    let second = StaffRecord { wonde_id: "b2".into(), email: email("b2@oak.example"), ..moved() };
    let plan = compare(&held, &list([moved(), second]).gone(&["a1", "a2"]), &RULES);
    let what = "45 surname+first_name";
    let pairs = [("b1", "a1"), ("b1", "a2"), ("b2", "a1"), ("b2", "a2")];
    assert_eq!(plan.candidates(), pairs.map(|(record, who)| format!("{record}?{who} {what}")));
    assert_eq!(plan.told(), ["b1 possible_match", "b2 possible_match"]);
}

#[test]
fn classes_of_the_same_name_count_as_well() {
    let held = |teachers: &[&str], by_hand: &[&str]| {
        let mut class = group("c1", ClassId, teachers);
        class.fields.name = "7x/ma".into();
        class.by_hand = by_hand.iter().map(|name| super::super::fixture::id(name)).collect();
        with(school([account("a1")]), |held| held.classes.push(class))
    };
    let fetched = |teacher: &str| Fetched {
        classes: Some(vec![with(taught("c2", &[teacher]), |class| {
            class.name = Some("7X/Ma".into());
        })]),
        ..list([moved()]).gone(&["a1"])
    };
    let shared = ["b1?a1 55 surname+first_name+classes"];
    let none = ["b1?a1 45 surname+first_name"];
    for (held, teacher, expected) in [
        (held(&["a1"], &[]), "b1", shared),
        (held(&[], &["a1"]), "b1", shared),
        (held(&["a1"], &[]), "x", none),
        (held(&[], &[]), "b1", none),
    ] {
        assert_eq!(compare(&held, &fetched(teacher), &teaching()).candidates(), expected);
    }
}

#[test]
fn whoever_has_nothing_in_common_is_someone_new() {
    let fetched = list([stranger("b1", "Cy", "cy@oak.example")]).gone(&["a1"]);
    let plan = compare(&school([account("a1")]), &fetched, &RULES);
    assert_eq!(plan.told(), ["b1 created", "a1 active=false"]);
    assert_eq!(plan.candidates(), NOTHING);
}

#[test]
fn a_name_that_both_lack_is_nothing_in_common() {
    let nameless = |first_name: &str, surname: &str| {
        let ada = person(account("a1"), |ada| {
            (ada.first_name, ada.surname) = (first_name.into(), surname.into());
            ada.initials = Some(String::new());
        });
        school([ada])
    };
    let said = |first_name: &str, surname: &str| StaffRecord {
        first_name: first_name.into(),
        surname: surname.into(),
        initials: Some(String::new()),
        ..moved()
    };
    for (first_name, surname) in [("", "A1"), ("Robin", "")] {
        let fetched = list([said(first_name, surname)]).gone(&["a1"]);
        let plan = compare(&nameless(first_name, surname), &fetched, &RULES);
        assert_eq!(plan.candidates(), NOTHING, "{first_name} {surname}");
        assert_eq!(plan.created.len(), 1);
    }
    // An account of a person without a surname does not match a record with its address and no
    // surname either.
    let same_login = StaffRecord { email: email("a1@oak.example"), ..said("Jo", "") };
    let fetched = list([same_login]).gone(&["a1"]);
    let plan = compare(&nameless("Robin", ""), &fetched, &RULES);
    assert_eq!(plan.told(), ["b1 created", "a1 active=false"]);
}

#[test]
fn a_pair_is_certain_if_it_has_enough_in_common_and_no_rival() {
    use MatchReason::{Classes, FirstName, Initials, Surname, WorkEmail};
    let people: Vec<StaffId> = (0..6).map(|_| StaffId::new()).collect();
    let pair = |wonde_id, at: usize, score, reasons| Pair {
        wonde_id,
        staff_id: people[at],
        score,
        reasons,
        in_doubt: false,
    };
    let all = [
        pair("A0", 0, 60, &[WorkEmail, FirstName]),
        pair("A1", 1, 55, &[Surname, FirstName, Classes]),
        pair("A2", 2, 50, &[Surname, FirstName, Initials]),
        pair("A3", 3, 55, &[WorkEmail, Initials, Classes]),
        // Two records for one person, and one of them for another person too.
        pair("A4", 4, 60, &[WorkEmail, FirstName]),
        pair("A5", 4, 60, &[WorkEmail, FirstName]),
        Pair { in_doubt: true, ..pair("A6", 5, 60, &[WorkEmail, FirstName]) },
    ];
    assert_eq!(certain(&all), [0, 1]);
}

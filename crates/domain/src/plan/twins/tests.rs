use super::super::fixture::{
    NOTHING, RULES, account, compare, delta, email, id, link, list, person, record, school,
    stranger, taught, teaching, told, with,
};
use super::super::{Decision, Fetched, Held, Ref};
use crate::{JobTitle, RecordOutcome, StaffRecord};

/// A record of Ann, from one of her contracts.
fn ann(wonde_id: &str, role: &str) -> StaffRecord {
    StaffRecord {
        first_name: "Ann".into(),
        email: email("ann@oak.example"),
        job_title: JobTitle::Roles(role.into()),
        non_teaching: Some(role == "Cook"),
        ..StaffRecord { wonde_id: wonde_id.into(), ..record("a1") }
    }
}

/// Ann in iP, known by `a1`, with `a2` as her further record.
fn held() -> Held {
    let ann = person(account("a1"), |person| {
        person.first_name = "Ann".into();
        person.email = "ann@oak.example".into();
        person.job_title = Some("Teacher, Cook".into());
    });
    Held { aliases: vec![("a2".into(), id("a1"))], ..school([ann, account("a3")]) }
}

#[test]
fn two_records_are_one_account_with_the_roles_of_both() {
    let fetched = list([ann("a2", "Cook"), ann("a1", "Teacher"), record("a3")]);
    let plan = compare(&school([account("a3")]), &fetched, &RULES);
    assert_eq!(plan.told(), ["a1 created", "a2 two_records_of_one_person"]);
    let created = &plan.created[0];
    assert_eq!(created.job_title.as_deref(), Some("Teacher, Cook"));
    assert!(!created.non_teaching, "by one of them she teaches");
    assert_eq!(plan.new_aliases, [("a2".to_owned(), Ref::New(0))]);
    // It is known already, so nothing is new.
    let plan = compare(&held(), &fetched, &RULES);
    assert_eq!(plan.told(), ["a2 two_records_of_one_person"]);
    assert_eq!((plan.new_aliases, plan.forgotten_aliases), (Vec::new(), Vec::new()));
}

#[test]
fn the_other_record_leads_when_the_leading_one_is_gone() {
    let goes_on = ["a1 wonde_id=a2", "a1 job_title=Cook", "a1 non_teaching=true"];
    let gone = || list([ann("a2", "Cook"), record("a3")]);
    let plan = compare(&held(), &gone(), &RULES);
    assert_eq!(plan.told(), goes_on, "a full list does not have it");
    assert_eq!(plan.forgotten_aliases, ["a2"]);
    let plan = compare(&held(), &delta([ann("a2", "Cook")]).gone(&["a1"]), &RULES);
    assert_eq!(plan.told(), goes_on, "a delta says so");
    // It is there and cannot be imported, so it still leads.
    let plan = compare(&held(), &gone().present("a1", None), &RULES);
    assert_eq!(plan.told(), ["a2 two_records_of_one_person"]);
}

#[test]
fn a_record_that_is_to_lead_does_not_when_a_person_decided_on_another_one() {
    let decision =
        Decision { wonde_id: "b9".into(), staff_id: Some(id("a1")), in_doubt: false, shown: None };
    let held = with(held(), |held| held.decisions.push(decision));
    let staff = [stranger("b9", "Anna", "anna@oak.example"), ann("a2", "Cook"), record("a3")];
    let told = compare(&held, &list(staff), &RULES).told();
    assert_eq!(told[..2], ["a2 created", "a1 wonde_id=b9"], "no record is lost");
}

#[test]
fn a_record_that_is_to_lead_is_not_forgotten_while_it_waits() {
    // Its email is another person's, so it may belong to someone else now.
    let shared = StaffRecord { email: email("a3@oak.example"), ..ann("a2", "Cook") };
    let cy = stranger("a2", "Cy", "cy@oak.example");
    for (said, issue) in [(shared, "a2 shared_work_email"), (cy, "a2 possible_match")] {
        let plan = compare(&held(), &list([said, record("a3")]).gone(&["a1"]), &RULES);
        assert_eq!((plan.told(), plan.forgotten_aliases.len()), (vec![issue.to_owned()], 0));
    }
}

#[test]
fn a_further_record_that_cannot_be_imported_is_not_forgotten_nor_are_its_roles() {
    let both = list([ann("a1", "Teacher"), record("a3")]).present("a2", None);
    let left = list([record("a3")]).gone(&["a1"]).present("a2", None);
    for fetched in [both, left] {
        let plan = compare(&held(), &fetched, &RULES);
        assert_eq!((plan.told().len(), plan.forgotten_aliases.len()), (0, 0));
    }
}

#[test]
fn of_several_other_records_that_differ_by_now_one_leads_and_the_rest_are_someone_else() {
    let held = with(held(), |held| held.aliases.push(("b1".into(), id("a1"))));
    let cy = stranger("b1", "Cy", "cy@oak.example");
    for staff in [[ann("a2", "Cook"), cy.clone()], [cy.clone(), ann("a2", "Cook")]] {
        let told = compare(&held, &list(staff), &RULES).told();
        assert_eq!(told[..2], ["b1 created", "a1 wonde_id=a2"]);
    }
}

#[test]
fn a_delta_that_shows_one_of_them_makes_nobody_new_and_takes_no_role_away() {
    for (shown, expected) in [("a1", &[][..]), ("a2", &["a2 two_records_of_one_person"])] {
        let plan = compare(&held(), &delta([ann(shown, "Mentor")]), &RULES);
        assert_eq!(plan.told(), expected, "{shown}");
        assert_eq!((plan.new_aliases, plan.forgotten_aliases), (Vec::new(), Vec::new()), "{shown}");
    }
    // Her teaching status stays as well, because the other record may say that she teaches.
    let plan = compare(&held(), &delta([ann("a1", "Cook")]), &RULES);
    assert_eq!(plan.told(), NOTHING);
    // Once the other record is gone, this one decides alone.
    let plan = compare(&held(), &delta([ann("a1", "Cook")]).gone(&["a2"]), &RULES);
    assert_eq!(plan.told(), ["a1 job_title=Cook", "a1 non_teaching=true"]);
    assert_eq!(plan.forgotten_aliases, ["a2"]);
}

#[test]
fn whoever_is_added_again_in_a_delta_keeps_the_role_of_the_other_record() {
    let held = with(held(), |held| held.people[0].person.upi = Some("u1".into()));
    let again = StaffRecord { upi: Some("u1".into()), ..ann("a9", "Mentor") };
    assert_eq!(compare(&held, &delta([again.clone()]), &RULES).told(), ["a1 wonde_id=a9"]);
    // A value that is not given is not stored either.
    let plan = compare(&held, &delta([again]), &RULES);
    let mis = plan.changed[0].after.mis.as_ref().unwrap();
    assert!(mis.job_title.is_none() && mis.non_teaching.is_none());
}

#[test]
fn they_are_two_people_once_the_mis_says_so() {
    let other = || StaffRecord { email: email("other@oak.example"), ..ann("a2", "Cook") };
    let full = list([ann("a1", "Teacher"), other(), record("a3")]);
    let plan = compare(&held(), &full, &RULES);
    assert_eq!(plan.told(), ["a2 created", "a1 job_title=Teacher"]);
    assert_eq!(plan.forgotten_aliases, ["a2"]);
    let plan = compare(&held(), &delta([other()]), &RULES);
    assert_eq!((plan.told(), plan.forgotten_aliases.len()), (vec!["a2 created".to_owned()], 1));
}

#[test]
fn two_who_are_both_linked_are_two_accounts() {
    let twin = |name| {
        person(account(name), |person| {
            person.first_name = "Ann".into();
            person.surname = "A1".into();
        })
    };
    let fetched = list([ann("a1", "Teacher"), ann("a2", "Cook")]);
    let told = told(&school([twin("a1"), twin("a2")]), &fetched, &RULES);
    assert_eq!(told, ["a1 shared_work_email", "a2 shared_work_email"]);
}

#[test]
fn classes_that_name_the_other_record_find_the_person() {
    let fetched = |list: Fetched| Fetched { classes: Some(vec![taught("c1", &["a2"])]), ..list };
    let both = fetched(list([ann("a1", "Teacher"), ann("a2", "Cook"), record("a3")]));
    let plan = compare(&held(), &both, &teaching());
    assert_eq!(plan.classes.new[0].links, [link("a1", true)]);
    // New in this same list.
    let plan = compare(&school([account("a3")]), &both, &teaching());
    assert_eq!(plan.classes.new[0].links[0].staff, Ref::New(0));
    // Known before, in a delta without any record.
    let plan = compare(&held(), &fetched(delta([])), &teaching());
    assert_eq!(plan.classes.new[0].links, [link("a1", true)]);
}

#[test]
fn a_further_record_that_is_none_any_more_leads_to_nobody() {
    let fetched = Fetched {
        classes: Some(vec![taught("c1", &["a2"]), taught("c2", &["a3"])]),
        ..list([ann("a1", "Teacher"), record("a3")]).left_out("a2", RecordOutcome::NotCurrent)
    };
    let plan = compare(&held(), &fetched, &teaching());
    assert_eq!((&plan.classes.new[0].links, plan.forgotten_aliases.len()), (&Vec::new(), 1));
}

#[test]
fn whoever_is_inactive_and_stays_so_is_one_person_all_the_same() {
    let left = with(held(), |held| held.people[0].person.active = false);
    let fetched = list([ann("a1", "Teacher"), ann("a2", "Cook"), record("a3")]);
    let plan = compare(&left, &fetched, &RULES);
    assert_eq!(plan.told(), ["a1 active=true", "a2 two_records_of_one_person"]);
}

use super::super::fixture::{
    NOTHING, RULES, account, by_hand, compare, email, inactive, list, person, record, rules,
    school, told, with,
};
use super::super::{Account, Affected, MisValues, Person, Rules, Said};
use crate::{GuardCategory, JobTitle, OwnedFields, StaffRecord};

fn full(name: &str) -> StaffRecord {
    StaffRecord {
        upi: Some("u1".into()),
        initials: Some("AL".into()),
        job_title: JobTitle::Roles("Head".into()),
        non_teaching: Some(true),
        ..record(name)
    }
}

/// The account of a person after a sync of [`full`].
fn full_account(name: &str) -> Account {
    let person = compare(&school([]), &list([full(name)]), &RULES).created.remove(0);
    Account { person, ..account(name) }
}

/// What is written for Ada beside a colleague with a role: if no one has one, roles are withheld.
fn of_ada(ada: Account, said: StaffRecord, rules: &Rules) -> Vec<String> {
    let bob = full_account("b1");
    told(&school([ada, bob]), &list([said, full("b1")]), rules)
}

#[test]
fn a_new_person_is_filled_with_all_that_the_mis_delivers_whoever_owns_the_fields() {
    let none = OwnedFields { initials: false, job_title: false, line_manager: false };
    let plan = compare(&school([]), &list([full("a1")]), &rules(|rules| rules.owned = none));
    let expected = Person {
        wonde_id: Some("a1".into()),
        upi: Some("u1".into()),
        email: "a1@oak.example".into(),
        first_name: "Robin".into(),
        surname: "A1".into(),
        initials: Some("AL".into()),
        job_title: Some("Head".into()),
        non_teaching: true,
        active: true,
        line_manager: None,
        photo_hash: None,
        mis: Some(MisValues {
            email: Some("a1@oak.example".into()),
            first_name: Some("Robin".into()),
            surname: Some("A1".into()),
            initials: Some("AL".into()),
            non_teaching: Some(true),
            job_title: Some(Said(Some("Head".into()))),
            ..MisValues::default()
        }),
    };
    assert!(plan.created == [expected]);
}

#[test]
fn what_differs_is_written_and_nothing_else() {
    assert_eq!(of_ada(full_account("a1"), full("a1"), &RULES), NOTHING);
    let said = StaffRecord {
        upi: Some("u2".into()),
        email: email("New@oak.example"),
        first_name: "Ada".into(),
        surname: "Lee".into(),
        initials: Some("XX".into()),
        job_title: JobTitle::Roles("Teacher".into()),
        non_teaching: Some(false),
        ..record("a1")
    };
    let said = StaffRecord { first_name: "Robin".into(), ..said };
    let lines = [
        "a1 upi=u2",
        "a1 email=New@oak.example",
        "a1 surname=Lee",
        "a1 initials=XX",
        "a1 job_title=Teacher",
        "a1 non_teaching=false",
    ];
    assert_eq!(of_ada(full_account("a1"), said, &RULES), lines);
}

#[test]
fn what_the_mis_does_not_say_stays() {
    let silent = record("a1");
    let held = school([full_account("a1"), full_account("b1")]);
    let plan = compare(&held, &list([silent, full("b1")]), &RULES);
    assert_eq!((plan.told().len(), plan.changed.len()), (0, 0));
}

#[test]
fn no_roles_blank_the_job_title_and_roles_that_were_not_delivered_do_not() {
    let said = |job_title| StaffRecord { job_title, ..full("a1") };
    let lines = |job_title| of_ada(full_account("a1"), said(job_title), &RULES);
    assert_eq!(lines(JobTitle::NotDelivered), NOTHING);
    assert_eq!(lines(JobTitle::Empty), ["a1 job_title="]);
    assert_eq!(lines(JobTitle::Roles("Teacher".into())), ["a1 job_title=Teacher"]);
}

#[test]
fn a_field_that_the_school_keeps_is_left_alone_and_it_is_noted_what_the_mis_said() {
    let said = || StaffRecord {
        initials: Some("XX".into()),
        job_title: JobTitle::Roles("Teacher".into()),
        ..full("a1")
    };
    for (initials, job_title, expected) in [
        (true, true, &["a1 initials=XX", "a1 job_title=Teacher"][..]),
        (true, false, &["a1 initials=XX"]),
        (false, true, &["a1 job_title=Teacher"]),
        (false, false, &[]),
    ] {
        let owned = OwnedFields { initials, job_title, line_manager: true };
        let rules = rules(|rules| rules.owned = owned);
        let held = school([full_account("a1"), full_account("b1")]);
        let plan = compare(&held, &list([said(), full("b1")]), &rules);
        assert_eq!(plan.told(), expected);
        let mis = plan.changed[0].after.mis.as_ref().unwrap();
        let title = mis.job_title.as_ref().unwrap().0.as_deref();
        assert_eq!((mis.initials.as_deref(), title), (Some("XX"), Some("Teacher")));
    }
    // The same for an account that was made by hand.
    let none = OwnedFields { initials: false, job_title: false, line_manager: true };
    let ada = person(by_hand("a1"), |ada| ada.job_title = Some("By hand".into()));
    let lines = of_ada(ada, said(), &rules(|rules| rules.owned = none));
    assert_eq!(lines, ["a1 wonde_id=a1", "a1 upi=u1", "a1 non_teaching=true"]);
}

#[test]
fn roles_of_nobody_in_a_full_list_are_withheld_where_people_had_some() {
    let empty = |name| StaffRecord { job_title: JobTitle::Empty, ..full(name) };
    let silent = |name| StaffRecord { job_title: JobTitle::NotDelivered, ..full(name) };
    let held = school([full_account("a1")]);
    let withheld = ["school roles_withheld"];
    assert_eq!(told(&held, &list([empty("a1")]), &RULES), withheld);
    assert_eq!(told(&held, &list([silent("a1")]), &RULES), withheld);
    // A delta is about few people, so it counts as it is.
    let delta = with(list([empty("a1")]), |list| list.is_full = false);
    assert_eq!(told(&held, &delta, &RULES), ["a1 job_title="]);
    // The MIS never gave a job title, so one made by hand does not show that it did.
    let by_hand = person(account("a1"), |ada| ada.job_title = Some("By hand".into()));
    let fetched = list([StaffRecord { job_title: JobTitle::Empty, ..record("a1") }]);
    assert_eq!(told(&school([by_hand]), &fetched, &RULES), ["a1 job_title="]);
    // A new person has one.
    let other = StaffRecord { upi: None, ..full("b1") };
    let lines = ["b1 created", "a1 job_title="];
    assert_eq!(told(&held, &list([empty("a1"), other]), &RULES), lines);
}

#[test]
fn where_it_was_not_approved_logins_and_job_titles_stay() {
    let not_approved =
        |category| Rules { left_out: vec![Affected { category, records: 1, of: 1 }], ..RULES };
    let said = || StaffRecord {
        email: email("new@oak.example"),
        job_title: JobTitle::Empty,
        ..full("a1")
    };
    let lines = |category| of_ada(full_account("a1"), said(), &not_approved(category));
    let logins = ["a1 job_title=", "school emails_not_approved"];
    assert_eq!(lines(GuardCategory::EmailsChanged), logins);
    let titles = ["a1 email=new@oak.example", "school job_titles_not_approved"];
    assert_eq!(lines(GuardCategory::JobTitlesEmptied), titles);
    // Another title is not a loss.
    let rules = not_approved(GuardCategory::JobTitlesEmptied);
    let said = StaffRecord { job_title: JobTitle::Roles("Cook".into()), ..full("a1") };
    let lines = ["a1 job_title=Cook", "school job_titles_not_approved"];
    assert_eq!(of_ada(full_account("a1"), said, &rules), lines);
}

#[test]
fn whoever_comes_back_is_restored_if_the_school_wants_that() {
    let held = school([inactive("a1")]);
    let fetched = list([record("a1")]);
    assert_eq!(told(&held, &fetched, &RULES), ["a1 active=true"]);
    let keep = rules(|rules| rules.restores = false);
    assert_eq!(told(&held, &fetched, &keep), ["a1 inactive_in_ip"]);
}

#[test]
fn whoever_was_read_after_the_fetch_began_stays_as_that_found_them() {
    let renamed = StaffRecord { first_name: "Old".into(), ..record("a1") };
    let fetched = list([renamed]);
    let read = |seconds| {
        let at = fetched.started_at + chrono::TimeDelta::seconds(seconds);
        let later = with(account("a1"), |a1| a1.read_at = Some(at));
        told(&school([later]), &fetched, &RULES)
    };
    assert_eq!(read(1), NOTHING);
    assert_eq!(read(0), ["a1 first_name=Old"]);
}

#[test]
fn a_name_that_the_mis_lacks_stays_as_ip_has_it_and_is_empty_for_a_new_person() {
    let without = |said: StaffRecord| StaffRecord { first_name: String::new(), ..said };
    let renamed = StaffRecord { surname: "Lee".into(), ..without(full("a1")) };
    assert_eq!(of_ada(full_account("a1"), renamed, &RULES), ["a1 surname=Lee"]);
    let plan = compare(&school([]), &list([without(record("a1"))]), &RULES);
    let [new] = &plan.created[..] else { panic!("one person") };
    assert_eq!((new.first_name.as_str(), new.surname.as_str()), ("", "A1"));
    assert_eq!(new.mis.as_ref().unwrap().first_name, None, "it never said any");
    let known = compare(&school([full_account("a1")]), &list([without(full("a1"))]), &RULES);
    assert!(known.changed.is_empty(), "what the MIS said last stays known");
}

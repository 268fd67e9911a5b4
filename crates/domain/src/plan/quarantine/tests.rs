use super::super::fixture::{
    NOTHING, RULES, account, compare, email, inactive, list, person, record, school, told,
};
use super::super::{Account, Fetched, Held};
use crate::{RecordOutcome, StaffRecord};

fn at<'a>(people: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, String)> {
    people.iter().map(|(name, local)| (*name, format!("{local}@oak.example")))
}

/// People by name and the local part of their login.
fn holding(people: &[(&str, &str)]) -> Held {
    let holder = |(name, address)| person(account(name), |person| person.email = address);
    school(at(people).map(holder))
}

fn asking(people: &[(&str, &str)]) -> Fetched {
    list(at(people).map(|(name, address)| StaffRecord { email: email(&address), ..record(name) }))
}

#[test]
fn one_login_is_one_persons() {
    // Who holds what, what they ask for, and the result.
    type People<'a> = &'a [(&'a str, &'a str)];
    let table: &[(&str, People<'_>, People<'_>, &[&str])] = &[
        (
            "two new people with one email are both left out",
            &[("a", "a")],
            &[("a", "a"), ("b", "x"), ("c", "X")],
            &["b shared_work_email", "c shared_work_email"],
        ),
        (
            "the holder of a shared email keeps it, and the new person is left out",
            &[("a", "x")],
            &[("a", "x"), ("b", "x")],
            &["b shared_work_email"],
        ),
        (
            "an email that is given up and asked for twice goes to no one",
            &[("a", "x")],
            &[("a", "a"), ("b", "x"), ("c", "x")],
            &["a email=a@oak.example", "b shared_work_email", "c shared_work_email"],
        ),
        (
            "an email given up in this very sync can be taken",
            &[("a", "x")],
            &[("a", "a"), ("b", "x")],
            &["b created", "a email=a@oak.example"],
        ),
        (
            "two people swap",
            &[("a", "a"), ("b", "b")],
            &[("a", "b"), ("b", "a")],
            &["a email=b@oak.example", "b email=a@oak.example"],
        ),
        (
            "three people rotate",
            &[("a", "a"), ("b", "b"), ("c", "c")],
            &[("a", "b"), ("b", "c"), ("c", "a")],
            &["a email=b@oak.example", "b email=c@oak.example", "c email=a@oak.example"],
        ),
        (
            "a chain stands still when its head does, who is not in the list",
            &[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d"), ("e", "e")],
            &[("a", "b"), ("b", "c"), ("c", "d"), ("e", "e2")],
            &[
                "e email=e2@oak.example",
                "a work_email_in_use",
                "b work_email_in_use",
                "c work_email_in_use",
            ],
        ),
        (
            "a mover who is left out for a shared email gives nothing up",
            &[("a", "a"), ("b", "b")],
            &[("a", "b"), ("b", "x"), ("c", "x")],
            &["a work_email_in_use", "b shared_work_email", "c shared_work_email"],
        ),
        (
            "case alone is no other login",
            &[("a", "a")],
            &[("a", "A"), ("b", "b")],
            &["b created", "a email=A@oak.example"],
        ),
    ];
    for (what, held, fetched, expected) in table {
        assert_eq!(told(&holding(held), &asking(fetched), &RULES), *expected, "{what}");
    }
}

#[test]
fn a_leaver_holds_no_login_any_more() {
    let held = holding(&[("a", "x"), ("b", "b")]);
    let fetched = asking(&[("b", "x")]).left_out("a", RecordOutcome::NotCurrent);
    assert_eq!(told(&held, &fetched, &RULES), ["a active=false", "b email=x@oak.example"]);
    let left: [Account; 2] =
        [person(inactive("a"), |a| a.email = "x@oak.example".into()), account("b")];
    assert_eq!(told(&school(left), &asking(&[("b", "x")]), &RULES), ["b email=x@oak.example"]);
}

#[test]
fn whoever_was_read_after_the_fetch_began_neither_gives_a_login_up_nor_asks_for_one() {
    let fetched = asking(&[("a", "a2"), ("b", "a")]);
    let later = |mut held: Held| {
        held.people[0].read_at = Some(fetched.started_at + chrono::TimeDelta::seconds(1));
        held
    };
    let held = later(holding(&[("a", "a"), ("b", "b")]));
    assert_eq!(told(&held, &fetched, &RULES), ["b work_email_in_use"]);
    // They are inactive and are not restored by this list, so no one has to wait for them.
    let left = later(school([inactive("a"), account("b")]));
    let shared = asking(&[("a", "x"), ("b", "b"), ("c", "y")]);
    assert_eq!(told(&left, &shared, &RULES), ["c created"]);
    let same = asking(&[("a", "b"), ("b", "b")]);
    assert_eq!(told(&left, &same, &RULES), NOTHING);
}

#[test]
fn a_login_of_another_school_is_in_use() {
    let mut held = holding(&[("a", "a")]);
    held.logins.elsewhere.insert("x@oak.example".into());
    let fetched = asking(&[("a", "X"), ("b", "b")]);
    assert_eq!(told(&held, &fetched, &RULES), ["b created", "a work_email_in_use"]);
    // A person who already holds it asks for nothing.
    assert_eq!(told(&holding(&[("a", "x")]), &asking(&[("a", "x")]), &RULES), NOTHING);
}

#[test]
fn nothing_of_a_record_in_doubt_is_written() {
    let held = holding(&[("a", "a"), ("b", "b")]);
    let mut fetched = asking(&[("a", "b"), ("b", "b")]);
    fetched.staff[0].1.first_name = "Renamed".into();
    let plan = compare(&held, &fetched, &RULES);
    assert_eq!(plan.told(), ["a shared_work_email"]);
    assert_eq!((plan.changed.len(), plan.report.skipped), (0, 1));
}

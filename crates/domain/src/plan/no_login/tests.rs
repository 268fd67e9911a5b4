use super::super::fixture::{
    NOTHING, RULES, account, compare, delta, email, inactive, list, person, record, rules, school,
    stranger, told, with,
};
use super::super::{Decision, Fetched, Held};
use crate::{Issue, IssueCode, JobTitle, RecordOutcome, StaffRecord};

/// A record whose work email was cleared, as the mapping delivers it.
fn cleared(said: StaffRecord) -> StaffRecord {
    StaffRecord { email: None, ..said }
}

/// What the mapping reports for each record without a work email.
fn mapped(mut fetched: Fetched, code: IssueCode) -> Fetched {
    let without = fetched.staff.clone().into_iter().filter(|(_, said)| said.email.is_none());
    for (place, said) in without {
        let records = fetched.counts.records;
        fetched = fetched.left_out(&said.wonde_id, RecordOutcome::Issue(code));
        fetched.counts.records = records;
        fetched.left_out.last_mut().unwrap().upi = said.upi;
        fetched.issues.push((place, Issue { code, wonde_id: Some(said.wonde_id) }));
    }
    fetched
}

fn told_of(held: &Held, fetched: Fetched) -> Vec<String> {
    told(held, &mapped(fetched, IssueCode::NoWorkEmail), &RULES)
}

#[test]
fn a_known_person_keeps_the_login_and_the_rest_follows_the_mis() {
    let renamed = || StaffRecord {
        surname: "Day".into(),
        job_title: JobTitle::Roles("Head".into()),
        ..cleared(record("a1"))
    };
    let held = school([account("a1"), account("a2")]);
    let expected = ["a1 surname=Day", "a1 job_title=Head", "a1 no_work_email"];
    assert_eq!(told_of(&held, list([renamed(), record("a2")])), expected);
    assert_eq!(told_of(&held, delta([renamed()])), expected, "a delta does the same");
    let fetched = mapped(list([renamed(), record("a2")]), IssueCode::InvalidWorkEmail);
    let plan = compare(&held, &fetched, &RULES);
    assert_eq!(plan.told().last().unwrap(), "a1 invalid_work_email");
    assert_eq!((plan.report.updated, plan.report.skipped, plan.report.unchanged), (1, 0, 1));
    let seen = &plan.sightings.seen[0];
    assert_eq!((seen.0.as_str(), seen.1.outcome), ("a1", RecordOutcome::Imported));
    let mis = plan.changed[0].after.mis.as_ref().unwrap();
    assert_eq!(mis.email.as_deref(), Some("a1@oak.example"), "what the MIS said last");
}

#[test]
fn nobody_is_created_and_nobody_counts_as_gone() {
    let fetched = mapped(list([cleared(record("a1")), record("a2")]), IssueCode::NoWorkEmail);
    let plan = compare(&school([account("a2")]), &fetched, &RULES);
    assert_eq!(plan.told(), ["a1 no_work_email"]);
    assert_eq!((plan.report.current, plan.report.skipped), (2, 1));
    let known = with(account("a1"), |account| account.person.upi = Some("u1".into()));
    let again = StaffRecord { upi: Some("u1".into()), ..cleared(record("a9")) };
    // Under another id and with a shared UPI it matches no one in iP, and is present.
    let other = with(account("a3"), |account| account.person.upi = Some("u1".into()));
    let held = school([known, other, account("a2")]);
    let lines = told_of(&held, list([again, record("a2"), record("a3")]).gone(&["a1"]));
    assert!(!lines.iter().any(|line| line.contains("created")), "{lines:?}");
    assert!(lines.contains(&"a9 no_work_email".to_owned()), "{lines:?}");
}

#[test]
fn someone_is_found_by_upi_and_by_what_a_person_decided() {
    let held = school([person(account("a1"), |person| person.upi = Some("u77".into()))]);
    let again = StaffRecord { upi: Some("u77".into()), ..cleared(record("a1")) };
    let again = StaffRecord { wonde_id: "a9".into(), ..again };
    let lines = told_of(&held, list([again.clone()]).gone(&["a1"]));
    assert_eq!(lines, ["a1 wonde_id=a9", "a9 no_work_email"]);
    let decision = Decision {
        wonde_id: "a9".into(),
        staff_id: Some(held.people[0].id),
        in_doubt: false,
        shown: None,
    };
    let held = Held { decisions: vec![decision], ..held };
    let decided = StaffRecord { upi: None, ..again };
    let lines = told_of(&held, list([decided]).gone(&["a1"]));
    assert_eq!(lines, ["a1 wonde_id=a9", "a9 no_work_email"]);
}

#[test]
fn a_record_that_means_no_one_after_all_creates_no_one() {
    // The person in the decision is no longer in iP.
    let decision = Decision {
        wonde_id: "a9".into(),
        staff_id: Some(account("a8").id),
        in_doubt: false,
        shown: None,
    };
    let held = Held { decisions: vec![decision], ..school([]) };
    for (code, line) in [
        (IssueCode::NoWorkEmail, "a9 no_work_email"),
        (IssueCode::InvalidWorkEmail, "a9 invalid_work_email"),
    ] {
        let plan = compare(&held, &mapped(list([cleared(record("a9"))]), code), &RULES);
        assert_eq!(plan.told(), [line]);
        assert_eq!((plan.report.skipped, plan.report.current), (1, 1));
    }
}

#[test]
fn whoever_comes_back_without_an_address_gives_way_to_those_who_have_it_in_the_mis() {
    let newcomer = stranger("a3", "Cy", "a1@oak.example");
    let lines = told_of(&school([inactive("a1")]), list([cleared(record("a1")), newcomer]));
    assert_eq!(lines, ["a3 created", "a1 no_work_email", "a1 work_email_in_use"]);
    let same = person(inactive("a2"), |person| person.email = "A1@oak.example".into());
    let both = list([cleared(record("a1")), cleared(record("a2"))]);
    let lines = told_of(&school([inactive("a1"), same]), both);
    assert!(!lines.iter().any(|line| line.contains("active=true")), "{lines:?}");
}

#[test]
fn an_id_under_other_names_waits_because_no_email_vouches_for_it() {
    let cy = cleared(stranger("a1", "Cy", "cy@oak.example"));
    assert_eq!(
        told_of(&school([account("a1")]), list([cy])),
        ["a1 no_work_email", "a1 possible_match"]
    );
}

#[test]
fn whoever_comes_back_gets_the_login_that_they_had_if_it_is_free() {
    let held = school([inactive("a1")]);
    let back = || list([cleared(record("a1"))]);
    assert_eq!(told_of(&held, back()), ["a1 active=true", "a1 no_work_email"]);
    let successor = person(account("a2"), |person| person.email = "A1@oak.example".into());
    let held = school([inactive("a1"), successor]);
    let lines = told_of(&held, back().present("a2", None));
    assert_eq!(lines, ["a1 no_work_email", "a1 work_email_in_use"]);
    // Nor is it given to another person meanwhile.
    let newcomer = stranger("a3", "Cy", "a1@oak.example");
    let held = school([account("a1")]);
    let lines = told_of(&held, list([cleared(record("a1")), newcomer]));
    assert_eq!(lines, ["a1 no_work_email", "a3 work_email_in_use"]);
}

#[test]
fn a_leading_record_without_email_still_leads() {
    let twin = |said: StaffRecord| StaffRecord { email: email("a1@oak.example"), ..said };
    let second = twin(StaffRecord {
        wonde_id: "a2".into(),
        job_title: JobTitle::Roles("Cook".into()),
        ..record("a1")
    });
    let first = StaffRecord { job_title: JobTitle::Roles("Head".into()), ..cleared(record("a1")) };
    let held =
        school([person(account("a1"), |person| person.job_title = Some("Head, Cook".into()))]);
    let held = Held { aliases: vec![("a2".into(), held.people[0].id)], ..held };
    let lines = told_of(&held, list([first, second]));
    assert_eq!(lines, ["a1 no_work_email", "a2 two_records_of_one_person"]);
}

#[test]
fn who_is_as_before_is_unchanged() {
    assert_eq!(
        told(&school([account("a1")]), &list([cleared(record("a1"))]), &rules(|_| {})),
        NOTHING
    );
}

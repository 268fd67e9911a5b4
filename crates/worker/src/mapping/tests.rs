use mis_sync_wonde::UndecodableRecord;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn rules() -> MappingRules {
    MappingRules {
        today: NaiveDate::from_ymd_opt(2026, 9, 15).unwrap(),
        contact_details: true,
        employment_details: true,
        roles_supported: true,
        hierarchy_supported: true,
        teachers_only: false,
    }
}

/// An invented teacher with everything that a sync reads.
fn teacher() -> Value {
    json!({
        "id": "A100", "upi": "0af1", "initials": " AO ", "forename": "Amara",
        "surname": "O\u{2019}Neill-Okafor",
        "contact_details": { "data": { "emails": {
            "work": " Amara.Okafor@oakfield.example ", "home": "amara@home.example" } } },
        "employment_details": { "data": { "current": true, "teaching_staff": true,
            "employment_start_date": { "date": "2020-09-01 00:00:00.000000",
                "timezone_type": 3, "timezone": "Europe/London" } } },
        "roles": { "data": [{ "id": "A1", "name": "Teacher" }, { "id": "A2", "name": "SENCO" }] },
    })
}

fn map(record: &Value, rules: MappingRules) -> Mapped {
    staff_from_wonde(&serde_json::from_value(record.clone()).unwrap(), rules)
}

fn with(pointer: &str, value: Value) -> Value {
    let mut record = teacher();
    *record.pointer_mut(pointer).unwrap() = value;
    record
}

fn staff(record: &Value, rules: MappingRules) -> StaffRecord {
    match map(record, rules) {
        Mapped::Staff(staff) => staff,
        other => panic!("expected staff, got {other:?}"),
    }
}

#[test]
fn every_row_of_the_table_is_mapped() {
    let expected = StaffRecord {
        wonde_id: "A100".into(),
        upi: Some("0af1".into()),
        email: WorkEmail::parse("Amara.Okafor@oakfield.example").unwrap(),
        first_name: "Amara".into(),
        surname: "O\u{2019}Neill-Okafor".into(),
        initials: Some("AO".into()),
        job_title: JobTitle::Roles("Teacher, SENCO".into()),
        non_teaching: Some(false),
        hierarchy: None,
    };
    assert!(staff(&teacher(), rules()) == expected);
}

#[test]
fn teaching_is_reversed_and_unknown_stays_unknown() {
    for (said, expected) in
        [(json!(true), Some(false)), (json!(false), Some(true)), (Value::Null, None)]
    {
        let record = with("/employment_details/data/teaching_staff", said);
        assert_eq!(staff(&record, rules()).non_teaching, expected);
    }
}

#[test]
fn without_a_usable_work_email_nobody_is_imported() {
    let email = |text: Value| map(&with("/contact_details/data/emails/work", text), rules());
    assert_eq!(email(Value::Null), Mapped::Problem(IssueCode::NoWorkEmail));
    assert_eq!(email(json!("  ")), Mapped::Problem(IssueCode::NoWorkEmail));
    assert_eq!(email(json!("see office")), Mapped::Problem(IssueCode::InvalidWorkEmail));
    let no_details = map(&with("/contact_details", json!({ "data": [] })), rules());
    assert_eq!(no_details, Mapped::Problem(IssueCode::NoWorkEmail));
}

#[test]
fn forename_and_surname_are_needed() {
    for field in ["/forename", "/surname"] {
        for empty in [Value::Null, json!(""), json!(" \u{0}\t")] {
            assert_eq!(map(&with(field, empty), rules()), Mapped::Problem(IssueCode::NameMissing));
        }
    }
}

#[test]
fn only_current_staff_count() {
    let current = |value| map(&with("/employment_details/data/current", value), rules());
    assert_eq!(current(json!(false)), Mapped::NotCurrent);
    assert!(matches!(current(Value::Null), Mapped::Staff(_)), "started, so current");
    assert_eq!(
        map(&with("/employment_details", json!({ "data": null })), rules()),
        Mapped::NotCurrent
    );
    let start = with("/employment_details/data/employment_start_date", json!("2026-09-16"));
    assert!(matches!(map(&start, rules()), Mapped::Staff(_)), "the flag decides");
    let mut start = start;
    start["employment_details"]["data"]["current"] = Value::Null;
    assert_eq!(map(&start, rules()), Mapped::NotCurrent);
}

#[test]
fn teachers_only_leaves_out_everybody_else() {
    let rules = MappingRules { teachers_only: true, ..rules() };
    assert!(matches!(map(&teacher(), rules), Mapped::Staff(_)));
    for said in [json!(false), Value::Null] {
        let record = with("/employment_details/data/teaching_staff", said);
        assert_eq!(map(&record, rules), Mapped::NotTeaching);
    }
}

#[test]
fn without_contact_details_nobody_has_an_issue_of_their_own() {
    let mut rules = rules();
    rules.leave_out(&[EmployeeInclude::ContactDetails]);
    let record = with("/contact_details", Value::Null);
    assert_eq!(map(&record, rules), Mapped::NoContactDetails);
    let leaver = json!({ "id": "A2", "employment_details": { "data": { "current": false } } });
    let records = [record, leaver].map(|record| Ok(serde_json::from_value(record).unwrap()));
    let mapped = map_page(&Page { records: records.into(), next: None }, rules);
    assert_eq!((mapped.current, mapped.skipped, mapped.present.len()), (1, 1, 1));
    assert_eq!(mapped.gone.employees, ["A2".to_owned()].into(), "a leaver is one all the same");
    assert!(mapped.staff.is_empty() && mapped.issues.is_empty());
}

#[test]
fn what_is_left_out_is_not_asked_for() {
    let mut rules = rules();
    assert_eq!(rules.includes().len(), 4);
    rules.leave_out(&[EmployeeInclude::Hierarchy, EmployeeInclude::EmploymentDetails]);
    assert_eq!(rules.includes(), [EmployeeInclude::ContactDetails, EmployeeInclude::Roles]);
}

#[test]
fn roles_not_delivered_are_told_from_no_roles() {
    assert_eq!(staff(&with("/roles", Value::Null), rules()).job_title, JobTitle::NotDelivered);
    assert_eq!(staff(&with("/roles", json!({ "data": [] })), rules()).job_title, JobTitle::Empty);
    let unsupported = MappingRules { roles_supported: false, ..rules() };
    assert_eq!(staff(&teacher(), unsupported).job_title, JobTitle::NotDelivered);
}

#[test]
fn a_hierarchy_not_delivered_is_told_from_an_empty_one() {
    let hierarchy = |listed: Value, rules| {
        let mut record = teacher();
        record["hierarchy"] = listed;
        staff(&record, rules).hierarchy
    };
    let somebody = json!({ "data": [{ "id": "A7" }, { "id": "A8" }] });
    assert_eq!(hierarchy(somebody.clone(), rules()), Some(vec!["A7".into(), "A8".into()]));
    assert_eq!(hierarchy(json!({ "data": [] }), rules()), Some(Vec::new()));
    assert_eq!(hierarchy(Value::Null, rules()), None);
    let unsupported = MappingRules { hierarchy_supported: false, ..rules() };
    assert_eq!(hierarchy(somebody, unsupported), None);
}

#[test]
fn a_page_accounts_for_every_record() {
    let unreadable = UndecodableRecord { wonde_id: Some("A9".into()), reason: "shape".into() };
    let employee = |record: Value| Ok(serde_json::from_value(record).unwrap());
    let page = Page {
        records: vec![
            employee(teacher()),
            employee(with("/employment_details/data/current", json!(false))),
            employee(with("/contact_details/data/emails/work", Value::Null)),
            Err(unreadable),
            Err(UndecodableRecord { wonde_id: None, reason: "shape".into() }),
        ],
        next: None,
    };
    let mapped = map_page(&page, rules());
    assert_eq!((mapped.fetched, mapped.current, mapped.skipped), (5, 2, 1));
    assert_eq!(mapped.nameless, 1);
    let present: Vec<_> = mapped.present.iter().map(|person| person.wonde_id.as_str()).collect();
    assert_eq!(present, ["A100", "A9"], "left out, but not gone");
    let left_out: Vec<_> = mapped
        .left_out
        .iter()
        .map(|person| (person.wonde_id.as_str(), person.outcome.as_str()))
        .collect();
    assert_eq!(
        left_out,
        [("A100", "not_current"), ("A100", "no_work_email"), ("A9", "unreadable_record")],
        "everybody who is not imported leaves a trace"
    );
    assert_eq!(mapped.staff.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0]);
    let issues: Vec<_> = mapped
        .issues
        .iter()
        .map(|(place, issue)| (*place, issue.code, issue.wonde_id.as_deref()))
        .collect();
    assert_eq!(
        issues,
        [
            (2, IssueCode::NoWorkEmail, Some("A100")),
            (3, IssueCode::UnreadableRecord, Some("A9")),
            (4, IssueCode::UnreadableRecord, None)
        ]
    );
}

proptest! {
    #[test]
    fn text_that_is_mapped_can_always_be_stored(text in "\\PC*|[\\x00-\\x1f ]*[a-z]?[\\x00-\\x1f]*") {
        if let Some(cleaned) = clean(Some(&text)) {
            prop_assert!(!cleaned.is_empty() && cleaned.trim() == cleaned);
            prop_assert!(!cleaned.contains(char::is_control));
        }
    }
}

use mis_sync_domain::JobTitle;
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
        Mapped::Staff { record, .. } => *record,
        other => panic!("expected staff, got {other:?}"),
    }
}

fn issues(record: &Value, rules: MappingRules) -> Vec<&'static str> {
    match map(record, rules) {
        Mapped::Staff { issues, .. } => issues.into_iter().map(IssueCode::as_str).collect(),
        other => panic!("expected staff, got {other:?}"),
    }
}

#[test]
fn every_row_of_the_table_is_mapped() {
    let expected = StaffRecord {
        wonde_id: "A100".into(),
        upi: Some("0af1".into()),
        email: Some(WorkEmail::parse("Amara.Okafor@oakfield.example").unwrap()),
        first_name: "Amara".into(),
        surname: "O\u{2019}Neill-Okafor".into(),
        initials: Some("AO".into()),
        job_title: JobTitle::Roles("Teacher, SENCO".into()),
        non_teaching: Some(false),
        hierarchy: None,
    };
    assert!(staff(&teacher(), rules()) == expected);
    assert!(issues(&teacher(), rules()).is_empty());
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
fn a_record_without_a_usable_work_email_has_none_and_says_why() {
    let of = |record: &Value| (staff(record, rules()).email, issues(record, rules()));
    let email = |text: Value| of(&with("/contact_details/data/emails/work", text));
    for nothing in [Value::Null, json!("  "), json!("\u{200b}&nbsp;")] {
        assert_eq!(email(nothing), (None, vec!["no_work_email"]));
    }
    let long = format!("{}@oak.example", "a".repeat(6000));
    for broken in ["see office", "a@b", "a@b.example; c@d.example", &long] {
        assert_eq!(email(json!(broken)), (None, vec!["invalid_work_email"]), "{broken}");
    }
    let no_details = with("/contact_details", json!({ "data": [] }));
    assert_eq!(of(&no_details), (None, vec!["no_work_email"]));
    let wrapped = email(json!("\u{feff}Amara &lt;pia&#39;s@oak.example&gt;"));
    assert_eq!(wrapped, (Some(WorkEmail::parse("pia's@oak.example").unwrap()), vec![]));
}

#[test]
fn what_is_kept_of_a_work_email_is_the_address_or_the_beginning_of_what_is_none() {
    let kept = |text: &str| {
        let record = with("/contact_details/data/emails/work", json!(text));
        let employee: Employee = serde_json::from_value(record).unwrap();
        left_out(&employee, rules(), RecordOutcome::NotTeaching).email
    };
    assert_eq!(kept("<Amara@oak.example>;").as_deref(), Some("Amara@oak.example"));
    assert_eq!(kept("see\u{a0}office").as_deref(), Some("see office"));
    assert_eq!(kept(&"x".repeat(6000)).unwrap().len(), text::MAX_NAME);
}

#[test]
fn one_of_two_names_is_enough() {
    let empty = [Value::Null, json!(""), json!(" \u{0}\t"), json!("\u{3164}"), json!("&#8203;")];
    for empty in empty {
        let record = with("/forename", empty.clone());
        assert_eq!(staff(&record, rules()).first_name, "");
        assert_eq!(issues(&record, rules()), ["name_missing"]);
        let mut record = with("/surname", empty.clone());
        assert_eq!(staff(&record, rules()).surname, "");
        assert_eq!(issues(&record, rules()), ["name_missing"]);
        record["forename"] = empty;
        assert_eq!(map(&record, rules()), Mapped::Problem(IssueCode::NameMissing));
    }
}

#[test]
fn every_text_is_cleaned_and_what_is_too_long_is_cut_and_told() {
    let mut record = teacher();
    record["forename"] = json!("\u{feff}Se&aacute;n\u{a0}\u{200b}");
    record["surname"] = json!("O&#39;Ne\u{ad}ill\r\n");
    record["initials"] = json!("S\u{200d}O");
    record["upi"] = json!("\u{200e}0af1");
    record["roles"] = json!({ "data": [{ "name": "Art &amp;  Design" }] });
    let mapped = staff(&record, rules());
    assert_eq!((mapped.first_name.as_str(), mapped.surname.as_str()), ("Seán", "O'Neill"));
    assert_eq!((mapped.initials.as_deref(), mapped.upi.as_deref()), (Some("SO"), Some("0af1")));
    assert_eq!(mapped.job_title, JobTitle::Roles("Art & Design".into()));

    let long = "Q".repeat(201);
    assert_eq!(staff(&with("/surname", json!(long)), rules()).surname.len(), 200);
    let role = json!({ "data": [{ "name": "R".repeat(501) }] });
    assert_eq!(
        staff(&with("/roles", role.clone()), rules()).job_title.as_deref().unwrap().len(),
        500
    );
    for too_long in [("/surname", json!(long)), ("/initials", json!(long)), ("/roles", role)] {
        let (field, value) = too_long;
        assert_eq!(issues(&with(field, value), rules()), ["text_too_long"], "{field}");
    }
}

#[test]
fn only_current_staff_count() {
    let current = |value| map(&with("/employment_details/data/current", value), rules());
    assert_eq!(current(json!(false)), Mapped::NotCurrent);
    assert!(matches!(current(Value::Null), Mapped::Staff { .. }), "started, so current");
    assert_eq!(
        map(&with("/employment_details", json!({ "data": null })), rules()),
        Mapped::EmploymentUnsaid
    );
    let start = with("/employment_details/data/employment_start_date", json!("2026-09-16"));
    assert!(matches!(map(&start, rules()), Mapped::Staff { .. }), "the flag decides");
    let mut start = start;
    start["employment_details"]["data"]["current"] = Value::Null;
    assert_eq!(map(&start, rules()), Mapped::NotCurrent);
}

#[test]
fn nothing_said_of_one_person_is_no_word_of_having_left() {
    let employee = |record: Value| Ok(serde_json::from_value(record).unwrap());
    for unsaid in [json!({ "data": null }), Value::Null, json!({ "data": {} })] {
        let records = vec![employee(with("/employment_details", unsaid)), employee(teacher())];
        let mapped = map_page(&Page { records, next: None }, rules());
        assert!(mapped.gone.employees.is_empty(), "a delta");
        assert_eq!(mapped.present[0].wonde_id, "A100", "a full sync");
        assert_eq!(
            (mapped.left_out[0].outcome, mapped.left_out[0].standing),
            (RecordOutcome::NotCurrent, Standing::Unsaid)
        );
        assert_eq!((mapped.current, mapped.employment_said), (1, 1));
    }
}

/// Flag, start and end of the employment.
fn employed(current: Value, start: Value, end: Value) -> Value {
    let mut record = teacher();
    let details = &mut record["employment_details"]["data"];
    details["current"] = current;
    details["employment_start_date"] = start;
    details["employment_end_date"] = end;
    record
}

#[test]
fn a_date_that_names_its_zone_is_a_day_in_london() {
    let moment =
        |text: &str, zone: &str| json!({ "date": text, "timezone_type": 3, "timezone": zone });
    let end = |end: Value| map(&employed(Value::Null, json!("2020-09-01"), end), rules());
    // British summer time is an hour ahead of UTC; today is 15 September.
    for last_day in [
        moment("2026-09-14 23:00:00.000000", "UTC"),
        moment("2026-09-15 00:00:00.000000", "Europe/London"),
        json!("2026-09-14T23:30:00Z"),
        json!("2026-09-15T00:30:00+02:00"),
        json!("2026-09-15"),
    ] {
        let expected = !last_day.as_str().is_some_and(|text| text.ends_with("+02:00"));
        let is_current = matches!(end(last_day.clone()), Mapped::Staff { .. });
        assert_eq!(is_current, expected, "{last_day}");
    }
    assert_eq!(end(moment("2026-09-14 22:59:59.000000", "UTC")), Mapped::NotCurrent);
    // In winter the two are the same.
    let winter = MappingRules { today: NaiveDate::from_ymd_opt(2027, 1, 15).unwrap(), ..rules() };
    let record =
        employed(Value::Null, json!("2020-09-01"), moment("2027-01-14 23:00:00.000000", "UTC"));
    assert_eq!(map(&record, winter), Mapped::NotCurrent);
    let start = employed(Value::Null, moment("2026-09-15 23:00:00.000000", "UTC"), Value::Null);
    assert_eq!(map(&start, rules()), Mapped::NotCurrent, "it begins tomorrow");
}

#[test]
fn a_date_that_cannot_be_read_is_told_of() {
    for garbage in [json!("31/08/2026"), json!("soon"), json!({ "date": "2026-02-30" }), json!(7)] {
        let flagged = employed(json!(true), json!("2020-09-01"), garbage.clone());
        assert_eq!(issues(&flagged, rules()), ["date_unreadable"], "the flag decides: {garbage}");
        let flagged = employed(json!(true), garbage.clone(), Value::Null);
        assert_eq!(issues(&flagged, rules()), ["date_unreadable"]);
        let not_current = employed(json!(false), json!("2020-09-01"), garbage.clone());
        assert_eq!(map(&not_current, rules()), Mapped::NotCurrent);
        // Without a flag it is not clear whether they work here.
        for (start, end) in [
            (json!("2020-09-01"), garbage.clone()),
            (garbage.clone(), Value::Null),
            (Value::Null, garbage.clone()),
        ] {
            let undecided = employed(Value::Null, start, end);
            assert_eq!(map(&undecided, rules()), Mapped::Problem(IssueCode::DateUnreadable));
            let records = vec![Ok(serde_json::from_value(undecided).unwrap())];
            let mapped = map_page(&Page { records, next: None }, rules());
            assert!(mapped.gone.employees.is_empty() && mapped.present.len() == 1, "not shut out");
        }
        // The date that can be read decides.
        let ended = employed(Value::Null, garbage.clone(), json!("2026-08-31"));
        assert_eq!(map(&ended, rules()), Mapped::NotCurrent);
        let role = json!({ "data": [{ "name": "Cook", "end_date": garbage }] });
        let record = with("/roles", role);
        assert_eq!(issues(&record, rules()), ["date_unreadable"]);
        assert_eq!(staff(&record, rules()).job_title.as_deref(), Some("Cook"));
    }
    for none in [json!("0000-00-00"), json!("1900-01-01"), json!("9999-12-31"), Value::Null] {
        let record = employed(Value::Null, json!("2020-09-01"), none.clone());
        assert!(issues(&record, rules()).is_empty(), "{none}");
    }
}

#[test]
fn roles_that_are_over_or_to_come_are_no_part_of_the_title() {
    let title = |roles: Value| staff(&with("/roles", json!({ "data": roles })), rules()).job_title;
    let roles = json!([
        { "name": "NQT", "start_date": "2019-09-01", "end_date": "2020-08-31" },
        { "name": "Head of Year", "start_date": "2022-09-01", "end_date": null },
        { "name": "Deputy Head", "start_date": "2026-09-16" },
        { "name": "Cover", "end_date": "2026-09-15" },
        { "name": "Tutor", "start_date": "2022-09-01", "end_date": "1900-01-01" },
        { "name": "Mentor", "start_date": "2026-09-15", "end_date": "9999-12-31" },
        { "name": "Gone", "end_date": { "date": "2026-09-14 22:00:00", "timezone": "UTC" } },
        { "name": "TUTOR\u{a0}", "start_date": null },
    ]);
    assert_eq!(title(roles).as_deref(), Some("Head of Year, Cover, Tutor, Mentor"));
    let over = json!([{ "name": "NQT", "end_date": "2020-08-31" }]);
    assert_eq!(title(over), JobTitle::Empty, "delivered, and none is left");
}

#[test]
fn teachers_only_leaves_out_everybody_else() {
    let rules = MappingRules { teachers_only: true, ..rules() };
    let teaches = |flag: Value, roles: Value| {
        let mut record = with("/employment_details/data/teaching_staff", flag);
        record["roles"] = roles;
        match map(&record, rules) {
            Mapped::Staff { .. } => true,
            other => {
                assert_eq!(other, Mapped::NotTeaching);
                false
            }
        }
    };
    let cook_and = |name: &str| json!({ "data": [{ "name": "Cook" }, { "name": name }] });
    assert!(teaches(json!(true), cook_and("Cleaner")), "the flag decides");
    assert!(!teaches(json!(false), cook_and("Teacher")), "both ways");
    for teacher in ["Teacher", "Class&nbsp;Teacher", "HEADTEACHER", "Head Teacher"] {
        assert!(teaches(Value::Null, cook_and(teacher)), "{teacher}");
    }
    for other in ["Teaching Assistant", "Headteacher's PA", "Cleaner"] {
        assert!(!teaches(Value::Null, cook_and(other)), "{other}");
    }
    assert!(!teaches(Value::Null, Value::Null), "neither says anything");
    assert!(!teaches(Value::Null, json!({ "data": [] })));
    let past = json!({ "data": [{ "name": "Teacher", "end_date": "2020-08-31" }] });
    assert!(!teaches(Value::Null, past), "a role that is over says nothing");
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
    let someone = json!({ "data": [{ "id": "A7" }, { "id": "A8" }] });
    assert_eq!(hierarchy(someone.clone(), rules()), Some(vec!["A7".into(), "A8".into()]));
    assert_eq!(hierarchy(json!({ "data": [] }), rules()), Some(Vec::new()));
    assert_eq!(hierarchy(Value::Null, rules()), None);
    let unsupported = MappingRules { hierarchy_supported: false, ..rules() };
    assert_eq!(hierarchy(someone, unsupported), None);
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
    assert_eq!((mapped.fetched, mapped.current, mapped.skipped), (5, 2, 0));
    assert_eq!(mapped.nameless, 1);
    let present: Vec<_> = mapped.present.iter().map(|person| person.wonde_id.as_str()).collect();
    assert_eq!(present, ["A9"], "left out, but not gone");
    let left_out: Vec<_> = mapped
        .left_out
        .iter()
        .map(|person| (person.wonde_id.as_str(), person.outcome.as_str()))
        .collect();
    assert_eq!(
        left_out,
        [("A100", "not_current"), ("A100", "no_work_email"), ("A9", "unreadable_record")],
        "everyone who is not imported leaves evidence"
    );
    let staff = mapped.staff.iter().map(|(place, one)| (*place, one.email.is_some()));
    assert_eq!(staff.collect::<Vec<_>>(), [(0, true), (2, false)]);
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
        if let Some(cleaned) = Texts::default().description(Some(&text)) {
            prop_assert!(!cleaned.is_empty() && cleaned.trim() == cleaned);
            prop_assert!(!cleaned.contains(char::is_control));
        }
    }
}

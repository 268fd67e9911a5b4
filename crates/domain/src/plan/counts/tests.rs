use super::super::fixture::{
    RULES, account, by_hand, compare, delta, email, group, inactive, list, person, record, school,
    stranger, taught, teaching, with,
};
use super::super::{Fetched, Held, Ref, Said};
use crate::{Affected, ClassId, FieldValue, GuardCategory, JobTitle, StaffRecord, SyncMode};

/// A person with a job title and a line manager from the MIS.
fn employed(name: &str, manager: &str) -> super::super::Account {
    person(account(name), |person| {
        person.job_title = Some("Teacher".into());
        person.line_manager = Some(Ref::Known(super::super::fixture::id(manager)));
        let mis = person.mis.as_mut().unwrap();
        mis.job_title = Some(Said(Some("Teacher".into())));
        mis.line_manager = Some(Said(Some(manager.into())));
    })
}

#[test]
fn everybody_of_the_list_counts_once() {
    let people = [account("a1"), account("a2"), inactive("a3"), inactive("a4"), account("a5")];
    let renamed = |name| StaffRecord { first_name: "Jo".into(), ..record(name) };
    let doubtful = StaffRecord { email: email("a1@oak.example"), ..record("a7") };
    // Unchanged, updated, restored, restored and updated, created, left out; and Ada again.
    let staff = [
        renamed("a1"),
        renamed("a2"),
        record("a3"),
        renamed("a4"),
        record("a6"),
        doubtful,
        record("a1"),
    ];
    let fetched = with(list(staff).gone(&["a5"]), |list| {
        list.counts.skipped = 2;
        list.counts.requests = 3;
    });
    let report = compare(&school(people), &fetched, &RULES).report;
    assert_eq!((report.fetched, report.current, report.requests), (6, 6, 3));
    assert_eq!((report.created, report.updated, report.unchanged), (1, 2, 1));
    assert_eq!((report.restored, report.deactivated, report.skipped), (2, 1, 3));
    assert_eq!((report.issues, report.mode), (1, SyncMode::Full));
    assert_eq!(compare(&school([]), &delta([]), &RULES).report.mode, SyncMode::Delta);
}

#[test]
fn what_is_only_noted_of_the_mis_is_no_update() {
    let said = StaffRecord { non_teaching: Some(false), ..record("a1") };
    let plan = compare(&school([account("a1")]), &list([said]), &RULES);
    assert_eq!((plan.changed.len(), plan.told().len()), (1, 0), "it is written, and not told of");
    assert_eq!((plan.report.updated, plan.report.unchanged), (0, 1));
}

#[test]
fn whoever_loses_their_id_to_someone_new_is_not_of_the_list() {
    let decision = super::super::Decision {
        wonde_id: "a1".into(),
        staff_id: None,
        in_doubt: true,
        shown: None,
    };
    let held = Held { decisions: vec![decision], ..school([account("a1"), account("a2")]) };
    let cy = stranger("a1", "Cy", "cy@oak.example");
    let report = compare(&held, &list([cy, record("a2")]), &RULES).report;
    assert_eq!((report.created, report.updated, report.unchanged), (1, 1, 1));
    assert_eq!(report.deactivated, 1);
}

#[test]
fn the_guard_is_told_how_much_changes_and_of_how_many() {
    use GuardCategory::{
        ClassesEmptied, Deactivated, EmailsChanged, JobTitlesEmptied, LineManagersEmptied, NewIds,
    };
    let people = [
        account("head"),
        employed("a1", "head"),
        employed("a2", "head"),
        employed("a3", "head"),
        account("a4"),
        // People who are not linked or are inactive do not count.
        by_hand("b1"),
        inactive("b2"),
    ];
    let held = Held {
        classes: vec![group("c1", ClassId, &["a1"]), group("c2", ClassId, &["a1"])],
        ..school(people)
    };
    let listing = |record: StaffRecord, listed: &[&str]| StaffRecord {
        hierarchy: Some(listed.iter().map(|name| (*name).to_owned()).collect()),
        job_title: JobTitle::Roles("Teacher".into()),
        ..record
    };
    let staff = [
        listing(record("head"), &[]),
        StaffRecord { job_title: JobTitle::Empty, ..listing(record("a1"), &["head"]) },
        listing(StaffRecord { email: email("new@oak.example"), ..record("a2") }, &[]),
        listing(StaffRecord { wonde_id: "n3".into(), ..record("a3") }, &["head"]),
    ];
    let fetched = with(list(staff).gone(&["a3", "a4"]), |list: &mut Fetched| {
        list.classes = Some(vec![taught("c1", &["a1"])]);
        list.gone.classes = ["c2".to_owned()].into();
    });
    let plan = compare(&held, &fetched, &teaching());
    let expected = [
        (Deactivated, 1, 5),
        (EmailsChanged, 1, 5),
        (JobTitlesEmptied, 1, 3),
        (LineManagersEmptied, 1, 3),
        (ClassesEmptied, 1, 2),
        (NewIds, 1, 5),
    ];
    let affected = |(category, records, of)| Affected { category, records, of };
    assert_eq!(plan.affected, expected.map(affected));
    // A first id is not a new one, and a first title is not a loss.
    let plan = compare(&school([by_hand("b1")]), &list([record("b1")]), &RULES);
    assert!(plan.affected.iter().all(|affected| affected.records == 0));
    let flags: Vec<FieldValue> = plan
        .changes(&super::super::NewIds::default())
        .into_iter()
        .filter_map(|change| change.new)
        .collect();
    assert_eq!(flags, [FieldValue::Text("b1".into())]);
}

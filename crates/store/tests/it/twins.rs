//! One person with two current records.

use mis_sync_domain::plan::MappedPage;
use mis_sync_domain::{
    Imports, IssueCode, JobId, JobTitle, Report, SchoolId, StaffRecord, SubjectOfClass, SyncRules,
    Teacher, TeachingKind, TeachingRecord,
};
use mis_sync_store::fetches;

use crate::{
    fixture::{self, LONG, RULES, TestStore, email, page, person},
    rows::{self, Person},
};

const WITH_CLASSES: SyncRules = SyncRules {
    restores: true,
    deactivates: true,
    imports: Imports { classes: true, class_staff: true, ..RULES.imports },
    ..RULES
};

/// Ann by one of her contracts.
fn ann(wonde_id: &str, role: &str) -> StaffRecord {
    StaffRecord {
        first_name: "Ann".into(),
        surname: "Twice".into(),
        email: email("ann@oak.example"),
        job_title: JobTitle::Roles(role.into()),
        non_teaching: Some(role == "Cook"),
        ..person(wonde_id)
    }
}

/// Syncs these people, and a class that the record `a2` teaches.
async fn sync(store: &TestStore, school: &SchoolId, people: &[StaffRecord]) -> (JobId, Report) {
    let lease = store.claim(store.enqueue(school).await).await;
    let class = TeachingRecord {
        wonde_id: "c1".into(),
        name: Some("Maths".into()),
        code: None,
        description: None,
        subject: SubjectOfClass::NotDelivered,
        staff: Some(vec![Teacher { wonde_id: "a2".into(), is_main: true }]),
    };
    let classes =
        MappedPage { teaching: vec![(TeachingKind::Class, class)], ..MappedPage::default() };
    store.add_with_classes(lease, &page(people), &classes).await.unwrap();
    let plan = fixture::plan(lease, school, WITH_CLASSES);
    let report = fixture::finish(&store.pool, plan).await.unwrap();
    (lease.job_id, report)
}

/// A delta of this page.
async fn delta(store: &TestStore, school: &SchoolId, list: &MappedPage) -> (JobId, Report) {
    let lease = store.claim(store.enqueue(school).await).await;
    let after = chrono::DateTime::from_timestamp(1_000_000_000, 0);
    fetches::begin(&store.pool, lease, after, LONG).await.unwrap();
    store.add(lease, list).await.unwrap();
    let plan = fixture::plan(lease, school, WITH_CLASSES);
    let report = fixture::finish(&store.pool, plan).await.unwrap();
    (lease.job_id, report)
}

async fn twice(store: &TestStore, school: &SchoolId) -> Person {
    let people = rows::people(&store.pool, school).await;
    let mut found = people.into_iter().filter(|person| person.surname == "Twice");
    let ann = found.next().unwrap();
    assert!(found.next().is_none(), "one account");
    ann
}

#[tokio::test]
async fn they_are_one_account_with_the_roles_of_both() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let both = [ann("a2", "Cook"), ann("a1", "Teacher"), person("bea")];
    for created in [2, 0] {
        let (job, report) = sync(&store, &school, &both).await;
        assert_eq!((report.created, report.unchanged), (created, 2 - created));
        assert_eq!((report.skipped, report.deactivated, report.updated), (1, 0, 0));
        assert_eq!(store.issues(job).await, [(IssueCode::TwoRecordsOfOnePerson, "a2".into())]);
    }
    let held = twice(&store, &school).await;
    assert_eq!((held.wonde_id.as_deref(), held.non_teaching), (Some("a1"), false));
    assert_eq!(held.job_title.as_deref(), Some("Teacher, Cook"));
    let taught = "SELECT count(*) FROM class_staff l JOIN staff s ON s.id = l.staff_id
        WHERE s.surname = 'Twice'";
    assert_eq!(rows::value::<i64>(&store.pool, taught).await, 1, "by the other record");
}

#[tokio::test]
async fn the_other_record_carries_on_when_the_leading_one_goes() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    sync(&store, &school, &[ann("a1", "Teacher"), ann("a2", "Cook"), person("bea")]).await;
    let held = twice(&store, &school).await;
    let (job, report) = sync(&store, &school, &[ann("a2", "Cook"), person("bea")]).await;
    assert_eq!((report.created, report.deactivated, report.updated), (0, 0, 1));
    assert_eq!(store.issues(job).await, []);
    let after = twice(&store, &school).await;
    assert_eq!((after.id, after.wonde_id.as_deref()), (held.id, Some("a2")));
    assert_eq!(after.job_title.as_deref(), Some("Cook"));
    assert_eq!(rows::value::<i64>(&store.pool, "SELECT count(*) FROM staff_alias").await, 0);
}

#[tokio::test]
async fn a_delta_that_shows_one_of_them_makes_nobody_new_and_takes_no_role_away() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    sync(&store, &school, &[ann("a1", "Teacher"), ann("a2", "Cook"), person("bea")]).await;
    let held = twice(&store, &school).await;
    for (shown, role) in [("a1", "Mentor"), ("a1", "Cook"), ("a2", "Mentor")] {
        let (_, report) = delta(&store, &school, &page(&[ann(shown, role)])).await;
        assert_eq!((report.created, report.updated, report.deactivated), (0, 0, 0), "{shown}");
        assert_eq!(twice(&store, &school).await, held, "{shown}");
    }
    let mut gone = page(&[]);
    gone.gone.employees.insert("a1".into());
    let (_, report) = delta(&store, &school, &gone).await;
    assert_eq!(report.deactivated, 0, "the other contract goes on");
    gone.gone.employees.insert("a2".into());
    let (_, report) = delta(&store, &school, &gone).await;
    assert_eq!(report.deactivated, 1);
}

#[tokio::test]
async fn they_are_two_people_once_the_mis_says_so() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    sync(&store, &school, &[ann("a1", "Teacher"), ann("a2", "Cook")]).await;
    let other = StaffRecord { email: email("other@oak.example"), ..ann("a2", "Cook") };
    let (job, report) = sync(&store, &school, &[ann("a1", "Teacher"), other]).await;
    assert_eq!((report.created, report.updated), (1, 1));
    assert_eq!(store.issues(job).await, []);
    assert_eq!(rows::value::<i64>(&store.pool, "SELECT count(*) FROM staff_alias").await, 0);
}

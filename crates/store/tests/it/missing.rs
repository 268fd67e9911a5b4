//! Records that a full list did not show.

use mis_sync_domain::{
    Imports, Issue, IssueCode, Lease, RecordOutcome, SchoolId, SubjectOfClass, SyncRules,
    TeachingKind, TeachingRecord,
    absence::{Missing, Reading},
    employment::Standing,
    plan::{Gone, LeftOut, List, MappedPage, Next, Present},
};
use mis_sync_store::{Error, fetches};

use crate::{
    fixture::{NOTHING_ELSE, RULES, TestStore, finish, kept, page, person, plan, with_email},
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, ..RULES };

/// A school with these people, and a full fetch that has begun.
async fn start(people: &[&str]) -> (TestStore, SchoolId, Lease) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let people: Vec<_> = people.iter().map(|id| person(id)).collect();
    store.sync(&school, &people).await;
    let lease = begin(&store, &school).await;
    (store, school, lease)
}

async fn begin(store: &TestStore, school: &SchoolId) -> Lease {
    store.claim(store.enqueue(school).await).await
}

/// Keeps the last page of a list, without looking for missing records.
async fn add(store: &TestStore, lease: Lease, list: List, page: &MappedPage) {
    store.keep(lease, list, page, Next::Over).await.unwrap();
}

async fn reading(store: &TestStore, school: &SchoolId, lease: Lease, list: List) -> Reading {
    let fetch = kept(&store.pool, lease).await.unwrap();
    fetches::missing(&store.pool, &fetch, school, list).await.unwrap()
}

async fn read_again(store: &TestStore, lease: Lease, list: List, missing: &[Missing]) {
    let mut fetch = kept(&store.pool, lease).await.unwrap();
    fetches::read_again(&store.pool, lease, &mut fetch, list, missing).await.unwrap();
}

/// Wonde ids of missing records, marked if they were missing before, and the number listed.
async fn missing(
    store: &TestStore,
    school: &SchoolId,
    lease: Lease,
    list: List,
) -> (Vec<String>, u64) {
    let reading = reading(store, school, lease, list).await;
    let shown = |missing: &Missing| {
        let mark = if missing.was_missing { " twice" } else { "" };
        format!("{}{mark}", missing.wonde_id)
    };
    (reading.missing.iter().map(shown).collect(), reading.listed)
}

fn gone(wonde_id: &str) -> Gone {
    Gone { employees: [wonde_id.to_owned()].into(), ..Gone::default() }
}

fn left_out(wonde_id: &str) -> LeftOut {
    LeftOut {
        wonde_id: wonde_id.into(),
        upi: None,
        email: None,
        standing: Standing::Ended,
        starts_on: None,
        ends_on: None,
        teaching: None,
        outcome: RecordOutcome::NotCurrent,
    }
}

#[tokio::test]
async fn who_is_missing_is_who_is_active_linked_and_nowhere_in_the_list() {
    let everybody = ["ada", "bea", "cleo", "dan", "eve", "fay", "gil", "hal"];
    let (store, school, lease) = start(&everybody).await;
    rows::make_account(&store.pool, &school, "hand@oak.example", None).await;
    let refreshed = "INSERT INTO staff_refresh (staff_id, refreshed_at)
        SELECT id, now() + interval '1 minute' FROM staff WHERE wonde_id = 'fay'";
    rows::change(&store.pool, refreshed).await;
    rows::change(&store.pool, "UPDATE staff SET active = false WHERE wonde_id = 'gil'").await;
    let present = Present { wonde_id: "bea".into(), upi: None, hierarchy: None };
    let list = MappedPage {
        present: vec![present],
        left_out: vec![left_out("cleo")],
        gone: gone("dan"),
        fetched: 3,
        ..page(&[person("ada")])
    };
    add(&store, lease, List::Employees, &list).await;
    let found = missing(&store, &school, lease, List::Employees).await;
    assert_eq!(found, (vec!["eve".to_owned(), "hal".to_owned()], 3));

    // None, if a sync concludes nothing from the list.
    let nameless = MappedPage { nameless: 1, ..list.clone() };
    let silent = MappedPage { employment_said: 0, ..list };
    for broken in [nameless, silent] {
        read_again(&store, lease, List::Employees, &[]).await;
        add(&store, lease, List::Employees, &broken).await;
        assert_eq!(missing(&store, &school, lease, List::Employees).await, (Vec::new(), 3));
    }
    read_again(&store, lease, List::Employees, &[]).await;
    add(&store, lease, List::Employees, &MappedPage::default()).await;
    assert_eq!(missing(&store, &school, lease, List::Employees).await.0.len(), 6);
}

#[tokio::test]
async fn who_is_merely_missing_is_no_leaver_and_nobody_gets_their_account() {
    let (store, school, lease) = start(&["ada", "bea", "cleo"]).await;
    // Cleo's address and surname under a new id, and a namesake of Bea.
    let mut list = page(&[person("ada"), with_email("bea-2", "b2@oak.example"), person("cleo-2")]);
    list.staff[1].1.surname = "bea".into();
    list.staff[2].1 = with_email("cleo-2", "cleo@oak.example");
    list.staff[2].1.surname = "cleo".into();
    add(&store, lease, List::Employees, &list).await;
    let report = finish(&store.pool, plan(lease, &school, LEAVERS)).await.unwrap();
    assert_eq!((report.deactivated, report.updated, report.created), (0, 0, 1));
    let issues = store.issues(lease.job_id).await;
    assert_eq!(issues, [(IssueCode::WorkEmailInUse, "cleo-2".into())]);
    let seen = "SELECT wonde_id FROM mis_person WHERE outcome = 'gone'";
    assert!(rows::texts(&store.pool, seen).await.is_empty(), "and no evidence says so");
}

#[tokio::test]
async fn a_second_reading_takes_the_place_of_the_first_and_knows_what_that_one_missed() {
    let (store, school, lease) = start(&["ada", "bea", "cleo", "dan"]).await;
    let problem = |id: &str| Issue { code: IssueCode::NoWorkEmail, wonde_id: Some(id.into()) };
    let first =
        MappedPage { issues: vec![(1, problem("new"))], ..page(&[person("ada"), person("bea")]) };
    add(&store, lease, List::Employees, &first).await;
    let first = reading(&store, &school, lease, List::Employees).await;
    read_again(&store, lease, List::Employees, &first.missing).await;
    assert_eq!(missing(&store, &school, lease, List::Employees).await.1, 0, "begun again");
    store.add_before(lease, &page(&[person("ada")]), "next").await.unwrap();

    // Another worker continues with the second reading, and with nothing else.
    rows::change(&store.pool, "UPDATE job SET lease_until = now() WHERE state = 'running'").await;
    let lease = store.claim(lease.job_id).await;
    let fetch = kept(&store.pool, lease).await.unwrap();
    assert!(fetch.is_second(List::Employees));
    assert_eq!(fetch.next_of(List::Employees), Some(&Next::At("next".into())));
    let last = MappedPage { issues: vec![(0, problem("new"))], ..page(&[person("cleo")]) };
    add(&store, lease, List::Employees, &last).await;
    let found = missing(&store, &school, lease, List::Employees).await;
    assert_eq!(found, (vec!["bea".to_owned(), "dan twice".to_owned()], 2));
    let gone = MappedPage { gone: gone("dan"), ..MappedPage::default() };
    add(&store, lease, List::Missing, &gone).await;
    let report = finish(&store.pool, plan(lease, &school, LEAVERS)).await.unwrap();
    assert_eq!((report.fetched, report.deactivated, report.issues), (2, 1, 1));
}

#[tokio::test]
async fn a_list_of_classes_that_proves_nothing_misses_none() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let rules = SyncRules { imports: Imports { classes: true, ..NOTHING_ELSE }, ..RULES };
    let class = |wonde_id: &str| TeachingRecord {
        wonde_id: wonde_id.into(),
        name: Some(wonde_id.into()),
        code: None,
        description: None,
        subject: SubjectOfClass::NotDelivered,
        staff: None,
    };
    let list = |ids: &[&str]| MappedPage {
        teaching: ids.iter().map(|id| (TeachingKind::Class, class(id))).collect(),
        ..MappedPage::default()
    };
    let people = page(&[person("ada")]);
    let lease = store.claim(store.enqueue(&school).await).await;
    store.add_with_classes(lease, &people, &list(&["K1", "K2", "K3"])).await.unwrap();
    finish(&store.pool, plan(lease, &school, rules)).await.unwrap();

    let lease = begin(&store, &school).await;
    add(&store, lease, List::Employees, &people).await;
    let none = (Vec::new(), 0);
    assert_eq!(missing(&store, &school, lease, List::Classes).await, none, "not read yet");
    add(&store, lease, List::Classes, &list(&["K1"])).await;
    let absent = |mark: &str| vec![format!("K2{mark}"), format!("K3{mark}")];
    assert_eq!(missing(&store, &school, lease, List::Classes).await, (absent(""), 1));

    let first = reading(&store, &school, lease, List::Classes).await;
    read_again(&store, lease, List::Classes, &first.missing).await;
    let fetch = kept(&store.pool, lease).await.unwrap();
    assert!(fetch.is_over(List::Employees), "only classes are read again");
    add(&store, lease, List::Classes, &list(&["K1"])).await;
    assert_eq!(missing(&store, &school, lease, List::Classes).await, (absent(" twice"), 1));
    read_again(&store, lease, List::Classes, &first.missing).await;
    store.keep(lease, List::Classes, &list(&["K1"]), Next::Refused).await.unwrap();
    assert_eq!(missing(&store, &school, lease, List::Classes).await, (Vec::new(), 1), "refused");
    read_again(&store, lease, List::Classes, &first.missing).await;
    add(&store, lease, List::Classes, &list(&["K1", ""])).await;
    assert_eq!(missing(&store, &school, lease, List::Classes).await.0.len(), 0, "nameless");
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_reads_nothing_again() {
    let (store, _, lease) = start(&["ada"]).await;
    rows::change(&store.pool, "UPDATE job SET lease_until = now() WHERE state = 'running'").await;
    let newer = store.claim(lease.job_id).await;
    let mut fetch = kept(&store.pool, newer).await.unwrap();
    let again = fetches::read_again(&store.pool, lease, &mut fetch, List::Employees, &[]).await;
    assert!(matches!(again, Err(Error::LeaseLost)));
}

//! What a full list did not show.

use mis_sync_domain::{
    Imports, Issue, IssueCode, Lease, RecordOutcome, SchoolId, SubjectOfClass, SyncRules,
    TeachingKind, TeachingRecord, absence::Missing, employment::Standing,
};
use mis_sync_store::{
    Error,
    staging::{self, Gone, LeftOut, List, MappedPage, Present},
};

use crate::{
    fixture::{
        LONG, NOTHING_ELSE, PROGRESS, RULES, TestStore, finish, page, page_before, person, plan,
        with_email,
    },
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, ..RULES };

/// A school of these people, and a full fetch that has begun.
async fn start(people: &[&str]) -> (TestStore, SchoolId, Lease) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let people: Vec<_> = people.iter().map(|id| person(id)).collect();
    store.sync(&school, &people).await;
    let lease = begin(&store, &school).await;
    (store, school, lease)
}

async fn begin(store: &TestStore, school: &SchoolId) -> Lease {
    let lease = store.claim(store.enqueue(school).await).await;
    staging::begin(&store.pool, lease, LEAVERS, None, LONG).await.unwrap();
    lease
}

/// Stages a page after which nothing is looked for.
async fn add(store: &TestStore, lease: Lease, page: &MappedPage) {
    staging::add_page(&store.pool, lease, page, PROGRESS).await.unwrap();
}

/// Wonde ids of what is missing, with a mark where it was missing before, and how many are listed.
async fn missing(
    store: &TestStore,
    school: &SchoolId,
    lease: Lease,
    list: List,
) -> (Vec<String>, u64) {
    let reading = staging::missing(&store.pool, lease, school, list).await.unwrap();
    let shown = |missing: &Missing| {
        let mark = if missing.was_missing { " twice" } else { "" };
        format!("{}{mark}", missing.wonde_id)
    };
    (reading.missing.iter().map(shown).collect(), reading.listed)
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
        present: vec![(1, present)],
        left_out: vec![(2, left_out("cleo"))],
        gone: vec![Gone::Employee("dan".into())],
        fetched: 3,
        ..page_before(&[person("ada")], "next")
    };
    add(&store, lease, &list).await;
    let found = missing(&store, &school, lease, List::Employees).await;
    assert_eq!(found, (vec!["eve".to_owned(), "hal".to_owned()], 3));

    // Nobody is, where a sync concludes nothing from who is in the list.
    for broken in ["nameless = 1", "nameless = 0, employment_said = 0"] {
        rows::change(&store.pool, &format!("UPDATE stage_fetch SET {broken}")).await;
        let found = missing(&store, &school, lease, List::Employees).await;
        assert_eq!(found, (Vec::new(), 3), "{broken}");
    }
    rows::change(&store.pool, "UPDATE stage_fetch SET fetched = 0").await;
    assert_eq!(missing(&store, &school, lease, List::Employees).await.0.len(), 2);
}

#[tokio::test]
async fn who_is_merely_missing_is_no_leaver_and_nobody_gets_their_account() {
    let (store, school, lease) = start(&["ada", "bea", "cleo"]).await;
    // Cleo's address and surname under a new id, and a namesake of Bea.
    let mut list = page(&[person("ada"), with_email("bea-2", "b2@oak.example"), person("cleo-2")]);
    list.staff[1].1.surname = "bea".into();
    list.staff[2].1 = with_email("cleo-2", "cleo@oak.example");
    list.staff[2].1.surname = "cleo".into();
    add(&store, lease, &list).await;
    let report = finish(&store.pool, plan(lease, &school, LEAVERS)).await.unwrap();
    assert_eq!((report.deactivated, report.updated, report.created), (0, 0, 1));
    let issues = store.issues(lease.job_id).await;
    assert_eq!(issues, [(IssueCode::WorkEmailInUse, "cleo-2".into())]);
    let seen = "SELECT wonde_id FROM mis_person WHERE outcome = 'gone'";
    assert!(rows::texts(&store.pool, seen).await.is_empty(), "nor is it said of anybody");
}

#[tokio::test]
async fn a_second_reading_takes_the_place_of_the_first_and_knows_what_that_one_missed() {
    let (store, school, lease) = start(&["ada", "bea", "cleo", "dan"]).await;
    let problem = |id: &str| Issue { code: IssueCode::NoWorkEmail, wonde_id: Some(id.into()) };
    let first = MappedPage {
        issues: vec![(1, problem("new"))],
        next_list: Some(List::Missing),
        ..page(&[person("ada"), person("bea")])
    };
    add(&store, lease, &first).await;
    let reading = staging::missing(&store.pool, lease, &school, List::Employees).await.unwrap();
    staging::read_again(&store.pool, lease, List::Employees, &reading.missing).await.unwrap();
    assert_eq!(missing(&store, &school, lease, List::Employees).await.1, 0, "begun anew");
    let again = MappedPage { next_page: Some("next".into()), ..page(&[person("ada")]) };
    add(&store, lease, &again).await;

    // Another worker goes on with the second reading, and with nothing but that.
    rows::change(&store.pool, "UPDATE job SET lease_until = now() WHERE state = 'running'").await;
    let lease = store.claim(lease.job_id).await;
    let state = staging::begin(&store.pool, lease, LEAVERS, None, LONG).await.unwrap();
    assert!(state.reads_again && state.next_page.is_some() && state.list == List::Employees);
    let last = MappedPage {
        issues: vec![(0, problem("new"))],
        next_list: Some(List::Missing),
        ..page(&[person("cleo")])
    };
    add(&store, lease, &last).await;
    let found = missing(&store, &school, lease, List::Employees).await;
    assert_eq!(found, (vec!["bea".to_owned(), "dan twice".to_owned()], 2));
    let gone = MappedPage { gone: vec![Gone::Employee("dan".into())], ..MappedPage::default() };
    add(&store, lease, &gone).await;
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
        next_list: Some(List::Missing),
        ..MappedPage::default()
    };
    let people = || MappedPage { next_list: Some(List::Classes), ..page(&[person("ada")]) };
    let lease = store.claim(store.enqueue(&school).await).await;
    staging::begin(&store.pool, lease, rules, None, LONG).await.unwrap();
    add(&store, lease, &people()).await;
    add(&store, lease, &list(&["K1", "K2", "K3"])).await;
    add(&store, lease, &MappedPage::default()).await;
    finish(&store.pool, plan(lease, &school, rules)).await.unwrap();
    staging::discard(&store.pool, lease).await.unwrap();

    let lease = begin(&store, &school).await;
    add(&store, lease, &people()).await;
    let none = (Vec::new(), 0);
    assert_eq!(missing(&store, &school, lease, List::Classes).await, none, "not read yet");
    add(&store, lease, &list(&["K1"])).await;
    let absent = |mark: &str| vec![format!("K2{mark}"), format!("K3{mark}")];
    assert_eq!(missing(&store, &school, lease, List::Classes).await, (absent(""), 1));

    let reading = staging::missing(&store.pool, lease, &school, List::Classes).await.unwrap();
    staging::read_again(&store.pool, lease, List::Classes, &reading.missing).await.unwrap();
    let people = "SELECT wonde_id FROM stage_staff";
    assert_eq!(rows::texts(&store.pool, people).await, ["ada"], "only classes are read anew");
    add(&store, lease, &list(&["K1"])).await;
    assert_eq!(missing(&store, &school, lease, List::Classes).await, (absent(" twice"), 1));
    staging::read_again(&store.pool, lease, List::Classes, &reading.missing).await.unwrap();
    let refused = MappedPage { refused: true, ..list(&[]) };
    add(&store, lease, &refused).await;
    assert_eq!(missing(&store, &school, lease, List::Classes).await, none, "refused");
    staging::read_again(&store.pool, lease, List::Classes, &reading.missing).await.unwrap();
    add(&store, lease, &list(&["K1", ""])).await;
    assert_eq!(missing(&store, &school, lease, List::Classes).await.0.len(), 0, "nameless");
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_reads_nothing_again() {
    let (store, school, lease) = start(&["ada"]).await;
    rows::change(&store.pool, "UPDATE job SET lease_until = now() WHERE state = 'running'").await;
    let newer = store.claim(lease.job_id).await;
    staging::begin(&store.pool, newer, LEAVERS, None, LONG).await.unwrap();
    let missing = staging::missing(&store.pool, lease, &school, List::Employees).await;
    assert!(matches!(missing, Err(Error::LeaseLost)));
    let again = staging::read_again(&store.pool, lease, List::Employees, &[]).await;
    assert!(matches!(again, Err(Error::LeaseLost)));
}

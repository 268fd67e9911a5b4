//! People whose ids in the MIS are all new.

use mis_sync_domain::plan::LeftOut;
use mis_sync_domain::{
    IssueCode, JobTitle, RecordOutcome, StaffId, StaffRecord, SyncRules, employment::Standing,
};
use mis_sync_store::{jobs::Actor, matches};

use crate::{
    fixture::{RULES, TestStore, page, person},
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, restores: true, ..RULES };

fn actor() -> Actor {
    Actor::command("operator", None)
}

/// A person under a new id.
fn renumbered(old: &str, change: impl FnOnce(&mut StaffRecord)) -> StaffRecord {
    let mut record = StaffRecord { wonde_id: format!("{old}-2"), ..person(old) };
    change(&mut record);
    record
}

/// A person who is in the list and no longer current.
fn left(wonde_id: &str) -> LeftOut {
    LeftOut {
        wonde_id: wonde_id.into(),
        upi: None,
        email: None,
        standing: Standing::NotCurrent,
        starts_on: None,
        ends_on: None,
        teaching: None,
        outcome: RecordOutcome::NotCurrent,
    }
}

/// iP's id, Wonde id and whether they are active, of everyone in the order of their creation.
async fn staff(store: &TestStore) -> Vec<(StaffId, String, bool)> {
    let people = rows::people(&store.pool, &"oak".parse().unwrap()).await;
    let person = |person: rows::Person| {
        (StaffId(person.id), person.wonde_id.unwrap_or_default(), person.active)
    };
    let mut staff: Vec<_> = people.into_iter().map(person).collect();
    staff.sort();
    staff
}

#[tokio::test]
async fn whoever_kept_login_and_surname_and_forename_or_initials_keeps_the_account() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let with_initials = |record| StaffRecord { initials: Some("RB".into()), ..record };
    store.sync(&school, &[person("ada"), with_initials(person("bea"))]).await;
    let before = staff(&store).await;
    let bea = with_initials(renumbered("bea", |bea| bea.first_name = "Bob".into()));
    let list = [renumbered("ada", |_| ()), bea];
    let (job, report) = store.sync_page(&school, LEAVERS, &page(&list), false).await;
    assert_eq!((report.created, report.updated, report.deactivated), (0, 2, 0));
    assert_eq!(store.issues(job).await, []);
    let after = staff(&store).await;
    assert_eq!(after[0], (before[0].0, "ada-2".to_owned(), true));
    assert_eq!(after[1], (before[1].0, "bea-2".to_owned(), true));
}

#[tokio::test]
async fn a_successor_with_the_same_address_gets_an_account_of_their_own() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("head"), person("bea")]).await;
    let successor = renumbered("head", |head| {
        head.surname = "Successor".into();
        head.first_name = "New".into();
    });
    let list = page(&[successor, person("bea")]);
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.skipped, report.deactivated), (1, 0, 1));
    assert_eq!(store.issues(job).await, []);
    let after = staff(&store).await;
    assert_eq!((after[0].1.as_str(), after[0].2), ("head", false), "still the old head's");
    assert_eq!((after[2].1.as_str(), after[2].2), ("head-2", true));
    assert_eq!(matches::list(&store.pool, &school).await.unwrap(), []);
}

#[tokio::test]
async fn who_has_much_in_common_waits_for_a_decision_which_the_next_sync_follows() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea"), person("cleo")]).await;
    let before = staff(&store).await;
    let moved = |old: &str| {
        let address = format!("{old}@new.example");
        renumbered(old, |record| {
            record.email = crate::fixture::email(&address);
            record.initials = Some("RX".into());
            record.job_title = JobTitle::Roles("Teacher, SENCO".into());
        })
    };
    let list = page(&[moved("ada"), moved("bea"), person("cleo")]);
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.skipped, report.deactivated), (0, 2, 0));
    let waiting =
        [(IssueCode::PossibleMatch, "ada-2".into()), (IssueCode::PossibleMatch, "bea-2".into())];
    assert_eq!(store.issues(job).await, waiting);
    assert_eq!(staff(&store).await, before, "no one is created or deactivated");

    let found = matches::list(&store.pool, &school).await.unwrap();
    let pairs: Vec<_> = found.iter().map(|c| (c.wonde_id.as_str(), c.staff_id, c.score)).collect();
    assert_eq!(pairs, [("ada-2", before[0].0, 45), ("bea-2", before[1].0, 45)]);
    for candidate in &found {
        let (mis, ip) = (&candidate.mis, &candidate.ip);
        assert_eq!(mis.initials.as_deref(), Some("RX"));
        assert_eq!(mis.job_title.as_deref(), Some("Teacher, SENCO"));
        assert_eq!((ip.initials.as_deref(), ip.job_title.as_deref()), (None, None));
    }
    // Ada is the same person, Bea is someone new.
    let decide = |wonde_id, staff_id| {
        let (pool, school) = (&store.pool, &school);
        async move { matches::decide(pool, school, wonde_id, staff_id, &actor()).await.unwrap() }
    };
    assert!(decide("ada-2", Some(before[0].0)).await);
    assert!(decide("bea-2", None).await);
    assert!(!decide("bea-2", Some(before[0].0)).await, "no such pair");

    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.updated, report.deactivated), (1, 1, 1));
    assert_eq!(store.issues(job).await, []);
    let after = staff(&store).await;
    assert_eq!(after[0], (before[0].0, "ada-2".to_owned(), true));
    assert_eq!(after[1], (before[1].0, "bea".to_owned(), false));
    assert_eq!((after[3].1.as_str(), after[3].2), ("bea-2", true));
    assert_eq!(matches::list(&store.pool, &school).await.unwrap(), []);
}

#[tokio::test]
async fn a_leaver_in_the_list_is_not_taken_for_a_joiner_with_the_same_name() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let joiner = renumbered("ada", |ada| ada.email = crate::fixture::email("a2@oak.example"));
    let mut list = page(&[joiner, person("bea")]);
    list.fetched += 1;
    list.left_out.push(left("ada"));
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.deactivated, report.skipped), (1, 1, 0));
    assert_eq!(store.issues(job).await, []);
    assert!(!staff(&store).await[0].2, "the leaver cannot log in");
    // With the very same address too: the record that is there is not a match either.
    let again = renumbered("bea", |_| ());
    let mut list = page(&[again]);
    list.fetched += 1;
    list.left_out.push(left("bea"));
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.deactivated), (1, 2));
    assert_eq!(store.issues(job).await, []);
}

#[tokio::test]
async fn a_namesake_of_someone_who_is_still_there_is_someone_new() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada")]).await;
    let namesake =
        renumbered("ada", |record| record.email = crate::fixture::email("ada2@oak.example"));
    let (_, report) =
        store.sync_page(&school, LEAVERS, &page(&[person("ada"), namesake]), false).await;
    assert_eq!((report.created, report.unchanged, report.skipped), (1, 1, 0));
}

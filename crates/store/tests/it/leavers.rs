//! Leavers and people who came back.

use mis_sync_domain::plan::{MappedPage, Present};
use mis_sync_domain::{IssueCode, SyncRules};

use crate::{
    fixture::{RULES, TestStore, page, person, with_email, with_upi},
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, ..RULES };
const RETURNERS: SyncRules = SyncRules { restores: true, ..RULES };

/// Surnames of the active people.
async fn active(store: &TestStore) -> Vec<String> {
    let school = "oak".parse().unwrap();
    let people = rows::people(&store.pool, &school).await;
    people.into_iter().filter(|person| person.active).map(|person| person.surname).collect()
}

fn present(wonde_id: &str, upi: Option<&str>) -> Present {
    Present { wonde_id: wonde_id.into(), upi: upi.map(Into::into), hierarchy: None }
}

#[tokio::test]
async fn whoever_is_gone_is_deactivated_and_not_deleted() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let (job, report) = store.sync_page(&school, LEAVERS, &page(&[person("ada")]), false).await;
    assert_eq!((report.deactivated, report.unchanged, report.updated), (1, 1, 0));
    assert_eq!(active(&store).await, ["ada"]);
    let people = rows::people(&store.pool, &school).await;
    assert_eq!(people.len(), 2, "no one is deleted");
    let changes = rows::changes(&store.pool, job).await;
    let [change] = changes.try_into().unwrap();
    assert_eq!((change.field.as_str(), change.wonde_id.as_deref()), ("active", Some("bea")));
    assert_eq!(change.new_value.as_deref(), Some("false"));

    let again = store.sync_page(&school, LEAVERS, &page(&[person("ada")]), false).await;
    assert_eq!(again.1.deactivated, 0, "once is enough");
}

#[tokio::test]
async fn a_dry_run_only_says_who_would_be_deactivated() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let (_, report) = store.sync_page(&school, LEAVERS, &page(&[person("ada")]), true).await;
    assert_eq!(report.deactivated, 1);
    assert_eq!(active(&store).await, ["ada", "bea"]);
}

#[tokio::test]
async fn the_policy_keep_keeps() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let (_, report) = store.sync_page(&school, RULES, &page(&[person("ada")]), false).await;
    assert_eq!(report.deactivated, 0);
    assert_eq!(active(&store).await, ["ada", "bea"]);
}

#[tokio::test]
async fn a_nameless_record_proves_nobodys_absence() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let nameless = MappedPage { nameless: 1, fetched: 2, ..page(&[person("ada")]) };
    let (_, report) = store.sync_page(&school, LEAVERS, &nameless, false).await;
    assert_eq!(report.deactivated, 0, "bea may be the unreadable record");
    assert_eq!(active(&store).await, ["ada", "bea"]);
}

#[tokio::test]
async fn whoever_is_left_out_for_another_reason_has_not_left() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let people = [person("ada"), person("bea"), with_upi("cleo", "upi-c"), person("dan")];
    store.sync(&school, &people).await;
    // Bea lost her email; Cleo was added again and has none yet; Dan's email is now Ada's.
    let list = MappedPage {
        fetched: 4,
        current: 4,
        skipped: 2,
        employment_said: 4,
        present: vec![present("bea", None), present("cleo-2", Some("upi-c"))],
        staff: vec![(0, person("ada")), (3, with_email("dan", "ada@oak.example"))],
        ..MappedPage::default()
    };
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.deactivated, report.skipped), (0, 3));
    let issues = store.issues(job).await;
    assert_eq!(issues, [(IssueCode::SharedWorkEmail, "dan".into())]);
    assert_eq!(active(&store).await, ["ada", "bea", "cleo", "dan"]);
}

#[tokio::test]
async fn accounts_made_by_hand_are_left_alone() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::make_account(&store.pool, &school, "hand@oak.example", None).await;
    let (_, report) = store.sync_page(&school, LEAVERS, &page(&[person("ada")]), false).await;
    assert_eq!(report.deactivated, 0);
    assert_eq!(active(&store).await, ["Hand", "ada"]);
}

#[tokio::test]
async fn whoever_comes_back_is_restored_if_the_school_wants_that() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let everybody = page(&[person("ada"), person("bea")]);
    store.sync_page(&school, LEAVERS, &everybody, false).await;
    store.sync_page(&school, LEAVERS, &page(&[person("ada")]), false).await;

    let (job, report) = store.sync_page(&school, RULES, &everybody, false).await;
    assert_eq!((report.restored, report.unchanged), (0, 2));
    assert_eq!(store.issues(job).await, [(IssueCode::InactiveInIp, "bea".into())]);
    assert_eq!(active(&store).await, ["ada"]);

    let (job, report) = store.sync_page(&school, RETURNERS, &everybody, false).await;
    assert_eq!((report.restored, report.updated, report.unchanged), (1, 0, 1));
    assert_eq!(store.issues(job).await, []);
    assert_eq!(active(&store).await, ["ada", "bea"]);
}

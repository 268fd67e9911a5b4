//! Which account does a record belong to?

use mis_sync_domain::{IssueCode, StaffRecord};

use crate::{
    fixture::{TestStore, email, person, with_email, with_upi},
    rows,
};

#[tokio::test]
async fn the_wonde_id_matches_before_everything_else() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[with_upi("ada", "u1"), with_upi("bea", "u2")]).await;
    let before = rows::people(&store.pool, &school).await;
    // Their UPIs are exchanged: that changes a field, never who they are.
    let (_, report) = store.sync(&school, &[with_upi("ada", "u2"), with_upi("bea", "u1")]).await;
    assert_eq!((report.updated, report.created), (2, 0));
    let after = rows::people(&store.pool, &school).await;
    assert_eq!((after[0].id, after[1].id), (before[0].id, before[1].id));
    assert_eq!(after[0].upi.as_deref(), Some("u2"));
}

#[tokio::test]
async fn a_readded_person_is_found_by_upi_and_gets_the_new_wonde_id() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[with_upi("ada", "u1"), person("bea")]).await;
    let before = rows::people(&store.pool, &school).await;
    let again = StaffRecord {
        surname: "ada".into(),
        email: email("ada@oak.example"),
        ..with_upi("ada2", "u1")
    };
    let (job, report) = store.sync(&school, &[again, person("bea")]).await;
    assert_eq!((report.created, report.updated, report.unchanged), (0, 1, 1));
    let after = rows::people(&store.pool, &school).await;
    assert_eq!((after[0].id, after[0].wonde_id.as_deref()), (before[0].id, Some("ada2")));
    let history = rows::changes(&store.pool, job).await;
    assert_eq!((history.len(), history[0].field.as_str()), (1, "wonde_id"));
    assert_eq!(history[0].old_value.as_deref(), Some("ada"));
}

#[tokio::test]
async fn an_upi_matches_nobody_whose_own_record_is_in_the_list() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[with_upi("ada", "u1")]).await;
    let (_, report) = store.sync(&school, &[with_upi("ada", "u1"), with_upi("new", "u1")]).await;
    assert_eq!((report.unchanged, report.created), (1, 1));
}

#[tokio::test]
async fn an_ambiguous_upi_matches_nobody() {
    let store = TestStore::start().await;
    // Two people with one UPI, one new record.
    let oak = store.school("oak").await;
    store.sync(&oak, &[with_upi("ada", "u1"), with_upi("bea", "u1")]).await;
    let before = rows::people(&store.pool, &oak).await;
    let (_, report) = store.sync(&oak, &[with_upi("new", "u1")]).await;
    assert_eq!((report.created, report.updated), (1, 0));
    assert_eq!(rows::people(&store.pool, &oak).await[..2], before);

    // One person, two new records.
    let elm = store.school("elm").await;
    store
        .sync(&elm, &[StaffRecord { email: email("x@elm.example"), ..with_upi("cat", "u1") }])
        .await;
    let twins = ["dan", "eve"]
        .map(|id| StaffRecord { email: email(&format!("{id}@elm.example")), ..with_upi(id, "u1") });
    let (_, report) = store.sync(&elm, &twins).await;
    assert_eq!((report.created, report.updated), (2, 0));
}

#[tokio::test]
async fn an_account_made_by_hand_is_linked_by_work_email_whatever_its_case() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::make_account(&store.pool, &school, "Ada@Oak.example", None).await;
    let before = rows::people(&store.pool, &school).await.remove(0);
    let (job, report) = store.sync(&school, &[with_email("ada", "ada@oak.EXAMPLE")]).await;
    assert_eq!((report.created, report.updated, report.issues), (0, 1, 0));
    let after = rows::people(&store.pool, &school).await.remove(0);
    assert_eq!((after.id, after.wonde_id.as_deref()), (before.id, Some("ada")));
    assert_eq!(after.password_hash, before.password_hash, "they log in as before");
    let mut fields: Vec<_> =
        rows::changes(&store.pool, job).await.into_iter().map(|change| change.field).collect();
    fields.sort();
    assert_eq!(fields, ["email", "first_name", "surname", "wonde_id"]);
}

#[tokio::test]
async fn an_account_made_by_hand_is_linked_by_upi_before_email() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::make_account(&store.pool, &school, "private@home.example", Some("u1")).await;
    rows::make_account(&store.pool, &school, "ada@oak.example", None).await;
    // The UPI says who it is, but the login belongs to another account, so the record is in doubt.
    let (job, report) = store.sync(&school, &[with_upi("ada", "u1")]).await;
    assert_eq!((report.created, report.updated, report.skipped), (0, 0, 1));
    assert_eq!(store.issues(job).await, [(IssueCode::WorkEmailInUse, "ada".into())]);
}

#[tokio::test]
async fn a_work_email_links_no_account_of_someone_else() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    // Linked to another record: a person left and the successor got the address.
    store.sync(&oak, &[with_email("ada", "head@oak.example")]).await;
    let successor =
        StaffRecord { first_name: "Bea".into(), ..with_email("bea", "head@oak.example") };
    let (job, report) = store.sync(&oak, &[successor]).await;
    assert_eq!((report.created, report.skipped), (0, 1));
    assert_eq!(store.issues(job).await, [(IssueCode::WorkEmailInUse, "bea".into())]);
    // Of another school.
    rows::make_account(&store.pool, &elm, "cat@shared.example", None).await;
    let (job, _) = store.sync(&oak, &[with_email("cat", "CAT@shared.example")]).await;
    assert_eq!(store.issues(job).await, [(IssueCode::WorkEmailInUse, "cat".into())]);
}

#[tokio::test]
async fn the_same_wonde_id_in_two_schools_is_two_people() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    store.sync(&oak, &[with_upi("ada", "u1")]).await;
    let other = StaffRecord { email: email("ada@elm.example"), ..with_upi("ada", "u1") };
    let (_, report) = store.sync(&elm, &[other]).await;
    assert_eq!(report.created, 1);
    assert_eq!(rows::people(&store.pool, &oak).await.len(), 1);
}

//! The evidence that runs leave about everyone they saw.

use crate::{
    fixture::{RULES, TestStore, kept, page, person, with_email},
    rows,
};
use mis_sync_domain::{
    RecordOutcome,
    employment::Standing,
    plan::{LeftOut, List, MappedPage},
};
use mis_sync_store::fetches;

fn left_out(wonde_id: &str, outcome: RecordOutcome) -> LeftOut {
    LeftOut {
        wonde_id: wonde_id.into(),
        upi: None,
        email: Some(format!("{wonde_id}@Oak.example")),
        standing: Standing::Ended,
        starts_on: None,
        ends_on: None,
        teaching: None,
        outcome,
    }
}

/// A last page with these people imported, and these left out behind them.
fn page_with(imported: &[&str], out: &[LeftOut]) -> MappedPage {
    let people: Vec<_> = imported.iter().map(|wonde_id| person(wonde_id)).collect();
    let all = page(&people);
    MappedPage { fetched: all.fetched + out.len() as u64, left_out: out.to_vec(), ..all }
}

/// Wonde id and outcome of everyone ever seen.
async fn seen(store: &TestStore) -> Vec<String> {
    let sql = "SELECT wonde_id || ' ' || outcome FROM mis_person ORDER BY wonde_id";
    rows::texts(&store.pool, sql).await
}

#[tokio::test]
async fn everybody_in_the_list_is_kept_and_its_pages_are_not() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let out = [left_out("A2", RecordOutcome::NotCurrent)];
    store.sync_page(&school, RULES, &page_with(&["A1"], &out), false).await;
    assert_eq!(seen(&store).await, ["A1 imported", "A2 not_current"]);
    let emails = "SELECT email_key FROM mis_person ORDER BY wonde_id";
    assert_eq!(rows::texts(&store.pool, emails).await, ["a1@oak.example", "a2@oak.example"]);
    let matched = "SELECT matched_by FROM mis_person WHERE staff_id IS NOT NULL";
    assert_eq!(rows::texts(&store.pool, matched).await, ["new"]);
    assert!(rows::texts(&store.pool, "SELECT records FROM fetched_page").await.is_empty());
}

#[tokio::test]
async fn a_list_read_again_and_a_record_delivered_twice_leave_one_trace() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = store.claim(store.enqueue(&school).await).await;
    let first = MappedPage {
        left_out: vec![left_out("A9", RecordOutcome::NotTeaching)],
        ..page(&[person("A1")])
    };
    store.add_before(lease, &first, "next").await.unwrap();
    let mut fetch = kept(&store.pool, lease).await.unwrap();
    fetches::rewind(&store.pool, lease, &mut fetch, List::Employees).await.unwrap();
    // The list changed while it was read: A2 came on both pages.
    let first = MappedPage {
        left_out: vec![left_out("A2", RecordOutcome::NotTeaching)],
        fetched: 2,
        ..page(&[person("A1")])
    };
    store.add_before(lease, &first, "next").await.unwrap();
    let last = page_with(&[], &[left_out("A2", RecordOutcome::NotCurrent)]);
    store.add(lease, &last).await.unwrap();
    store.finish(lease, &school).await.unwrap();
    assert_eq!(seen(&store).await, ["A1 imported", "A2 not_current"]);
}

#[tokio::test]
async fn whoever_is_not_in_the_list_any_more_is_gone_unless_the_list_proves_nothing() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let sync = async |page: &MappedPage| {
        store.sync_page(&school, RULES, page, false).await;
        seen(&store).await
    };
    let all = ["A1 imported", "A2 imported", "A3 not_current"];
    let out = [left_out("A3", RecordOutcome::NotCurrent)];
    assert_eq!(sync(&page_with(&["A1", "A2"], &out)).await, all);
    assert_eq!(sync(&page(&[])).await, all, "an empty list");
    let nameless = MappedPage { nameless: 1, fetched: 2, ..page_with(&["A1"], &[]) };
    assert_eq!(sync(&nameless).await, all, "a record that could be anyone's");
    let gone = ["A1 imported", "A2 gone", "A3 gone"];
    assert_eq!(sync(&page_with(&["A1"], &[])).await, gone);
    assert_eq!(sync(&page_with(&["A1", "A2"], &out)).await, all, "back again");
}

#[tokio::test]
async fn who_has_been_gone_for_a_year_is_forgotten() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    for imported in [&["A1", "A2", "A3"][..], &["A1"]] {
        store.sync_page(&school, RULES, &page_with(imported, &[]), false).await;
    }
    let age = "UPDATE mis_person SET seen_at = now() - interval '13 months'
        WHERE wonde_id IN ('A1', 'A2')";
    rows::change(&store.pool, age).await;
    store.sync_page(&school, RULES, &page_with(&["A1"], &[]), false).await;
    assert_eq!(seen(&store).await, ["A1 imported", "A3 gone"], "who is still there stays");
}

#[tokio::test]
async fn a_dry_run_leaves_the_same_evidence_and_who_was_in_doubt_says_why() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let people =
        [person("A1"), with_email("A2", "same@oak.example"), with_email("A3", "Same@oak.example")];
    store.sync_page(&school, RULES, &page(&people), true).await;
    let expected = ["A1 imported", "A2 shared_work_email", "A3 shared_work_email"];
    assert_eq!(seen(&store).await, expected);
    assert!(rows::texts(&store.pool, "SELECT email FROM staff").await.is_empty());
    let unmatched = "SELECT wonde_id FROM mis_person WHERE staff_id IS NULL AND matched_by IS NULL";
    assert_eq!(rows::texts(&store.pool, unmatched).await.len(), 3);
}

//! What may be applied, and when.

use mis_sync_domain::JobState;
use mis_sync_domain::plan::{List, MappedPage, Next};
use mis_sync_store::{
    Error, jobs, schools,
    sync::{self, Finished},
};

use crate::{
    fixture::{LONG, RULES, TestStore, kept, page, person, plan, with_email},
    rows,
};

#[tokio::test]
async fn a_dry_run_reports_what_a_sync_would_do_and_changes_nobody() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea"), person("cat")]).await;
    let before = rows::people(&store.pool, &school).await;
    let synced_at = schools::get(&store.pool, &school).await.unwrap().unwrap().last_synced_at;
    let list = [
        with_email("ada", "bea@oak.example"),
        with_email("bea", "ada@oak.example"),
        person("cat"),
        person("new"),
        with_email("x", "both@oak.example"),
        with_email("y", "both@oak.example"),
    ];
    let (dry_job, dry) = store.preview(&school, &list).await;
    assert_eq!(rows::people(&store.pool, &school).await, before);
    let after = schools::get(&store.pool, &school).await.unwrap().unwrap();
    assert_eq!(after.last_synced_at, synced_at);
    let (job, report) = store.sync(&school, &list).await;
    assert_eq!((dry.created, dry.updated, dry.unchanged, dry.issues), (1, 2, 1, 2));
    assert_eq!(dry, report);
    assert_eq!(store.issues(dry_job).await, store.issues(job).await);

    let mut dry_changes = rows::changes(&store.pool, dry_job).await;
    let mut changes = rows::changes(&store.pool, job).await;
    // The new person has no id before they exist.
    let created = changes.iter_mut().find(|change| change.field == "created").unwrap();
    assert!(created.staff_id.take().is_some());
    for history in [&mut dry_changes, &mut changes] {
        history.sort_by(|a, b| (&a.wonde_id, &a.field).cmp(&(&b.wonde_id, &b.field)));
    }
    assert_eq!(dry_changes, changes);
    let dry_job = jobs::get(&store.pool, dry_job).await.unwrap().unwrap();
    assert_eq!((dry_job.state, dry_job.options.dry_run), (JobState::Succeeded, true));
}

#[tokio::test]
async fn an_incomplete_fetch_is_not_applied() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = store.claim(store.enqueue(&school).await).await;
    let is_complete = async || kept(&store.pool, lease).await.unwrap().into_fetched().is_some();
    assert!(!is_complete().await, "no page yet");
    store.add_before(lease, &page(&[person("ada")]), "2").await.unwrap();
    assert!(!is_complete().await, "a page is missing");
    let classes = MappedPage::default();
    store.keep(lease, List::Classes, &classes, Next::At("2".into())).await.unwrap();
    store.add(lease, &page(&[person("bea")])).await.unwrap();
    assert!(!is_complete().await, "a page of classes is missing");
    store.keep(lease, List::Classes, &classes, Next::Over).await.unwrap();
    assert_eq!(store.finish(lease, &school).await.unwrap().created, 2);
}

#[tokio::test]
async fn a_run_that_lost_its_job_at_the_last_moment_applies_nothing() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = store.staged(&school, &[person("ada")]).await;
    let fetched = kept(&store.pool, lease).await.unwrap().into_fetched().unwrap();
    let expire = "UPDATE job SET lease_until = now() - interval '1 second'";
    rows::change(&store.pool, expire).await;
    store.claim(lease.job_id).await;
    let plan = plan(lease, &school, RULES).of(&fetched);
    let finished = sync::finish(&store.pool, plan, || LONG).await;
    assert!(matches!(finished, Err(Error::LeaseLost)), "{finished:?}");
    assert_eq!(rows::people(&store.pool, &school).await, []);
    assert_eq!(rows::changes(&store.pool, lease.job_id).await, []);
    assert_eq!(store.issues(lease.job_id).await, []);
}

#[tokio::test]
async fn the_report_has_the_time_that_the_attempt_took() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = store.staged(&school, &[person("ada")]).await;
    let elapsed = || std::time::Duration::from_millis(1234);
    let fetched = kept(&store.pool, lease).await.unwrap().into_fetched().unwrap();
    let plan = plan(lease, &school, RULES).of(&fetched);
    let finished = sync::finish(&store.pool, plan, elapsed).await.unwrap();
    let Finished::Applied(report) = finished else { panic!("held") };
    assert_eq!(report.duration_ms, 1234);
}

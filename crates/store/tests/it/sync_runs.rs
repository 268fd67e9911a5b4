//! What may be applied, and when.

use mis_sync_domain::JobState;
use mis_sync_store::{
    Error, jobs, schools, staging,
    sync::{self, Finished},
};

use crate::{
    fixture::{LONG, RULES, TestStore, page, page_before, person, plan, with_email},
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
    // Nobody has the new person's id before they exist.
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
async fn an_incomplete_fetch_is_refused() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    let lease = store.claim(job).await;
    let refused = async |what: &str| {
        let finished = store.finish(lease, &school).await;
        assert!(matches!(finished, Err(Error::LeaseLost)), "{what}: {finished:?}");
        assert_eq!(rows::people(&store.pool, &school).await, []);
        let state = jobs::get(&store.pool, job).await.unwrap().unwrap().state;
        assert_eq!(state, JobState::Running, "{what}");
    };
    refused("nothing is staged").await;
    staging::begin(&store.pool, lease, RULES, None, LONG).await.unwrap();
    refused("no page yet").await;
    store.add(lease, &page_before(&[person("ada")], "2")).await.unwrap();
    refused("a page is missing").await;
    store.add(lease, &page(&[person("bea")])).await.unwrap();
    assert_eq!(store.finish(lease, &school).await.unwrap().created, 2);
}

#[tokio::test]
async fn a_run_that_lost_its_job_at_the_last_moment_applies_nothing() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = store.staged(&school, &[person("ada")]).await;
    // The staging is still its own, but the job is not.
    let expire = "UPDATE job SET lease_until = now() - interval '1 second'";
    rows::change(&store.pool, expire).await;
    store.claim(lease.job_id).await;
    let finished = store.finish(lease, &school).await;
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
    let finished = sync::finish(&store.pool, plan(lease, &school, RULES), elapsed).await.unwrap();
    let Finished::Applied(report) = finished else { panic!("held") };
    assert_eq!(report.duration_ms, 1234);
}

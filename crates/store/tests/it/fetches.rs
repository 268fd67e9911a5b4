//! Pages that are kept during a fetch.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    IssueCode, JobTitle, Lease, Photo, PhotoRecord, PhotoType, Stage,
    plan::{List, MappedPage, Next},
};
use mis_sync_store::{
    Error,
    fetches::{self, KeptFetch},
    jobs,
};

use crate::{
    fixture::{LONG, TestStore, failure, kept, page, person},
    rows,
};

const KEPT: &str = "SELECT count(*) FROM fetched_page";

async fn claimed(store: &TestStore, school: &str) -> Lease {
    let job = store.enqueue(&store.school(school).await).await;
    store.claim_for(job, Duration::ZERO).await
}

/// How the list of staff continues.
fn next(fetch: &KeptFetch) -> Option<Next<serde_json::Value>> {
    fetch.next_of(List::Employees).cloned()
}

#[tokio::test]
async fn another_claim_takes_over_in_mid_fetch_and_the_old_one_is_out() {
    let store = TestStore::start().await;
    let old = claimed(&store, "oak").await;
    let mut begun = kept(&store.pool, old).await.unwrap();
    assert_eq!((next(&begun), begun.records()), (None, 0));
    store.add_before(old, &page(&[person("ada"), person("bea")]), "page 2").await.unwrap();
    fetches::note(&store.pool, old, &mut begun, IssueCode::UnknownMis).await.unwrap();

    let new = store.claim(old.job_id).await;
    let mut taken = kept(&store.pool, new).await.unwrap();
    assert_eq!((next(&taken), taken.records()), (Some(Next::At("page 2".into())), 2));
    assert_eq!(taken.started_at, begun.started_at);
    assert!(!taken.note(IssueCode::UnknownMis), "it was noted before");
    for refused in [
        store.add(old, &page(&[person("eve")])).await,
        kept(&store.pool, old).await.map(drop),
        fetches::note(&store.pool, old, &mut begun, IssueCode::PhotosWithheld).await,
        fetches::rewind(&store.pool, old, &mut begun, List::Employees).await,
        fetches::discard(&store.pool, old).await,
    ] {
        assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    }
    store.add(new, &page(&[person("cat")])).await.unwrap();
    let report = store.finish(new, &"oak".parse().unwrap()).await.unwrap();
    assert_eq!((report.fetched, report.created, report.requests, report.issues), (3, 3, 2, 1));
    assert_eq!(rows::value::<i64>(&store.pool, KEPT).await, 0, "pages go with their job");
}

#[tokio::test]
async fn a_page_notes_the_progress_of_the_job() {
    let store = TestStore::start().await;
    let lease = claimed(&store, "oak").await;
    store.add_before(lease, &page(&[person("ada")]), "2").await.unwrap();
    let job = jobs::get(&store.pool, lease.job_id).await.unwrap().unwrap();
    let progress = job.progress.unwrap();
    assert_eq!((progress.stage, progress.done, progress.total), (Stage::Fetching, 1, None));
}

#[tokio::test]
async fn pages_that_are_too_old_or_not_understood_are_thrown_away_and_the_fetch_starts_anew() {
    for broken in [
        "UPDATE fetched_page SET kept_at = kept_at - interval '2 hours'",
        "UPDATE fetched_page SET records = 'of another form' WHERE list = 'employees'",
        "UPDATE fetched_page SET list = 'of a newer release' WHERE list = 'employees'",
        "DELETE FROM fetched_page WHERE list = 'beginning'",
    ] {
        let store = TestStore::start().await;
        let old = claimed(&store, "oak").await;
        store.add_before(old, &page(&[person("ada")]), "page 2").await.unwrap();
        rows::change(&store.pool, broken).await;

        let new = store.claim(old.job_id).await;
        assert_eq!(next(&kept(&store.pool, new).await.unwrap()), None, "{broken}");
        assert_eq!(rows::value::<i64>(&store.pool, KEPT).await, 1, "nothing but the beginning");
        store.add(new, &page(&[person("bea")])).await.unwrap();
        let school = "oak".parse().unwrap();
        assert_eq!(store.finish(new, &school).await.unwrap().created, 1);
        assert_eq!(rows::people(&store.pool, &school).await[0].surname, "bea");
    }
}

#[tokio::test]
async fn a_fetch_stays_of_the_kind_that_it_began_as() {
    let store = TestStore::start().await;
    let old = claimed(&store, "oak").await;
    let after = DateTime::<Utc>::from_timestamp(1_000_000_000, 0);
    assert!(!fetches::begin(&store.pool, old, after, LONG).await.unwrap().is_full());
    let new = store.claim(old.job_id).await;
    let taken = fetches::begin(&store.pool, new, None, LONG).await.unwrap();
    assert_eq!(taken.updated_after, after);
}

#[tokio::test]
async fn an_empty_page_is_a_page() {
    let store = TestStore::start().await;
    let lease = claimed(&store, "oak").await;
    store.add_before(lease, &MappedPage::default(), "2").await.unwrap();
    store.add(lease, &MappedPage::default()).await.unwrap();
    let report = store.finish(lease, &"oak".parse().unwrap()).await.unwrap();
    assert_eq!((report.fetched, report.created, report.requests), (0, 0, 0));
}

#[tokio::test]
async fn the_sweep_throws_away_what_ended_jobs_left_and_nothing_else() {
    let store = TestStore::start().await;
    let mut leases = Vec::new();
    for school in ["oak", "elm", "ash"] {
        let lease = claimed(&store, school).await;
        store.add_before(lease, &page(&[person("bea")]), "2").await.unwrap();
        leases.push(lease);
    }
    jobs::fail(&store.pool, leases[0], &failure("broken")).await.unwrap();
    jobs::retry(&store.pool, leases[1], &failure("later"), LONG / 2).await.unwrap();
    assert_eq!(fetches::discard_leftovers(&store.pool).await.unwrap(), 1);
    assert_eq!(fetches::discard_leftovers(&store.pool).await.unwrap(), 0);
    assert_eq!(rows::value::<i64>(&store.pool, KEPT).await, 4);
}

#[tokio::test]
async fn photos_are_kept_beside_the_page_and_once_only() {
    let store = TestStore::start().await;
    let lease = claimed(&store, "oak").await;
    let image = PhotoRecord::Image(Photo { kind: PhotoType::Png, content: vec![7; 100] });
    let photos = vec![("ada".into(), image), ("bea".into(), PhotoRecord::Without)];
    let page = MappedPage { photos, ..MappedPage::default() };
    store.keep(lease, List::Photos, &page, Next::At("2".into())).await.unwrap();
    let images = "SELECT cardinality(images)::bigint FROM fetched_page WHERE list = 'photos'
        ORDER BY page DESC LIMIT 1";
    assert_eq!(rows::value::<i64>(&store.pool, images).await, 1);
    let fetched = {
        store.add(lease, &crate::fixture::page(&[person("ada")])).await.unwrap();
        store.keep(lease, List::Photos, &MappedPage::default(), Next::Over).await.unwrap();
        kept(&store.pool, lease).await.unwrap().into_fetched().unwrap()
    };
    let hashes = fetched.photos.unwrap();
    assert_eq!(hashes[1], ("bea".to_owned(), None));
    let hash = hashes[0].1.clone().unwrap();
    let store_it = format!(
        "INSERT INTO staff_photo (hash, content_type, content) VALUES ('{hash}', 'image/png', '')"
    );
    rows::change(&store.pool, &store_it).await;
    store.keep(lease, List::Photos, &page, Next::Over).await.unwrap();
    assert_eq!(rows::value::<i64>(&store.pool, images).await, 0, "it is stored already");
}

#[tokio::test]
async fn any_text_survives_the_way_through_staging() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let texts = [
        "tab\tand\nline\r\nend",
        r"back\slash \N \. \t \\",
        "\"quoted\", 'single', comma",
        "Zoë 🦉 Ñandú \u{202e}",
        "\\.",
        " leading and trailing ",
        "\u{1}\u{8}\u{b}\u{c}\u{7f}",
    ];
    let people: Vec<_> = (0..)
        .zip(texts)
        .map(|(n, text)| {
            let mut someone = person(&format!("w{n}"));
            someone.first_name = text.into();
            someone.initials = Some(text.into());
            someone.upi = Some(text.into());
            someone.job_title = JobTitle::Roles(text.into());
            someone
        })
        .collect();
    store.sync(&school, &people).await;
    let held = rows::people(&store.pool, &school).await;
    for (person, text) in held.iter().zip(texts) {
        assert_eq!(person.first_name, text);
        assert_eq!(person.initials.as_deref(), Some(text));
        assert_eq!(person.upi.as_deref(), Some(text));
        assert_eq!(person.job_title.as_deref(), Some(text));
    }
    let (_, again) = store.sync(&school, &people).await;
    assert_eq!((again.unchanged, again.updated), (texts.len() as u64, 0));
}

use std::time::Duration;

use mis_sync_domain::{JobTitle, Lease, StaffRecord, Stage};
use mis_sync_store::{
    Error, jobs,
    staging::{self, FetchState, MappedPage},
};

use crate::{
    fixture::{LONG, RULES, TestStore, failure, page, page_before, person},
    rows,
};

const STAGED: [&str; 4] = [
    "SELECT count(*) FROM stage_fetch",
    "SELECT count(*) FROM stage_staff",
    "SELECT count(*) FROM stage_issue",
    "SELECT count(*) FROM stage_match",
];

async fn begin(store: &TestStore, lease: Lease) -> Result<FetchState, Error> {
    staging::begin(&store.pool, lease, RULES, None, LONG).await
}

async fn claimed(store: &TestStore, school: &str) -> Lease {
    let job = store.enqueue(&store.school(school).await).await;
    store.claim_for(job, Duration::ZERO).await
}

async fn staged_rows(store: &TestStore) -> i64 {
    let mut rows = 0;
    for count in STAGED {
        rows += rows::value::<i64>(&store.pool, count).await;
    }
    rows
}

#[tokio::test]
async fn another_claim_takes_over_in_mid_fetch_and_the_old_one_is_out() {
    let store = TestStore::start().await;
    let old = claimed(&store, "oak").await;
    assert_eq!(begin(&store, old).await.unwrap(), FetchState::default());
    store.add(old, &page_before(&[person("ada"), person("bea")], "page 2")).await.unwrap();

    let new = store.claim(old.job_id).await;
    let state = begin(&store, new).await.unwrap();
    let expected =
        FetchState { next_page: Some("page 2".into()), fetched: 2, ..FetchState::default() };
    assert_eq!(state, expected);
    for refused in [
        store.add(old, &page(&[person("eve")])).await,
        begin(&store, old).await.map(drop),
        staging::discard(&store.pool, old).await,
        store.finish(old, &"oak".parse().unwrap()).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    }
    store.add(new, &page(&[person("cat")])).await.unwrap();
    let report = store.finish(new, &"oak".parse().unwrap()).await.unwrap();
    assert_eq!((report.fetched, report.created, report.requests), (3, 3, 2));
}

#[tokio::test]
async fn a_page_notes_the_progress_of_the_job() {
    let store = TestStore::start().await;
    let lease = claimed(&store, "oak").await;
    begin(&store, lease).await.unwrap();
    store.add(lease, &page_before(&[person("ada")], "2")).await.unwrap();
    let job = jobs::get(&store.pool, lease.job_id).await.unwrap().unwrap();
    let progress = job.progress.unwrap();
    assert_eq!((progress.stage, progress.done, progress.total), (Stage::Fetching, 1, None));
}

#[tokio::test]
async fn pages_that_are_too_old_are_thrown_away_and_the_fetch_starts_anew() {
    let store = TestStore::start().await;
    let old = claimed(&store, "oak").await;
    begin(&store, old).await.unwrap();
    store.add(old, &page_before(&[person("ada")], "page 2")).await.unwrap();
    let age = "UPDATE stage_fetch SET updated_at = updated_at - interval '2 hours'";
    rows::change(&store.pool, age).await;

    let new = store.claim(old.job_id).await;
    assert_eq!(begin(&store, new).await.unwrap(), FetchState::default());
    assert_eq!(staged_rows(&store).await, 1, "nothing but the fetch itself");
    assert!(matches!(store.add(old, &page(&[])).await, Err(Error::LeaseLost)));
    store.add(new, &page(&[person("bea")])).await.unwrap();
    let school = "oak".parse().unwrap();
    assert_eq!(store.finish(new, &school).await.unwrap().created, 1);
    assert_eq!(rows::people(&store.pool, &school).await[0].surname, "bea");
}

#[tokio::test]
async fn a_complete_fetch_takes_no_further_page_and_stays_complete_for_the_next_claim() {
    let store = TestStore::start().await;
    let lease = claimed(&store, "oak").await;
    begin(&store, lease).await.unwrap();
    store.add(lease, &page(&[person("ada")])).await.unwrap();
    assert!(matches!(store.add(lease, &page(&[])).await, Err(Error::LeaseLost)));
    let next = store.claim(lease.job_id).await;
    let expected = FetchState { fetched: 1, complete: true, ..FetchState::default() };
    assert_eq!(begin(&store, next).await.unwrap(), expected);
}

#[tokio::test]
async fn an_empty_page_is_a_page() {
    let store = TestStore::start().await;
    let lease = claimed(&store, "oak").await;
    begin(&store, lease).await.unwrap();
    let empty = MappedPage { next_page: Some("2".into()), ..MappedPage::default() };
    store.add(lease, &empty).await.unwrap();
    store.add(lease, &MappedPage::default()).await.unwrap();
    let report = store.finish(lease, &"oak".parse().unwrap()).await.unwrap();
    assert_eq!((report.fetched, report.created, report.requests), (0, 0, 0));
}

#[tokio::test]
async fn discarding_leaves_the_rows_of_other_jobs() {
    let store = TestStore::start().await;
    let (oak, elm) = (claimed(&store, "oak").await, claimed(&store, "elm").await);
    for lease in [oak, elm] {
        begin(&store, lease).await.unwrap();
        store.add(lease, &page_before(&[person("ada")], "2")).await.unwrap();
    }
    staging::discard(&store.pool, oak).await.unwrap();
    assert_eq!(staged_rows(&store).await, 2);
    assert!(matches!(staging::discard(&store.pool, oak).await, Err(Error::LeaseLost)));
}

#[tokio::test]
async fn the_sweep_throws_away_what_ended_jobs_left_and_nothing_else() {
    let store = TestStore::start().await;
    let oak = "oak".parse().unwrap();
    let done = {
        store.school("oak").await;
        let lease = store.staged(&oak, &[person("ada")]).await;
        store.finish(lease, &oak).await.unwrap();
        lease
    };
    let running = claimed(&store, "elm").await;
    let retrying = claimed(&store, "ash").await;
    for lease in [running, retrying] {
        begin(&store, lease).await.unwrap();
        store.add(lease, &page_before(&[person("bea")], "2")).await.unwrap();
    }
    jobs::retry(&store.pool, retrying, &failure("later"), LONG / 2).await.unwrap();
    assert_eq!(staging::discard_leftovers(&store.pool).await.unwrap(), 1);
    assert_eq!(staging::discard_leftovers(&store.pool).await.unwrap(), 0);
    assert_eq!(staged_rows(&store).await, 4);
    assert!(matches!(staging::discard(&store.pool, done).await, Err(Error::LeaseLost)));
}

#[tokio::test]
async fn a_nul_which_postgres_cannot_hold_is_left_out() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let ada = StaffRecord { first_name: "A\0da".into(), ..person("ada") };
    let (_, report) = store.sync(&school, &[ada, person("bea")]).await;
    assert_eq!(report.created, 2);
    assert_eq!(rows::people(&store.pool, &school).await[0].first_name, "Ada");
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

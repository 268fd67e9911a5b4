use mis_sync_domain::plan::MappedPage;
use mis_sync_domain::{
    ChangedField, ChangedRecord, FieldValue, Issue, IssueCode, Job, JobId, JobKind, JobState,
    StaffId, StaffRecord, SyncRules,
};
use mis_sync_store::jobs::{self, JobFilter, NewJob};

use crate::{
    fixture::{RULES, TestStore, failure, new_sync, page, person},
    rows,
};

async fn list(store: &TestStore, filter: &JobFilter) -> Vec<JobId> {
    let jobs = jobs::list(&store.pool, filter, 100).await.unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

#[tokio::test]
async fn each_filter_narrows_the_list_which_is_newest_first() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let failed = store.enqueue(&oak).await;
    let lease = store.claim(failed).await;
    jobs::fail(&store.pool, lease, &failure("broken")).await.unwrap();
    let (second, third) = (store.enqueue(&oak).await, store.enqueue(&elm).await);

    let all = JobFilter::default();
    assert_eq!(list(&store, &all).await, [third, second, failed]);
    let of_oak = JobFilter { schools: vec![oak.clone()], ..all.clone() };
    assert_eq!(list(&store, &of_oak).await, [second, failed]);
    let queued = JobFilter { states: vec![JobState::Queued], ..all.clone() };
    assert_eq!(list(&store, &queued).await, [third, second]);
    let syncs = JobFilter { kinds: vec![JobKind::SyncSchool], ..all.clone() };
    assert_eq!(list(&store, &syncs).await.len(), 3);
    let since = jobs::get(&store.pool, second).await.unwrap().unwrap().created_at;
    let recent = JobFilter { since: Some(since), ..all.clone() };
    assert_eq!(list(&store, &recent).await, [third, second]);
    let both = JobFilter { states: vec![JobState::Failed], ..recent };
    assert_eq!(list(&store, &both).await, []);
    rows::change(&store.pool, "UPDATE job SET kind = 'a kind of a later release'").await;
    assert_eq!(list(&store, &syncs).await, []);
    assert_eq!(jobs::list(&store.pool, &all, 1).await.unwrap()[0].kind, JobKind::Unknown);
    let broken = r#"UPDATE job SET kind = 'sync-school', options = '["nonsense"]'"#;
    rows::change(&store.pool, broken).await;
    let broken = jobs::list(&store.pool, &all, 1).await.unwrap_err().to_string();
    assert!(broken.contains("job.options"), "{broken}");
}

#[tokio::test]
async fn pages_show_every_job_once_even_while_new_ones_come() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let mut expected = Vec::new();
    let enqueue = async |n: usize| {
        let new = NewJob { unique_key: format!("job-{n}"), ..new_sync(&school) };
        store.enqueue_new(&new).await
    };
    for n in 0..7 {
        expected.push(enqueue(n).await);
    }
    expected.reverse();
    let mut seen: Vec<JobId> = Vec::new();
    loop {
        let filter = JobFilter { before: seen.last().copied(), ..JobFilter::default() };
        let page: Vec<Job> = jobs::list(&store.pool, &filter, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|job| job.id));
        enqueue(100 + seen.len()).await;
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn issues_come_in_the_order_of_wondes_list_and_page_by_page() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let issue = |code, id: &str| Issue { code, wonde_id: Some(id.into()) };
    let lease = store.staged(&school, &[person("ada"), person("bea")]).await;
    store.finish(lease, &school).await.unwrap();
    assert_eq!(store.issues(lease.job_id).await, []);

    let job = store.enqueue(&school).await;
    let lease = store.claim(job).await;
    // Places 1 and 3 of the first page, 0 of the second: the list is one.
    let first = MappedPage {
        issues: vec![
            (3, issue(IssueCode::NameMissing, "dan")),
            (1, issue(IssueCode::NoWorkEmail, "bob")),
        ],
        staff: vec![(0, person("ada")), (2, person("bea"))],
        skipped: 2,
        ..page(&[person("ada"), person("bob"), person("bea"), person("dan")])
    };
    store.add_before(lease, &first, "2").await.unwrap();
    let unreadable = Issue { code: IssueCode::UnreadableRecord, wonde_id: None };
    // Two with one email, between the issues of the mapping.
    let twins = [
        crate::fixture::with_email("eve", "x@oak.example"),
        crate::fixture::with_email("fay", "X@oak.example"),
    ];
    let last = MappedPage {
        issues: vec![(0, unreadable)],
        staff: vec![(1, twins[0].clone()), (2, twins[1].clone())],
        fetched: 3,
        ..page(&twins)
    };
    store.add(lease, &last).await.unwrap();
    let report = store.finish(lease, &school).await.unwrap();
    assert_eq!((report.fetched, report.issues, report.skipped), (7, 5, 4));

    let all = jobs::issues(&store.pool, job, 0, 100).await.unwrap();
    let found: Vec<_> =
        all.iter().map(|(_, issue)| (issue.code, issue.wonde_id.as_deref())).collect();
    let expected = [
        (IssueCode::NoWorkEmail, Some("bob")),
        (IssueCode::NameMissing, Some("dan")),
        (IssueCode::UnreadableRecord, None),
        (IssueCode::SharedWorkEmail, Some("eve")),
        (IssueCode::SharedWorkEmail, Some("fay")),
    ];
    assert_eq!(found, expected);
    let mut paged = Vec::new();
    while let Some(page) = Some(
        jobs::issues(&store.pool, job, paged.last().map_or(0, |(at, _)| *at), 2).await.unwrap(),
    )
    .filter(|page| !page.is_empty())
    {
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn changes_are_what_the_sync_wrote_page_by_page() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let married = StaffRecord { surname: "Day".into(), non_teaching: Some(true), ..person("ada") };
    let rules = SyncRules { deactivates: true, ..RULES };
    let (job, _) = store.sync_page(&school, rules, &page(&[married, person("cat")]), false).await;

    let all = jobs::changes(&store.pool, job, 0, 100).await.unwrap();
    let found: Vec<_> = all.iter().map(|(_, change)| (change.field, change.new.clone())).collect();
    let text = |text: &str| Some(FieldValue::Text(text.into()));
    for wanted in [
        (ChangedField::Surname, text("Day")),
        (ChangedField::NonTeaching, Some(FieldValue::Flag(true))),
        (ChangedField::Active, Some(FieldValue::Flag(false))),
        (ChangedField::Created, None),
    ] {
        assert!(found.contains(&wanted), "{:?}", wanted.0);
    }
    // The rows themselves, as they are in the table.
    let rows = rows::changes(&store.pool, job).await;
    assert_eq!(all.len(), rows.len());
    for ((_, change), row) in all.iter().zip(rows) {
        assert_eq!(change.record, ChangedRecord::Staff(row.staff_id.map(StaffId)));
        assert_eq!((&change.wonde_id, change.field.as_str()), (&row.wonde_id, row.field.as_str()));
        let value = |text: Option<String>| text.and_then(|text| change.field.value(text));
        assert!((&change.old, &change.new) == (&value(row.old_value), &value(row.new_value)));
    }

    let mut paged = Vec::new();
    while let Some(page) = Some(
        jobs::changes(&store.pool, job, paged.last().map_or(0, |(at, _)| *at), 3).await.unwrap(),
    )
    .filter(|page| !page.is_empty())
    {
        assert!(page.len() <= 3);
        paged.extend(page);
    }
    assert!(paged == all);

    rows::change(&store.pool, "UPDATE job_change SET new_value = 'Zoe' WHERE field = 'active'")
        .await;
    let error = jobs::changes(&store.pool, job, 0, 100).await.unwrap_err().to_string();
    assert!(error.contains("job_change.new_value") && !error.contains("Zoe"), "{error}");
}

#[tokio::test]
async fn the_last_good_sync_says_how_many_records_to_expect() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let expected = async || jobs::records_of_last_sync(&store.pool, &school).await.unwrap();
    assert_eq!(expected().await, None);
    store.sync(&school, &[person("ada"), person("bea")]).await;
    assert_eq!(expected().await, Some(2));
    store.sync(&school, &[person("ada")]).await;
    let job = store.enqueue(&school).await;
    let lease = store.claim(job).await;
    jobs::fail(&store.pool, lease, &failure("broken")).await.unwrap();
    assert_eq!(expected().await, Some(1));
}

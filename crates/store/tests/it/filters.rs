//! The list of jobs with each filter, in a ledger with a long history.

use mis_sync_domain::{JobKind, JobState, SchoolId};
use mis_sync_store::{
    Pool,
    jobs::{self, Count, JobFilter},
    schools,
};

use crate::{
    fixture::TestStore,
    plans::{self, Reads},
    rows,
};

/// A hundred thousand jobs of two hundred schools in thirty days, the youngest an hour old. What is
/// rare is old, so a scan back from the newest would be long.
const HISTORY: &str = "
    INSERT INTO job (id, kind, lane, school_id, staff_id, unique_key, requested_by, state, attempt,
        max_attempts, created_at, started_at, finished_at, deadline_at, error)
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000'
            || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
        CASE WHEN n % 3 = 0 OR n < 300 THEN 'sync-school' ELSE 'refresh-user' END, 'bulk',
        'school-' || n % 200, ('00000000-0000-7000-8000-' || lpad(to_hex(n % 5000), 12, '0'))::uuid,
        n::text, CASE WHEN n < 300 THEN 'someone' ELSE 'iP' END, state, 1, 5,
        at, at + interval '1 second', at + interval '9 seconds', at + interval '6 hours',
        CASE WHEN state = 'failed' THEN jsonb_build_object('title', '', 'detail', '',
            'type', CASE WHEN n < 2000 THEN 'rare' ELSE 'common' END) END
    FROM (
        SELECT n, now() - interval '1 hour' - (100000 - n) * interval '26 seconds' AS at,
            CASE WHEN n < 300 THEN 'cancelled' WHEN n % 25 = 0 THEN 'failed'
                WHEN n > 1000 AND n % 50 = 1 THEN 'cancelled' ELSE 'succeeded' END AS state
        FROM generate_series(1, 100000) n
    ) history";

async fn history() -> TestStore {
    let store = TestStore::start().await;
    for n in 0..200 {
        store.school(&format!("school-{n}")).await;
    }
    rows::change(&store.pool, HISTORY).await;
    rows::change(&store.pool, "VACUUM ANALYZE job").await;
    store
}

fn school(n: usize) -> SchoolId {
    format!("school-{n}").parse().unwrap()
}

/// Each filter alone, and typical combinations.
fn filters(store: &Known) -> Vec<(&'static str, JobFilter)> {
    let all = JobFilter::default();
    let old = JobFilter { until: Some(store.oldest.created_at), ..all.clone() };
    vec![
        ("nothing", all.clone()),
        ("one school", JobFilter { schools: vec![school(7)], ..all.clone() }),
        ("schools", JobFilter { schools: (0..20).map(school).collect(), ..all.clone() }),
        ("person", JobFilter { staff_id: store.oldest.staff_id, ..all.clone() }),
        ("syncs", JobFilter { kinds: vec![JobKind::SyncSchool], ..all.clone() }),
        (
            "failed of both kinds",
            JobFilter {
                kinds: vec![JobKind::SyncSchool, JobKind::RefreshUser],
                states: vec![JobState::Failed],
                ..all.clone()
            },
        ),
        ("failed", JobFilter { states: vec![JobState::Failed], ..all.clone() }),
        ("held", JobFilter { states: vec![JobState::Held], ..all.clone() }),
        (
            "unsuccessful",
            JobFilter { states: vec![JobState::Failed, JobState::Cancelled], ..all.clone() },
        ),
        ("every state", JobFilter { states: JobState::ALL.to_vec(), ..all.clone() }),
        ("rare error", JobFilter { error_code: Some("rare".into()), ..all.clone() }),
        ("unknown error", JobFilter { error_code: Some("never".into()), ..all.clone() }),
        ("someone's", JobFilter { requested_by: Some("someone".into()), ..all.clone() }),
        ("ids", JobFilter { ids: vec![store.oldest.id, store.newest.id], ..all.clone() }),
        ("an id", JobFilter { id_prefix: Some(store.prefix(32)), ..all.clone() }),
        ("the beginning of an id", JobFilter { id_prefix: Some(store.prefix(9)), ..all.clone() }),
        ("since", JobFilter { since: Some(store.newest.created_at), ..all.clone() }),
        ("until", old.clone()),
        ("page", JobFilter { before: Some(store.oldest.id), ..all.clone() }),
        (
            "cancelled syncs of old",
            JobFilter {
                kinds: vec![JobKind::SyncSchool],
                states: vec![JobState::Cancelled],
                until: Some(store.newest.created_at),
                ..all.clone()
            },
        ),
        (
            "failed of a school",
            JobFilter { schools: vec![school(3)], states: vec![JobState::Failed], ..all.clone() },
        ),
        (
            "held of schools",
            JobFilter {
                schools: (0..5).map(school).collect(),
                states: vec![JobState::Held],
                ..all.clone()
            },
        ),
        (
            "an error, failed, since",
            JobFilter {
                error_code: Some("rare".into()),
                states: vec![JobState::Failed],
                since: Some(store.newest.created_at),
                ..all
            },
        ),
    ]
}

/// Jobs that the filters ask for.
struct Known {
    oldest: mis_sync_domain::Job,
    newest: mis_sync_domain::Job,
}

impl Known {
    async fn of(pool: &Pool) -> Self {
        let find = async |order: &str| {
            let sql = format!("SELECT id::text FROM job ORDER BY id {order} LIMIT 1");
            let id: String = rows::value(pool, &sql).await;
            jobs::get(pool, id.parse().unwrap()).await.unwrap().unwrap()
        };
        Self { oldest: find("ASC").await, newest: find("DESC").await }
    }

    fn prefix(&self, digits: usize) -> jobs::IdPrefix {
        self.oldest.id.0.simple().to_string()[..digits].parse().unwrap()
    }
}

/// What a plain reading of the whole ledger says of a filter.
fn matches(filter: &JobFilter, job: &mis_sync_domain::Job) -> bool {
    let digits = job.id.0.simple().to_string();
    (filter.ids.is_empty() || filter.ids.contains(&job.id))
        && (filter.schools.is_empty()
            || filter.schools.iter().any(|id| job.school_id.as_ref() == Some(id)))
        && (filter.states.is_empty() || filter.states.contains(&job.state))
        && filter.staff_id.is_none_or(|id| job.staff_id == Some(id))
        && (filter.kinds.is_empty() || filter.kinds.contains(&job.kind))
        && filter
            .error_code
            .as_ref()
            .is_none_or(|code| job.error.as_ref().is_some_and(|error| error.code == *code))
        && filter.requested_by.as_ref().is_none_or(|name| job.requested_by.name == *name)
        && filter.id_prefix.is_none_or(|prefix| digits.starts_with(&prefix.to_string()))
        && filter.since.is_none_or(|since| job.created_at >= since)
        && filter.until.is_none_or(|until| job.created_at < until)
        && filter.before.is_none_or(|before| job.id < before)
}

#[tokio::test]
async fn each_filter_finds_what_a_plain_look_at_every_job_finds() {
    let store = history().await;
    let known = Known::of(&store.pool).await;
    let everything = jobs::list(&store.pool, &JobFilter::default(), 200_000).await.unwrap();
    assert_eq!(everything.len(), 100_000);
    for (name, filter) in filters(&known) {
        let expected: Vec<_> = everything.iter().filter(|job| matches(&filter, job)).collect();
        let found = jobs::list(&store.pool, &filter, 60).await.unwrap();
        let first = expected.iter().take(60).copied();
        assert!(found.iter().eq(first), "{name}: {} of {}", found.len(), expected.len());
        let number = number_of(&expected);
        let count = jobs::count(&store.pool, &filter, 700).await.unwrap();
        assert_eq!(count, Count { number: number.min(700), is_exact: number <= 700 }, "{name}");
    }
}

#[tokio::test]
async fn each_filter_says_what_it_would_find_in_each_state() {
    let store = history().await;
    let known = Known::of(&store.pool).await;
    let everything = jobs::list(&store.pool, &JobFilter::default(), 200_000).await.unwrap();
    for (name, filter) in filters(&known) {
        let in_any = JobFilter { states: Vec::new(), before: None, ..filter.clone() };
        let matching: Vec<_> = everything.iter().filter(|job| matches(&in_any, job)).collect();
        for at_most in [700, 100_000] {
            let (all, counts) = jobs::counts(&store.pool, &filter, at_most).await.unwrap();
            let on_all_pages = JobFilter { before: None, ..filter.clone() };
            let counted = jobs::count(&store.pool, &on_all_pages, at_most).await.unwrap();
            assert_eq!(all, counted, "{name}");
            assert!(counts.iter().map(|(state, _)| state).eq(JobState::ALL), "{name}");
            for (state, count) in counts {
                let in_state = matching.iter().filter(|job| job.state == state).collect::<Vec<_>>();
                let number = number_of(&in_state);
                let is_right = if count.is_exact {
                    count.number == number
                } else {
                    count.number <= number.min(at_most) && number_of(&matching) > at_most
                };
                assert!(is_right, "{name}, {state}: {count:?} of {number}");
            }
        }
    }
}

fn number_of<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap()
}

#[tokio::test]
async fn no_filter_reads_more_of_the_ledger_than_it_shows() {
    let mut store = history().await;
    plans::count_reads(&mut store).await;
    let pool = &store.pool;
    let known = Known::of(pool).await;
    for (name, filter) in filters(&known) {
        let before = Reads::so_far(pool).await;
        jobs::list(pool, &filter, 50).await.unwrap();
        jobs::count(pool, &filter, 300).await.unwrap();
        jobs::counts(pool, &filter, 100).await.unwrap();
        let Reads { scans, rows } = before.since(pool).await;
        assert_eq!(scans, 0, "{name} scanned the whole table");
        assert!(rows < 4000, "{name} read {rows} rows");
    }
    let before = Reads::so_far(pool).await;
    assert_eq!(jobs::error_codes(pool).await.unwrap(), ["common", "rare"]);
    let Reads { scans, rows } = before.since(pool).await;
    assert!(scans == 0 && rows < 10, "the types of errors took {scans} scans, {rows} rows");
}

#[tokio::test]
async fn schools_are_found_by_how_their_id_begins_or_by_a_part_of_their_name() {
    let store = TestStore::start().await;
    for id in ["oak", "oaktree", "elm"] {
        store.school(id).await;
    }
    let found = async |text: &str| {
        let found = schools::find(&store.pool, text, 10).await.unwrap();
        found.into_iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("OAK").await, ["oak", "oaktree"]);
    assert_eq!(found("ool e").await, ["elm"]);
    assert_eq!(found("%").await, [""; 0]);
    assert_eq!(schools::find(&store.pool, "school", 2).await.unwrap().len(), 2);
}

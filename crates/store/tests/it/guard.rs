//! What a sync may change unasked, and what a person decides of the rest.

use std::time::Duration;

use mis_sync_domain::{
    Affected, Guard, GuardCategory, JobId, JobState, JobTitle, Report, SchoolId, StaffRecord,
    SyncRules,
};
use mis_sync_store::{
    jobs::{self, Actor},
    staging::{self, MappedPage},
    sync::{self, Finished, Plan},
};

use crate::{
    fixture::{LONG, RULES, TestStore, new_sync, page, person, plan, with_email, with_upi},
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, ..RULES };

fn operator() -> Actor {
    Actor::command("operator", None)
}

fn school_of(people: usize) -> Vec<StaffRecord> {
    (0..people).map(|n| person(&format!("p{n:02}"))).collect()
}

/// Fetches and compares with the guard on; the job may be new or approved.
async fn run(store: &TestStore, school: &SchoolId, job: JobId, list: &MappedPage) -> Finished {
    run_as(store, school, job, list, false).await
}

async fn run_as(
    store: &TestStore,
    school: &SchoolId,
    job: JobId,
    list: &MappedPage,
    dry_run: bool,
) -> Finished {
    let lease = store.claim(job).await;
    staging::begin(&store.pool, lease, LEAVERS, None, Duration::ZERO).await.unwrap();
    store.add(lease, list).await.unwrap();
    let plan = Plan { guard: Guard::default(), dry_run, ..plan(lease, school, LEAVERS) };
    sync::finish(&store.pool, plan, || Duration::ZERO).await.unwrap()
}

fn held(finished: Finished) -> Report {
    match finished {
        Finished::Held(report) => report,
        Finished::Applied(report) => panic!("applied: {report:?}"),
    }
}

fn applied(finished: Finished) -> Report {
    match finished {
        Finished::Applied(report) => report,
        Finished::Held(report) => panic!("held: {:?}", report.guard),
    }
}

fn affected(category: GuardCategory, records: u64, of: u64) -> Affected {
    Affected { category, records, of }
}

async fn active(store: &TestStore) -> i64 {
    rows::value(&store.pool, "SELECT count(*) FROM staff WHERE active").await
}

/// Twenty people in iP.
async fn start() -> (TestStore, SchoolId) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &school_of(20)).await;
    (store, school)
}

#[tokio::test]
async fn a_usual_number_of_leavers_goes_through() {
    let (store, school) = start().await;
    let job = store.enqueue(&school).await;
    let report = applied(run(&store, &school, job, &page(&school_of(17))).await);
    assert_eq!((report.deactivated, report.guard), (3, vec![]));
    assert_eq!(active(&store).await, 17);
}

#[tokio::test]
async fn an_unusual_number_waits_for_a_person_who_sees_what_would_be() {
    let (store, school) = start().await;
    let before = rows::people(&store.pool, &school).await;
    let job = store.enqueue(&school).await;
    let report = held(run(&store, &school, job, &page(&school_of(10))).await);
    assert_eq!(report.guard, [affected(GuardCategory::Deactivated, 10, 20)]);
    assert_eq!(report.deactivated, 10);
    assert_eq!(rows::people(&store.pool, &school).await, before, "nobody was touched");
    assert_eq!(rows::changes(&store.pool, job).await.len(), 10, "the diff is there");

    let shown = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.attempt, shown.finished_at), (JobState::Held, 0, None));
    let error = shown.error.unwrap();
    assert_eq!(error.code, "implausible_change");
    assert_eq!(error.detail, "10 of 20 people would no longer be able to log in.");
    let synced = "SELECT count(*) FROM school WHERE last_full_sync_at IS NULL";
    assert_eq!(rows::value::<i64>(&store.pool, synced).await, 0, "the first sync's");
    // Nobody runs it, however long it waits.
    assert!(jobs::claim(&store.pool, job, "w", LONG).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_approved_is_applied_and_nothing_is_said_twice() {
    let (store, school) = start().await;
    let job = store.enqueue(&school).await;
    held(run(&store, &school, job, &page(&school_of(10))).await);
    let approved = jobs::approve(&store.pool, job, &operator()).await.unwrap().unwrap();
    assert_eq!(approved.state, JobState::Held, "until a worker takes it");
    let report = applied(run(&store, &school, job, &page(&school_of(10))).await);
    assert_eq!((report.deactivated, active(&store).await), (10, 10));
    assert_eq!(rows::changes(&store.pool, job).await.len(), 10);
    let history = [(1, Some("held".to_owned())), (1, Some("succeeded".to_owned()))];
    assert_eq!(rows::attempts(&store.pool, job).await, history);
}

#[tokio::test]
async fn an_approval_does_not_cover_more_than_was_shown() {
    let (store, school) = start().await;
    let job = store.enqueue(&school).await;
    held(run(&store, &school, job, &page(&school_of(10))).await);
    jobs::approve(&store.pool, job, &operator()).await.unwrap().unwrap();
    let report = held(run(&store, &school, job, &page(&school_of(5))).await);
    assert_eq!(report.guard, [affected(GuardCategory::Deactivated, 15, 20)]);
    assert_eq!(active(&store).await, 20);
    assert!(jobs::claim(&store.pool, job, "w", LONG).await.unwrap().is_none());
    assert_eq!(rows::changes(&store.pool, job).await.len(), 15, "what would be now");
}

#[tokio::test]
async fn an_empty_list_is_held_in_the_smallest_school_and_with_the_guard_off() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &school_of(2)).await;
    let lease = store.claim(store.enqueue(&school).await).await;
    staging::begin(&store.pool, lease, LEAVERS, None, LONG).await.unwrap();
    store.add(lease, &page(&[])).await.unwrap();
    let finished = sync::finish(&store.pool, plan(lease, &school, LEAVERS), || LONG).await;
    let report = held(finished.unwrap());
    assert_eq!(report.guard, [affected(GuardCategory::Deactivated, 2, 2)]);
    assert_eq!(active(&store).await, 2);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_held_and_succeeds() {
    let (store, school) = start().await;
    let job = store.enqueue(&school).await;
    let report = applied(run_as(&store, &school, job, &page(&school_of(10)), true).await);
    assert_eq!(report.guard, [affected(GuardCategory::Deactivated, 10, 20)]);
    assert_eq!(active(&store).await, 20);
}

#[tokio::test]
async fn many_new_logins_job_titles_and_ids_are_each_held() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let titled = |mut record: StaffRecord, title: Option<&str>| {
        let roles = |title: &str| JobTitle::Roles(title.to_owned());
        record.job_title = title.map_or(JobTitle::Empty, roles);
        StaffRecord { upi: Some(format!("upi-{}", record.wonde_id)), ..record }
    };
    let people = |record: fn(usize) -> StaffRecord, title: fn(usize) -> Option<&'static str>| {
        (0..20).map(|n| titled(record(n), title(n))).collect::<Vec<_>>()
    };
    let usual = people(|n| person(&format!("p{n:02}")), |_| Some("Teacher"));
    store.sync(&school, &usual).await;

    let moved = people(
        |n| with_email(&format!("p{n:02}"), &format!("p{n:02}@new.example")),
        |_| Some("Teacher"),
    );
    let untitled = people(|n| person(&format!("p{n:02}")), |n| (n == 0).then_some("Teacher"));
    let renumbered: Vec<StaffRecord> = (0..20)
        .map(|n| StaffRecord {
            wonde_id: format!("new{n:02}"),
            ..titled(with_upi(&format!("p{n:02}"), ""), Some("Teacher"))
        })
        .collect();
    for (list, category, records) in [
        (moved, GuardCategory::EmailsChanged, 20),
        (untitled, GuardCategory::JobTitlesEmptied, 19),
        (renumbered, GuardCategory::NewIds, 20),
    ] {
        let job = store.enqueue(&school).await;
        let report = held(run(&store, &school, job, &page(&list)).await);
        assert_eq!(report.guard, [affected(category, records, 20)]);
    }
}

#[tokio::test]
async fn a_new_press_takes_the_place_of_a_held_job_but_not_of_an_approved_one() {
    let (store, school) = start().await;
    let first = store.enqueue(&school).await;
    held(run(&store, &school, first, &page(&school_of(10))).await);
    let second = store.enqueue(&school).await;
    let superseded = jobs::get(&store.pool, first).await.unwrap().unwrap();
    assert_eq!(superseded.state, JobState::Cancelled);
    assert_eq!(superseded.error.unwrap().code, "superseded");

    held(run(&store, &school, second, &page(&school_of(10))).await);
    jobs::approve(&store.pool, second, &operator()).await.unwrap().unwrap();
    let pressed = jobs::enqueue(&store.pool, &new_sync(&school), None).await.unwrap();
    assert_eq!(pressed.job().id, second);
}

//! A part of a held job is approved person by person, and the wait for the approval is not run time.

use std::time::Duration;

use chrono::TimeDelta;
use mis_sync_domain::{
    Clock, Guard, GuardCategory, JobId, PersonKey, Recount, Report, SchoolId, StaffRecord,
    SyncRules,
};
use mis_sync_store::{
    audit::Actor,
    fetches,
    figures::{self, Window},
    jobs::{self, Approve, Approved},
    staff,
    sync::Finished,
};

use crate::{
    fixture::{Plan, RULES, TestStore, page, person, plan, try_finish},
    rows,
};

fn operator() -> Actor {
    Actor::command("operator", None)
}

fn people(numbers: impl IntoIterator<Item = usize>) -> Vec<StaffRecord> {
    numbers.into_iter().map(|n| person(&format!("p{n:02}"))).collect()
}

async fn run(store: &TestStore, school: &SchoolId, job: JobId, list: &[StaffRecord]) -> Finished {
    let lease = store.claim(job).await;
    fetches::begin(&store.pool, lease, None, Duration::ZERO).await.unwrap();
    store.add(lease, &page(list)).await.unwrap();
    let rules = SyncRules { deactivates: true, ..RULES };
    let plan = Plan { guard: Guard::default(), ..plan(lease, school, rules) };
    try_finish(&store.pool, plan).await.unwrap()
}

/// Twenty people, of whom ten have left, and someone new. The job is held.
async fn held() -> (TestStore, SchoolId, JobId) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &people(0..20)).await;
    let job = store.enqueue(&school).await;
    let list = [people(0..10), vec![person("new")]].concat();
    assert!(matches!(run(&store, &school, job, &list).await, Finished::Held(_)));
    (store, school, job)
}

async fn key(store: &TestStore, wonde_id: &str) -> PersonKey {
    let sql = format!("SELECT id::text FROM staff WHERE wonde_id = '{wonde_id}'");
    rows::value::<String>(&store.pool, &sql).await.parse().unwrap()
}

async fn approve(store: &TestStore, job: JobId, leave_people: &[PersonKey]) -> Approved {
    let what = Approve { leave_people, ..Approve::default() };
    jobs::approve(&store.pool, job, what, &operator()).await.unwrap()
}

#[tokio::test]
async fn people_who_are_left_out_stay_as_they_are_and_the_report_says_why_numbers_differ() {
    let (store, school, job) = held().await;
    let new = PersonKey::WondeId("new".into());
    let leave = [key(&store, "p10").await, key(&store, "p11").await, new];
    let Approved::Done(approved) = approve(&store, job, &leave).await else { panic!("approved") };
    assert_eq!(approved.approval.unwrap().leave_people, leave);

    // Meanwhile p09 has left as well, and p19 is back.
    let list = [people(0..9), people([19]), vec![person("new")]].concat();
    let Finished::Applied(report) = run(&store, &school, job, &list).await else {
        panic!("applied")
    };
    let Report { deactivated, created, recounts, .. } = report;
    assert_eq!((deactivated, created), (8, 0));
    let category = GuardCategory::Deactivated;
    let expected = Recount { category, shown: 10, records: 8, kept: 2, more: 1, fewer: 1 };
    assert_eq!(recounts, [expected]);
    let left = "SELECT wonde_id FROM staff WHERE NOT active ORDER BY 1";
    let wanted: Vec<_> =
        [9, 12, 13, 14, 15, 16, 17, 18].iter().map(|n| format!("p{n:02}")).collect();
    assert_eq!(rows::texts(&store.pool, left).await, wanted);
    let issues = "SELECT wonde_id FROM job_issue WHERE code = 'person_not_approved' ORDER BY 1";
    assert_eq!(rows::texts(&store.pool, issues).await, ["new", "p10", "p11"]);

    // The next sync decides again.
    let next = store.enqueue(&school).await;
    let Finished::Applied(report) = run(&store, &school, next, &list).await else {
        panic!("applied")
    };
    assert_eq!((report.deactivated, report.created, report.recounts), (2, 1, vec![]));
}

#[tokio::test]
async fn a_person_about_whom_nothing_would_change_cannot_be_left_out() {
    let (store, _, job) = held().await;
    let stranger = key(&store, "p01").await;
    let leave = [key(&store, "p10").await, stranger.clone(), PersonKey::WondeId("x".into())];
    let Approved::UnknownPeople(unknown) = approve(&store, job, &leave).await else {
        panic!("refused")
    };
    assert_eq!(unknown, [stranger, PersonKey::WondeId("x".into())]);
    assert!(jobs::get(&store.pool, job).await.unwrap().unwrap().approval.is_none());
}

#[tokio::test]
async fn only_the_people_who_are_asked_for_are_named_and_only_in_their_school() {
    let (store, school, _) = held().await;
    let all = staff::list(&store.pool, &school).await.unwrap();
    let ids = [all[1].id, all[3].id];
    let mut named = staff::named(&store.pool, &school, &ids).await.unwrap();
    named.sort_by_key(|(id, _)| *id);
    let emails: Vec<_> = named.into_iter().map(|(id, one)| (id, one.email)).collect();
    assert_eq!(emails, [1, 3].map(|at| (all[at].id, all[at].email.clone())));
    let elm = store.school("elm").await;
    assert!(staff::named(&store.pool, &elm, &ids).await.unwrap().is_empty());
}

#[tokio::test]
async fn names_of_new_people_are_kept_while_the_job_is_held() {
    let (store, school, job) = held().await;
    let read = fetches::staff_of(&store.pool, job).await.unwrap();
    assert!(read.iter().any(|one| one.wonde_id == "new" && !one.first_name.is_empty()));
    approve(&store, job, &[]).await;
    run(&store, &school, job, &people(0..10)).await;
    assert!(fetches::staff_of(&store.pool, job).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_wait_for_approval_is_not_run_time() {
    let (store, school, job) = held().await;
    let back = |table: &str, columns: &[&str]| {
        let columns: Vec<_> =
            columns.iter().map(|one| format!("{one} = {one} - interval '5 hours'")).collect();
        format!("UPDATE {table} SET {} WHERE state = 'held'", columns.join(", "))
    };
    rows::change(&store.pool, &back("job", &["created_at", "started_at", "idle_since"])).await;
    let ran = async || {
        let shown = jobs::get(&store.pool, job).await.unwrap().unwrap();
        shown.ran(Clock::system().now()).unwrap()
    };
    assert!(ran().await < TimeDelta::minutes(1), "it is held");
    approve(&store, job, &[]).await;
    run(&store, &school, job, &people(0..10)).await;
    assert!(ran().await < TimeDelta::minutes(1), "it has ended");
    let points = figures::series(&store.pool, Window::Minutes15).await.unwrap();
    let longest = points
        .iter()
        .flat_map(|point| &point.kinds)
        .filter_map(|kind| kind.ran_p95_ms)
        .fold(0.0, f64::max);
    assert!(longest < 60_000.0, "{longest}");
}

#[tokio::test]
async fn a_held_job_that_is_rejected_did_not_run_meanwhile() {
    let (store, _, job) = held().await;
    let sql = "UPDATE job SET started_at = started_at - interval '5 hours',
        idle_since = idle_since - interval '5 hours' WHERE state = 'held'";
    rows::change(&store.pool, sql).await;
    jobs::reject(&store.pool, job, &operator()).await.unwrap();
    let job = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert!(job.ran(Clock::system().now()).unwrap() < TimeDelta::minutes(1), "{:?}", job.idle);
}

//! What a sync may change without approval, and what people decide about the rest.

use std::time::Duration;

use mis_sync_domain::{
    Affected, Guard, GuardCategory, JobId, JobState, JobTitle, Report, SchoolId, StaffRecord,
    SyncRules, plan::MappedPage,
};
use mis_sync_store::{
    fetches,
    jobs::{self, Actor, Approved},
    sync::Finished,
};

use crate::{
    fixture::{
        LONG, Plan, RULES, TestStore, new_sync, page, person, plan, try_finish, with_email,
        with_upi,
    },
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, ..RULES };

fn operator() -> Actor {
    Actor::command("operator", None)
}

fn school_of(people: usize) -> Vec<StaffRecord> {
    (0..people).map(|n| person(&format!("p{n:02}"))).collect()
}

/// Fetches and compares with the guard on. The job may be new or approved.
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
    // What an earlier run kept is too old.
    fetches::begin(&store.pool, lease, None, Duration::ZERO).await.unwrap();
    store.add(lease, list).await.unwrap();
    let plan = Plan { guard: Guard::default(), dry_run, ..plan(lease, school, LEAVERS) };
    try_finish(&store.pool, plan).await.unwrap()
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
    assert_eq!(rows::people(&store.pool, &school).await, before, "no one was changed");
    assert_eq!(rows::changes(&store.pool, job).await.len(), 10, "the diff is there");

    let shown = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.attempt, shown.finished_at), (JobState::Held, 0, None));
    let error = shown.error.unwrap();
    assert_eq!(error.code, "implausible_change");
    assert_eq!(error.detail, "10 of 20 people would no longer be able to log in.");
    let synced = "SELECT count(*) FROM school WHERE last_full_sync_at IS NULL";
    assert_eq!(rows::value::<i64>(&store.pool, synced).await, 0, "the first sync's");
    // No worker runs it, however long it waits.
    assert!(
        jobs::claim(&store.pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().is_none()
    );
}

#[tokio::test]
async fn what_was_approved_is_applied_and_nothing_is_said_twice() {
    let (store, school) = start().await;
    let job = store.enqueue(&school).await;
    held(run(&store, &school, job, &page(&school_of(10))).await);
    let approved = approve(&store, job).await;
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
    approve(&store, job).await;
    let report = held(run(&store, &school, job, &page(&school_of(5))).await);
    assert_eq!(report.guard, [affected(GuardCategory::Deactivated, 15, 20)]);
    assert_eq!(active(&store).await, 20);
    assert!(
        jobs::claim(&store.pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().is_none()
    );
    assert_eq!(rows::changes(&store.pool, job).await.len(), 15, "what would be now");
}

#[tokio::test]
async fn an_empty_list_is_held_in_the_smallest_school_and_with_the_guard_off() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &school_of(2)).await;
    let lease = store.claim(store.enqueue(&school).await).await;
    store.add(lease, &page(&[])).await.unwrap();
    let finished = try_finish(&store.pool, plan(lease, &school, LEAVERS)).await;
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
    approve(&store, second).await;
    let pressed = jobs::enqueue(&store.pool, &new_sync(&school), None).await.unwrap();
    assert_eq!(pressed.job().id, second);
}

/// The issues of the job, without ids.
async fn issue_codes(store: &TestStore, job: JobId) -> Vec<String> {
    let sql = format!("SELECT DISTINCT code FROM job_issue WHERE job_id = '{job}' ORDER BY 1");
    rows::texts(&store.pool, &sql).await
}

async fn approve(store: &TestStore, job: JobId) -> mis_sync_domain::Job {
    match jobs::approve(&store.pool, job, jobs::Approve::default(), &operator()).await.unwrap() {
        Approved::Done(job) => *job,
        other => panic!("{other:?}"),
    }
}

async fn approve_only(store: &TestStore, job: JobId, only: &[GuardCategory]) -> Approved {
    jobs::approve(
        &store.pool,
        job,
        jobs::Approve { only: Some(only), ..Default::default() },
        &operator(),
    )
    .await
    .unwrap()
}

/// Ten leave, the others get a new login, and one of these a new surname.
fn leavers_and_logins() -> Vec<StaffRecord> {
    let moved = |n: usize| with_email(&format!("p{n:02}"), &format!("p{n:02}@new.example"));
    let mut list: Vec<StaffRecord> = (0..10).map(moved).collect();
    list[0].surname = "Day".into();
    list
}

#[tokio::test]
async fn what_was_not_approved_stays_and_the_rest_goes_on() {
    use GuardCategory::{Deactivated, EmailsChanged};
    let new_emails = "SELECT count(*) FROM staff WHERE email LIKE '%@new.example'";
    let day = "SELECT count(*) FROM staff WHERE surname = 'Day'";
    for (approved, left_out, deactivated, emails, issue) in [
        (Deactivated, EmailsChanged, 10, 0, "emails_not_approved"),
        (EmailsChanged, Deactivated, 0, 10, "deactivations_not_approved"),
    ] {
        let (store, school) = start().await;
        let job = store.enqueue(&school).await;
        let list = page(&leavers_and_logins());
        let shown = held(run(&store, &school, job, &list).await);
        assert_eq!(shown.guard, [affected(Deactivated, 10, 20), affected(EmailsChanged, 10, 20)]);
        let Approved::Done(running) = approve_only(&store, job, &[approved]).await else {
            panic!("it is held for it");
        };
        let approval = running.approval.unwrap();
        assert_eq!(approval.approved, [affected(approved, 10, 20)]);
        assert_eq!(approval.left_out, [affected(left_out, 10, 20)]);

        let report = applied(run(&store, &school, job, &list).await);
        assert_eq!(report.left_out, [affected(left_out, 10, 20)]);
        assert_eq!((report.deactivated, report.guard), (deactivated, vec![]));
        assert_eq!(active(&store).await, 20 - i64::try_from(deactivated).unwrap());
        assert_eq!(rows::value::<i64>(&store.pool, new_emails).await, emails);
        assert_eq!(rows::value::<i64>(&store.pool, day).await, 1, "the rest goes on");
        assert_eq!(issue_codes(&store, job).await, [issue]);
        // The next sync asks again.
        let job = store.enqueue(&school).await;
        let shown = held(run(&store, &school, job, &list).await);
        assert_eq!(shown.guard.len(), 1);
        assert_eq!(shown.guard[0].category, left_out);
    }
}

#[tokio::test]
async fn nobody_gets_a_new_id_or_a_second_account_unapproved() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let upi = |n: usize| format!("upi{n:02}");
    let known = |n: usize| with_upi(&format!("p{n:02}"), &upi(n));
    store.sync(&school, &(0..20).map(known).collect::<Vec<_>>()).await;
    let before = rows::people(&store.pool, &school).await;
    // Half have a new id and a work email that finds them too. The other half have a new login, and
    // one of these logins belongs to a person who keeps it.
    let list: Vec<StaffRecord> = (0..20)
        .map(|n| match n {
            0..10 => StaffRecord { wonde_id: format!("new{n:02}"), ..known(n) },
            _ => StaffRecord {
                upi: Some(upi(n)),
                ..with_email(&format!("p{n:02}"), &format!("p{n:02}@new.example"))
            },
        })
        .chain([with_email("eve", "p15@oak.example")])
        .collect();
    let list = page(&list);
    let job = store.enqueue(&school).await;
    let shown = held(run(&store, &school, job, &list).await);
    let categories: Vec<_> = shown.guard.iter().map(|affected| affected.category).collect();
    assert_eq!(categories, [GuardCategory::EmailsChanged, GuardCategory::NewIds]);
    assert!(matches!(
        approve_only(&store, job, &[GuardCategory::EmailsChanged]).await,
        Approved::Done(_)
    ));
    let report = applied(run(&store, &school, job, &list).await);
    assert_eq!((report.created, report.deactivated, report.skipped), (1, 0, 10));
    assert_eq!(issue_codes(&store, job).await, ["new_id_not_approved"]);
    let after = rows::people(&store.pool, &school).await;
    assert_eq!(after.len(), 21, "eve");
    for person in &before[..10] {
        assert!(after.contains(person), "untouched");
    }

    // The other way round: the new ids are applied, and eve has to wait for the login.
    rows::change(&store.pool, "DELETE FROM staff WHERE wonde_id = 'eve'").await;
    rows::change(&store.pool, "UPDATE staff SET email = wonde_id || '@oak.example'").await;
    let job = store.enqueue(&school).await;
    held(run(&store, &school, job, &list).await);
    assert!(matches!(approve_only(&store, job, &[GuardCategory::NewIds]).await, Approved::Done(_)));
    let report = applied(run(&store, &school, job, &list).await);
    assert_eq!((report.created, report.skipped), (0, 1));
    let renumbered = "SELECT count(*) FROM staff WHERE wonde_id LIKE 'new%'";
    assert_eq!(rows::value::<i64>(&store.pool, renumbered).await, 10);
    let codes = ["emails_not_approved", "work_email_in_use"];
    assert_eq!(issue_codes(&store, job).await, codes);
}

#[tokio::test]
async fn only_what_a_job_is_held_for_can_be_approved_and_it_stays_left_out_when_held_again() {
    use GuardCategory::{ClassesEmptied, Deactivated, EmailsChanged};
    let (store, school) = start().await;
    let job = store.enqueue(&school).await;
    held(run(&store, &school, job, &page(&leavers_and_logins())).await);
    let Approved::NotHeldFor(unknown) =
        approve_only(&store, job, &[Deactivated, ClassesEmptied]).await
    else {
        panic!("it is not held for classes");
    };
    assert_eq!(unknown, [ClassesEmptied]);
    let said = "SELECT count(*) FROM audit_log WHERE action = 'approve'";
    assert_eq!(rows::value::<i64>(&store.pool, said).await, 0);
    let unknown = approve_only(&store, JobId::new(), &[Deactivated]).await;
    assert!(matches!(unknown, Approved::WrongState));

    approve_only(&store, job, &[Deactivated]).await;
    // Approving again changes nothing.
    approve_only(&store, job, &[EmailsChanged]).await;
    assert_eq!(rows::value::<i64>(&store.pool, said).await, 1);
    let more_left = page(&leavers_and_logins()[..5]);
    let shown = held(run(&store, &school, job, &more_left).await);
    assert_eq!(shown.guard, [affected(Deactivated, 15, 20)]);
    assert_eq!(shown.left_out, [affected(EmailsChanged, 10, 20)]);
    approve(&store, job).await;
    let report = applied(run(&store, &school, job, &more_left).await);
    assert_eq!((report.deactivated, report.left_out), (15, shown.left_out));
    let old = "SELECT count(*) FROM staff WHERE email LIKE '%@oak.example'";
    assert_eq!(rows::value::<i64>(&store.pool, old).await, 20);
}

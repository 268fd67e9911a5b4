use mis_sync_domain::{SchoolId, plan::Fetched};
use mis_sync_store::{Pool, sync};
use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use mis_sync_domain::{
    JobFailure, JobId, JobKind, JobState, Lane, Lease, RefreshUser, Report, StaffId,
};
use mis_sync_store::{
    Error, fetches,
    jobs::{self, NewJob},
};
use mis_sync_testing::eventually;

use crate::{
    fixture::{LONG, PROGRESS, RULES, TestStore, failure, kept, new_sync, page, person, plan},
    rows,
};

async fn try_claim(store: &TestStore, job: JobId) -> Option<Lease> {
    let claimed =
        jobs::claim(&store.pool, job, "another", LONG, jobs::Leaves::NOTHING).await.unwrap();
    claimed.map(|claimed| claimed.lease)
}

#[tokio::test]
async fn only_a_due_job_can_be_claimed() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    assert_eq!(try_claim(&store, JobId::new()).await, None);
    let job = store.enqueue(&oak).await;
    let lease = store.claim(job).await;
    assert_eq!(try_claim(&store, job).await, None, "running");
    jobs::retry(&store.pool, lease, &failure("later"), LONG / 2).await.unwrap();
    assert_eq!(try_claim(&store, job).await, None, "retrying, not yet");
    for state in ["held", "failed", "succeeded", "cancelled"] {
        let set = format!(
            "UPDATE job SET state = '{state}', next_attempt_at = NULL,
                finished_at = CASE WHEN '{state}' <> 'held' THEN now() END"
        );
        rows::change(&store.pool, &set).await;
        assert_eq!(try_claim(&store, job).await, None, "{state}");
    }
    let due = "UPDATE job SET state = 'retrying', next_attempt_at = now(), finished_at = NULL";
    rows::change(&store.pool, due).await;
    assert!(try_claim(&store, job).await.is_some());
}

#[tokio::test]
async fn a_claimed_job_is_running_and_says_who_has_it() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    let claimed = jobs::claim(&store.pool, job, "host-1", LONG, jobs::Leaves::NOTHING)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(claimed.job, jobs::get(&store.pool, job).await.unwrap().unwrap());
    assert_eq!((claimed.job.state, claimed.job.attempt), (JobState::Running, 1));
    assert!(claimed.job.started_at.is_some());
    let worker: String = rows::value(&store.pool, "SELECT worker FROM job").await;
    assert_eq!(worker, "host-1");
    assert_eq!(rows::attempts(&store.pool, job).await, [(1, None)]);
}

#[tokio::test]
async fn of_twenty_claims_at_once_one_wins() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    let run_out = "UPDATE job SET lease_until = now() - interval '1 second'";
    for _ in 0..3 {
        let claims = join_all((0..20).map(|_| try_claim(&store, job))).await;
        assert_eq!(claims.into_iter().flatten().count(), 1);
        rows::change(&store.pool, run_out).await;
    }
    let next = (0..20).map(|_| {
        jobs::claim_next(&store.pool, Lane::Bulk, "w", LONG, Duration::ZERO, jobs::Leaves::NOTHING)
    });
    let claims = join_all(next).await.into_iter().filter_map(Result::unwrap);
    assert_eq!(claims.count(), 1);
}

#[tokio::test]
async fn the_longest_waiting_due_job_of_the_lane_comes_next() {
    let store = TestStore::start().await;
    let mut waiting = Vec::new();
    for id in ["oak", "elm", "ash"] {
        let school = store.school(id).await;
        waiting.push(store.enqueue(&school).await);
    }
    let held = store.claim(waiting[0]).await;
    for expected in [Some(waiting[1]), Some(waiting[2]), None] {
        let next = jobs::claim_next(
            &store.pool,
            Lane::Bulk,
            "w",
            LONG,
            Duration::ZERO,
            jobs::Leaves::NOTHING,
        )
        .await
        .unwrap();
        assert_eq!(next.map(|claimed| claimed.job.id), expected);
    }
    jobs::retry(&store.pool, held, &failure("later"), Duration::ZERO).await.unwrap();
    let next =
        jobs::claim_next(&store.pool, Lane::Bulk, "w", LONG, Duration::ZERO, jobs::Leaves::NOTHING)
            .await
            .unwrap()
            .unwrap();
    assert_eq!(next.job.id, waiting[0]);
}

#[tokio::test]
async fn the_newest_login_comes_next() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let login = RefreshUser { school_id: school.clone(), staff_id: StaffId::new() };
        let new = NewJob::of(&login, "test");
        waiting.push(store.enqueue_new(&new).await);
    }
    for expected in waiting.into_iter().rev().map(Some).chain([None]) {
        let next = next_of(&store, Lane::Interactive, Duration::ZERO).await;
        assert_eq!(next, expected);
    }
}

#[tokio::test]
async fn twenty_claims_side_by_side_take_twenty_jobs() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    for _ in 0..20 {
        let login = RefreshUser { school_id: school.clone(), staff_id: StaffId::new() };
        let new = NewJob::of(&login, "test");
        store.enqueue_new(&new).await;
    }
    let claims = (0..20).map(|_| next_of(&store, Lane::Interactive, Duration::ZERO));
    let claimed: BTreeSet<_> = join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 20);
}

#[tokio::test]
async fn a_job_that_was_just_delivered_is_left_to_redis() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    assert_eq!(next_of(&store, Lane::Bulk, LONG).await, None);
    // Also if the clock was set back since.
    rows::change(&store.pool, "UPDATE job SET delivered_at = now() + interval '1 hour'").await;
    assert_eq!(next_of(&store, Lane::Bulk, LONG).await, Some(job));
}

async fn next_of(store: &TestStore, lane: Lane, patience: Duration) -> Option<JobId> {
    let next = jobs::claim_next(&store.pool, lane, "w", LONG, patience, jobs::Leaves::NOTHING)
        .await
        .unwrap();
    next.map(|claimed| claimed.job.id)
}

#[tokio::test]
async fn a_heartbeat_keeps_a_lease_that_would_have_run_out() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    let lease = store.claim_for(job, Duration::ZERO).await;
    jobs::heartbeat(&store.pool, lease, LONG).await.unwrap();
    assert_eq!(try_claim(&store, job).await, None);
    jobs::heartbeat(&store.pool, lease, Duration::from_millis(200)).await.unwrap();
    eventually("the lease runs out", async || try_claim(&store, job).await).await;
}

#[tokio::test]
async fn a_run_whose_lease_was_taken_over_can_write_nothing() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    let old = store.claim_for(job, Duration::ZERO).await;
    kept(&store.pool, old).await.unwrap();
    let new = store.claim(job).await;
    assert!(new.fence > old.fence);
    every_write_is_refused(&store, old).await;

    // Nor once the newer one stages, nor after the end.
    kept(&store.pool, new).await.unwrap();
    store.add(new, &page(&[person("ada")])).await.unwrap();
    every_write_is_refused(&store, old).await;
    store.finish(new, &oak).await.unwrap();
    let before = jobs::get(&store.pool, job).await.unwrap();
    every_write_is_refused(&store, old).await;
    every_write_is_refused(&store, new).await;
    assert_eq!(jobs::get(&store.pool, job).await.unwrap(), before);
    let history = [(1, Some("lost".to_owned())), (2, Some("succeeded".to_owned()))];
    assert_eq!(rows::attempts(&store.pool, job).await, history);
    assert_eq!(rows::people(&store.pool, &oak).await.len(), 1);
}

async fn every_write_is_refused(store: &TestStore, lease: Lease) {
    let pool = &store.pool;
    let oak = "oak".parse().unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let failure = failure("late");
    let writes = [
        ("heartbeat", jobs::heartbeat(pool, lease, LONG).await),
        ("progress", jobs::progress(pool, lease, PROGRESS).await),
        ("succeed", jobs::succeed(&mut connection, lease, &Report::default()).await),
        ("retry", jobs::retry(pool, lease, &failure, Duration::ZERO).await.map(drop)),
        ("snooze", jobs::snooze(pool, lease, &failure, Duration::ZERO).await.map(drop)),
        ("fail", jobs::fail(pool, lease, &failure).await),
        ("release", jobs::release(pool, lease).await),
        ("add_page", store.add(lease, &page(&[person("eve")])).await),
        ("discard", fetches::discard(pool, lease).await),
        ("finish", apply_nobody(pool, lease, &oak).await.map(drop)),
    ];
    for (name, written) in writes {
        assert!(matches!(written, Err(Error::LeaseLost)), "{name}: {written:?}");
    }
}

#[tokio::test]
async fn a_crash_spends_an_attempt_and_handing_back_or_waiting_does_not() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    let lease = store.claim(job).await;
    jobs::snooze(&store.pool, lease, &failure("busy"), Duration::ZERO).await.unwrap();
    let lease = store.claim(job).await;
    jobs::release(&store.pool, lease).await.unwrap();
    let lease = store.claim(job).await;
    jobs::retry(&store.pool, lease, &failure("broken"), Duration::ZERO).await.unwrap();
    store.claim_for(job, Duration::ZERO).await;
    let lease = store.claim(job).await;
    assert_eq!(jobs::get(&store.pool, job).await.unwrap().unwrap().attempt, 3);
    let mut connection = store.pool.acquire().await.unwrap();
    jobs::succeed(&mut connection, lease, &Report::default()).await.unwrap();

    let history = [(1, "snoozed"), (1, "released"), (1, "retry"), (2, "lost"), (3, "succeeded")];
    let history = history.map(|(attempt, outcome)| (attempt, Some(outcome.to_owned())));
    assert_eq!(rows::attempts(&store.pool, job).await, history);
    let open: i64 =
        rows::value(&store.pool, "SELECT count(*) FROM job_attempt WHERE ended_at IS NULL").await;
    assert_eq!(open, 0);
    let errors = "SELECT coalesce(error ->> 'type', '-') FROM job_attempt ORDER BY fence";
    assert_eq!(rows::texts(&store.pool, errors).await, ["busy", "-", "broken", "-", "-"]);
    let job = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!(
        (job.state, job.error, job.report),
        (JobState::Succeeded, None, Some(Report::default()))
    );
}

#[tokio::test]
async fn a_job_fails_when_its_attempts_are_spent() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    for attempt in 1..=5 {
        let lease = store.claim(job).await;
        jobs::retry(&store.pool, lease, &failure("broken"), Duration::ZERO).await.unwrap();
        let job = jobs::get(&store.pool, job).await.unwrap().unwrap();
        let expected = if attempt < 5 { JobState::Retrying } else { JobState::Failed };
        assert_eq!((job.state, job.attempt), (expected, attempt));
        assert_eq!(job.error, Some(failure("broken")));
        assert_eq!(job.finished_at.is_some(), attempt == 5);
        assert_eq!(job.next_attempt_at.is_some(), attempt < 5);
    }
    let outcomes: Vec<_> = rows::attempts(&store.pool, job).await;
    assert_eq!(outcomes[3], (4, Some("retry".into())));
    assert_eq!(outcomes[4], (5, Some("failed".into())));
    assert_eq!(try_claim(&store, job).await, None);
}

#[tokio::test]
async fn no_wait_leads_past_the_deadline() {
    let store = TestStore::start().await;
    for (school, snoozed) in [("oak", false), ("elm", true)] {
        let job = store.enqueue(&store.school(school).await).await;
        let lease = store.claim(job).await;
        let late = failure("later");
        if snoozed {
            jobs::snooze(&store.pool, lease, &late, LONG * 2).await.unwrap();
        } else {
            jobs::retry(&store.pool, lease, &late, LONG * 2).await.unwrap();
        }
        let job = jobs::get(&store.pool, job).await.unwrap().unwrap();
        let detail = "On purpose. The next attempt would start after the job's deadline.";
        let expected = JobFailure { detail: detail.into(), ..late };
        assert_eq!((job.state, job.error), (JobState::Failed, Some(expected)), "{school}");
        assert_eq!(job.next_attempt_at, None);
        assert_eq!(rows::attempts(&store.pool, job.id).await[0].1.as_deref(), Some("failed"));
    }
    let new = NewJob { deadline: Duration::ZERO, ..new_sync(&"oak".parse().unwrap()) };
    let expired = store.enqueue_new(&new).await;
    assert_eq!(try_claim(&store, expired).await, None);
    assert!(
        jobs::claim_next(&store.pool, Lane::Bulk, "w", LONG, Duration::ZERO, jobs::Leaves::NOTHING)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn failing_for_good_ends_the_job_at_its_first_attempt() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    let lease = store.claim(job).await;
    jobs::progress(&store.pool, lease, PROGRESS).await.unwrap();
    jobs::fail(&store.pool, lease, &failure("wonde_unauthorized")).await.unwrap();
    let ended = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.attempt), (JobState::Failed, 1));
    assert_eq!(ended.progress, Some(PROGRESS));
    assert_eq!(rows::attempts(&store.pool, job).await, [(1, Some("failed".into()))]);
}

#[tokio::test]
async fn a_lease_that_lies_further_ahead_than_its_length_is_over() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    // The server's clock jumps back by an hour.
    let jump = "UPDATE job SET lease_until = lease_until + interval '1 hour',
        delivered_at = delivered_at + interval '1 hour'";
    rows::change(&store.pool, jump).await;
    let due = jobs::take_due(&store.pool, LONG, 100).await.unwrap();
    assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [job], "no worker had taken it");
    // Once more, and the worker that then has it is dead.
    let lease = store.claim(job).await;
    rows::change(&store.pool, jump).await;
    let due = jobs::take_due(&store.pool, LONG, 100).await.unwrap();
    assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [job], "it is delivered");
    let next = try_claim(&store, job).await.expect("and claimed");
    let late = jobs::heartbeat(&store.pool, lease, LONG).await;
    assert!(matches!(late, Err(Error::LeaseLost)));
    assert_eq!(try_claim(&store, job).await, None, "the new lease holds");
    jobs::heartbeat(&store.pool, next, LONG).await.unwrap();
}

#[tokio::test]
async fn a_kind_of_a_newer_release_is_shown_and_left_to_its_workers() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    let newer = "UPDATE job SET kind = 'archive-school', lane = 'archive', stage = 'packing',
        options = '{\"depth\": 3}', report = '{\"packed\": \"all\"}',
        delivered_at = now() - interval '2 hours'";
    rows::change(&store.pool, newer).await;
    assert_eq!(try_claim(&store, job).await, None);
    let none = Duration::ZERO;
    let next =
        jobs::claim_next(&store.pool, Lane::Bulk, "another", LONG, none, jobs::Leaves::NOTHING)
            .await
            .unwrap();
    assert!(next.is_none());
    assert_eq!(jobs::take_due(&store.pool, none, 100).await.unwrap(), []);
    let shown = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!((shown.kind, shown.state), (JobKind::Unknown, JobState::Queued));
    let listed = jobs::list(&store.pool, &jobs::JobFilter::default(), 10).await.unwrap();
    assert_eq!(listed, [shown]);
}

/// A comparison that would change nothing.
async fn apply_nobody(
    pool: &Pool,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<sync::Finished, Error> {
    let fetched = Fetched::default();
    sync::finish(pool, plan(lease, school_id, RULES).of(&fetched), || LONG).await
}

//! What people do, whichever way they do it.

use mis_sync_control::{self as control, Act, Approve, Refused};
use mis_sync_domain::{JobId, JobState, SyncOptions};
use mis_sync_queue::{Actor, Enqueued};
use mis_sync_store::schools;
use mis_sync_testing::a_person;

use crate::{fixture::TestQueue, rows};

fn operator() -> Actor {
    Actor::command("opal", None)
}

async fn act(test: &TestQueue, id: JobId, act: Act<'_>) -> Result<control::Acted, Refused> {
    control::act(&test.queue, id, act, &operator()).await
}

#[tokio::test]
async fn a_state_that_forbids_an_act_is_named_with_what_the_act_needs() {
    let test = TestQueue::start().await;
    let job = test.enqueue().await;
    for (what, needs) in [
        (Act::Retry, "a retrying, failed or cancelled job"),
        (Act::Approve(Approve::default()), "a held job"),
        (Act::Reject, "a held job"),
        (Act::Undo { pause_until: None }, "a job that succeeded"),
    ] {
        let refused = act(&test, job, what).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("The job is queued; this needs {needs}."));
    }
    let cancelled = act(&test, job, Act::Cancel).await.unwrap();
    assert_eq!((cancelled.job.id, cancelled.job.state), (job, JobState::Cancelled));
    assert!(!cancelled.is_new);
    let again = act(&test, job, Act::Cancel).await.unwrap_err();
    assert!(matches!(again, Refused::WrongState { state: JobState::Cancelled, .. }), "{again}");
    for what in [Act::Cancel, Act::Retry, Act::Undo { pause_until: None }] {
        let unknown = act(&test, JobId::new(), what).await.unwrap_err();
        assert!(matches!(unknown, Refused::UnknownJob), "{unknown}");
    }
}

#[tokio::test]
async fn nothing_is_done_again_or_asked_for_of_a_school_without_a_token() {
    let test = TestQueue::start().await;
    let job = test.enqueue().await;
    act(&test, job, Act::Cancel).await.unwrap();
    let oak = "oak".parse().unwrap();
    schools::disconnect(&test.pool, &oak, &schools::OnlyIf::Always, &a_person()).await.unwrap();
    let refused = act(&test, job, Act::Retry).await.unwrap_err();
    assert!(matches!(refused, Refused::NotConnected), "{refused}");
    let school = schools::get(&test.pool, &oak).await.unwrap().unwrap();
    let options = SyncOptions::default();
    let press = control::press(&test.queue, &school, options, "opal", None).await;
    assert!(matches!(press.unwrap_err(), Refused::NotConnected));
    let jobs = "SELECT count(*) FROM job";
    assert_eq!(rows::count(&test.pool, jobs).await, 1);

    test.connect("oak", "Oakfield").await;
    let again = act(&test, job, Act::Retry).await.unwrap();
    assert!(again.is_new && again.job.retry_of == Some(job));
    let school = schools::get(&test.pool, &oak).await.unwrap().unwrap();
    let press = control::press(&test.queue, &school, options, "opal", None).await.unwrap();
    assert!(matches!(press, Enqueued::New(_)), "{press:?}");
}

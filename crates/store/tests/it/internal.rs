//! Jobs that the service asks for itself: the same ledger, out of the way of what people asked for.

use std::time::Duration;

use mis_sync_domain::{BulkId, HandleWebhook, JobId, JobKind, JobState, Lane, WebhookEventId};
use mis_sync_store::{
    audit::Actor,
    bulk::{self, BulkAction},
    figures,
    jobs::{self, JobFilter, Leaves, NewJob},
    pauses::{self, Scope},
    webhooks::{self, NewWebhookEvent},
};
use serde_json::json;

use crate::{
    fixture::{LONG, TestStore, cipher},
    rows,
};

fn operator() -> Actor {
    Actor::command("opal", None)
}

async fn enqueue(store: &TestStore) -> JobId {
    let event_id = WebhookEventId::new();
    store.enqueue_new(&NewJob::of(&HandleWebhook { event_id }, "wonde")).await
}

#[tokio::test]
async fn they_are_listed_counted_and_acted_on_only_where_they_are_named() {
    let store = TestStore::start().await;
    let sync = store.enqueue(&store.school("oak").await).await;
    let internal = enqueue(&store).await;
    let of_kind = |kind| JobFilter { kinds: vec![kind], ..JobFilter::default() };
    for (filter, expected) in [
        (JobFilter::default(), sync),
        (of_kind(JobKind::SyncSchool), sync),
        (of_kind(JobKind::HandleWebhook), internal),
        (
            JobFilter {
                kinds: vec![JobKind::HandleWebhook, JobKind::SendAlert],
                states: vec![JobState::Queued],
                ..JobFilter::default()
            },
            internal,
        ),
        (JobFilter { ids: vec![internal], ..JobFilter::default() }, internal),
    ] {
        let listed = jobs::list(&store.pool, &filter, 10).await.unwrap();
        assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), [expected], "{filter:?}");
        assert_eq!(jobs::count(&store.pool, &filter, 10).await.unwrap().number, 1);
        let by_state = jobs::count_by_state(&store.pool, &filter, 10).await.unwrap();
        let queued = by_state.iter().find(|(state, _)| *state == JobState::Queued).unwrap();
        assert_eq!(queued.1.number, 1);
    }
    let now = figures::now(&store.pool).await.unwrap();
    assert!(now.unfinished.iter().all(|(lane, ..)| *lane != Lane::Internal), "{now:?}");
    let monitored = figures::read(&store.pool).await.unwrap().unfinished;
    let queued = (JobKind::HandleWebhook, JobState::Queued, 1.0);
    assert!(monitored.contains(&queued), "{monitored:?}");

    let (id, _) = cancel_all(&store).await;
    assert_eq!(bulk::next(&store.pool, id, 10).await.unwrap(), [sync]);
}

async fn cancel_all(store: &TestStore) -> (BulkId, Option<mis_sync_domain::Job>) {
    let all = JobFilter::default();
    bulk::start(&store.pool, BulkAction::Cancel, &all, &operator()).await.unwrap()
}

#[tokio::test]
async fn no_pause_stops_them() {
    let store = TestStore::start().await;
    store.school("oak").await;
    let internal = Scope::Lane(Lane::Internal);
    assert!(!pauses::pause(&store.pool, &internal, &operator()).await.unwrap());
    for lane in Lane::SHOWN {
        assert!(pauses::pause(&store.pool, &Scope::Lane(*lane), &operator()).await.unwrap());
    }
    let oak = Scope::School("oak".parse().unwrap());
    pauses::pause(&store.pool, &oak, &operator()).await.unwrap();
    let job = enqueue(&store).await;
    rows::change(&store.pool, "UPDATE job SET school_id = 'oak'").await;
    let none = Duration::ZERO;
    let claimed =
        jobs::claim_next(&store.pool, Lane::Internal, "w", LONG, none, Leaves::NOTHING).await;
    assert_eq!(claimed.unwrap().unwrap().job.id, job);
    let waiting = pauses::list(&store.pool).await.unwrap();
    assert!(waiting.iter().all(|pause| pause.waiting == 0), "{waiting:?}");
}

#[tokio::test]
async fn one_that_kills_its_worker_is_given_up_after_five_crashes() {
    let store = TestStore::start().await;
    let job = enqueue(&store).await;
    for _ in 0..5 {
        assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 0);
        store.claim_for(job, Duration::ZERO).await;
    }
    let claimed = jobs::claim(&store.pool, job, "w", LONG, Leaves::NOTHING).await.unwrap();
    assert!(claimed.is_none());
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 1);
    let job = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!((job.state, job.error.unwrap().code), (JobState::Failed, "worker_lost".into()));
}

#[tokio::test]
async fn an_event_that_comes_again_while_it_is_handled_is_handled_once_more() {
    let store = TestStore::start().await;
    let event = NewWebhookEvent {
        kind: "accessRevoked".into(),
        wonde_school_id: Some("A404".into()),
        details: json!({}),
        token: None,
        body_hash: vec![1],
    };
    let receive = async || webhooks::receive(&store.pool, &cipher(1), &event).await.unwrap();
    let (id, job) = receive().await;
    let lease = store.claim(job.unwrap().id).await;
    let open = async || webhooks::open(&store.pool, &cipher(1), lease, id).await.unwrap();
    let opened = open().await.unwrap();
    assert!(receive().await.1.is_none(), "one job is enough");
    let moved = webhooks::end_access(&store.pool, &opened).await.unwrap_err();
    assert!(matches!(moved, mis_sync_store::Error::Moved), "{moved}");
    webhooks::end_access(&store.pool, &open().await.unwrap()).await.unwrap();
    assert!(open().await.is_none());
    let done = "SELECT j.state || ' ' || e.state FROM job j, webhook_event e";
    assert_eq!(rows::texts(&store.pool, done).await, ["succeeded ignored"]);

    // It may be true again in the same words; what is not one of those kinds is not looked at again.
    let (same, job) = receive().await;
    assert_eq!((same, job.unwrap().kind), (id, JobKind::HandleWebhook));
}

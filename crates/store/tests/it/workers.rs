use mis_sync_domain::Lane;
use mis_sync_store::{
    audit::Actor,
    jobs,
    workers::{self, Heartbeat, WorkerRow, WorkerState},
};

use crate::{
    fixture::{LONG, TestStore, new_sync},
    rows,
};

fn heartbeat(name: &str) -> Heartbeat {
    Heartbeat {
        name: name.into(),
        host: "host".into(),
        pid: 7,
        version: "1.2.3",
        lanes: vec![(Lane::Bulk, 4), (Lane::Interactive, 16)],
    }
}

fn operator() -> Actor {
    Actor::command("opal", None)
}

async fn only(store: &TestStore) -> WorkerRow {
    let mut workers = workers::list(&store.pool).await.unwrap();
    assert_eq!(workers.len(), 1);
    workers.remove(0)
}

#[tokio::test]
async fn a_worker_shows_its_slots_and_what_it_runs_in_every_lane_and_share() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    workers::beat(&store.pool, &heartbeat("host-7-a"), false).await.unwrap();
    let mut expected = Vec::new();
    for (n, name) in ["host-7-a-bulk", "host-7-a-bulk-3", "host-7-b-bulk"].iter().enumerate() {
        let new = jobs::NewJob { unique_key: n.to_string(), ..new_sync(&oak) };
        let job = store.enqueue_new(&new).await;
        jobs::claim(&store.pool, job, name, LONG, jobs::Leaves::NOTHING).await.unwrap().unwrap();
        expected.push(job);
    }
    let worker = only(&store).await;
    let running: Vec<_> = worker.running.iter().map(|job| job.id).collect();
    assert_eq!(running, expected[..2]);
    assert_eq!(worker.running[0].school_id, oak);
    assert_eq!(worker.lanes, [(Lane::Bulk, 4), (Lane::Interactive, 16)]);
    assert_eq!((worker.pid, worker.version.as_str()), (7, "1.2.3"));
    assert_eq!(worker.state, WorkerState::Alive);
}

#[tokio::test]
async fn a_worker_is_dead_after_ten_seconds_and_forgotten_after_a_day() {
    let store = TestStore::start().await;
    workers::beat(&store.pool, &heartbeat("one"), false).await.unwrap();
    let seen = async |ago: &str| {
        let sql = format!("UPDATE worker SET seen_at = now() - interval '{ago}'");
        rows::change(&store.pool, &sql).await;
    };
    seen("9 seconds").await;
    assert_eq!(only(&store).await.state, WorkerState::Alive);
    seen("11 seconds").await;
    assert_eq!(only(&store).await.state, WorkerState::Dead);
    workers::beat(&store.pool, &heartbeat("one"), false).await.unwrap();
    assert_eq!(only(&store).await.state, WorkerState::Alive);
    workers::stopped(&store.pool, "one").await.unwrap();
    assert_eq!(only(&store).await.state, WorkerState::Stopped);
    seen("23 hours").await;
    assert_eq!(workers::forget_old(&store.pool).await.unwrap(), 0);
    seen("25 hours").await;
    assert_eq!(workers::forget_old(&store.pool).await.unwrap(), 1);
}

#[tokio::test]
async fn a_drained_worker_is_one_that_says_so_and_runs_nothing() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    let one = heartbeat("one");
    assert!(!workers::beat(&store.pool, &one, false).await.unwrap());
    let claimed = jobs::claim(&store.pool, job, "one-bulk", LONG, jobs::Leaves::NOTHING)
        .await
        .unwrap()
        .unwrap();
    for _ in 0..2 {
        assert!(workers::drain(&store.pool, "one", &operator()).await.unwrap());
    }
    assert!(workers::beat(&store.pool, &one, false).await.unwrap(), "it is told");
    assert_eq!(only(&store).await.state, WorkerState::Draining);
    workers::beat(&store.pool, &one, true).await.unwrap();
    assert_eq!(only(&store).await.state, WorkerState::Draining, "it runs a job");
    jobs::release(&store.pool, claimed.lease).await.unwrap();
    assert_eq!(only(&store).await.state, WorkerState::Drained);
    assert!(workers::undrain(&store.pool, "one", &operator()).await.unwrap());
    assert!(!workers::beat(&store.pool, &one, true).await.unwrap());
    assert_eq!(only(&store).await.state, WorkerState::Alive);

    assert!(!workers::drain(&store.pool, "nobody", &operator()).await.unwrap());
    workers::stopped(&store.pool, "one").await.unwrap();
    assert!(!workers::drain(&store.pool, "one", &operator()).await.unwrap());
    let actions = rows::texts(
        &store.pool,
        "SELECT action || ' ' || subject FROM audit_log WHERE subject = 'one' ORDER BY position",
    )
    .await;
    assert_eq!(actions, ["drain one", "undrain one"]);
}

#[tokio::test]
async fn each_worker_knows_its_place_among_those_that_are_there() {
    let store = TestStore::start().await;
    for name in ["gone", "first", "second", "stopped"] {
        workers::beat(&store.pool, &heartbeat(name), false).await.unwrap();
    }
    workers::stopped(&store.pool, "stopped").await.unwrap();
    let sql = "UPDATE worker SET seen_at = now() - interval '11 seconds' WHERE name = 'gone'";
    rows::change(&store.pool, sql).await;
    let place = async |name| workers::place(&store.pool, name).await.unwrap();
    let (first, second) = (place("first").await, place("second").await);
    assert_eq!((first.present, first.before), (2, 0));
    assert_eq!((second.present, second.before), (2, 1));
    let by_system = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    assert!(by_system.abs_diff(first.clock) < LONG && first.clock < second.clock);
}

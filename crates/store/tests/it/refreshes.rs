//! What decides whether a login asks Wonde.

use mis_sync_testing::{a_person, connector};
use std::time::Duration;

use futures::future::join_all;
use mis_sync_domain::{LoginStanding, Outage, OutageReason, SchoolId, StaffId, TokenState};
use mis_sync_store::refresh::{self, Login};

use crate::{
    fixture::{LONG, TestStore, cipher, connection, person},
    rows::change,
};

async fn standing(store: &TestStore, school: &SchoolId, id: StaffId) -> LoginStanding {
    match refresh::look(&store.pool, school, id).await.unwrap() {
        Login::Known(standing) => standing,
        other => panic!("{other:?}"),
    }
}

/// A school and its first person.
async fn synced() -> (TestStore, SchoolId, StaffId) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("A1"), person("A2")]).await;
    let people = mis_sync_store::staff::list(&store.pool, &school).await.unwrap();
    let id = people.iter().find(|person| person.wonde_id.as_deref() == Some("A1")).unwrap().id;
    (store, school, id)
}

#[tokio::test]
async fn schools_and_people_are_told_apart_from_nobody() {
    let (store, school, id) = synced().await;
    let elsewhere = store.school("elm").await;
    let nowhere = "fir".parse().unwrap();
    let look = async |school: &SchoolId, id| refresh::look(&store.pool, school, id).await.unwrap();
    assert!(matches!(look(&nowhere, id).await, Login::UnknownSchool));
    assert!(matches!(look(&elsewhere, id).await, Login::UnknownStaff));
    assert!(matches!(look(&school, StaffId::new()).await, Login::UnknownStaff));
    let known = standing(&store, &school, id).await;
    assert!(known.is_linked && known.token == TokenState::Held && known.outage.is_none());
}

#[tokio::test]
async fn a_full_sync_counts_for_whom_it_delivered() {
    let (store, school, id) = synced().await;
    let first = standing(&store, &school, id).await.read_at.unwrap();
    store.sync(&school, &[person("A1"), person("A2")]).await;
    let second = standing(&store, &school, id).await.read_at.unwrap();
    assert!(second > first);
    // Left out, and by these rules no one is deactivated.
    store.sync(&school, &[person("A2")]).await;
    assert_eq!(standing(&store, &school, id).await.read_at, Some(second));
    store.sync(&school, &[person("A2")]).await;
    assert_eq!(standing(&store, &school, id).await.read_at, Some(second), "twice in a row");
    store.preview(&school, &[person("A1"), person("A2")]).await;
    let dry = standing(&store, &school, id).await.read_at;
    assert_eq!(dry, Some(second), "a dry run does not count as a reading");
    store.sync(&school, &[person("A1"), person("A2")]).await;
    assert!(standing(&store, &school, id).await.read_at > Some(second));
}

#[tokio::test]
async fn an_outage_counts_until_the_school_is_connected_anew() {
    let (store, school, id) = synced().await;
    let (pool, limited) = (&store.pool, OutageReason::RateLimited);
    refresh::note_outage(pool, &school, OutageReason::Unavailable, LONG).await.unwrap();
    refresh::note_outage(pool, &school, limited, LONG).await.unwrap();
    let known = standing(&store, &school, id).await;
    let Some(Outage { reason, probe_at }) = known.outage else { panic!("no outage") };
    assert_eq!(reason, limited);
    assert!(probe_at > known.now + LONG - Duration::from_mins(1));
    let token = "an0ther".into();
    mis_sync_store::schools::connect(
        pool,
        connector(&cipher(1), &a_person()),
        &connection("oak"),
        Some(&token),
    )
    .await
    .unwrap();
    assert!(standing(&store, &school, id).await.outage.is_none());
}

#[tokio::test]
async fn a_sync_that_is_applied_ends_an_outage() {
    let (store, school, id) = synced().await;
    refresh::note_outage(&store.pool, &school, OutageReason::Forbidden, LONG).await.unwrap();
    store.sync(&school, &[person("A1"), person("A2")]).await;
    assert!(standing(&store, &school, id).await.outage.is_none());
}

#[tokio::test]
async fn of_many_who_want_to_probe_one_may() {
    let (store, school, _) = synced().await;
    let reason = OutageReason::Unavailable;
    refresh::note_outage(&store.pool, &school, reason, LONG).await.unwrap();
    let take = async || refresh::take_probe(&store.pool, &school, LONG).await.unwrap();
    assert!(!take().await, "it is too early");
    change(&store.pool, "UPDATE wonde_outage SET probe_at = now()").await;
    let taken = join_all((0..20).map(|_| take())).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

//! A token that was typed to connect a school is for one key, for an hour, and never readable.

use mis_sync_domain::Role;
use mis_sync_store::{
    api_keys::{self, NewApiKey},
    connection_drafts,
    retention::{self, Retention},
};
use mis_sync_testing::a_person;
use secrecy::ExposeSecret;

use crate::{
    fixture::{TestStore, cipher},
    rows,
};

#[tokio::test]
async fn a_draft_is_for_its_key_and_for_an_hour() {
    let store = TestStore::start().await;
    let pool = &store.pool;
    let key = async |name| {
        let new = NewApiKey::new(name, Role::Admin);
        api_keys::create(pool, &new, &a_person()).await.unwrap().0.id
    };
    let (mine, other) = (key("mine").await, key("other").await);
    let (sealing, token) = (cipher(1), "t0ken".into());
    let id = connection_drafts::begin(pool, &sealing, mine, &token, None).await.unwrap();
    let get = async |key| connection_drafts::get(pool, &sealing, id, key).await.unwrap();
    assert_eq!(get(mine).await.unwrap().token.expose_secret(), "t0ken");
    assert!(get(other).await.is_none());
    let readable = "SELECT count(*) FROM connection_draft WHERE sealed_token::text LIKE '%t0ken%'
        OR position('t0ken'::bytea IN sealed_token) > 0";
    assert_eq!(rows::value::<i64>(pool, readable).await, 0);
    assert!(connection_drafts::open(pool, &cipher(2), id).await.unwrap().is_none(), "another key");

    rows::change(pool, "UPDATE connection_draft SET expires_at = now()").await;
    assert!(get(mine).await.is_none());
    assert!(connection_drafts::open(pool, &sealing, id).await.unwrap().is_none());
    let now = rows::value(pool, "SELECT now()").await;
    let removed = retention::sweep(pool, now, &Retention::default()).await.unwrap();
    assert_eq!(removed.drafts, 1);
}

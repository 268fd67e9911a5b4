use mis_sync_domain::{ApiKeyId, Role};
use mis_sync_store::{
    api_keys::{self, ApiKey, NewApiKey},
    sessions,
};
use mis_sync_testing::a_person;
use secrecy::ExposeSecret;

use crate::{fixture::TestStore, rows};

async fn opens(store: &TestStore, text: &str) -> Option<ApiKey> {
    api_keys::authenticate(&store.pool, text).await.unwrap()
}

#[tokio::test]
async fn a_key_opens_as_what_it_was_made_until_it_is_revoked() {
    let store = TestStore::start().await;
    assert!(!api_keys::any_active(&store.pool).await.unwrap());
    for role in Role::ALL.iter().copied() {
        let (key, text) =
            api_keys::create(&store.pool, &NewApiKey::new("key", role), &a_person()).await.unwrap();
        assert_eq!((key.role, key.school_id.as_ref(), key.revoked_at), (role, None, None));
        assert_eq!(opens(&store, text.expose_secret()).await, Some(key));
    }
    assert!(api_keys::any_active(&store.pool).await.unwrap());

    let (old, text) = api_keys::create(&store.pool, &NewApiKey::new("old", Role::App), &a_person())
        .await
        .unwrap();
    assert!(api_keys::revoke(&store.pool, old.id, &a_person()).await.unwrap());
    assert_eq!(opens(&store, text.expose_secret()).await, None);
    assert!(!api_keys::revoke(&store.pool, old.id, &a_person()).await.unwrap());
    assert!(!api_keys::revoke(&store.pool, ApiKeyId::new(), &a_person()).await.unwrap());

    let listed = api_keys::list(&store.pool).await.unwrap();
    assert_eq!((listed[0].id, listed.len()), (old.id, 5));
    assert!(listed[0].revoked_at.is_some());
    for key in listed {
        api_keys::revoke(&store.pool, key.id, &a_person()).await.unwrap();
    }
    assert!(!api_keys::any_active(&store.pool).await.unwrap());
}

#[tokio::test]
async fn a_key_can_be_for_one_school_that_is_connected_later() {
    let store = TestStore::start().await;
    let oak = "oak".parse().unwrap();
    let (_, text) = api_keys::create(
        &store.pool,
        &NewApiKey { school_id: Some(&oak), ..NewApiKey::new("one", Role::App) },
        &a_person(),
    )
    .await
    .unwrap();
    let key = opens(&store, text.expose_secret()).await.unwrap();
    assert_eq!(key.school_id, Some(oak));
}

#[tokio::test]
async fn a_text_that_is_no_key_opens_nothing() {
    let store = TestStore::start().await;
    let (_, text) = api_keys::create(&store.pool, &NewApiKey::new("key", Role::Admin), &a_person())
        .await
        .unwrap();
    let text = text.expose_secret();
    let half = text.len() / 2;
    let flipped = |at: usize| {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    let malformed = [
        String::new(),
        "misk_".into(),
        "misk_é".into(),
        text.trim_start_matches("misk_").into(),
        text.to_uppercase(),
        text[..half].into(),
        format!("{text}A"),
        format!("{text}AAAA"),
        format!("{text} "),
        // The id's first bits, and the secret's.
        flipped(5),
        flipped(40),
    ];
    for wrong in malformed {
        assert_eq!(opens(&store, &wrong).await, None, "{wrong}");
    }
    assert!(opens(&store, text).await.is_some());
}

#[tokio::test]
async fn the_table_holds_a_hash_only() {
    let store = TestStore::start().await;
    let (key, text) = api_keys::create(&store.pool, &NewApiKey::new("key", Role::App), &a_person())
        .await
        .unwrap();
    // The prefix, then 16 bytes of id and 32 of secret in base64.
    let (_, encoded) = text.expose_secret().split_once('_').unwrap();
    let row: String = rows::value(&store.pool, "SELECT api_key::text FROM api_key").await;
    assert!(row.contains(&key.id.to_string()) && !row.contains(&encoded[24..40]));
    let standard = encoded.replace('-', "+").replace('_', "/");
    let leaked = format!(
        "SELECT secret_hash = substring(decode('{standard}', 'base64') FROM 17)
            OR octet_length(secret_hash) <> 32 FROM api_key"
    );
    assert!(!rows::value::<bool>(&store.pool, &leaked).await);
}

#[tokio::test]
async fn a_key_that_has_expired_opens_nothing() {
    let store = TestStore::start().await;
    let in_a_day = mis_sync_domain::Clock::system().now() + chrono::TimeDelta::days(1);
    let new = NewApiKey { expires_at: Some(in_a_day), ..NewApiKey::new("guest", Role::Viewer) };
    let (key, text) = api_keys::create(&store.pool, &new, &a_person()).await.unwrap();
    assert!(opens(&store, text.expose_secret()).await.is_some());
    assert!(api_keys::any_active(&store.pool).await.unwrap());
    let session = sessions::begin(&store.pool, &key).await.unwrap();
    assert!(sessions::resume(&store.pool, session).await.unwrap().is_some());
    assert_eq!(sessions::why_over(&store.pool, session).await.unwrap(), None);

    rows::change(&store.pool, "UPDATE api_key SET expires_at = now()").await;
    assert_eq!(opens(&store, text.expose_secret()).await, None);
    assert!(!api_keys::any_active(&store.pool).await.unwrap());
    assert!(api_keys::is_revoked(&store.pool, key.id).await.unwrap());
    assert!(sessions::resume(&store.pool, session).await.unwrap().is_none());
    let why = sessions::why_over(&store.pool, session).await.unwrap();
    assert_eq!(why, Some(sessions::Over::KeyExpired));
}

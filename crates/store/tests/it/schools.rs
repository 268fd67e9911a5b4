use std::time::Duration;

use mis_sync_domain::{
    CheckSchool, CheckedPart, ConnectSchool, Grant, GrantState, IssueCode, JobTitle, SchoolCheck,
    SchoolSettings, StaffRecord, TokenState, TokenVerdict, Update,
};
use mis_sync_store::{Error, jobs::NewJob, schools};
use mis_sync_testing::{a_person, connector};
use secrecy::ExposeSecret;

use crate::{
    fixture::{TestStore, cipher, connection, person},
    rows,
};

#[tokio::test]
async fn a_change_without_a_token_keeps_token_mis_and_settings() {
    let store = TestStore::start().await;
    let settings = SchoolSettings { teachers_only: true, ..SchoolSettings::default() };
    let first = ConnectSchool {
        mis: Update::Set("SIMS".into()),
        settings: Some(settings.clone()),
        ..connection("oak")
    };
    let connected = schools::connect(
        &store.pool,
        connector(&cipher(1), &a_person()),
        &first,
        Some(&"s3cret".into()),
    )
    .await;
    let connected = connected.unwrap().unwrap();
    assert_eq!((connected.token, connected.last_synced_at), (TokenState::Held, None));

    let renamed = ConnectSchool {
        name: "Oakfield".into(),
        wonde_base_url: Some("https://api.wonde.com/v2.0".into()),
        ..connection("oak")
    };
    let changed =
        schools::connect(&store.pool, connector(&cipher(1), &a_person()), &renamed, None).await;
    let changed = changed.unwrap().unwrap();
    assert_eq!(changed.name, "Oakfield");
    assert_eq!(changed.mis.as_deref(), Some("SIMS"));
    assert_eq!((&changed.settings, changed.created_at), (&settings, connected.created_at));
    assert!(changed.updated_at > connected.updated_at);

    let access = schools::access(&store.pool, &cipher(1), &first.id).await.unwrap().unwrap();
    assert_eq!(access.token.expose_secret(), "s3cret");
    assert_eq!(access.school, changed);
    assert_eq!(schools::get(&store.pool, &first.id).await.unwrap().unwrap(), changed);
}

#[tokio::test]
async fn a_new_school_without_a_token_is_not_connected() {
    let store = TestStore::start().await;
    let oak = connection("oak");
    assert_eq!(
        schools::connect(&store.pool, connector(&cipher(1), &a_person()), &oak, None)
            .await
            .unwrap(),
        None
    );
    assert_eq!(schools::get(&store.pool, &oak.id).await.unwrap(), None);
    assert!(schools::access(&store.pool, &cipher(1), &oak.id).await.unwrap().is_none());
    assert!(
        !schools::disconnect(&store.pool, &oak.id, &schools::OnlyIf::Always, &a_person())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn the_table_does_not_hold_the_token() {
    let store = TestStore::start().await;
    let oak = connection("oak");
    let token = "a-token-that-is-easy-to-find";
    schools::connect(&store.pool, connector(&cipher(1), &a_person()), &oak, Some(&token.into()))
        .await
        .unwrap();
    let sealed: Vec<u8> = rows::value(&store.pool, "SELECT wonde_token FROM school").await;
    assert!(!sealed.windows(8).any(|window| window == &token.as_bytes()[..8]));
    let row: String = rows::value(&store.pool, "SELECT school::text FROM school").await;
    assert!(!row.contains("easy-to-find"));
}

#[tokio::test]
async fn a_token_opens_with_its_own_key_and_in_its_own_row_only() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let refused = schools::access(&store.pool, &cipher(2), &oak).await.err().unwrap();
    assert!(
        matches!(&refused, Error::SealedWithAnotherKey { school_id } if school_id == "oak"),
        "{refused:?}"
    );
    assert!(!refused.is_transient());
    let copy = "UPDATE school SET wonde_token = (SELECT wonde_token FROM school WHERE id = 'oak')";
    rows::change(&store.pool, copy).await;
    assert!(schools::access(&store.pool, &cipher(1), &oak).await.unwrap().is_some());
    let moved = schools::access(&store.pool, &cipher(1), &elm).await.err().unwrap();
    assert!(matches!(moved, Error::SealedWithAnotherKey { .. }));
}

#[tokio::test]
async fn disconnecting_destroys_the_token_and_keeps_the_people() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    rows::make_account(&store.pool, &oak, "ada@oak.example", None).await;
    assert!(
        schools::disconnect(&store.pool, &oak, &schools::OnlyIf::Always, &a_person())
            .await
            .unwrap()
    );
    assert!(rows::value::<bool>(&store.pool, "SELECT wonde_token IS NULL FROM school").await);
    assert!(schools::access(&store.pool, &cipher(1), &oak).await.unwrap().is_none());
    let school = schools::get(&store.pool, &oak).await.unwrap().unwrap();
    assert_eq!(school.token, TokenState::Missing);
    assert_eq!(rows::people(&store.pool, &oak).await.len(), 1);

    let without_token =
        schools::connect(&store.pool, connector(&cipher(1), &a_person()), &connection("oak"), None)
            .await;
    assert_eq!(without_token.unwrap(), None);
    store.school("oak").await;
    let school = schools::get(&store.pool, &oak).await.unwrap().unwrap();
    assert_eq!(school.token, TokenState::Held);
}

#[tokio::test]
async fn a_new_token_clears_the_rejected_mark_and_a_new_name_does_not() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    reject_token(&store.pool, &oak).await;
    let first: String =
        rows::value(&store.pool, "SELECT token_rejected_at::text FROM school").await;
    reject_token(&store.pool, &oak).await;
    let second: String =
        rows::value(&store.pool, "SELECT token_rejected_at::text FROM school").await;
    assert_eq!(first, second, "the first refusal is the one that counts");

    let renamed = ConnectSchool { name: "Oakfield".into(), ..connection("oak") };
    let changed = schools::connect(&store.pool, connector(&cipher(1), &a_person()), &renamed, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changed.token, TokenState::Rejected);
    let token = "another".into();
    let changed =
        schools::connect(&store.pool, connector(&cipher(1), &a_person()), &renamed, Some(&token))
            .await;
    assert_eq!(changed.unwrap().unwrap().token, TokenState::Held);
}

#[tokio::test]
async fn a_refused_token_is_handed_out_for_a_try_once_in_a_while() {
    let store = TestStore::start().await;
    let pool = &store.pool;
    let (oak, _elm) = (store.school("oak").await, store.school("elm").await);
    let quarter = Duration::from_mins(15);
    let due = async || schools::take_for_probe(pool, quarter, 10).await.unwrap();
    assert!(due().await.is_empty(), "no token is refused");
    reject_token(pool, &oak).await;
    assert!(due().await.is_empty(), "it was refused just now");
    let long_ago = "UPDATE school SET token_rejected_at = now() - interval '20 minutes'
        WHERE id = 'oak'";
    rows::change(pool, long_ago).await;
    assert_eq!(due().await, std::slice::from_ref(&oak));
    assert!(due().await.is_empty(), "once");
    for probed in ["now() - interval '16 minutes'", "now() + interval '1 hour'"] {
        let sql = format!("UPDATE school SET token_probed_at = {probed} WHERE id = 'oak'");
        rows::change(pool, &sql).await;
        assert_eq!(due().await, std::slice::from_ref(&oak), "{probed}");
    }
    rows::change(pool, long_ago).await;
    rows::change(pool, "UPDATE school SET token_probed_at = NULL").await;
    let read = schools::get(pool, &oak).await.unwrap().unwrap();
    schools::mark_token_accepted(pool, &read).await.unwrap();
    let school = schools::get(pool, &oak).await.unwrap().unwrap();
    assert_eq!((school.token, school.updated_at), (TokenState::Held, read.updated_at));
    assert!(due().await.is_empty());
}

#[tokio::test]
async fn the_mis_is_noted_only_where_nobody_said_it() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    for (noted, expected) in [("Bromcom", "Bromcom"), ("SIMS", "Bromcom")] {
        schools::note_mis(&store.pool, &oak, noted).await.unwrap();
        let school = schools::get(&store.pool, &oak).await.unwrap().unwrap();
        assert_eq!(school.mis.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn schools_are_listed_page_by_page() {
    let store = TestStore::start().await;
    for id in ["elm", "ash", "oak"] {
        store.school(id).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = schools::list(&store.pool, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|school| school.id.to_string()));
    }
    assert_eq!(seen, ["ash", "elm", "oak"]);
}

/// Records that Wonde refused the token that the school has now.
#[tokio::test]
async fn a_null_removes_the_mis() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    for (mis, expected) in [
        (Update::Set("SIMS".to_owned()), Some("SIMS")),
        (Update::Keep, Some("SIMS")),
        (Update::Remove, None),
        (Update::Keep, None),
    ] {
        let change = ConnectSchool { mis, ..connection("oak") };
        let (cipher, actor) = (cipher(1), a_person());
        schools::connect(&store.pool, connector(&cipher, &actor), &change, None).await.unwrap();
        let school = schools::get(&store.pool, &oak).await.unwrap().unwrap();
        assert_eq!(school.mis.as_deref(), expected);
    }
}

#[tokio::test]
async fn what_is_withheld_keeps_the_time_at_which_it_was_first_missing() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let since = async |kind| schools::standing(&store.pool, &oak).await.unwrap().since(kind);
    let with = |job_title: &JobTitle| {
        let person = |id| StaffRecord { job_title: job_title.clone(), ..person(id) };
        ["ada", "bea", "cleo"].map(person)
    };
    let roles = IssueCode::RolesWithheld;
    let teacher = JobTitle::Roles("Teacher".into());
    store.sync(&oak, &with(&teacher)).await;
    assert_eq!(since(roles).await, None);
    store.sync(&oak, &with(&JobTitle::Empty)).await;
    let first = since(roles).await;
    assert!(first.is_some());
    store.sync(&oak, &with(&JobTitle::Empty)).await;
    assert_eq!(since(roles).await, first);
    store.sync(&oak, &with(&teacher)).await;
    assert_eq!(since(roles).await, None);

    // A check finds the same without a sync.
    let photos = IssueCode::PhotosWithheld;
    let check = async |state| {
        let job = NewJob::of(&CheckSchool { school_id: oak.clone(), version: 0 }, "test");
        let job = store.enqueue_new(&job).await;
        let lease = store.claim(job).await;
        let school = schools::get(&store.pool, &oak).await.unwrap().unwrap();
        let check = SchoolCheck {
            checked_at: school.updated_at,
            token: TokenVerdict::Accepted,
            wonde_name: None,
            grants: vec![Grant { part: CheckedPart::Photos, state }],
        };
        schools::keep_check(&store.pool, lease, &school, &check).await.unwrap();
        since(photos).await
    };
    let first = check(GrantState::NotGranted).await;
    assert!(first.is_some());
    // A check that does not say, and one that says the same.
    assert_eq!(check(GrantState::Empty).await, first);
    assert_eq!(check(GrantState::NotGranted).await, first);
    assert_eq!(check(GrantState::Granted).await, None);
}

async fn reject_token(pool: &mis_sync_store::Pool, id: &mis_sync_domain::SchoolId) {
    let school = schools::get(pool, id).await.unwrap().unwrap();
    schools::mark_token_rejected(pool, &school).await.unwrap();
}

#[tokio::test]
async fn a_late_refusal_of_an_old_token_does_not_mark_the_new_one() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let read = schools::get(&store.pool, &oak).await.unwrap().unwrap();
    let token = "another".into();
    schools::connect(
        &store.pool,
        connector(&cipher(1), &a_person()),
        &connection("oak"),
        Some(&token),
    )
    .await
    .unwrap();
    schools::mark_token_rejected(&store.pool, &read).await.unwrap();
    let school = schools::get(&store.pool, &oak).await.unwrap().unwrap();
    assert_eq!(school.token, TokenState::Held);
}

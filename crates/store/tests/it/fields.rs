//! Who owns a field, and what silence of the MIS means.

use mis_sync_domain::{JobTitle, OwnedFields, SchoolId, StaffRecord, SyncRules};

use crate::{
    fixture::{ALL_OWNED, RULES, TestStore, finish, person, plan, with_email},
    rows::{self, Person},
};

fn ada(initials: Option<&str>, job_title: JobTitle, non_teaching: Option<bool>) -> StaffRecord {
    let initials = initials.map(Into::into);
    StaffRecord { upi: None, initials, job_title, non_teaching, ..person("ada") }
}

fn roles(text: &str) -> JobTitle {
    JobTitle::Roles(text.into())
}

/// Syncs Ada beside a colleague with a role: if no one had one, roles would count as withheld.
async fn synced(
    store: &TestStore,
    school: &SchoolId,
    owned: OwnedFields,
    ada: StaffRecord,
) -> Person {
    let bob = StaffRecord {
        job_title: roles("Bursar"),
        ..with_email("bob", &format!("bob@{school}.example"))
    };
    store.sync_owning(school, owned, &[ada, bob]).await;
    let people = rows::people(&store.pool, school).await;
    people.into_iter().find(|person| person.wonde_id.as_deref() == Some("ada")).unwrap()
}

#[tokio::test]
async fn what_the_mis_does_not_say_keeps_what_ip_holds() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let said = StaffRecord { upi: Some("u1".into()), ..ada(Some("AL"), roles("Head"), Some(true)) };
    let before = synced(&store, &school, ALL_OWNED, said).await;
    let silent = ada(None, JobTitle::NotDelivered, None);
    assert_eq!(synced(&store, &school, ALL_OWNED, silent).await, before);
    assert_eq!(before.upi.as_deref(), Some("u1"));
}

#[tokio::test]
async fn no_roles_blank_the_job_title_and_roles_that_were_not_delivered_do_not() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    for (delivered, expected) in [
        (roles("Head"), Some("Head")),
        (JobTitle::NotDelivered, Some("Head")),
        (JobTitle::Empty, None),
        (JobTitle::NotDelivered, None),
        (roles("Teacher"), Some("Teacher")),
    ] {
        let held = synced(&store, &school, ALL_OWNED, ada(None, delivered.clone(), None)).await;
        assert_eq!(held.job_title.as_deref(), expected, "{delivered:?}");
    }
}

#[tokio::test]
async fn a_field_that_the_school_keeps_is_filled_once_and_then_left_alone() {
    let store = TestStore::start().await;
    for (id, owned) in [
        ("none", OwnedFields { initials: false, job_title: false, line_manager: true }),
        ("initials", OwnedFields { initials: true, job_title: false, line_manager: true }),
        ("title", OwnedFields { initials: false, job_title: true, line_manager: true }),
        ("both", ALL_OWNED),
    ] {
        let school = store.school(id).await;
        let unique = |record: StaffRecord| StaffRecord {
            email: crate::fixture::email(&format!("ada@{id}.example")),
            ..record
        };
        let first = unique(ada(Some("AL"), roles("Head"), None));
        let held = synced(&store, &school, owned, first).await;
        assert_eq!(held.initials.as_deref(), Some("AL"), "{id}");
        assert_eq!(held.job_title.as_deref(), Some("Head"), "{id}");

        let second = unique(ada(Some("XX"), roles("Teacher"), None));
        let held = synced(&store, &school, owned, second).await;
        assert_eq!(
            held.initials.as_deref(),
            Some(if owned.initials { "XX" } else { "AL" }),
            "{id}"
        );
        let title = if owned.job_title { "Teacher" } else { "Head" };
        assert_eq!(held.job_title.as_deref(), Some(title), "{id}");

        let third = unique(ada(None, JobTitle::Empty, None));
        let held = synced(&store, &school, owned, third).await;
        assert_eq!(held.job_title.is_none(), owned.job_title, "{id}");
    }
}

#[tokio::test]
async fn an_account_made_by_hand_keeps_the_fields_that_the_school_keeps() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::make_account(&store.pool, &school, "ada@oak.example", None).await;
    rows::change(&store.pool, "UPDATE staff SET initials = 'HH', job_title = 'By hand'").await;
    let kept = OwnedFields { initials: false, job_title: false, line_manager: true };
    let held = synced(&store, &school, kept, ada(Some("AL"), roles("Head"), None)).await;
    assert_eq!(
        (held.initials.as_deref(), held.job_title.as_deref()),
        (Some("HH"), Some("By hand"))
    );
    assert_eq!(held.wonde_id.as_deref(), Some("ada"));
}

#[tokio::test]
async fn who_owns_a_field_is_decided_by_the_claim_that_finishes() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    synced(&store, &school, ALL_OWNED, ada(Some("AL"), roles("Head"), None)).await;
    let lease = store.staged(&school, &[ada(Some("XX"), roles("Teacher"), None)]).await;
    rows::change(
        &store.pool,
        "UPDATE job SET lease_until = now() - interval '1 second' WHERE state = 'running'",
    )
    .await;
    let next = store.claim(lease.job_id).await;
    let kept = OwnedFields { initials: false, job_title: false, line_manager: true };
    let rules = SyncRules { owned: kept, ..RULES };
    let report = finish(&store.pool, plan(next, &school, rules)).await.unwrap();
    assert_eq!(report.unchanged, 1);
}

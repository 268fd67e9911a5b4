//! What a sync does to people: it creates, updates what differs, and leaves the rest alone.

use mis_sync_domain::{JobState, JobTitle, StaffRecord};
use mis_sync_store::{jobs, schools};

use crate::{
    fixture::{TestStore, email, person, with_email},
    rows::{self, Change},
};

fn full(wonde_id: &str) -> StaffRecord {
    StaffRecord {
        upi: Some(format!("upi-{wonde_id}")),
        initials: Some("RX".into()),
        job_title: JobTitle::Roles("Teacher, SENCO".into()),
        non_teaching: Some(true),
        ..person(wonde_id)
    }
}

fn changed(
    field: &str,
    old: Option<&str>,
    new: Option<&str>,
) -> (String, Option<String>, Option<String>) {
    (field.into(), old.map(Into::into), new.map(Into::into))
}

#[tokio::test]
async fn the_first_sync_creates_people_who_cannot_log_in_before_a_reset() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let before = schools::get(&store.pool, &school).await.unwrap().unwrap();
    let (job, report) = store.sync(&school, &[full("ada"), person("bea")]).await;
    assert_eq!((report.fetched, report.current, report.created), (2, 2, 2));
    assert_eq!((report.updated, report.unchanged, report.skipped, report.issues), (0, 0, 0, 0));

    let held = rows::people(&store.pool, &school).await;
    let [ada, bea] = held.try_into().unwrap();
    assert_eq!(ada.wonde_id.as_deref(), Some("ada"));
    assert_eq!((ada.email.as_str(), ada.first_name.as_str()), ("ada@oak.example", "Robin"));
    assert_eq!(ada.upi.as_deref(), Some("upi-ada"));
    assert_eq!(ada.initials.as_deref(), Some("RX"));
    assert_eq!(ada.job_title.as_deref(), Some("Teacher, SENCO"));
    assert!(ada.non_teaching && ada.active && ada.password_reset_required);
    assert!(!bea.non_teaching, "not said: teaching");
    assert_eq!((bea.upi, bea.initials, bea.job_title), (None, None, None));
    assert!(ada.password_hash.starts_with("$pbkdf2-sha256$"));
    assert_ne!(ada.password_hash, bea.password_hash);

    let history = rows::changes(&store.pool, job).await;
    let created = |person: uuid::Uuid, wonde_id: &str| Change {
        staff_id: Some(person),
        wonde_id: Some(wonde_id.into()),
        field: "created".into(),
        old_value: None,
        new_value: None,
    };
    assert_eq!(history.len(), 2);
    assert!(history.contains(&created(ada.id, "ada")) && history.contains(&created(bea.id, "bea")));
    let ended = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.report), (JobState::Succeeded, Some(report)));
    let after = schools::get(&store.pool, &school).await.unwrap().unwrap();
    assert!(before.last_synced_at.is_none() && after.last_synced_at.is_some());
}

#[tokio::test]
async fn a_sync_without_news_writes_no_person() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let list = [full("ada"), person("bea"), with_email("cat", "Cat.MixedCase@Oak.example")];
    store.sync(&school, &list).await;
    let before = rows::people(&store.pool, &school).await;
    let (job, report) = store.sync(&school, &list).await;
    assert_eq!((report.unchanged, report.updated, report.created), (3, 0, 0));
    // Neither `updated_at` nor `xmin`, which every write of a row changes.
    assert_eq!(rows::people(&store.pool, &school).await, before);
    assert_eq!(rows::changes(&store.pool, job).await, []);
}

#[tokio::test]
async fn an_update_writes_only_who_changed_and_the_history_has_exactly_the_fields() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[full("ada"), full("bea"), full("cat")]).await;
    let before = rows::people(&store.pool, &school).await;

    let ada = StaffRecord {
        first_name: "Ada".into(),
        email: email("Ada@oak.example"),
        job_title: JobTitle::Empty,
        ..full("ada")
    };
    let cat = StaffRecord {
        upi: Some("another".into()),
        surname: "cat-lee".into(),
        initials: Some("CL".into()),
        non_teaching: Some(false),
        email: email("new@oak.example"),
        ..full("cat")
    };
    let (job, report) = store.sync(&school, &[ada, full("bea"), cat]).await;
    assert_eq!((report.updated, report.unchanged, report.created), (2, 1, 0));

    let after = rows::people(&store.pool, &school).await;
    assert_eq!(after[1], before[1], "bea was not changed");
    assert!(after[0].updated_at > before[0].updated_at);
    assert_eq!((&after[0].id, &after[0].password_hash), (&before[0].id, &before[0].password_hash));
    assert_eq!(after[2].email, "new@oak.example");

    let history = rows::changes(&store.pool, job).await;
    let of = |person: &str| {
        let mut fields: Vec<_> = history
            .iter()
            .filter(|change| change.wonde_id.as_deref() == Some(person))
            .map(|c| (c.field.clone(), c.old_value.clone(), c.new_value.clone()))
            .collect();
        fields.sort();
        fields
    };
    let expected_of_ada = [
        changed("email", Some("ada@oak.example"), Some("Ada@oak.example")),
        changed("first_name", Some("Robin"), Some("Ada")),
        changed("job_title", Some("Teacher, SENCO"), None),
    ];
    let expected_of_cat = [
        changed("email", Some("cat@oak.example"), Some("new@oak.example")),
        changed("initials", Some("RX"), Some("CL")),
        changed("non_teaching", Some("true"), Some("false")),
        changed("surname", Some("cat"), Some("cat-lee")),
        changed("upi", Some("upi-cat"), Some("another")),
    ];
    assert_eq!((of("ada"), of("cat")), (expected_of_ada.to_vec(), expected_of_cat.to_vec()));
    assert_eq!(history.len(), 8);
    assert!(history.iter().all(|c| [Some(after[0].id), Some(after[2].id)].contains(&c.staff_id)));
}

#[tokio::test]
async fn someone_who_is_not_in_the_list_keeps_their_account() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let before = rows::people(&store.pool, &school).await;
    let (_, report) = store.sync(&school, &[person("ada")]).await;
    assert_eq!((report.current, report.unchanged), (1, 1));
    assert_eq!(rows::people(&store.pool, &school).await, before);
}

#[tokio::test]
async fn a_person_delivered_twice_counts_once_and_the_later_delivery_wins() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let named = |name: &str| StaffRecord { first_name: name.into(), ..person("ada") };
    let (_, report) = store.sync(&school, &[named("Old"), person("bea"), named("New")]).await;
    assert_eq!((report.fetched, report.current, report.created), (2, 2, 2));
    let held = rows::people(&store.pool, &school).await;
    assert_eq!((held.len(), held[0].first_name.as_str()), (2, "New"));

    let (_, report) = store.sync(&school, &[named("New"), named("Newer"), person("bea")]).await;
    assert_eq!((report.fetched, report.updated, report.unchanged), (2, 1, 1));
    assert_eq!(rows::people(&store.pool, &school).await[0].first_name, "Newer");
}

//! Undoing a sync.

use mis_sync_domain::{ChangedField, JobId, JobState, JobTitle, StaffRecord, SyncRules};
use mis_sync_store::{
    jobs::{self, Actor},
    undo::{self, Undone},
};
use mis_sync_testing::eventually;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    fixture::{RULES, TestStore, page, person, with_email},
    rows,
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, restores: true, ..RULES };

async fn undo(store: &TestStore, job: JobId) -> Undone {
    let actor = Actor::command("operator", None);
    undo::undo(&store.pool, job, None, &actor).await.unwrap()
}

async fn undone(store: &TestStore, job: JobId) -> mis_sync_domain::Job {
    match undo(store, job).await {
        Undone::Done(job) => *job,
        other => panic!("{other:?}"),
    }
}

/// What a sync writes about everyone.
async fn people(store: &TestStore) -> Vec<String> {
    let sql = "SELECT concat_ws('|', wonde_id, upi, email, first_name, surname, initials,
        job_title, non_teaching, line_manager_id, active) FROM staff ORDER BY id";
    rows::texts(&store.pool, sql).await
}

#[tokio::test]
async fn everything_is_as_it_was_and_the_undo_can_be_undone() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let usual = [person("ada"), person("bea"), person("cleo"), person("dan")];
    store.sync(&school, &usual).await;
    let before = people(&store).await;
    // A new name, title and initials; two logins swapped; one person gone, one new.
    let changed = StaffRecord {
        surname: "Day".into(),
        job_title: JobTitle::Roles("Head".into()),
        initials: Some("AD".into()),
        non_teaching: Some(true),
        ..person("ada")
    };
    let list = [
        changed,
        with_email("bea", "cleo@oak.example"),
        with_email("cleo", "bea@oak.example"),
        person("eve"),
    ];
    let (job, _) = store.sync_page(&school, LEAVERS, &page(&list), false).await;
    let after = people(&store).await;
    assert_eq!(after.len(), 5);

    let undo_job = undone(&store, job).await;
    assert_eq!((undo_job.state, undo_job.undo_of), (JobState::Succeeded, Some(job)));
    let report = undo_job.report.unwrap();
    assert_eq!((report.updated, report.restored, report.deactivated), (3, 1, 1));
    let now = people(&store).await;
    assert_eq!(now[..4], before[..], "as before");
    assert!(now[4].starts_with("eve") && now[4].ends_with('f'), "kept, and cannot log in");
    assert!(matches!(undo(&store, job).await, Undone::Nothing), "once is enough");

    undone(&store, undo_job.id).await;
    assert_eq!(people(&store).await, after, "the undo undone");
    let audit = "SELECT actor || ' ' || action FROM audit_log WHERE job_id IS NOT NULL";
    assert_eq!(rows::texts(&store.pool, audit).await, ["operator undo", "operator undo"]);
}

#[tokio::test]
async fn later_changes_stand_in_the_way_and_nothing_is_taken_back() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let named =
        |wonde_id: &str, surname: &str| StaffRecord { surname: surname.into(), ..person(wonde_id) };
    store.sync(&school, &[person("ada"), person("bea"), person("cleo")]).await;
    let (job, _) = store
        .sync(&school, &[named("ada", "Day"), named("bea", "Bell"), named("cleo", "Cole")])
        .await;
    let (later, _) = store
        .sync(&school, &[named("ada", "Dee"), named("bea", "Bell"), named("cleo", "Cole")])
        .await;
    rows::change(&store.pool, "UPDATE staff SET surname = 'Hand' WHERE wonde_id = 'bea'").await;
    let before = people(&store).await;
    let Undone::Conflicts(conflicts) = undo(&store, job).await else { panic!("conflicts") };
    let found: Vec<_> =
        conflicts.iter().map(|conflict| (conflict.field, conflict.job_id)).collect();
    assert_eq!(found, [(ChangedField::Surname, Some(later)), (ChangedField::Surname, None)]);
    assert_eq!(people(&store).await, before);
    // The latest one can be undone, and then the one before can be, except for the manual edit.
    undone(&store, later).await;
}

#[tokio::test]
async fn a_dry_run_an_idle_sync_and_an_unfinished_job_cannot_be_undone() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada")]).await;
    let (dry, _) = store.preview(&school, &[person("ada"), person("bea")]).await;
    assert!(matches!(undo(&store, dry).await, Undone::Nothing));
    let (idle, _) = store.sync(&school, &[person("ada")]).await;
    assert!(matches!(undo(&store, idle).await, Undone::Nothing));
    let queued = store.enqueue(&school).await;
    assert!(matches!(undo(&store, queued).await, Undone::WrongState));
    assert!(matches!(undo(&store, JobId::new()).await, Undone::WrongState));
    assert_eq!(jobs::get(&store.pool, queued).await.unwrap().unwrap().state, JobState::Queued);
}

#[tokio::test]
async fn a_manager_who_was_removed_from_ip_stands_in_the_way_of_the_undo() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada"), person("bea")]).await;
    let reports_to_bea = "UPDATE staff SET line_manager_id = (SELECT id FROM staff
        WHERE wonde_id = 'bea') WHERE wonde_id = 'ada'";
    rows::change(&store.pool, reports_to_bea).await;
    let no_manager = StaffRecord { hierarchy: Some(Vec::new()), ..person("ada") };
    // Two lists that name one person show that they are of managers.
    let [cleo, dan] = ["cleo", "dan"]
        .map(|name| StaffRecord { hierarchy: Some(vec!["bea".into()]), ..person(name) });
    let (job, _) = store.sync(&school, &[no_manager, person("bea"), cleo, dan]).await;
    rows::change(&store.pool, "UPDATE staff SET line_manager_id = NULL").await;
    rows::change(&store.pool, "DELETE FROM staff WHERE wonde_id = 'bea'").await;
    let Undone::Conflicts(conflicts) = undo(&store, job).await else { panic!("conflicts") };
    let fields: Vec<_> = conflicts.iter().map(|conflict| conflict.field).collect();
    assert_eq!(fields, [ChangedField::LineManagerId]);
}

#[tokio::test]
async fn an_edit_just_before_the_undo_writes_is_kept() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("ada")]).await;
    let renamed = StaffRecord { surname: "Day".into(), ..person("ada") };
    let (job, _) = store.sync(&school, &[renamed]).await;
    let mut user = PgConnection::connect(&store.servers.database_url()).await.unwrap();
    user.execute("BEGIN; UPDATE staff SET surname = 'Hand'").await.unwrap();
    let (undone, ()) = tokio::join!(undo(&store, job), async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        eventually("the undo waits for the edit", async || {
            (rows::value::<i64>(&store.pool, waiting).await > 0).then_some(())
        })
        .await;
        user.execute("COMMIT").await.unwrap();
    });
    let Undone::Conflicts(conflicts) = undone else { panic!("{undone:?}") };
    assert_eq!(conflicts[0].field, ChangedField::Surname);
    assert_eq!(rows::texts(&store.pool, "SELECT surname FROM staff").await, ["Hand"]);
}

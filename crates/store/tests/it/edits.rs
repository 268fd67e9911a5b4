//! A person edits in iP after a sync has read a school and before it writes it.

use mis_sync_domain::{
    Imports, JobTitle, Lease, OwnedFields, SchoolId, StaffRecord, SubjectOfClass, SyncRules,
    TeachingKind, TeachingRecord, plan::MappedPage,
};
use mis_sync_testing::eventually;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    fixture::{ALL_OWNED, NOTHING_ELSE, RULES, TestStore, finish, page, person, plan},
    rows,
};

/// iP owns job titles; classes are imported.
const IP_OWNS_TITLES: SyncRules = SyncRules {
    owned: OwnedFields { job_title: false, ..ALL_OWNED },
    imports: Imports { classes: true, ..NOTHING_ELSE },
    ..RULES
};

fn bea(surname: &str) -> StaffRecord {
    let surname = surname.into();
    StaffRecord { surname, job_title: JobTitle::Roles("Teacher".into()), ..person("bea") }
}

fn class(name: &str) -> MappedPage {
    let class = TeachingRecord {
        wonde_id: "c1".into(),
        name: Some(name.into()),
        code: None,
        description: None,
        subject: SubjectOfClass::NotDelivered,
        staff: None,
    };
    MappedPage { teaching: vec![(TeachingKind::Class, class)], ..MappedPage::default() }
}

async fn begin(store: &TestStore, school: &SchoolId, surname: &str, class_name: &str) -> Lease {
    let lease = store.claim(store.enqueue(school).await).await;
    let people = page(&[person("ada"), bea(surname)]);
    store.add_with_classes(lease, &people, &class(class_name)).await.unwrap();
    lease
}

/// A sync that writes Bea and the class. The edit is made between its reading and its writing, and
/// committed once the sync waits for it. Returns iP's record afterwards.
async fn edited_meanwhile(edit: &str) -> Vec<String> {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = begin(&store, &school, "old", "9B").await;
    finish(&store.pool, plan(lease, &school, IP_OWNS_TITLES)).await.unwrap();

    let lease = begin(&store, &school, "new", "9B/Ma").await;
    let mut user = PgConnection::connect(&store.servers.database_url()).await.unwrap();
    user.execute("BEGIN").await.unwrap();
    user.execute(AssertSqlSafe(edit.to_owned())).await.unwrap();
    let (report, ()) =
        tokio::join!(finish(&store.pool, plan(lease, &school, IP_OWNS_TITLES)), async {
            let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
            eventually("the sync waits for the edit", async || {
                (rows::value::<i64>(&store.pool, waiting).await > 0).then_some(())
            })
            .await;
            user.execute("COMMIT").await.unwrap();
        });
    report.unwrap();
    let held = "SELECT concat_ws(' ', surname, job_title, active) FROM staff WHERE wonde_id = 'bea'
        UNION ALL SELECT concat_ws(' ', name, description) FROM class";
    rows::texts(&store.pool, held).await
}

#[tokio::test]
async fn an_edited_person_keeps_the_edit_and_gets_what_the_mis_says() {
    let edit = "UPDATE staff SET job_title = 'Head of Maths' WHERE wonde_id = 'bea'";
    assert_eq!(edited_meanwhile(edit).await, ["new Head of Maths t", "9B/Ma"]);
}

#[tokio::test]
async fn someone_who_is_deactivated_by_hand_is_not_made_active_again() {
    let edit = "UPDATE staff SET active = false WHERE wonde_id = 'bea'";
    assert_eq!(edited_meanwhile(edit).await, ["new Teacher f", "9B/Ma"]);
}

#[tokio::test]
async fn an_edited_class_keeps_the_edit_and_gets_what_the_mis_says() {
    let edit = "UPDATE class SET description = 'Set 1'";
    assert_eq!(edited_meanwhile(edit).await, ["new Teacher t", "9B/Ma Set 1"]);
}

#[tokio::test]
async fn a_class_that_is_removed_meanwhile_comes_back_as_the_mis_has_it() {
    assert_eq!(edited_meanwhile("DELETE FROM class").await, ["new Teacher t", "9B/Ma"]);
}

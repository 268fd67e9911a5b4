//! The audit log: a chain that shows whether it was touched.

use futures::future::join_all;
use mis_sync_domain::{AuditAction, JobId, Role, StaffId};
use mis_sync_store::{
    Pool, api_keys,
    audit::{self, Actor, AuditFilter, AuditHash, AuditLine, Broken, BrokenChain, Entry, Verified},
    jobs, revert_all_migrations, schools,
};
use mis_sync_testing::{Servers, a_person, connector};

use crate::{
    fixture::{TestStore, cipher, connection},
    rows,
};

async fn add(pool: &Pool, entry: &Entry, reason: Option<&str>) {
    let actor = Actor::command("operator", reason.map(str::to_owned));
    let mut tx = pool.begin().await.unwrap();
    audit::record(&mut tx, &actor, entry).await.unwrap();
    tx.commit().await.unwrap();
}

async fn add_many(pool: &Pool, many: usize) {
    let pause = Entry::new(AuditAction::Pause);
    join_all((0..many).map(|_| add(pool, &pause, Some("stopped, for once")))).await;
}

async fn whole(pool: &Pool) -> Verified {
    audit::verify(pool).await.unwrap().unwrap()
}

async fn broken(pool: &Pool) -> BrokenChain {
    audit::verify(pool).await.unwrap().unwrap_err()
}

/// What only the owner of the database can do.
async fn tamper(pool: &Pool, sql: &str) {
    rows::change(pool, "ALTER TABLE audit_log DISABLE TRIGGER ALL").await;
    assert!(rows::change(pool, sql).await > 0, "{sql}");
    rows::change(pool, "ALTER TABLE audit_log ENABLE TRIGGER ALL").await;
}

#[tokio::test]
async fn lines_of_many_at_once_are_one_chain_without_gaps() {
    let store = TestStore::start().await;
    assert_eq!(whole(&store.pool).await, Verified { lines: 0, head_hash: None });
    add_many(&store.pool, 40).await;
    // A line that is rolled back leaves no gap.
    let mut tx = store.pool.begin().await.unwrap();
    audit::record(&mut tx, &a_person(), &Entry::new(AuditAction::Resume)).await.unwrap();
    tx.rollback().await.unwrap();
    // Many lines in one statement.
    let bulk = "INSERT INTO audit_log (actor, action) SELECT 'ann', 'bulk'
        FROM generate_series(1, 1100)";
    rows::change(&store.pool, bulk).await;
    let verified = whole(&store.pool).await;
    assert_eq!(verified.lines, 1140);
    let head = rows::texts(
        &store.pool,
        "SELECT position || ' ' || encode(hash, 'hex') FROM audit_log
        ORDER BY position DESC LIMIT 1",
    );
    assert_eq!(head.await, [format!("1140 {}", verified.head_hash.unwrap())]);
}

#[tokio::test]
async fn every_column_of_a_line_is_in_its_hash() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    jobs::cancel(&store.pool, job, &a_person()).await.unwrap();
    let full = Entry {
        school_id: Some(school),
        job_id: Some(job),
        staff_id: Some(StaffId::new()),
        subject: Some("bulk, ü".to_owned()),
        ..Entry::new(AuditAction::Reveal)
    };
    let (key, _) =
        api_keys::create(&store.pool, &api_keys::NewApiKey::new("k", Role::App), &a_person())
            .await
            .unwrap();
    let mut by_key = Actor { api_key_id: Some(key.id), ..Actor::command("k", Some("why".into())) };
    by_key.requester.on_behalf_of = "4711".parse().ok();
    let mut tx = store.pool.begin().await.unwrap();
    audit::record(&mut tx, &by_key, &full).await.unwrap();
    tx.commit().await.unwrap();
    add(&store.pool, &Entry::new(AuditAction::SignOut), None).await;
    whole(&store.pool).await;
    let position: i64 =
        rows::value(&store.pool, "SELECT position FROM audit_log WHERE action = 'reveal'").await;
    let columns = rows::texts(
        &store.pool,
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'audit_log'
            AND column_name <> 'position' ORDER BY 1",
    )
    .await;
    assert_eq!(columns.len(), 12);
    for column in columns {
        let other = match column.as_str() {
            "at" => "at + interval '1 microsecond'",
            "api_key_id" | "job_id" | "staff_id" => "gen_random_uuid()",
            "hash" | "previous_hash" => "sha256('')",
            _ => "'other'",
        };
        rows::change(&store.pool, "CREATE TABLE kept AS SELECT * FROM audit_log").await;
        let here = format!("WHERE position = {position}");
        tamper(&store.pool, &format!("UPDATE audit_log SET {column} = {other} {here}")).await;
        let found = broken(&store.pool).await;
        assert_eq!(found, BrokenChain { position, why: Broken::Changed }, "{column}");
        let back = format!(
            "UPDATE audit_log a SET {column} = k.{column} FROM kept k
            WHERE a.position = k.position AND k.position = {position}"
        );
        tamper(&store.pool, &back).await;
        rows::change(&store.pool, "DROP TABLE kept").await;
        whole(&store.pool).await;
    }
}

#[tokio::test]
async fn what_was_changed_removed_or_cut_off_is_noticed() {
    let store = TestStore::start().await;
    let start = async || {
        tamper(&store.pool, "DELETE FROM audit_log").await;
        add_many(&store.pool, 6).await;
        whole(&store.pool).await.head_hash.unwrap()
    };
    add_many(&store.pool, 1).await;
    for (sql, position, why) in [
        ("UPDATE audit_log SET reason = 'other' WHERE position = 3", 3, Broken::Changed),
        // Repairing the line does not help: the next one contains the hash that it had.
        ("UPDATE audit_log SET reason = 'other', hash = audit_hash(
            (position, at, actor, api_key_id, action, school_id, job_id, 'other', staff_id,
            subject, previous_hash, hash, on_behalf_of)::audit_log) WHERE position = 3", 4, Broken::Unlinked),
        ("DELETE FROM audit_log WHERE position = 3", 4, Broken::Unlinked),
        ("DELETE FROM audit_log WHERE position < 3", 3, Broken::Unlinked),
        ("UPDATE audit_log SET position = position + 10 WHERE position = 3", 4, Broken::Unlinked),
        ("INSERT INTO audit_log SELECT 7, at, actor, api_key_id, action, school_id, job_id, reason,
            staff_id, subject, previous_hash, hash FROM audit_log WHERE position = 6", 7,
            Broken::Changed),
    ] {
        start().await;
        tamper(&store.pool, sql).await;
        assert_eq!(broken(&store.pool).await, BrokenChain { position, why }, "{sql}");
    }
    // If lines are removed from the end, only a stored hash shows it.
    let head = start().await;
    assert!(audit::contains(&store.pool, head).await.unwrap());
    add_many(&store.pool, 2).await;
    assert!(audit::contains(&store.pool, head).await.unwrap(), "and it may have grown");
    tamper(&store.pool, "DELETE FROM audit_log WHERE position > 4").await;
    assert_eq!(whole(&store.pool).await.lines, 4);
    assert!(!audit::contains(&store.pool, head).await.unwrap());
}

#[tokio::test]
async fn nobody_changes_or_removes_a_line_by_mistake() {
    let store = TestStore::start().await;
    add_many(&store.pool, 2).await;
    for sql in [
        "UPDATE audit_log SET reason = NULL",
        "DELETE FROM audit_log WHERE position = 2",
        "DELETE FROM audit_log WHERE false",
        "TRUNCATE audit_log",
    ] {
        let refused = rows::try_change(&store.pool, sql).await.unwrap_err();
        assert!(refused.contains("neither changed nor removed"), "{sql}: {refused}");
    }
    assert_eq!(whole(&store.pool).await.lines, 2);
}

#[tokio::test]
async fn lines_from_before_there_was_a_chain_are_its_beginning() {
    let servers = Servers::start().await;
    let pool = servers.pool();
    rows::migrate_down_to(&pool, 9).await;
    let old = "INSERT INTO audit_log (actor, action, reason)
        SELECT 'ann', 'cancel', NULLIF(n, 2)::text FROM generate_series(1, 5) n";
    rows::change(&pool, old).await;
    rows::change(&pool, "DELETE FROM audit_log WHERE position = 2").await;
    mis_sync_store::migrate(&pool).await.unwrap();
    add(&pool, &Entry::new(AuditAction::Bulk), None).await;
    assert_eq!(whole(&pool).await.lines, 5);
    let reasons = "SELECT position || coalesce(reason, '-') FROM audit_log ORDER BY position";
    assert_eq!(rows::texts(&pool, reasons).await, ["11", "23", "34", "45", "5-"]);
    // And back, to where lines continue their own count.
    rows::migrate_down_to(&pool, 9).await;
    rows::change(&pool, old).await;
    revert_all_migrations(&pool).await.unwrap();
}

#[tokio::test]
async fn schools_and_keys_are_in_it_with_who_changed_them() {
    let store = TestStore::start().await;
    let (pool, by) = (&store.pool, Actor::command("ann", None));
    let (cipher, token) = (cipher(1), "t0ken".into());
    let oak = connection("oak");
    // Refused, so it is not in the log: there is no token yet.
    assert!(schools::connect(pool, connector(&cipher, &by), &oak, None).await.unwrap().is_none());
    schools::connect(pool, connector(&cipher, &by), &oak, Some(&token)).await.unwrap();
    schools::connect(pool, connector(&cipher, &by), &oak, None).await.unwrap();
    schools::disconnect(pool, &oak.id, &schools::OnlyIf::Always, &by).await.unwrap();
    assert!(
        !schools::disconnect(pool, &connection("elm").id, &schools::OnlyIf::Always, &by)
            .await
            .unwrap()
    );
    let (key, _) = api_keys::create(
        pool,
        &api_keys::NewApiKey {
            school_id: Some(&oak.id),
            ..api_keys::NewApiKey::new("new", Role::App)
        },
        &by,
    )
    .await
    .unwrap();
    api_keys::revoke(pool, key.id, &by).await.unwrap();
    assert!(!api_keys::revoke(pool, key.id, &by).await.unwrap(), "once is enough");
    let said = audit::list(pool, &AuditFilter::default(), 10).await.unwrap();
    let said: Vec<_> = said.into_iter().rev().map(|line| (line.action, line.subject)).collect();
    let id = Some(key.id.to_string());
    assert_eq!(
        said,
        [
            (AuditAction::ConnectSchool, None),
            (AuditAction::ChangeSchool, None),
            (AuditAction::DisconnectSchool, None),
            (AuditAction::CreateKey, id.clone()),
            (AuditAction::RevokeKey, id),
        ]
    );
    let of_school = AuditFilter { school_id: Some(oak.id), ..AuditFilter::default() };
    assert_eq!(audit::list(pool, &of_school, 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn lines_are_found_by_school_job_action_and_actor_page_by_page() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let job = JobId::new();
    for school in [&oak, &elm, &oak] {
        let entry = Entry {
            school_id: Some(school.clone()),
            job_id: Some(job).filter(|_| *school == elm),
            ..Entry::new(AuditAction::Export)
        };
        add(&store.pool, &entry, None).await;
    }
    let any = AuditFilter::default;
    for (filter, expected) in [
        (any(), vec![5, 4, 3, 2, 1]),
        (AuditFilter { school_id: Some(oak.clone()), ..any() }, vec![5, 3, 1]),
        (AuditFilter { job_id: Some(job), ..any() }, vec![4]),
        (AuditFilter { action: Some(AuditAction::ConnectSchool), ..any() }, vec![2, 1]),
        (AuditFilter { actor: Some("operator".into()), ..any() }, vec![5, 4, 3]),
        (AuditFilter { before: Some(3), ..any() }, vec![2, 1]),
        (AuditFilter { school_id: Some(oak), actor: Some("operator".into()), ..any() }, vec![5, 3]),
    ] {
        assert_eq!(positions(&audit::list(&store.pool, &filter, 9).await.unwrap()), expected);
    }
    let newest = audit::list(&store.pool, &any(), 2).await.unwrap();
    assert_eq!(positions(&newest), [5, 4]);
    let head: Option<AuditHash> = whole(&store.pool).await.head_hash;
    assert_eq!(head, Some(newest[0].hash));
}

fn positions(lines: &[AuditLine]) -> Vec<i64> {
    lines.iter().map(|line| line.position).collect()
}

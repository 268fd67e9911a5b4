//! Who reports to whom.

use mis_sync_domain::plan::{MappedPage, Present};
use mis_sync_domain::{IssueCode, OwnedFields, StaffRecord, SyncRules};

use crate::{
    fixture::{ALL_OWNED, RULES, TestStore, page, person},
    rows,
};

/// A person whose hierarchy lists these people.
fn listing(wonde_id: &str, listed: &[&str]) -> StaffRecord {
    let hierarchy = Some(listed.iter().map(|id| (*id).to_owned()).collect());
    StaffRecord { hierarchy, ..person(wonde_id) }
}

/// Everyone with a manager, as `person>manager`, by surname.
async fn links(store: &TestStore) -> Vec<String> {
    let people = rows::people(&store.pool, &"oak".parse().unwrap()).await;
    let surname = |id| people.iter().find(|p| p.id == id).unwrap().surname.clone();
    people
        .iter()
        .filter_map(|p| Some(format!("{}>{}", p.surname, surname(p.line_manager_id?))))
        .collect()
}

#[tokio::test]
async fn lists_of_managers_and_lists_of_reports_come_to_the_same() {
    let upward = [
        listing("head", &[]),
        listing("ada", &["head"]),
        listing("bea", &["head"]),
        listing("cleo", &["ada", "head"]),
    ];
    let downward = [
        listing("head", &["ada", "bea"]),
        listing("ada", &["cleo"]),
        listing("bea", &[]),
        listing("cleo", &[]),
    ];
    for people in [upward, downward] {
        let store = TestStore::start().await;
        let school = store.school("oak").await;
        let (_, report) = store.sync(&school, &people).await;
        assert_eq!((report.created, report.updated, report.issues), (4, 0, 0));
        assert_eq!(links(&store).await, ["ada>head", "bea>head", "cleo>ada"]);

        let versions = rows::people(&store.pool, &school).await;
        let (_, report) = store.sync(&school, &people).await;
        assert_eq!((report.unchanged, report.updated), (4, 0));
        assert_eq!(rows::people(&store.pool, &school).await, versions, "nothing was written");
    }
}

#[tokio::test]
async fn a_new_manager_is_a_change_and_none_empties_the_field() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let with = |listed: &[&str]| {
        [
            listing("head", &[]),
            listing("bea", &["head"]),
            listing("ada", listed),
            listing("dan", &["head"]),
        ]
    };
    store.sync(&school, &with(&["head"])).await;
    let (job, report) = store.sync(&school, &with(&["bea"])).await;
    assert_eq!((report.updated, report.unchanged), (1, 3));
    let [change] = rows::changes(&store.pool, job).await.try_into().unwrap();
    assert_eq!(change.field, "line_manager_id");
    assert!(change.old_value.is_some() && change.new_value.is_some());
    assert_eq!(links(&store).await, ["ada>bea", "bea>head", "dan>head"]);

    store.sync(&school, &with(&[])).await;
    assert_eq!(links(&store).await, ["bea>head", "dan>head"]);
}

#[tokio::test]
async fn silence_about_the_hierarchy_changes_nothing() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::lists_name_managers(&store.pool).await;
    store.sync(&school, &[listing("head", &[]), listing("ada", &["head"])]).await;
    let (_, report) = store.sync(&school, &[person("head"), person("ada")]).await;
    assert_eq!(report.unchanged, 2);
    assert_eq!(links(&store).await, ["ada>head"]);
}

#[tokio::test]
async fn a_manager_in_doubt_is_an_issue_and_the_rest_is_linked() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[person("left")]).await;
    let leavers = SyncRules { deactivates: true, ..RULES };
    store.sync_page(&school, leavers, &page(&[person("head")]), false).await;
    let people = [
        listing("head", &[]),
        listing("ada", &["head"]),
        listing("missing", &["nobody"]),
        listing("orphan", &["left"]),
        listing("own", &["own"]),
        listing("x", &["y"]),
        listing("y", &["x"]),
        listing("below", &["x"]),
    ];
    let (job, report) = store.sync(&school, &people).await;
    assert_eq!(report.issues, 5);
    let mut issues = store.issues(job).await;
    issues.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(
        issues,
        [
            (IssueCode::ManagerMissing, "missing".into()),
            (IssueCode::ManagerInactive, "orphan".into()),
            (IssueCode::ManagerCircle, "own".into()),
            (IssueCode::ManagerCircle, "x".into()),
            (IssueCode::ManagerCircle, "y".into()),
        ]
    );
    assert_eq!(links(&store).await, ["ada>head", "below>x"]);
}

#[tokio::test]
async fn a_manager_who_was_kept_closes_no_circle_with_a_new_one() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::lists_name_managers(&store.pool).await;
    store
        .sync(&school, &[listing("head", &[]), listing("ada", &["bea"]), listing("bea", &["head"])])
        .await;
    // Ada's new manager is not in iP, so she keeps Bea; so Bea cannot report to Ada.
    let people = [listing("head", &[]), listing("ada", &["nobody"]), listing("bea", &["ada"])];
    let (job, _) = store.sync(&school, &people).await;
    let mut issues = store.issues(job).await;
    issues.sort_by(|a, b| a.1.cmp(&b.1));
    let expected =
        [(IssueCode::ManagerMissing, "ada".into()), (IssueCode::ManagerCircle, "bea".into())];
    assert_eq!(issues, expected);
    assert_eq!(links(&store).await, ["ada>bea", "bea>head"]);
}

#[tokio::test]
async fn reports_of_a_manager_who_is_left_out_keep_them() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let down = |wonde_id, listed: &[&str]| listing(wonde_id, listed);
    let people = [
        down("head", &["ada", "bea", "cleo"]),
        down("ada", &[]),
        down("bea", &[]),
        down("cleo", &[]),
    ];
    store.sync(&school, &people).await;
    // The head lost the work email, and the list of reports is all that shows who belongs to whom.
    let head = Present {
        wonde_id: "head".into(),
        upi: None,
        hierarchy: Some(vec!["ada".into(), "bea".into(), "cleo".into()]),
    };
    let list = MappedPage { present: vec![head], ..page(&people[1..]) };
    let list = MappedPage {
        staff: list.staff.into_iter().map(|(at, person)| (at + 1, person)).collect(),
        ..list
    };
    let (_, report) = store.sync_page(&school, RULES, &list, false).await;
    assert_eq!((report.updated, report.issues), (0, 0));
    assert_eq!(links(&store).await, ["ada>head", "bea>head", "cleo>head"]);
}

#[tokio::test]
async fn managers_set_in_ip_stay_and_are_filled_for_new_people_only() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let editable = SyncRules { owned: OwnedFields { line_manager: false, ..ALL_OWNED }, ..RULES };
    store.sync(&school, &[listing("head", &[]), listing("ada", &[])]).await;
    let people = [listing("head", &[]), listing("ada", &["head"]), listing("bea", &["head"])];
    store.sync_page(&school, editable, &page(&people), false).await;
    assert_eq!(links(&store).await, ["bea>head"]);
}

#[tokio::test]
async fn in_a_dry_run_a_manager_who_would_be_created_is_not_missing() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::lists_name_managers(&store.pool).await;
    store.sync(&school, &[listing("ada", &[])]).await;
    let (job, _) = store.preview(&school, &[listing("ada", &["head"]), listing("head", &[])]).await;
    assert_eq!(store.issues(job).await, []);
    assert_eq!(links(&store).await, [] as [&str; 0]);
}

#[tokio::test]
async fn nobody_goes_on_reporting_to_a_leaver() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::lists_name_managers(&store.pool).await;
    let head_and_deputy = [listing("head", &[]), listing("deputy", &[])];
    let people = [listing("ada", &["deputy"]), listing("bea", &["head"])];
    let all: Vec<StaffRecord> = head_and_deputy.into_iter().chain(people.clone()).collect();
    store.sync(&school, &all).await;
    assert_eq!(links(&store).await, ["ada>deputy", "bea>head"]);

    // The MIS did not give Ada another manager when the deputy left.
    let rest: Vec<StaffRecord> = [listing("head", &[])].into_iter().chain(people).collect();
    let rules = SyncRules { deactivates: true, ..RULES };
    for _ in 0..2 {
        let (job, _) = store.sync_page(&school, rules, &page(&rest), false).await;
        assert_eq!(store.issues(job).await, [(IssueCode::ManagerInactive, "ada".into())]);
        assert_eq!(links(&store).await, ["bea>head"]);
    }
}

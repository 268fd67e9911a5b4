//! Logins that are in doubt, and logins that move.

use mis_sync_domain::{IssueCode, LoginScope, SchoolId, StaffRecord};
use mis_sync_store::{Error, logins};

use crate::{
    fixture::{TestStore, with_email},
    rows,
};

const SHARED: IssueCode = IssueCode::SharedWorkEmail;
const IN_USE: IssueCode = IssueCode::WorkEmailInUse;

/// People by Wonde id and the local part of their address.
fn list(people: &[(&str, &str)]) -> Vec<StaffRecord> {
    people.iter().map(|(id, local)| with_email(id, &format!("{local}@oak.example"))).collect()
}

/// Who holds which login, by surname, which is the first Wonde id.
async fn held_logins(store: &TestStore, school: &SchoolId) -> Vec<(String, String)> {
    let people = rows::people(&store.pool, school).await;
    let local = |email: &str| email.split_once('@').unwrap().0.to_lowercase();
    people.into_iter().map(|person| (person.surname, local(&person.email))).collect()
}

fn expected(people: &[(&str, &str)]) -> Vec<(String, String)> {
    people.iter().map(|(id, local)| ((*id).to_owned(), (*local).to_owned())).collect()
}

/// Syncs `before`, then `after`; checks logins and issues.
async fn moves(
    before: &[(&str, &str)],
    after: &[(&str, &str)],
    held: &[(&str, &str)],
    issues: &[(IssueCode, &str)],
) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &list(before)).await;
    let (job, report) = store.sync(&school, &list(after)).await;
    assert_eq!(held_logins(&store, &school).await, expected(held));
    let mut found = store.issues(job).await;
    found.sort_by(|a, b| a.1.cmp(&b.1));
    let wanted: Vec<_> = issues.iter().map(|(code, id)| (*code, (*id).to_owned())).collect();
    assert_eq!(found, wanted);
    let count = u64::try_from(issues.len()).unwrap();
    assert_eq!((report.skipped, report.issues), (count, count));
    let sum = report.created + report.updated + report.unchanged + report.skipped;
    assert_eq!(sum, report.current, "{report:?}");
}

#[tokio::test]
async fn two_new_people_with_one_email_are_both_left_out() {
    moves(
        &[("ada", "ada")],
        &[("ada", "ada"), ("bea", "office"), ("cat", "OFFICE")],
        &[("ada", "ada")],
        &[(SHARED, "bea"), (SHARED, "cat")],
    )
    .await;
}

#[tokio::test]
async fn who_holds_a_shared_email_keeps_it_and_the_newcomer_is_left_out() {
    moves(
        &[("ada", "office")],
        &[("ada", "office"), ("bea", "office")],
        &[("ada", "office")],
        &[(SHARED, "bea")],
    )
    .await;
}

#[tokio::test]
async fn an_email_given_up_and_wanted_twice_goes_to_nobody() {
    moves(
        &[("ada", "office")],
        &[("ada", "ada"), ("bea", "office"), ("cat", "office")],
        &[("ada", "ada")],
        &[(SHARED, "bea"), (SHARED, "cat")],
    )
    .await;
}

#[tokio::test]
async fn an_email_given_up_in_this_very_sync_can_be_taken() {
    moves(
        &[("ada", "office")],
        &[("ada", "ada"), ("bea", "office")],
        &[("ada", "ada"), ("bea", "office")],
        &[],
    )
    .await;
}

#[tokio::test]
async fn two_people_swap_their_emails() {
    moves(
        &[("ada", "a"), ("bea", "b")],
        &[("ada", "b"), ("bea", "a")],
        &[("ada", "b"), ("bea", "a")],
        &[],
    )
    .await;
}

#[tokio::test]
async fn three_people_rotate_their_emails() {
    moves(
        &[("ada", "a"), ("bea", "b"), ("cat", "c")],
        &[("ada", "b"), ("bea", "c"), ("cat", "a")],
        &[("ada", "b"), ("bea", "c"), ("cat", "a")],
        &[],
    )
    .await;
}

#[tokio::test]
async fn a_chain_stands_still_when_its_head_does() {
    // Dan is no longer in the list and keeps his login. So cat cannot move, so bea cannot, so ada
    // cannot. Eve is not affected.
    moves(
        &[("ada", "a"), ("bea", "b"), ("cat", "c"), ("dan", "d"), ("eve", "e")],
        &[("ada", "b"), ("bea", "c"), ("cat", "d"), ("eve", "e2")],
        &[("ada", "a"), ("bea", "b"), ("cat", "c"), ("dan", "d"), ("eve", "e2")],
        &[(IN_USE, "ada"), (IN_USE, "bea"), (IN_USE, "cat")],
    )
    .await;
}

#[tokio::test]
async fn a_mover_who_is_left_out_for_a_shared_email_gives_nothing_up() {
    moves(
        &[("ada", "a"), ("bea", "b")],
        &[("ada", "b"), ("bea", "office"), ("cat", "office")],
        &[("ada", "a"), ("bea", "b")],
        &[(IN_USE, "ada"), (SHARED, "bea"), (SHARED, "cat")],
    )
    .await;
}

#[tokio::test]
async fn case_alone_is_no_other_login() {
    moves(&[("ada", "ada")], &[("ada", "ADA")], &[("ada", "ada")], &[]).await;
}

#[tokio::test]
async fn an_email_of_another_school_is_in_use() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    store.sync(&elm, &list(&[("zoe", "zoe")])).await;
    store.sync(&oak, &list(&[("ada", "ada")])).await;
    let (job, report) = store.sync(&oak, &list(&[("ada", "ZOE"), ("bea", "bea")])).await;
    assert_eq!((report.created, report.skipped), (1, 1));
    assert_eq!(store.issues(job).await, [(IN_USE, "ada".into())]);
    assert_eq!(held_logins(&store, &oak).await, expected(&[("ada", "ada"), ("bea", "bea")]));
}

#[tokio::test]
async fn nothing_of_a_record_in_doubt_is_written() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &list(&[("ada", "a"), ("bea", "b")])).await;
    let before = rows::people(&store.pool, &school).await;
    let mut after = list(&[("ada", "b"), ("bea", "b")]);
    after[0].first_name = "Renamed".into();
    let (job, _) = store.sync(&school, &after).await;
    assert_eq!(rows::people(&store.pool, &school).await, before);
    assert_eq!(rows::changes(&store.pool, job).await, []);
    // It is resolved as soon as the school corrects it.
    after[0].email = crate::fixture::email("a@oak.example");
    let (job, report) = store.sync(&school, &after).await;
    assert_eq!((report.updated, report.unchanged), (1, 1));
    assert_eq!(store.issues(job).await, []);
}

#[tokio::test]
async fn a_teacher_of_two_schools_has_an_account_in_each_where_the_installation_wants_that() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    store.sync(&oak, &list(&[("ada", "ada"), ("bea", "bea")])).await;
    let at_elm = list(&[("e1", "ADA"), ("e2", "cat")]);
    let (job, _) = store.sync(&elm, &at_elm).await;
    assert_eq!(store.issues(job).await, [(IN_USE, "e1".into())]);

    let wrong = logins::check_scope(&store.pool, LoginScope::School).await.unwrap_err();
    assert!(matches!(wrong, Error::LoginScope { .. }), "{wrong}");
    assert!(logins::set_scope(&store.pool, LoginScope::School).await.unwrap());
    assert!(!logins::set_scope(&store.pool, LoginScope::School).await.unwrap(), "once is enough");
    logins::check_scope(&store.pool, LoginScope::School).await.unwrap();

    let (job, report) = store.sync(&elm, &at_elm).await;
    assert_eq!((store.issues(job).await, report.created), (vec![], 1));
    assert_eq!(held_logins(&store, &elm).await, expected(&[("e1", "ada"), ("e2", "cat")]));
    assert_eq!(held_logins(&store, &oak).await, expected(&[("ada", "ada"), ("bea", "bea")]));
    // Within a school a login is still unique, and logins are still handed on.
    store.sync(&elm, &list(&[("e1", "cat"), ("e2", "ada")])).await;
    let (job, _) = store.sync(&elm, &list(&[("e1", "cat"), ("e2", "ada"), ("e3", "ada")])).await;
    assert_eq!(held_logins(&store, &elm).await, expected(&[("e1", "cat"), ("e2", "ada")]));
    assert_eq!(store.issues(job).await, [(SHARED, "e3".into())]);

    // There is no way back while two people have the same login.
    let refused = logins::set_scope(&store.pool, LoginScope::Installation).await.unwrap_err();
    assert!(matches!(refused, Error::SharedLogins(1)), "{refused}");
    assert_eq!(logins::scope(&store.pool).await.unwrap(), LoginScope::School);
    rows::change(&store.pool, "UPDATE staff SET active = false WHERE wonde_id = 'e2'").await;
    assert!(logins::set_scope(&store.pool, LoginScope::Installation).await.unwrap());
}

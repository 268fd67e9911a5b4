//! Accounts never pass to another person automatically.

use mis_sync_domain::plan::{MappedPage, MatchReason, Present};
use mis_sync_domain::{
    ChangedField, Imports, IssueCode, StaffId, StaffRecord, SubjectOfClass, SyncRules, Teacher,
    TeachingKind, TeachingRecord,
};
use mis_sync_store::fetches;
use mis_sync_store::{
    jobs::Actor,
    matches::{self, Candidate},
    undo::{self, Undone},
};

use crate::{
    fixture::{self, LONG, RULES, TestStore, email, page, person, with_upi},
    rows::{self, Person},
};

const LEAVERS: SyncRules = SyncRules { deactivates: true, restores: true, ..RULES };
const WAITS: IssueCode = IssueCode::PossibleMatch;

/// A person with this id, these names and an address made from the forename.
fn named(wonde_id: &str, first_name: &str, surname: &str) -> StaffRecord {
    StaffRecord {
        first_name: first_name.into(),
        surname: surname.into(),
        email: email(&format!("{first_name}@oak.example")),
        ..person(wonde_id)
    }
}

/// The people with these given names.
async fn people(store: &TestStore) -> Vec<Person> {
    let mut people = rows::people(&store.pool, &"oak".parse().unwrap()).await;
    people.sort_by(|one, other| one.first_name.cmp(&other.first_name));
    people
}

fn standing(people: &[Person]) -> Vec<(&str, Option<&str>, bool)> {
    people.iter().map(|p| (p.first_name.as_str(), p.wonde_id.as_deref(), p.active)).collect()
}

async fn waiting(store: &TestStore) -> Vec<Candidate> {
    matches::list(&store.pool, &"oak".parse().unwrap()).await.unwrap()
}

async fn decide(store: &TestStore, wonde_id: &str, whom: Option<StaffId>) -> bool {
    let actor = Actor::command("operator", None);
    matches::decide(&store.pool, &"oak".parse().unwrap(), wonde_id, whom, &actor).await.unwrap()
}

#[tokio::test]
async fn an_id_that_returns_with_other_names_and_email_waits_for_a_person() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[named("w1", "ada", "leaver"), named("w2", "bea", "stays")]).await;
    let before = people(&store).await;
    let list = page(&[named("w1", "cy", "joiner"), named("w2", "bea", "stays")]);
    // However often: the account stays, and is not treated as a leaver's.
    for _ in 0..2 {
        let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
        assert_eq!((report.created, report.updated, report.deactivated), (0, 0, 0));
        assert_eq!((report.skipped, report.unchanged, report.issues), (1, 1, 1));
        assert_eq!(store.issues(job).await, [(WAITS, "w1".into())]);
        assert_eq!(people(&store).await, before);
    }
    let found = waiting(&store).await;
    assert_eq!((found.len(), found[0].staff_id.0, found[0].in_doubt), (1, before[0].id, true));
    assert_eq!(found[0].reasons, [MatchReason::WondeId]);
}

#[tokio::test]
async fn an_account_that_passes_on_by_hand_gets_a_new_password() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[named("w1", "ada", "leaver")]).await;
    rows::change(&store.pool, "UPDATE staff SET password_reset_required = false").await;
    let before = people(&store).await.remove(0);
    let list = page(&[named("w1", "cy", "joiner")]);
    store.sync_page(&school, LEAVERS, &list, false).await;
    assert!(decide(&store, "w1", Some(StaffId(before.id))).await);
    assert_eq!(people(&store).await[0], before, "not before the sync follows it");

    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.updated, report.skipped), (0, 1, 0));
    assert_eq!(store.issues(job).await, []);
    let after = people(&store).await.remove(0);
    assert_eq!((after.id, after.first_name.as_str()), (before.id, "cy"));
    assert_ne!(after.password_hash, before.password_hash);
    assert!(after.password_reset_required);
    let history = rows::changes(&store.pool, job).await;
    let password = history.iter().find(|c| c.field == "password_reset_required").unwrap();
    assert_eq!(password.old_value.as_deref(), Some("false"));
    // The decision is used up: the next record with this id waits again.
    assert_eq!(waiting(&store).await, []);
    let next = page(&[named("w1", "dan", "newcomer")]);
    let (job, _) = store.sync_page(&school, LEAVERS, &next, false).await;
    assert_eq!(store.issues(job).await, [(WAITS, "w1".into())]);
    assert_eq!(people(&store).await[0].password_hash, after.password_hash);
}

#[tokio::test]
async fn someone_new_gets_the_id_and_the_old_account_is_a_leavers() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let ada = StaffRecord { upi: Some("u7".into()), ..named("w1", "ada", "leaver") };
    store.sync(&school, &[ada]).await;
    let before = people(&store).await.remove(0);
    let joiner = StaffRecord { upi: Some("u7".into()), ..named("w1", "cy", "joiner") };
    let list = page(&[joiner]);
    store.sync_page(&school, LEAVERS, &list, false).await;
    assert!(decide(&store, "w1", None).await);
    let (_, preview) = store.sync_page(&school, LEAVERS, &list, true).await;
    assert_eq!((preview.created, preview.deactivated), (1, 1));
    assert_eq!(people(&store).await[0], before);

    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.deactivated, report.skipped), (1, 1, 0));
    assert_eq!(store.issues(job).await, []);
    let after = people(&store).await;
    assert_eq!(standing(&after), [("ada", None, false), ("cy", Some("w1"), true)]);
    assert_eq!((after[0].id, after[0].upi.as_deref()), (before.id, None));
    assert_eq!(after[0].password_hash, before.password_hash);
    let (_, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.unchanged, report.deactivated), (1, 0));
    // The id now belongs to someone else, so it cannot be given back.
    let actor = Actor::command("operator", None);
    match undo::undo(&store.pool, job, None, &actor).await.unwrap() {
        Undone::Conflicts(conflicts) => {
            assert!(conflicts.iter().any(|c| c.field == ChangedField::WondeId), "{conflicts:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_decision_is_about_the_person_who_was_shown() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[named("w1", "ada", "leaver")]).await;
    let before = people(&store).await.remove(0);
    store.sync_page(&school, LEAVERS, &page(&[named("w1", "cy", "joiner")]), false).await;
    assert!(decide(&store, "w1", Some(StaffId(before.id))).await);
    // Before the next sync it is yet another record, and then the old one again.
    let list = page(&[named("w1", "dan", "newcomer")]);
    let (job, _) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!(store.issues(job).await, [(WAITS, "w1".into())]);
    assert!(decide(&store, "w1", None).await);
    let list = page(&[named("w1", "ada", "leaver")]);
    let (_, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.unchanged), (0, 1));
    assert_eq!(people(&store).await, [before]);
    assert_eq!(waiting(&store).await, []);
}

#[tokio::test]
async fn whoever_marries_or_changes_everything_but_one_thing_stays_who_they_are() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let with = |surname: &str, initials: &str, address: &str| StaffRecord {
        initials: Some(initials.into()),
        email: email(address),
        ..named("w1", "ann", surname)
    };
    store.sync(&school, &[with("maiden", "AM", "a.maiden@oak.example")]).await;
    let married = with("wedded", "AW", "a.wedded@oak.example");
    let (_, report) = store.sync(&school, std::slice::from_ref(&married)).await;
    assert_eq!((report.updated, report.created, report.issues), (1, 0, 0));
    // Both names change, but the email stays.
    let renamed = StaffRecord { first_name: "Jo".into(), surname: "other".into(), ..married };
    let (_, report) = store.sync(&school, &[renamed]).await;
    assert_eq!((report.updated, report.created, report.issues), (1, 0, 0));
}

#[tokio::test]
async fn a_recycled_upi_gives_nobody_the_account_of_a_leaver() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let with = |wonde_id, first_name, surname| StaffRecord {
        upi: Some("u77".into()),
        ..named(wonde_id, first_name, surname)
    };
    let good = named("w9", "bea", "stays");
    store.sync(&school, &[with("w1", "ada", "leaver"), good.clone()]).await;
    store.sync_page(&school, LEAVERS, &page(std::slice::from_ref(&good)), false).await;
    let before = people(&store).await;
    assert!(!before[0].active);
    let list = page(&[with("w2", "cy", "joiner"), good]);
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.restored, report.skipped), (0, 0, 1));
    assert_eq!(store.issues(job).await, [(WAITS, "w2".into())]);
    assert_eq!(people(&store).await, before);
    assert!(decide(&store, "w2", None).await);
    let (_, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.restored), (1, 0));
    let after = people(&store).await;
    assert_eq!(after[0], before[0]);
    assert_eq!(standing(&after)[2], ("cy", Some("w2"), true));
}

#[tokio::test]
async fn an_upi_that_several_have_or_that_is_none_is_no_key() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    // Everyone has the placeholder; one leaves as another joins.
    store.sync(&school, &[with_upi("ada", "0"), with_upi("bea", "0")]).await;
    let list = page(&[with_upi("cy", "0"), with_upi("bea", "0")]);
    let (_, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.deactivated, report.updated), (1, 1, 0));
    // The same if the person who shares it is not imported: they keep no account.
    let elm = store.school("elm").await;
    let at_elm = |wonde_id: &str, upi: &str| StaffRecord {
        email: email(&format!("{wonde_id}@elm.example")),
        ..with_upi(wonde_id, upi)
    };
    store.sync(&elm, &[at_elm("ada", "0000"), at_elm("bea", "u2")]).await;
    let mut list = page(&[at_elm("bea", "u2")]);
    let hidden = Present { wonde_id: "dan".into(), upi: Some("0000".into()), hierarchy: None };
    list.fetched += 1;
    list.present.push(hidden);
    let (_, report) = store.sync_page(&elm, LEAVERS, &list, false).await;
    assert_eq!(report.deactivated, 1);
}

#[tokio::test]
async fn a_mailbox_of_a_namesake_waits_for_a_person() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let head = |wonde_id: &str, first_name: &str, initials: Option<&str>| StaffRecord {
        email: email("head@oak.example"),
        initials: initials.map(Into::into),
        ..named(wonde_id, first_name, "khan")
    };
    for (successors, rest) in [(Some("SK"), "with initials"), (None, "without")] {
        let school = if rest == "without" { store.school("elm").await } else { school.clone() };
        let address = email(&format!("head@{school}.example"));
        let of = |record: StaffRecord| StaffRecord { email: address.clone(), ..record };
        store.sync(&school, &[of(head("w1", "imran", Some("IK")))]).await;
        let before = rows::people(&store.pool, &school).await;
        let list = page(&[of(head("w2", "sara", successors))]);
        let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
        assert_eq!((report.created, report.updated, report.deactivated), (0, 0, 0), "{rest}");
        assert_eq!(store.issues(job).await, [(WAITS, "w2".into())], "{rest}");
        assert_eq!(rows::people(&store.pool, &school).await, before, "{rest}");
    }
    // Someone new: the old head leaves, and the mailbox is free.
    assert!(decide(&store, "w2", None).await);
    let list = page(&[head("w2", "sara", Some("SK"))]);
    let (job, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.deactivated), (1, 1));
    assert_eq!(store.issues(job).await, []);
    let after = people(&store).await;
    assert_eq!(standing(&after), [("imran", Some("w1"), false), ("sara", Some("w2"), true)]);
    assert_eq!(after[0].email, after[1].email, "the old one keeps it for the record");
}

#[tokio::test]
async fn a_leaver_who_returns_while_the_login_is_taken_is_an_issue() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let head = |wonde_id: &str, first_name: &str, surname: &str| StaffRecord {
        email: email("head@oak.example"),
        ..named(wonde_id, first_name, surname)
    };
    store.sync(&school, &[head("w1", "ada", "leaver")]).await;
    let list = page(&[head("w2", "bob", "successor")]);
    let (first, report) = store.sync_page(&school, LEAVERS, &list, false).await;
    assert_eq!((report.created, report.deactivated, report.issues), (1, 1, 0));
    let both = page(&[head("w1", "ada", "leaver"), head("w2", "bob", "successor")]);
    let (job, report) = store.sync_page(&school, LEAVERS, &both, false).await;
    assert_eq!((report.restored, report.unchanged), (0, 1));
    assert_eq!(store.issues(job).await, [(IssueCode::SharedWorkEmail, "w1".into())]);
    // The successor has another address in the MIS, and keeps this one in iP.
    let mut kept = page(&[head("w1", "ada", "leaver")]);
    let hidden = Present { wonde_id: "w2".into(), upi: None, hierarchy: None };
    kept.fetched += 1;
    kept.present.push(hidden);
    let (job, _) = store.sync_page(&school, LEAVERS, &kept, false).await;
    assert_eq!(store.issues(job).await, [(IssueCode::WorkEmailInUse, "w1".into())]);
    assert_eq!(
        standing(&people(&store).await),
        [("ada", Some("w1"), false), ("bob", Some("w2"), true)]
    );
    // If people are not restored, they ask for no login, so nothing is wrong with it.
    let (job, _) =
        store.sync_page(&school, SyncRules { restores: false, ..LEAVERS }, &kept, false).await;
    assert_eq!(store.issues(job).await, [(IssueCode::InactiveInIp, "w1".into())]);
    // After the undo both are as before: the successor cannot log in, the leaver can.
    let actor = Actor::command("operator", None);
    assert!(matches!(undo::undo(&store.pool, first, None, &actor).await.unwrap(), Undone::Done(_)));
    assert_eq!(
        standing(&people(&store).await),
        [("ada", Some("w1"), true), ("bob", Some("w2"), false)]
    );
}

#[tokio::test]
async fn a_taken_login_cannot_be_given_back() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let at = |first_name: &str, address: &str| StaffRecord {
        email: email(address),
        ..named(first_name, first_name, first_name)
    };
    store.sync(&school, &[at("ada", "head@oak.example"), at("bea", "b@oak.example")]).await;
    let list = page(&[at("bea", "b@oak.example")]);
    let (left, _) = store.sync_page(&school, LEAVERS, &list, false).await;
    let list = page(&[at("bea", "head@oak.example")]);
    store.sync_page(&school, LEAVERS, &list, false).await;
    let actor = Actor::command("operator", None);
    match undo::undo(&store.pool, left, None, &actor).await.unwrap() {
        Undone::Conflicts(conflicts) => assert_eq!(conflicts[0].field, ChangedField::Active),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_delta_follows_the_decision_that_it_is_someone_new() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    store.sync(&school, &[named("w1", "ada", "leaver"), named("w2", "bea", "stays")]).await;
    let joiner = [named("w1", "cy", "joiner")];
    let delta = async |list: &[StaffRecord]| {
        let lease = store.claim(store.enqueue(&school).await).await;
        let after = chrono::DateTime::from_timestamp(1_000_000_000, 0);
        fetches::begin(&store.pool, lease, after, LONG).await.unwrap();
        store.add(lease, &page(list)).await.unwrap();
        let plan = fixture::plan(lease, &school, LEAVERS);
        let report = fixture::finish(&store.pool, plan).await.unwrap();
        (lease.job_id, report)
    };
    let (job, report) = delta(&joiner).await;
    assert_eq!((report.created, report.updated, report.deactivated), (0, 0, 0));
    assert_eq!(store.issues(job).await, [(WAITS, "w1".into())]);
    assert!(decide(&store, "w1", None).await);
    let (_, report) = delta(&joiner).await;
    assert_eq!((report.created, report.deactivated), (1, 1));
    let expected = [("ada", None, false), ("bea", Some("w2"), true), ("cy", Some("w1"), true)];
    assert_eq!(standing(&people(&store).await), expected);
    assert_eq!(waiting(&store).await, []);
}

#[tokio::test]
async fn classes_and_line_managers_of_an_account_in_doubt_stay() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let rules = SyncRules {
        imports: Imports { classes: true, class_staff: true, ..RULES.imports },
        ..LEAVERS
    };
    let below = |record: StaffRecord, manager: &str| StaffRecord {
        hierarchy: Some(vec![manager.into()]),
        ..record
    };
    let class = |wonde_id: &str, teacher: &str| TeachingRecord {
        wonde_id: wonde_id.into(),
        name: Some(wonde_id.into()),
        code: None,
        description: None,
        subject: SubjectOfClass::NotDelivered,
        staff: Some(vec![Teacher { wonde_id: teacher.into(), is_main: true }]),
    };
    let sync = async |people: &[StaffRecord], classes: &[TeachingRecord]| {
        let lease = store.claim(store.enqueue(&school).await).await;
        let classes = classes.iter().map(|class| (TeachingKind::Class, class.clone()));
        let classes = MappedPage { teaching: classes.collect(), ..MappedPage::default() };
        store.add_with_classes(lease, &page(people), &classes).await.unwrap();
        fixture::finish(&store.pool, fixture::plan(lease, &school, rules)).await.unwrap();
    };
    let head = named("h", "head", "teacher");
    let bea = below(named("w2", "bea", "stays"), "h");
    let ada = below(named("w1", "ada", "leaver"), "h");
    let dan = below(named("w3", "dan", "reports"), "w1");
    let everybody = [head.clone(), ada, bea.clone(), dan.clone()];
    sync(&everybody, &[class("c1", "w1"), class("c2", "w2")]).await;
    let links = "SELECT concat(c.name, s.first_name) FROM class_staff l
        JOIN class c ON c.id = l.class_id JOIN staff s ON s.id = l.staff_id ORDER BY 1";
    assert_eq!(rows::texts(&store.pool, links).await, ["c1ada", "c2bea"]);
    let before = people(&store).await;
    // Someone else has the id: they teach another class, and have another manager and another
    // report.
    let cy = below(named("w1", "cy", "joiner"), "w2");
    let everybody = [head, cy, StaffRecord { hierarchy: Some(vec!["w1".into()]), ..bea }, dan];
    sync(&everybody, &[class("c1", "w2"), class("c2", "w1")]).await;
    assert_eq!(rows::texts(&store.pool, links).await, ["c1ada", "c1bea"]);
    let after = people(&store).await;
    assert_eq!(after[0], before[0], "the account in doubt");
    assert_eq!(after[2], before[2], "who reported to it already");
    assert_eq!(after[1].line_manager_id, before[1].line_manager_id, "who did not");
}

#[tokio::test]
async fn an_account_made_by_hand_passes_to_nobody_else_once_it_is_used() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::make_account(&store.pool, &school, "ada@oak.example", None).await;
    rows::make_named_account(&store.pool, &school, "cy@oak.example", None, "Imran").await;
    rows::make_named_account(&store.pool, &school, "dan@oak.example", None, "DAN").await;
    let list = [named("w1", "ada", "a"), named("w2", "cy", "c"), named("w3", "dan", "d")];
    let (job, report) = store.sync(&school, &list).await;
    assert_eq!((report.created, report.updated), (0, 2));
    assert_eq!(store.issues(job).await, [(WAITS, "w2".into())]);
    let expected = [("Imran", None, true), ("ada", Some("w1"), true), ("dan", Some("w3"), true)];
    assert_eq!(standing(&people(&store).await), expected);
}

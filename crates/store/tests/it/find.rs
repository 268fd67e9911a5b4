//! People are found by name, email and id, in iP and among the records that the last sync left out.

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    ApiKeyId, FoundInMis, Issue, IssueCode, NameQuery, RecordKind, SchoolId,
    plan::{Label, LeftOut, MappedPage, Present},
};
use mis_sync_store::{
    audit::Actor,
    fetches,
    find::{self, FoundPerson, Sought},
    issues, person_search,
    retention::{self, Retention},
};
use mis_sync_testing::a_person;
use uuid::Uuid;

use crate::{
    fixture::{LONG, RULES, TestStore, finish, page, person, plan},
    rows,
};

const NAMES: [(&str, &str, &str); 8] = [
    ("Priya", "Shah", "PS"),
    ("Seán", "O’Brien-Müller", "SOB"),
    ("Łukasz", "Strauß", ""),
    ("Anne-Marie", "Hall", "AMH"),
    ("", "Æthelred", ""),
    ("Zoë St.", "John", "ZSJ"),
    ("D'Arcy", "Ødegård", ""),
    ("İpek", "d’Ölç", ""),
];

async fn people(store: &TestStore, school: &SchoolId) {
    for (at, (first_name, surname, initials)) in NAMES.iter().enumerate() {
        let sql = format!(
            "INSERT INTO staff (id, school_id, wonde_id, upi, email, first_name, surname, initials,
                password_hash)
             VALUES (gen_random_uuid(), '{school}', 'W{at}', 'U{at}', 'P{at}@oak.example',
                '{}', '{}', '{initials}', 'x')",
            first_name.replace('\'', "''"),
            surname.replace('\'', "''"),
        );
        assert_eq!(rows::change(&store.pool, &sql).await, 1);
    }
}

fn names(found: &[FoundPerson]) -> Vec<String> {
    let mut names: Vec<String> = found.iter().filter_map(|one| one.name.clone()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_database_and_the_domain_find_the_same_names() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    people(&store, &oak).await;
    for typed in [
        "sha pri",
        "SHAH",
        "hah",
        "o'brien",
        "obrien",
        "brien mull",
        "müller",
        "lukasz",
        "strauss",
        "anne-marie",
        "annemarie",
        "anne m",
        "aethel",
        "st john",
        "st.john",
        "darcy",
        "odegard",
        "ipek",
        "dolc",
        "ö",
        "zoe",
        "j z",
        "SOB",
    ] {
        let Some(query) = NameQuery::parse(typed) else { continue };
        let found = find::by_name(&store.pool, &query, Some(&oak), 50).await.unwrap();
        let mut wanted: Vec<String> = NAMES
            .iter()
            .filter(|(first, last, initials)| query.matches(&format!("{first} {last} {initials}")))
            .map(|(first, last, _)| format!("{first} {last}"))
            .collect();
        wanted.sort();
        assert_eq!(names(&found), wanted, "{typed}");
    }
    // What looks like an operator of the search is none.
    for typed in ["shah & hall", "!shah", "pri:*", "'shah' | 'hall'", "a\\b"] {
        let query = NameQuery::parse(typed).unwrap();
        find::by_name(&store.pool, &query, None, 50).await.unwrap();
    }
}

#[tokio::test]
async fn every_key_finds_its_person_and_only_in_the_school() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    people(&store, &oak).await;
    let by = async |text: &str, school: Option<&SchoolId>| {
        find::by_key(&store.pool, Sought { text, school_id: school }).await.unwrap()
    };
    let id = by("W0", None).await[0].staff_id.unwrap().to_string();
    let end = &id[28..];
    for text in ["W0", "w0", "U0", "u0", "p0@OAK.example", &id, end, &end.to_uppercase()] {
        assert_eq!(names(&by(text, Some(&oak)).await), ["Priya Shah"], "{text}");
        assert!(by(text, Some(&elm)).await.is_empty(), "{text}");
    }
    assert!(by("Shah", None).await.is_empty());
}

/// A list with one person who is imported, one without an email, and their labels.
fn list() -> MappedPage {
    let label = |wonde_id: &str, name: &str, mis_id: &str| Label {
        record: RecordKind::Staff,
        wonde_id: wonde_id.to_owned(),
        name: Some(name.to_owned()),
        mis_id: Some(mis_id.to_owned()),
    };
    let left_out = LeftOut {
        wonde_id: "zoe".into(),
        upi: None,
        email: None,
        standing: mis_sync_domain::employment::Standing::Current,
        starts_on: None,
        ends_on: None,
        teaching: None,
        outcome: mis_sync_domain::RecordOutcome::Issue(IssueCode::NameMissing),
    };
    let mut list = page(&[person("ada")]);
    list.labels = vec![label("ada", "Ada Day", "41"), label("zoe", "Zoë Quill", "M42")];
    list.left_out.push(left_out);
    list.present.push(Present { wonde_id: "zoe".into(), upi: None, hierarchy: None });
    let issue = Issue { code: IssueCode::NameMissing, wonde_id: Some("zoe".into()) };
    list.issues.push((1, issue));
    list
}

#[tokio::test]
async fn who_was_left_out_is_found_by_name_and_mis_id_and_named_to_the_clerk() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let lease = store.claim(store.enqueue(&oak).await).await;
    store.add(lease, &list()).await.unwrap();
    finish(&store.pool, plan(lease, &oak, RULES)).await.unwrap();

    let issues = issues::of_school(&store.pool, &oak, -1, 100).await.unwrap();
    let [issue] = &issues[..] else { panic!("{issues:?}") };
    assert_eq!(issue.name.as_deref(), Some("Zoë Quill"));
    assert_eq!(issue.mis_id.as_deref(), Some("M42"));
    assert_eq!(issue.record, Some(RecordKind::Staff));

    for text in ["zoe q", "Miss Zoe", "M42", "m42"] {
        let sought = Sought { text, school_id: None };
        let query = NameQuery::parse(text);
        let found = find::with_issue(&store.pool, sought, query.as_ref(), 10).await.unwrap();
        assert_eq!(names(&found), ["Zoë Quill"], "{text}");
        assert!(found[0].staff_id.is_none());
    }
}

#[tokio::test]
async fn who_has_no_issue_in_the_last_runs_is_not_kept_by_name_and_the_others_are_not_written_again()
 {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let run = async |school: &SchoolId, after: Option<i64>, list: &MappedPage| {
        let lease = store.claim(store.enqueue(school).await).await;
        let after = after.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        fetches::begin(&store.pool, lease, after, LONG).await.unwrap();
        store.add(lease, list).await.unwrap();
        finish(&store.pool, plan(lease, school, RULES)).await.unwrap();
    };
    let kept = async || {
        let sql = "SELECT school_id || ' ' || wonde_id || ' ' || xmin FROM mis_name ORDER BY 1";
        rows::texts(&store.pool, sql).await
    };
    let (delta, full) = (Some(1_000_000_000), None);
    let mended = page(&[person("ada"), person("zoe")]);
    let of_elm = format!("INSERT INTO mis_name (school_id, wonde_id) VALUES ('{elm}', 'zoe')");
    assert_eq!(rows::change(&store.pool, &of_elm).await, 1);
    run(&oak, full, &list()).await;
    let before = kept().await;
    assert_eq!(before.len(), 2, "{before:?}");
    run(&oak, full, &list()).await;
    run(&oak, delta, &mended).await;
    assert_eq!(kept().await, before, "of the last full run, and not written again");

    let query = NameQuery::parse("zoe").unwrap();
    let sought = Sought { text: "zoe", school_id: Some(&oak) };
    let found = find::with_issue(&store.pool, sought, Some(&query), 10).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    run(&oak, full, &mended).await;
    assert_eq!(kept().await, before[..1], "mended at oak");
    let found = find::with_issue(&store.pool, sought, Some(&query), 10).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_question_to_the_mis_is_forgotten_and_is_for_who_asked() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let (me, other) = (ApiKeyId(Uuid::now_v7()), ApiKeyId(Uuid::now_v7()));
    let actor: Actor = a_person();
    let job = person_search::ask(&store.pool, &oak, "Zoë Quill", me, &actor).await.unwrap();
    let in_row = rows::texts(&store.pool, "SELECT options::text FROM job").await.concat();
    assert!(!in_row.contains("Quill"), "{in_row}");
    let lease = store.claim(job.id).await;
    let id: Uuid = rows::value(&store.pool, "SELECT id FROM person_search").await;
    assert_eq!(person_search::question(&store.pool, id).await.unwrap().unwrap(), "Zoë Quill");
    let found = FoundInMis { listed: 7, people: Vec::new(), has_more: false };
    person_search::keep_answer(&store.pool, lease, id, &found).await.unwrap();

    let of = async |key| person_search::of_job(&store.pool, job.id, key).await.unwrap();
    assert_eq!(of(me).await.unwrap().found, Some(found));
    assert!(of(other).await.is_none());
    let sweep = async || {
        let now: DateTime<Utc> = rows::value(&store.pool, "SELECT now()").await;
        retention::sweep(&store.pool, now, &Retention::default()).await.unwrap()
    };
    assert_eq!(sweep().await.person_searches, 0);
    rows::change(&store.pool, "UPDATE person_search SET expires_at = now()").await;
    assert!(of(me).await.is_none());
    assert_eq!(sweep().await.person_searches, 1);
}

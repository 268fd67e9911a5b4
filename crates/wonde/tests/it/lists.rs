//! What each list requests, and that its pages are read correctly.

use futures::{Stream, TryStreamExt as _};
use mis_sync_wonde::{
    ClassInclude, ClassSubject, DeletionKind, EmployeeInclude, EmployeeQuery, Error, Page,
    SchoolClient,
};

use crate::fake::{Fake, Reply, json, school};

/// Two pages of one record each.
fn script(resource: &str, first: &str, second: &str) -> Vec<Reply> {
    let next = format!("{{base}}/schools/A100/{resource}?page=2");
    vec![
        json(
            200,
            format!(
                r#"{{"data":[{first}],"meta":{{"pagination":{{"next":"{next}","more":true}}}}}}"#
            ),
        ),
        json(200, format!(r#"{{"data":[{second}]}}"#)),
    ]
}

/// All records of a list that answers by `script`, and the requested addresses.
async fn read<T, S>(
    script: Vec<Reply>,
    list: impl FnOnce(SchoolClient) -> S,
) -> (Vec<T>, [String; 2])
where
    S: Stream<Item = Result<Page<T>, Error>>,
{
    let fake = Fake::start(script).await;
    let pages: Vec<Page<T>> = list(school(&fake)).try_collect().await.unwrap();
    let records = pages.into_iter().flat_map(|page| page.records).map(Result::unwrap).collect();
    let targets: Vec<String> = fake.seen().into_iter().map(|seen| seen.target).collect();
    (records, targets.try_into().unwrap())
}

fn page_2(resource: &str) -> String {
    format!("/v1.0/schools/A100/{resource}?page=2")
}

#[tokio::test]
async fn employees_with_a_filter_and_their_own_page_size() {
    let hierarchy = r#"{"id":"A1","hierarchy":{"data":[{"id":"A9"}]},"photo":{"data":null}}"#;
    let photo = r#"{"id":"A2","hierarchy":null,"photo":{"data":{"content":"AQID"}}}"#;
    let query = EmployeeQuery {
        include: vec![EmployeeInclude::Hierarchy, EmployeeInclude::Photo],
        updated_after: Some("2026-08-01T09:05:07.9Z".parse().unwrap()),
        page_size: Some(20),
    };
    let script = script("employees", hierarchy, photo);
    let (records, targets) = read(script, |school| school.employees(&query, None)).await;
    assert_eq!(
        targets[0],
        "/v1.0/schools/A100/employees?include=hierarchy%2Cphoto\
         &updated_after=2026-08-01+09%3A05%3A07&per_page=20"
    );
    assert_eq!(targets[1], page_2("employees"));

    assert_eq!(records[0].hierarchy.delivered().unwrap()[0].as_str(), "A9");
    assert!(records[0].photo.delivered().unwrap().is_none());
    assert!(records[1].hierarchy.delivered().is_none());
    let photo = records[1].photo.delivered().unwrap().as_ref().unwrap();
    assert_eq!(photo.bytes(10), Ok(Some(vec![1, 2, 3])));
}

#[tokio::test]
async fn classes_with_subject_and_employees() {
    let first = r#"{"id":"A60","subject":{"data":{"id":"A5","name":"Art"}},
        "employees":{"data":[{"id":"A1","meta":{"is_main_teacher":true}}]}}"#;
    let second = r#"{"id":"A61","subject":null,"employees":{"data":[]}}"#;
    let include = [ClassInclude::Subject, ClassInclude::Employees];
    let script = script("classes", first, second);
    let (records, targets) = read(script, |school| school.classes(&include, None, None)).await;
    let first_target = "/v1.0/schools/A100/classes?include=subject%2Cemployees&per_page=200";
    assert_eq!(targets, [first_target.to_owned(), page_2("classes")]);

    let subject = records[0].subject.delivered().unwrap().as_ref().map(ClassSubject::id);
    assert_eq!(subject.unwrap().as_str(), "A5");
    let teacher = &records[0].employees.delivered().unwrap()[0];
    assert_eq!((teacher.id.as_str(), teacher.is_main_teacher), ("A1", Some(true)));
    assert!(records[1].subject.delivered().unwrap().is_none());
    assert!(records[1].employees.delivered().unwrap().is_empty());
}

#[tokio::test]
async fn subjects_changed_after_a_moment() {
    let script = script("subjects", r#"{"id":"A5","name":"Art"}"#, r#"{"id":"A6"}"#);
    let after = Some("2026-01-02T03:04:05+01:00".parse().unwrap());
    let (records, targets) = read(script, |school| school.subjects(after, None)).await;
    let first_target =
        "/v1.0/schools/A100/subjects?updated_after=2026-01-02+02%3A04%3A05&per_page=200";
    assert_eq!(targets, [first_target.to_owned(), page_2("subjects")]);
    assert_eq!(records[0].name.as_deref(), Some("Art"));
    assert_eq!(records[1].id.as_str(), "A6");
}

#[tokio::test]
async fn deletions_of_one_kind() {
    for (kind, name) in [(DeletionKind::Employee, "employee"), (DeletionKind::Class, "class")] {
        let entry = |id: &str| format!(r#"{{"type":"{name}","id":"{id}","mis_id":"3"}}"#);
        let script = script("deletions", &entry("A1"), &entry("A2"));
        let (records, targets) = read(script, |school| school.deletions(kind, None, None)).await;
        let first_target = format!("/v1.0/schools/A100/deletions?type={name}&per_page=200");
        assert_eq!(targets, [first_target, page_2("deletions")]);
        assert_eq!(records.iter().map(|gone| gone.id.as_str()).collect::<Vec<_>>(), ["A1", "A2"]);
        assert!(records.iter().all(|gone| gone.kind == name));
    }
}

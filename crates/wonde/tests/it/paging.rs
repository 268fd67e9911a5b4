use futures::{Stream, StreamExt as _};
use mis_sync_wonde::{
    ClassInclude, Employee, EmployeeInclude, EmployeeQuery, Error, Page, PageCursor,
};

use crate::fake::{Fake, Reply, id, including, json, page, school};

const PAGE_2: &str = "{base}/schools/A100/employees?include=roles&per_page=200&page=2";
const PAGE_3: &str = "{base}/schools/A100/employees?include=roles&per_page=200&page=3";

async fn next(
    pages: &mut (impl Stream<Item = Result<Page<Employee>, Error>> + Unpin),
) -> Result<Page<Employee>, Error> {
    pages.next().await.expect("another page")
}

fn ids(page: &Page<Employee>) -> Vec<&str> {
    page.records.iter().map(|record| record.as_ref().unwrap().id.as_str()).collect()
}

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let script = vec![page("A1", Some(PAGE_2)), page("A2", Some(PAGE_3)), page("A3", None)];
    let fake = Fake::start(script).await;
    let school = school(&fake);
    let query = including(&[EmployeeInclude::ContactDetails, EmployeeInclude::Roles]);

    let mut found = Vec::new();
    let mut pages = Box::pin(school.employees(&query, None));
    while let Some(page) = pages.next().await {
        found.extend(ids(&page.unwrap()).into_iter().map(str::to_owned));
    }

    assert_eq!(found, ["A1", "A2", "A3"]);
    assert_eq!(school.requests_made(), 3);
    let targets: Vec<String> = fake.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(
        targets,
        [
            "/v1.0/schools/A100/employees?include=contact_details%2Croles&per_page=200",
            "/v1.0/schools/A100/employees?include=roles&per_page=200&page=2",
            "/v1.0/schools/A100/employees?include=roles&per_page=200&page=3",
        ]
    );
}

#[tokio::test]
async fn a_stored_cursor_goes_on_where_the_stream_stopped() {
    let fake = Fake::start(vec![page("A1", Some(PAGE_2)), page("A2", None)]).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    let first = next(&mut pages).await.unwrap();
    let stored = serde_json::to_string(&first.next).unwrap();
    drop(pages);

    // Another server answers now, as after a restart.
    let fake = Fake::start(vec![page("A2", None)]).await;
    let cursor: Option<PageCursor> = serde_json::from_str(&stored).unwrap();
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), cursor));
    let second = next(&mut pages).await.unwrap();

    assert_eq!(ids(&second), ["A2"]);
    assert!(second.next.is_none() && pages.next().await.is_none());
    let target = &fake.seen()[0].target;
    assert_eq!(target, "/v1.0/schools/A100/employees?include=roles&per_page=200&page=2");
}

#[tokio::test]
async fn a_stored_cursor_of_another_school_or_list_is_refused_unsent() {
    let fake = Fake::start(vec![page("A2", None)]).await;
    for cursor in [
        r#""/v1.0/schools/A200/employees?page=2""#,
        r#""https://evil.example/v1.0/schools/A100/employees""#,
        r#""/v1.0/schools/A100/classes?page=2""#,
    ] {
        let cursor: PageCursor = serde_json::from_str(cursor).unwrap();
        let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), Some(cursor)));
        assert!(matches!(next(&mut pages).await, Err(Error::ForeignNext { .. })));
        assert!(pages.next().await.is_none());
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn the_next_page_is_fetched_while_the_last_is_in_hand_and_no_further() {
    let script = vec![page("A1", Some(PAGE_2)), page("A2", Some(PAGE_3)), page("A3", None)];
    let fake = Fake::start(script).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));

    let first = next(&mut pages).await.unwrap();
    // The stream is not polled here, so only a separate fetch can send the request.
    fake.arrived(2).await;
    assert_eq!(ids(&first), ["A1"]);
    assert_eq!(fake.seen().len(), 2);

    next(&mut pages).await.unwrap();
    fake.arrived(3).await;
    next(&mut pages).await.unwrap();
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn dropping_the_stream_ends_the_fetch() {
    let fake = Fake::start(vec![page("A1", Some(PAGE_2)), Reply::Hang]).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    next(&mut pages).await.unwrap();
    fake.arrived(2).await;
    drop(pages);
    fake.given_up(1).await;
}

#[tokio::test]
async fn a_next_page_on_another_server_is_refused_and_gets_no_token() {
    let foreign = Fake::start(vec![page("A2", None)]).await;
    let mut base = foreign.base.clone();
    base.set_host(Some("localhost")).unwrap();
    let address = format!("{base}/schools/A100/employees?page=2");
    let fake = Fake::start(vec![page("A1", Some(&address))]).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    match next(&mut pages).await {
        Err(Error::ForeignNext { host }) => assert_eq!(host, "localhost"),
        other => panic!("{other:?}"),
    }
    assert!(pages.next().await.is_none(), "the stream ends after an error");
    assert!(foreign.seen().is_empty());
}

#[tokio::test]
async fn a_next_page_under_another_scheme_or_port_is_asked_for_on_our_own_root() {
    let foreign = Fake::start(vec![page("A2", None)]).await;
    let own_port = |base: &str| base.replace("http://", "https://");
    for address in [
        format!("{}/schools/A100/employees?page=2", foreign.base),
        own_port("{base}/schools/A100/employees?page=2"),
        "https://127.0.0.1/v1.0/schools/A100/employees?page=2".to_owned(),
        "/v1.0/schools/A100/employees?page=2".to_owned(),
        "employees?page=2".to_owned(),
        "?page=2".to_owned(),
    ] {
        let fake = Fake::start(vec![page("A1", Some(&address)), page("A2", None)]).await;
        let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
        next(&mut pages).await.unwrap();
        assert_eq!(ids(&next(&mut pages).await.unwrap()), ["A2"], "{address}");
        assert!(pages.next().await.is_none());
        assert_eq!(fake.seen()[1].target, "/v1.0/schools/A100/employees?page=2", "{address}");
    }
    assert!(foreign.seen().is_empty());
}

#[tokio::test]
async fn a_last_page_that_names_itself_is_the_last() {
    let last = r#"{"data":[{"id":"A1"}],"meta":{"pagination":
        {"next":"{base}/schools/A100/employees?per_page=200","more":false}}}"#;
    let fake = Fake::start(vec![json(200, last)]).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    assert_eq!(ids(&next(&mut pages).await.unwrap()), ["A1"]);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn byte_order_marks_are_skipped() {
    let marked = "\u{feff}{\"data\":[{\"id\":\"A1\",\"roles\":\u{feff}{\"data\":[]}}]}";
    let fake = Fake::start(vec![json(200, marked)]).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    assert_eq!(ids(&next(&mut pages).await.unwrap()), ["A1"]);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn pages_in_a_circle_end_in_an_error() {
    let script = vec![page("A1", Some(PAGE_2)), page("A2", Some(PAGE_3)), page("A3", Some(PAGE_2))];
    let fake = Fake::start(script).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    for _ in 0..3 {
        next(&mut pages).await.unwrap();
    }
    assert!(matches!(next(&mut pages).await, Err(Error::PageLoop)));
    assert!(pages.next().await.is_none());
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn a_failure_between_pages_ends_the_stream_with_it() {
    let fake = Fake::start(vec![page("A1", Some(PAGE_2)), json(401, "{}")]).await;
    let mut pages = Box::pin(school(&fake).employees(&EmployeeQuery::default(), None));
    next(&mut pages).await.unwrap();
    assert!(matches!(next(&mut pages).await, Err(Error::Unauthorized)));
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn single_records_and_the_school_are_read() {
    let script = vec![
        json(200, r#"{"data":{"id":"A7"},"meta":{"includes":[]}}"#),
        json(200, r#"{"data":{"id":"A8","name":"7x/Ma1"}}"#),
        json(200, r#"{"data":{"id":"A9","name":"Mathematics"}}"#),
        json(200, r#"{"data":{"id":"A100","name":"Hill Top"}}"#),
    ];
    let fake = Fake::start(script).await;
    let client = school(&fake);
    let employee = client.employee(&id("A7"), &including(&[EmployeeInclude::Roles])).await.unwrap();
    assert_eq!(employee.id.as_str(), "A7");
    let class = client.class(&id("A8"), &[ClassInclude::Employees]).await.unwrap();
    assert_eq!(class.name.as_deref(), Some("7x/Ma1"));
    let subject = client.subject(&id("A9")).await.unwrap();
    assert_eq!(subject.name.as_deref(), Some("Mathematics"));
    // In a task of its own, as a job runs it: the futures are `Send`.
    let school = tokio::spawn(async move { client.school().await }).await.unwrap().unwrap();
    assert_eq!(school.id.as_str(), "A100");
    let seen = fake.seen();
    assert_eq!(seen[0].target, "/v1.0/schools/A100/employees/A7?include=roles");
    assert_eq!(seen[1].target, "/v1.0/schools/A100/classes/A8?include=employees");
    assert_eq!(seen[2].target, "/v1.0/schools/A100/subjects/A9");
    assert_eq!(seen[3].target, "/v1.0/schools/A100");
}

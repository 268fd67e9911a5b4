//! Pages that are requested before the previous one has arrived. Each page has one record, so the
//! number of expected records is the number of expected pages.

mod same;

use std::collections::HashMap;
use std::future::ready;
use std::num::NonZeroU8;
use std::sync::{Arc, Mutex};

use futures::{FutureExt as _, StreamExt as _};
use mis_sync_wonde::{
    AnyAddress, ClientConfig, EmployeeQuery, Error, PageCursor, SchoolClient, Unlimited,
    WondeClient,
};
use secrecy::SecretString;

use crate::fake::{Fake, RecordingLimit, Reply, TOKEN, config, id, json, page, school_with};

/// A server whose answers depend on the number of the page, and on how often it was requested.
async fn listed(answer: impl Fn(usize, usize) -> Reply + Send + Sync + 'static) -> Fake {
    let times = Mutex::new(HashMap::<String, usize>::new());
    Fake::scripted(move |_, target| {
        let mut times = times.lock().unwrap();
        let time = times.entry(target.to_owned()).or_default();
        *time += 1;
        ready(answer(number(target), *time)).boxed()
    })
    .await
}

/// The page that an address asks for.
fn number(target: &str) -> usize {
    let number = target.split(['?', '&']).find_map(|pair| pair.strip_prefix("page="));
    number.map_or(1, |number| number.parse().unwrap())
}

/// Page `number` of a list with this many pages; empty behind its end.
fn numbered(number: usize, pages: usize) -> Reply {
    if number > pages {
        return empty();
    }
    let next = format!("{{base}}/schools/A100/employees?per_page=200&page={}", number + 1);
    page(&format!("A{number}"), (number < pages).then_some(&next))
}

fn empty() -> Reply {
    json(200, r#"{"data":[],"meta":{"pagination":{"next":null,"more":false}}}"#)
}

fn ahead() -> ClientConfig {
    ClientConfig { parallel_requests: NonZeroU8::new(4).unwrap(), ..config() }
}

fn school(fake: &Fake) -> SchoolClient {
    school_with(fake, ahead(), Arc::new(Unlimited))
}

/// The first id of each page, and how the list ended.
async fn read(
    school: &SchoolClient,
    expected: Option<u64>,
    from: Option<PageCursor>,
) -> (Vec<String>, Result<(), Error>) {
    let mut ids = Vec::new();
    let mut pages = Box::pin(school.expecting(expected).employees(&EmployeeQuery::default(), from));
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => ids.push(page.records[0].as_ref().unwrap().id.to_string()),
            Err(error) => {
                assert!(pages.next().await.is_none(), "the stream ends after an error");
                return (ids, Err(error));
            }
        }
    }
    (ids, Ok(()))
}

fn first(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("A{number}")).collect()
}

fn asked_for(fake: &Fake, page: usize) -> usize {
    fake.seen().iter().filter(|seen| number(&seen.target) == page).count()
}

#[tokio::test]
async fn a_list_as_long_as_expected_costs_one_request_a_page() {
    for pages in [1, 2, 3, 10] {
        let fake = listed(move |number, _| numbered(number, pages)).await;
        let limit = Arc::new(RecordingLimit::default());
        let school = school_with(&fake, ahead(), limit.clone());
        let (ids, end) = read(&school, Some(pages as u64), None).await;
        assert_eq!((ids, end.is_ok()), (first(pages), true));
        assert_eq!(fake.seen().len(), pages);
        assert_eq!(school.requests_made(), pages as u64);
        assert_eq!(limit.granted.lock().unwrap().len(), pages);
    }
}

#[tokio::test]
async fn without_a_number_to_expect_only_a_longer_list_costs_more() {
    for (pages, least, most) in [(1, 1, 1), (2, 2, 2), (3, 4, 4), (10, 10, 13)] {
        let fake = listed(move |number, _| numbered(number, pages)).await;
        let limit = Arc::new(RecordingLimit::default());
        let school = school_with(&fake, ahead(), limit.clone());
        let (ids, end) = read(&school, None, None).await;
        assert_eq!((ids, end.is_ok()), (first(pages), true));
        let made = school.requests_made();
        assert!((least..=most).contains(&made), "{made} requests for {pages} pages");
        let granted = limit.granted.lock().unwrap().len() as u64;
        assert!(granted >= made, "{made} requests, {granted} granted");
    }
}

#[tokio::test]
async fn pages_as_far_as_expected_are_asked_for_at_once() {
    // The first page is answered at once, the others only when the last of them has been requested.
    let gate = Arc::new(tokio::sync::Barrier::new(3));
    let fake = Fake::scripted(move |_, target| {
        let (gate, page) = (gate.clone(), number(target));
        async move {
            if page > 1 {
                gate.wait().await;
            }
            numbered(page, 4)
        }
        .boxed()
    })
    .await;
    let (ids, end) = read(&school(&fake), Some(4), None).await;
    assert_eq!((ids, end.is_ok()), (first(4), true));
    assert_eq!(fake.most_in_flight(), 3);
}

#[tokio::test]
async fn a_list_that_is_shorter_than_expected_ends_where_it_says() {
    for past in [empty(), json(404, r#"{"error":"resource_not_found"}"#), json(500, "{}")] {
        let fake = listed(move |number, _| match number {
            1 | 2 => numbered(number, 2),
            _ => past.clone(),
        })
        .await;
        let school = school(&fake);
        let (ids, end) = read(&school, Some(50), None).await;
        assert_eq!((ids, end.is_ok()), (first(2), true));
        assert!((2..=6).contains(&school.requests_made()), "{}", school.requests_made());
    }
}

#[tokio::test]
async fn a_page_that_came_into_being_meanwhile_is_read() {
    for early in [empty(), json(404, r#"{"error":"resource_not_found"}"#)] {
        let fake = listed(move |number, time| match (number, time) {
            (4, 1) => early.clone(),
            _ => numbered(number, 4),
        })
        .await;
        let (ids, end) = read(&school(&fake), Some(4), None).await;
        assert_eq!((ids, end.is_ok()), (first(4), true));
        assert_eq!(asked_for(&fake, 4), 2);
    }
}

#[tokio::test]
async fn a_page_that_failed_before_its_turn_is_asked_for_again() {
    for failure in [json(503, ""), json(401, "{}"), json(403, r#"{"error":"x.read"}"#)] {
        let fake = listed(move |number, time| match (number, time) {
            (3, 1) => failure.clone(),
            _ => numbered(number, 5),
        })
        .await;
        let school = school(&fake);
        let (ids, end) = read(&school, Some(5), None).await;
        assert_eq!((ids, end.is_ok()), (first(5), true));
        assert_eq!((asked_for(&fake, 3), school.requests_made()), (2, 6));
    }
}

#[tokio::test]
async fn a_page_that_fails_for_good_ends_the_list_in_its_turn() {
    let fake = listed(|number, _| if number == 3 { json(503, "") } else { numbered(number, 5) });
    let fake = fake.await;
    let (ids, end) = read(&school(&fake), Some(5), None).await;
    assert_eq!(ids, first(2));
    assert!(matches!(end, Err(Error::Server { status: 503, .. })), "{end:?}");
    assert_eq!(asked_for(&fake, 3), 1 + 4, "as a guess, and as a page with all its tries");
}

#[tokio::test]
async fn pages_that_do_not_count_up_are_read_one_after_the_other() {
    let address = |query: &str| format!("{{base}}/schools/A100/employees?{query}");
    for queries in [
        ["cursor=YQ", "cursor=Yg", "cursor=Yw", "cursor=ZA"],
        ["page=2&cursor=a", "page=3&cursor=b", "page=4&cursor=c", "page=5&cursor=d"],
        ["per_page=200&page=3", "per_page=200&page=5", "per_page=200&page=7", "page=9"],
        ["per_page=200&offset=1", "per_page=200&offset=2", "offset=3", "offset=4"],
    ] {
        let script = (0..5).map(|at| {
            let next = queries.get(at).map(|query| address(query));
            page(&format!("A{}", at + 1), next.as_deref())
        });
        let fake = Fake::start(script.collect()).await;
        // Nothing is expected, but one guess is allowed if the addresses seem to count up.
        let (ids, end) = read(&school(&fake), None, None).await;
        assert_eq!((ids, end.is_ok()), (first(5), true), "{queries:?}");
        assert_eq!((fake.seen().len(), fake.most_in_flight()), (5, 1), "{queries:?}");
    }
}

#[tokio::test]
async fn a_page_size_that_changes_on_the_way_ends_the_guessing() {
    let fake = Fake::scripted(|_, target| {
        let size = if target.contains("per_page=50") { 50 } else { 200 };
        let number = number(target);
        let reply = match (number, size) {
            (4.., 200) => page("A999", Some("{base}/schools/A100/employees?per_page=200&page=9")),
            (3.., _) => {
                let next =
                    format!("{{base}}/schools/A100/employees?per_page=50&page={}", number + 1);
                page(&format!("A{number}"), (number < 10).then_some(&next))
            }
            _ => numbered(number, 10),
        };
        ready(reply).boxed()
    })
    .await;
    let school = school(&fake);
    let (ids, end) = read(&school, Some(10), None).await;
    assert_eq!((ids, end.is_ok()), (first(10), true));
    let small: Vec<usize> = fake
        .seen()
        .iter()
        .map(|seen| seen.target.as_str())
        .filter(|target| target.contains("per_page=50"))
        .map(number)
        .collect();
    assert_eq!(small, [4, 5, 6, 7, 8, 9, 10], "each once, and nothing is guessed any more");
    assert!(school.requests_made() <= 10 + 3, "{}", school.requests_made());
}

#[tokio::test]
async fn a_resumed_list_asks_ahead_from_where_it_goes_on() {
    let fake = listed(|number, _| numbered(number, 10)).await;
    let cursor = r#""/v1.0/schools/A100/employees?per_page=200&page=6""#;
    let cursor: PageCursor = serde_json::from_str(cursor).unwrap();
    let (ids, end) = read(&school(&fake), Some(10), Some(cursor)).await;
    assert_eq!((ids.as_slice(), end.is_ok()), (&first(10)[5..], true));
    assert_eq!(fake.seen().len(), 5);
}

#[tokio::test]
async fn no_more_pages_are_fetched_than_may_be_in_hand() {
    let fake = listed(|number, _| numbered(number, 10)).await;
    let school = school(&fake);
    let mut pages = Box::pin(school.expecting(Some(10)).employees(&EmployeeQuery::default(), None));
    for taken in 1..=6 {
        pages.next().await.unwrap().unwrap();
        fake.arrived(taken + 4).await;
        // Time for any request that comes too early: the list is answered at once.
        for _ in 0..3 {
            school.employee_count().await.unwrap();
        }
        let lists = fake.seen().iter().filter(|seen| !seen.target.contains("counts")).count();
        assert_eq!(lists, taken + 4);
    }
}

#[tokio::test]
async fn lists_that_are_read_side_by_side_share_the_bound() {
    let fake = Fake::scripted(|_, target| {
        let page = number(target);
        let next = format!("{{base}}{}&page={}", list_of(target), page + 1);
        let reply = self::page(&format!("A{page}"), (page < 12).then_some(&next));
        async move {
            same::answer_time(5).await;
            reply
        }
        .boxed()
    })
    .await;
    let school = school(&fake).expecting(Some(12));
    let employees = school.employees(&EmployeeQuery::default(), None).collect::<Vec<_>>();
    let subjects = school.clone().subjects(None, None).collect::<Vec<_>>();
    let (employees, subjects) = futures::join!(employees, subjects);
    assert!(employees.iter().all(Result::is_ok) && subjects.iter().all(Result::is_ok));
    assert_eq!((employees.len(), subjects.len()), (12, 12));
    assert_eq!((fake.most_in_flight(), fake.seen().len()), (4, 24));
}

/// The list of an address, as the address of its pages begins.
fn list_of(target: &str) -> String {
    let list = target.split('?').next().unwrap_or_default().trim_start_matches("/v1.0");
    format!("{list}?per_page=200")
}

#[tokio::test]
async fn what_one_client_has_in_flight_holds_up_no_other() {
    let fake = listed(|number, _| if number == 1 { numbered(1, 9) } else { Reply::Hang }).await;
    mis_sync_wonde::install_crypto_provider();
    let wonde = WondeClient::new(ahead(), Arc::new(Unlimited), Arc::new(AnyAddress)).unwrap();
    let open = || wonde.school(&id("A100"), &SecretString::from(TOKEN), Some(&fake.base)).unwrap();
    let sync = open().expecting(Some(9));
    let mut pages = Box::pin(sync.employees(&EmployeeQuery::default(), None));
    pages.next().await.unwrap().unwrap();
    fake.arrived(5).await;
    let login = open();
    login.employee_count().await.unwrap();
    drop(pages);
    fake.given_up(4).await;
}

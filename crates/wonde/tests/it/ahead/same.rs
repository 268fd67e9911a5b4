//! Read ahead or one page at a time: the same pages in the same order, whatever the server does.

use std::collections::HashMap;
use std::num::NonZeroU8;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use mis_sync_wonde::{ClientConfig, EmployeeQuery, PageCursor, Unlimited};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::fake::{Fake, Reply, config, json, school_with};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

#[expect(clippy::disallowed_methods, reason = "how long an answer takes is what is simulated")]
pub(super) async fn answer_time(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// What the addresses do from some page on.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// They count up as before.
    None,
    OtherPageSize,
    Cursors,
    /// One number is left out.
    Skip,
    /// Back to the start.
    Circle,
    /// To another list.
    Foreign,
    /// The page fails, for good or temporarily, each time or only the first time.
    Fails(u16),
    FailsOnce,
}

/// What an address returns that no page has named.
#[derive(Debug, Clone, Copy)]
enum Unnamed {
    Empty,
    NotFound,
    Broken,
    Strangers,
}

#[derive(Debug, Clone)]
struct List {
    records: usize,
    page_size: usize,
    turn: Turn,
    /// The page at which the turn happens.
    at: usize,
    unnamed: Unnamed,
    /// Milliseconds for each answer, in turn.
    delays: Vec<u64>,
}

fn page(records: std::ops::Range<usize>, next: Option<&str>) -> Reply {
    let records: Vec<_> = records.map(|at| serde_json::json!({"id": format!("A{at}")})).collect();
    let pagination = serde_json::json!({"next": next, "more": next.is_some()});
    let body = serde_json::json!({"data": records, "meta": {"pagination": pagination}});
    json(200, body.to_string())
}

impl List {
    fn pages(&self) -> usize {
        self.records.div_ceil(self.page_size).max(1)
    }

    /// The query of page `position`, from 0.
    fn query(&self, position: usize) -> String {
        let number = position + 1;
        match self.turn {
            _ if position == 0 => "per_page=200".to_owned(),
            Turn::OtherPageSize if position >= self.at => format!("per_page=7&page={number}"),
            Turn::Cursors if position >= self.at => format!("cursor=c{number}"),
            Turn::Skip if position >= self.at => format!("per_page=200&page={}", number + 1),
            _ => format!("per_page=200&page={number}"),
        }
    }

    /// The answer to the request with this query, when it is made for the `time`th time.
    fn answer(&self, position: Option<usize>, time: usize) -> Reply {
        let Some(position) = position else {
            return match self.unnamed {
                Unnamed::Empty => json(200, r#"{"data":[]}"#),
                Unnamed::NotFound => json(404, r#"{"error":"resource_not_found"}"#),
                Unnamed::Broken => json(500, "{}"),
                Unnamed::Strangers => page(900..901, Some("?per_page=200&page=901")),
            };
        };
        match self.turn {
            Turn::Fails(status) if position == self.at => return json(status, r#"{"error":"x"}"#),
            Turn::FailsOnce if position == self.at && time == 1 => return json(502, ""),
            _ => {}
        }
        let start = position * self.page_size;
        let next = match self.turn {
            Turn::Circle if position >= self.at => Some(format!("?{}", self.query(0))),
            Turn::Foreign if position >= self.at => Some("classes?page=2".to_owned()),
            _ => (position + 1 < self.pages()).then(|| format!("?{}", self.query(position + 1))),
        };
        page(start..(start + self.page_size).min(self.records), next.as_deref())
    }

    async fn serve(self) -> Fake {
        let positions: HashMap<String, usize> =
            (0..self.pages()).map(|position| (self.query(position), position)).collect();
        let times = std::sync::Mutex::new(HashMap::<String, usize>::new());
        Fake::scripted(move |number, target| {
            let query = target.split_once('?').map_or("", |(_, query)| query);
            let mut times = times.lock().unwrap();
            let time = times.entry(query.to_owned()).or_default();
            *time += 1;
            let reply = self.answer(positions.get(query).copied(), *time);
            let delay = self.delays[number % self.delays.len()];
            answer_time(delay).map(|()| reply).boxed()
        })
        .await
    }
}

/// Each page as its ids and its cursor, and the error at the end.
type Read = (Vec<(Vec<String>, Option<PageCursor>)>, Option<String>);

async fn read(list: &List, parallel: u8, expected: Option<u64>, from: Option<PageCursor>) -> Read {
    let fake = list.clone().serve().await;
    let parallel_requests = NonZeroU8::new(parallel).unwrap();
    let config = ClientConfig { parallel_requests, ..config() };
    let school = school_with(&fake, config, Arc::new(Unlimited)).expecting(expected);
    let (mut read, mut error) = (Vec::new(), None);
    let mut pages = Box::pin(school.employees(&EmployeeQuery::default(), from));
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                let ids = page.records.iter().map(|one| one.as_ref().unwrap().id.to_string());
                read.push((ids.collect(), page.next));
            }
            Err(failure) => error = Some(failure.to_string()),
        }
    }
    assert!(fake.most_in_flight() <= usize::from(parallel), "{}", fake.most_in_flight());
    (read, error)
}

fn lists() -> impl Strategy<Value = List> {
    let turn = prop_oneof![
        3 => Just(Turn::None),
        1 => Just(Turn::OtherPageSize),
        1 => Just(Turn::Cursors),
        1 => Just(Turn::Skip),
        1 => Just(Turn::Circle),
        1 => Just(Turn::Foreign),
        1 => prop::sample::select(vec![403_u16, 404, 422, 500]).prop_map(Turn::Fails),
        1 => Just(Turn::FailsOnce),
    ];
    let unnamed = prop::sample::select(vec![
        Unnamed::Empty,
        Unnamed::NotFound,
        Unnamed::Broken,
        Unnamed::Strangers,
    ]);
    let delays = prop::collection::vec(0_u64..4, 1..20);
    (0_usize..40, 1_usize..6, turn, 1_usize..12, unnamed, delays).prop_map(
        |(records, page_size, turn, at, unnamed, delays)| List {
            records,
            page_size,
            turn,
            at,
            unnamed,
            delays,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ahead_or_one_after_the_other_the_pages_are_the_same(
        list in lists(),
        parallel in 2_u8..7,
        expected in prop_oneof![Just(None), (0_u64..60).prop_map(Some)],
        resume in 0_usize..8,
    ) {
        RUNTIME.block_on(async {
            let quick = List { delays: vec![0], ..list.clone() };
            let alone = read(&quick, 1, None, None).await;
            let ahead = read(&list, parallel, expected, None).await;
            assert_eq!(ahead, alone);
            let cursor = alone.0.get(resume).and_then(|(_, next)| next.clone());
            if cursor.is_some() {
                let alone = read(&quick, 1, None, cursor.clone()).await;
                assert_eq!(read(&list, parallel, expected, cursor).await, alone);
            }
        });
    }
}

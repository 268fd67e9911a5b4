//! Reads a list page by page, and ahead where its pages count up.
//!
//! Only `next` says that there is another page and where it is. If the addresses differ only in a
//! `page` that counts up by one, the next few can be guessed and requested at the same time. A
//! guess that the page before it does not confirm, character by character, is discarded, and the
//! rest of the list is read one page at a time.

use std::collections::{HashSet, VecDeque};
use std::future::ready;

use futures::{Stream, stream};
use serde::de::DeserializeOwned;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use url::Url;

use crate::client::SchoolClient;
use crate::envelope::DecodedPage;
use crate::error::Error;
use crate::pages::{Page, PageCursor, within_list};
use crate::query::ListQuery;

/// A list with more pages than this is endless. The smallest pages that we request have one record.
const MOST_PAGES: usize = 50_000;

/// The parameter with the number of a page.
const PAGE: &str = "page=";

/// The pages of `list` in order. They are fetched in separate tasks, which end with the stream.
pub(crate) fn stream<T: DeserializeOwned + Send + 'static>(
    client: SchoolClient,
    list: &ListQuery,
    from: Option<PageCursor>,
) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
    let first = match from {
        Some(cursor) => cursor.within(client.root(), list.resource),
        None => Ok(client.list_url(list)),
    };
    let mut reader = Reader {
        client,
        resource: list.resource,
        seen: HashSet::new(),
        window: VecDeque::new(),
        counts_up: true,
    };
    let first = first.map(|url| reader.ask(url));
    stream::unfold(Some((reader, first)), |state| async {
        let (mut reader, asked) = state?;
        match reader.turn(asked).await {
            Ok((page, asked)) => Some((Ok(page), asked.map(|asked| (reader, Ok(asked))))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// The state of reading one list.
struct Reader<T> {
    client: SchoolClient,
    resource: &'static str,
    /// Pages that are known to exist and were requested.
    seen: HashSet<PageCursor>,
    /// The guessed pages in order, behind the current one.
    window: VecDeque<Asked<T>>,
    /// Whether every address so far was the expected one.
    counts_up: bool,
}

/// A page that is being fetched, or waits for its turn.
struct Asked<T> {
    url: Url,
    answer: Answer<T>,
}

type Answer<T> = AbortOnDropHandle<Result<DecodedPage<T>, Error>>;

impl<T: DeserializeOwned + Send + 'static> Reader<T> {
    /// Waits for the current page, and requests what follows it.
    async fn turn(
        &mut self,
        asked: Result<Asked<T>, Error>,
    ) -> Result<(Page<T>, Option<Asked<T>>), Error> {
        let Asked { url, answer } = asked?;
        let DecodedPage { records, next } = joined(answer).await?;
        let next = next
            .map(|next| within_list(self.client.root(), self.resource, &url, &next))
            .transpose()?;
        let page = Page { next: next.as_ref().map(PageCursor::of), records };
        let asked = next.map(|next| self.go_on(&url, next, page.records.len()));
        Ok((page, asked))
    }

    /// Requests `next`, which the page at `read` names, and guesses behind it.
    fn go_on(&mut self, read: &Url, next: Url, page_size: usize) -> Asked<T> {
        self.counts_up = self.counts_up && follows(read, &next);
        if self.window.front().is_some_and(|guess| guess.url != next) {
            self.counts_up = false;
        }
        if !self.counts_up {
            self.window.clear();
        }
        let asked = self.ask(next);
        if self.counts_up {
            self.guess(&asked.url, page_size);
        }
        asked
    }

    /// Requests a page that is known to exist, and uses an earlier guess of it if that was good.
    fn ask(&mut self, url: Url) -> Asked<T> {
        if !self.seen.insert(PageCursor::of(&url)) || self.seen.len() > MOST_PAGES {
            return Asked { url, answer: spawn(ready(Err(Error::PageLoop))) };
        }
        let guess = self.window.pop_front().map(|guess| guess.answer);
        let (client, resource, address) = (self.client.clone(), self.resource, url.clone());
        let answer = spawn(async move {
            if let Some(guess) = guess
                && let Ok(page) = joined(guess).await
                // It may have been read before it had any records.
                && !page.records.is_empty()
            {
                return Ok(page);
            }
            client.page(resource, &address).await
        });
        Asked { url, answer }
    }

    /// Fills the window with guesses of what follows `known`.
    fn guess(&mut self, known: &Url, page_size: usize) {
        let Some(known) = Numbered::of(known) else {
            return;
        };
        let until = worth_asking(known.number, page_size, self.client.expected_records());
        // `known` is one of the pages that may be in flight.
        let most = until.min(known.number + self.client.parallel_requests() - 1);
        for number in known.number + 1 + self.window.len() as u64..=most {
            let url = known.at(number);
            let (client, resource, address) = (self.client.clone(), self.resource, url.clone());
            // It is tried once. If it fails, it is requested again when it is known to exist.
            let answer = spawn(async move { client.page_once(resource, &address).await });
            self.window.push_back(Asked { url, answer });
        }
    }
}

fn spawn<T: Send + 'static>(
    fetching: impl Future<Output = Result<DecodedPage<T>, Error>> + Send + 'static,
) -> Answer<T> {
    AbortOnDropHandle::new(tokio::spawn(fetching.in_current_span()))
}

/// A task that died must not look like the end of the list.
async fn joined<T>(answer: Answer<T>) -> Result<DecodedPage<T>, Error> {
    match answer.await {
        Ok(outcome) => outcome,
        Err(failure) => std::panic::resume_unwind(failure.into_panic()),
    }
}

/// The last page worth requesting if `known` is the last that is known to exist. With `expected` it
/// covers that many records. Without it, or if the list turns out longer, it is half as many pages
/// more as were read. So a list of one or two pages costs no extra request, and any other at most
/// half of its own again.
fn worth_asking(known: u64, page_size: usize, expected: Option<u64>) -> u64 {
    let expected = match page_size as u64 {
        0 => 0,
        size => expected.unwrap_or(0).div_ceil(size),
    };
    let beyond = known.saturating_sub(1 + expected);
    expected.max(known + beyond / 2)
}

/// Whether `next` is the expected successor of `read`. The first page of a list has no number.
fn follows(read: &Url, next: &Url) -> bool {
    match Numbered::of(read) {
        Some(read) => read.number.checked_add(1).is_some_and(|number| read.at(number) == *next),
        None => Numbered::of(next).is_some_and(|next| next.number == 2),
    }
}

struct Numbered<'a> {
    url: &'a Url,
    number: u64,
}

impl<'a> Numbered<'a> {
    fn of(url: &'a Url) -> Option<Self> {
        let mut numbers = url.query()?.split('&').filter_map(|pair| pair.strip_prefix(PAGE));
        let (text, None) = (numbers.next()?, numbers.next()) else {
            return None;
        };
        let number: u32 = text.parse().ok()?;
        Some(Self { url, number: number.into() })
    }

    /// The same address with another page number.
    fn at(&self, number: u64) -> Url {
        let pairs = self.url.query().unwrap_or_default().split('&');
        let pairs: Vec<String> = pairs
            .map(|pair| match pair.strip_prefix(PAGE) {
                Some(_) => format!("{PAGE}{number}"),
                None => pair.to_owned(),
            })
            .collect();
        let mut url = self.url.clone();
        url.set_query(Some(&pairs.join("&")));
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(query: &str) -> Url {
        Url::parse(&format!("https://api.example/v1.0/schools/A1/employees{query}")).unwrap()
    }

    #[test]
    fn a_page_follows_another_where_nothing_but_its_number_differs() {
        for (read, next) in [
            ("?per_page=200", "?per_page=200&page=2"),
            ("", "?page=2"),
            ("?per_page=200", "?page=2&per_page=100"),
            ("?page=2", "?page=3"),
            ("?a=%2C&page=9&b=1+2", "?a=%2C&page=10&b=1+2"),
            ("?per_page=2&page=2", "?per_page=2&page=3"),
        ] {
            assert!(follows(&url(read), &url(next)), "{read} {next}");
        }
        for (read, next) in [
            ("?per_page=200", "?per_page=200"),
            ("?per_page=200", "?per_page=200&page=1"),
            ("?per_page=200", "?per_page=200&page=3"),
            ("?page=2", "?page=4"),
            ("?page=2", "?page=2"),
            ("?page=3", "?page=2"),
            ("?page=2&per_page=200", "?page=3&per_page=100"),
            ("?page=2&per_page=200", "?per_page=200&page=3"),
            ("?page=2&page=2", "?page=3&page=3"),
            ("?page=02", "?page=03"),
            ("?page=x", "?page=3"),
            ("?cursor=true", "?cursor=YWZ0ZXI"),
            ("?cursor=YWZ0ZXI", "?cursor=YWZ0ZXJ"),
        ] {
            assert!(!follows(&url(read), &url(next)), "{read} {next}");
        }
    }

    #[test]
    fn as_far_as_the_expected_records_reach_or_half_of_what_was_read() {
        // The page that is known, the expected records in pages of 200, and the last page worth
        // requesting.
        for (known, expected, until) in [
            (2, None, 2),
            (3, None, 4),
            (4, None, 5),
            (5, None, 7),
            (11, None, 16),
            (2, Some(2_000), 10),
            (10, Some(2_000), 10),
            (2, Some(2_001), 11),
            (11, Some(2_000), 11),
            (13, Some(2_000), 14),
            (2, Some(150), 2),
            (3, Some(0), 4),
        ] {
            assert_eq!(worth_asking(known, 200, expected), until, "{known} {expected:?}");
        }
        assert_eq!(worth_asking(2, 0, Some(2_000)), 2, "an empty page tells no size");
    }
}

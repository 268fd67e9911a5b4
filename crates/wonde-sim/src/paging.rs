//! Pages by number and by cursor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::ids::WondeId;
use crate::options::{PaginationStyle, SimulatorOptions};
use crate::query::{Flag, Query};
use crate::refusal::Refusal;

/// Items per page if `per_page` is not sent.
const DEFAULT_PER_PAGE: usize = 50;

/// The requested page.
#[derive(Debug)]
pub(crate) struct PageRequest {
    per_page: usize,
    per_page_sent: bool,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// By number, from 1.
    Number(usize),
    /// The records after this one in the order of creation; the first ones if there is none.
    After(Option<WondeId>),
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page<'a, T> {
    pub(crate) items: Vec<&'a T>,
    more: bool,
    last: Option<WondeId>,
}

impl PageRequest {
    /// Reads `per_page`, `page` and `cursor`.
    pub(crate) fn from_query(query: &Query, options: &SimulatorOptions) -> Result<Self, Refusal> {
        let per_page = query.get("per_page").map(|text| positive("per_page", text)).transpose()?;
        let place = match query.flag("cursor") {
            Some(Flag::Yes) => Place::After(None),
            Some(Flag::Other(token)) => Place::After(Some(read_cursor(token)?)),
            Some(Flag::No) | None => Place::Number(
                query.get("page").map(|text| positive("page", text)).transpose()?.unwrap_or(1),
            ),
        };
        Ok(Self {
            per_page: per_page.unwrap_or(DEFAULT_PER_PAGE).min(options.per_page_max),
            per_page_sent: per_page.is_some(),
            place,
        })
    }

    /// Whether the list is requested from its beginning.
    pub(crate) fn is_first(&self) -> bool {
        matches!(self.place, Place::Number(1) | Place::After(None))
    }

    /// The page of a list sorted by `key`, of all items.
    pub(crate) fn of_all<'a, T>(&self, items: &'a [T], key: impl Fn(&T) -> WondeId) -> Page<'a, T> {
        let start = self.start(items, &key).min(items.len());
        let end = start.saturating_add(self.per_page).min(items.len());
        let items_here: Vec<&T> = items[start..end].iter().collect();
        Page {
            more: end < items.len(),
            last: items_here.last().map(|item| key(item)),
            items: items_here,
        }
    }

    /// The page of a list sorted by `key`, with only the items that `keep` accepts.
    pub(crate) fn of_some<'a, T>(
        &self,
        items: &'a [T],
        key: impl Fn(&T) -> WondeId,
        keep: impl Fn(&T) -> bool,
    ) -> Page<'a, T> {
        let (from, skip) = match self.place {
            Place::Number(number) => (0, (number - 1).saturating_mul(self.per_page)),
            Place::After(_) => (self.start(items, &key), 0),
        };
        let mut kept = items[from..].iter().filter(|item| keep(item)).skip(skip);
        let items_here: Vec<&T> = kept.by_ref().take(self.per_page).collect();
        Page {
            more: kept.next().is_some(),
            last: items_here.last().map(|item| key(item)),
            items: items_here,
        }
    }

    /// The position at which the page starts in the whole list.
    fn start<T>(&self, items: &[T], key: impl Fn(&T) -> WondeId) -> usize {
        match self.place {
            Place::Number(number) => (number - 1).saturating_mul(self.per_page),
            Place::After(None) => 0,
            Place::After(Some(last)) => items.partition_point(|item| key(item) <= last),
        }
    }
}

/// `meta.pagination` of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Pagination {
    next: Option<String>,
    previous: Option<String>,
    more: bool,
    per_page: Option<usize>,
    current_page: Option<usize>,
}

impl Pagination {
    /// The pagination of a page; `None` if the style omits it. `url` is the absolute address
    /// without its query.
    pub(crate) fn of<T>(
        page: &Page<'_, T>,
        request: &PageRequest,
        query: &Query,
        url: &str,
        style: PaginationStyle,
    ) -> Option<Self> {
        let address = |name: &str, value: &str| format!("{url}?{}", query.with(name, value));
        match request.place {
            Place::Number(number) => {
                let small = number == 1 && !page.more && !request.per_page_sent;
                if small && style == PaginationStyle::OmitWhenSmall {
                    return None;
                }
                Some(Self {
                    next: page.more.then(|| address("page", &(number + 1).to_string())),
                    previous: (number > 1).then(|| address("page", &(number - 1).to_string())),
                    more: page.more,
                    per_page: Some(request.per_page),
                    current_page: Some(number),
                })
            }
            Place::After(_) => Some(Self {
                next: page
                    .last
                    .filter(|_| page.more)
                    .map(|last| address("cursor", &write_cursor(last))),
                previous: None,
                more: page.more,
                per_page: None,
                current_page: None,
            }),
        }
    }
}

fn positive(name: &'static str, text: &str) -> Result<usize, Refusal> {
    text.parse()
        .ok()
        .filter(|&number| number > 0)
        .ok_or_else(|| Refusal::invalid(name, "must be a whole number of at least 1"))
}

/// A cursor is opaque to the client.
fn write_cursor(last: WondeId) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{last}"))
}

fn read_cursor(token: &str) -> Result<WondeId, Refusal> {
    let wrong = || Refusal::invalid("cursor", "is not one that was given out");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    text.strip_prefix("after:").and_then(|id| id.parse().ok()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Ids;

    fn ids(count: usize) -> Vec<WondeId> {
        let mut ids = Ids::of_school(0, 1, 1);
        (0..count).map(|_| ids.take()).collect()
    }

    fn request(query: &str) -> PageRequest {
        PageRequest::from_query(&Query::parse(query), &SimulatorOptions::default()).unwrap()
    }

    #[test]
    fn pages_by_number_cover_the_list() {
        let all = ids(120);
        let sizes: Vec<(usize, bool)> = (1..=4)
            .map(|page| request(&format!("page={page}")).of_all(&all, |id| *id))
            .map(|page| (page.items.len(), page.more))
            .collect();
        assert_eq!(sizes, [(50, true), (50, true), (20, false), (0, false)]);
        let exact = request("per_page=60&page=2").of_all(&all, |id| *id);
        assert_eq!((exact.items.len(), exact.more), (60, false));
        assert_eq!(request("per_page=5000").per_page, 1_000);
    }

    #[test]
    fn a_filter_and_a_page_go_together() {
        let all = ids(100);
        let wanted: Vec<WondeId> = all.iter().copied().step_by(3).collect();
        let page = request("per_page=10&page=2").of_some(&all, |id| *id, |id| wanted.contains(id));
        assert_eq!(page.items, wanted[10..20].iter().collect::<Vec<_>>());
        assert!(page.more);
    }

    #[test]
    fn a_cursor_goes_on_where_it_stopped_although_records_went() {
        let mut all = ids(20);
        let first = request("cursor=true&per_page=5").of_all(&all, |id| *id);
        let cursor = write_cursor(first.last.unwrap());
        let expected = all[5];
        all.drain(2..5);
        let next = request(&format!("cursor={cursor}&per_page=5"));
        assert_eq!(*next.of_all(&all, |id| *id).items[0], expected);
    }

    #[test]
    fn wrong_numbers_and_cursors_are_refused() {
        for query in ["page=0", "page=x", "per_page=-1", "cursor=nonsense"] {
            let refused =
                PageRequest::from_query(&Query::parse(query), &SimulatorOptions::default())
                    .unwrap_err();
            assert_eq!(refused.status, 422, "{query}");
        }
    }
}

//! What a fetch has read so far, page by page, and what it amounts to.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::fetched::{FetchCounts, Fetched, Gone, Label, LeftOut, Present};
use crate::{
    Issue, IssueCode, PhotoRecord, StaffRecord, TeachingKind, TeachingRecord,
    absence::{Missing, Reading},
    job::named,
};

named!(
    /// A list of Wonde's that a sync may read.
    #[derive(PartialOrd, Ord)]
    List, "list", {
        Employees = "employees",
        /// Deleted staff.
        DeletedEmployees = "deleted_employees",
        Subjects = "subjects",
        Classes = "classes",
        /// Deleted classes.
        DeletedClasses = "deleted_classes",
        /// Staff again, with their photos.
        Photos = "photos",
        /// Not a list but the last step of a full fetch: asking for the records that the lists did
        /// not show.
        Missing = "missing",
    }
);

/// One page of a list, mapped. Places are those of the records on the page.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MappedPage {
    /// Current staff that can be imported.
    pub staff: Vec<(u64, StaffRecord)>,
    /// Issues.
    pub issues: Vec<(u64, Issue)>,
    /// People who are in the list and have not left, but are not in `staff`.
    pub present: Vec<Present>,
    /// Every readable record that is not in `staff`, with the reason, and each one in `staff`
    /// without a usable work email.
    pub left_out: Vec<LeftOut>,
    /// Staff records so damaged that they could be anyone's.
    pub nameless: u64,
    /// Staff records that say something about the employment.
    pub employment_said: u64,
    /// Staff records on the page.
    pub fetched: u64,
    /// Of these, current staff.
    pub current: u64,
    /// Current staff that are not in `staff`.
    pub skipped: u64,
    /// Records that are gone: the page says so, or Wonde no longer knows them.
    pub gone: Gone,
    /// Classes or subjects.
    pub teaching: Vec<(TeachingKind, TeachingRecord)>,
    /// Photos, with the Wonde ids of the people. Only their hashes stay in memory.
    #[serde(skip)]
    pub photos: Vec<(String, PhotoRecord)>,
    /// SHA-256 of each photo; `None` if the person has none.
    pub photo_hashes: Vec<(String, Option<String>)>,
    /// What a clerk knows each record by.
    pub labels: Vec<Label>,
    /// HTTP requests for the page, including failed ones.
    pub requests: u64,
}

/// Records are personal data, so only their number is printed.
impl fmt::Debug for MappedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedPage").field("fetched", &self.fetched).finish_non_exhaustive()
    }
}

/// A fetch in progress. `Cursor` says where a list continues, in the client's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch<Cursor> {
    /// When it began, by the ledger's clock.
    pub started_at: DateTime<Utc>,
    /// Requests only what changed after this; `None` for everything.
    pub updated_after: Option<DateTime<Utc>>,
    lists: BTreeMap<List, Pages<Cursor>>,
    notes: BTreeSet<&'static str>,
    second: Option<(List, Vec<String>)>,
    /// Requests that forgotten pages cost.
    forgotten: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pages<Cursor> {
    pages: Vec<MappedPage>,
    next: Next<Cursor>,
}

/// What comes after a page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next<Cursor> {
    /// The next page is here.
    At(Cursor),
    /// It was the last page.
    Over,
    /// Access to the list was refused: it is not read, and none of it counts.
    Refused,
}

impl<Cursor: Clone> Fetch<Cursor> {
    /// A fetch that is about to begin.
    pub fn new(started_at: DateTime<Utc>, updated_after: Option<DateTime<Utc>>) -> Self {
        Self {
            started_at,
            updated_after,
            lists: BTreeMap::new(),
            notes: BTreeSet::new(),
            second: None,
            forgotten: 0,
        }
    }

    /// Whether everything is requested, not only what changed.
    pub fn is_full(&self) -> bool {
        self.updated_after.is_none()
    }

    /// Adds the next page of a list.
    pub fn add(&mut self, list: List, page: MappedPage, next: Next<Cursor>) {
        let pages =
            self.lists.entry(list).or_insert_with(|| Pages { pages: Vec::new(), next: Next::Over });
        pages.pages.push(page);
        pages.next = next;
    }

    /// Forgets a list, to read it again from its first page.
    pub fn rewind(&mut self, list: List) {
        let pages = self.lists.remove(&list).into_iter().flat_map(|pages| pages.pages);
        self.forgotten += pages.map(|page| page.requests).sum::<u64>();
    }

    /// Requests that forgotten pages cost, to be counted with the next page.
    pub fn take_forgotten_requests(&mut self) -> u64 {
        std::mem::take(&mut self.forgotten)
    }

    /// Begins the second reading of a list. `missed` are the records that the first one did not
    /// show.
    pub fn read_again(&mut self, list: List, missed: Vec<String>) {
        self.rewind(list);
        self.second = Some((list, missed));
    }

    /// Records an issue about the whole school. Returns false if it was recorded before.
    pub fn note(&mut self, code: IssueCode) -> bool {
        self.notes.insert(code.as_str())
    }

    /// Number of pages of a list so far.
    pub fn pages_of(&self, list: List) -> usize {
        self.lists.get(&list).map_or(0, |pages| pages.pages.len())
    }

    /// How a list continues; `None` if it has not begun.
    pub fn next_of(&self, list: List) -> Option<&Next<Cursor>> {
        self.lists.get(&list).map(|pages| &pages.next)
    }

    /// Whether the list was read to its end, or refused.
    pub fn is_over(&self, list: List) -> bool {
        matches!(self.next_of(list), Some(Next::Over | Next::Refused))
    }

    /// Whether the list is being read for the second time.
    pub fn is_second(&self, list: List) -> bool {
        self.second.as_ref().is_some_and(|(second, _)| *second == list)
    }

    /// Records of staff, classes and subjects so far.
    pub fn records(&self) -> u64 {
        self.all().map(|page| page.fetched + page.teaching.len() as u64).sum()
    }

    fn all(&self) -> impl Iterator<Item = &MappedPage> {
        self.lists.values().flat_map(|pages| &pages.pages)
    }

    /// The records of `known` (Wonde ids that iP has) that a complete list did not show. It is
    /// empty if the list cannot prove an absence: one of its records could be anyone's, it has no
    /// employment details, or a list of classes or subjects is empty or was refused.
    pub fn missing(&self, list: List, known: Vec<String>) -> Reading {
        let (listed, shown) = match list {
            List::Classes => self.shown_of(list, TeachingKind::Class),
            List::Subjects => self.shown_of(list, TeachingKind::Subject),
            _ => self.shown_people(),
        };
        let before = self.second.as_ref().filter(|(second, _)| *second == list);
        let missed: HashSet<&str> =
            before.iter().flat_map(|(_, missed)| missed).map(String::as_str).collect();
        let is_missing = |id: &String| shown.as_ref().is_some_and(|ids| !ids.contains(id.as_str()));
        let missing = known
            .into_iter()
            .filter(is_missing)
            .map(|wonde_id| Missing { was_missing: missed.contains(wonde_id.as_str()), wonde_id });
        Reading { listed, is_second: before.is_some(), missing: missing.collect() }
    }

    /// The people that the list shows or accounts for in another way.
    fn shown_people(&self) -> (u64, Option<HashSet<&str>>) {
        let sum = |of: fn(&MappedPage) -> u64| self.all().map(of).sum::<u64>();
        let fetched = sum(|page| page.fetched);
        let says_nothing = fetched > 0 && sum(|page| page.employment_said) == 0;
        if says_nothing || sum(|page| page.nameless) > 0 {
            return (fetched, None);
        }
        let ids = self.all().flat_map(|page| {
            let staff = page.staff.iter().map(|(_, record)| &record.wonde_id);
            let present = page.present.iter().map(|record| &record.wonde_id);
            let left_out = page.left_out.iter().map(|record| &record.wonde_id);
            staff.chain(present).chain(left_out).chain(&page.gone.employees).map(String::as_str)
        });
        (fetched, Some(ids.collect()))
    }

    fn shown_of(&self, list: List, kind: TeachingKind) -> (u64, Option<HashSet<&str>>) {
        let records = self.all().flat_map(|page| &page.teaching);
        let mut shown: HashSet<&str> = records
            .filter(|(of, _)| *of == kind)
            .map(|(_, record)| record.wonde_id.as_str())
            .collect();
        let listed = shown.len() as u64;
        let is_read = matches!(self.next_of(list), Some(Next::Over));
        if !is_read || shown.is_empty() || shown.contains("") {
            return (listed, None);
        }
        shown.extend(self.all().flat_map(|page| page.gone.of(kind)).map(String::as_str));
        (listed, Some(shown))
    }

    /// Everything that was read; `None` if a list is incomplete or none was begun. An incomplete
    /// fetch is never applied.
    pub fn into_fetched(self) -> Option<Fetched> {
        let is_over = |pages: &Pages<Cursor>| !matches!(pages.next, Next::At(_));
        if !self.lists.contains_key(&List::Employees) || !self.lists.values().all(is_over) {
            return None;
        }
        let was_read = |list: List| matches!(self.next_of(list), Some(Next::Over));
        let mut fetched = Fetched {
            is_full: self.is_full(),
            started_at: self.started_at,
            subjects: was_read(List::Subjects).then(Vec::new),
            classes: was_read(List::Classes).then(Vec::new),
            photos: was_read(List::Photos).then(Vec::new),
            ..Fetched::default()
        };
        let codes =
            IssueCode::ALL.iter().copied().filter(|code| self.notes.contains(code.as_str()));
        fetched.issues = codes.map(|code| (-1, Issue::of_school(code))).collect();
        let mut first = 0;
        for page in self.lists.into_values().flat_map(|pages| pages.pages) {
            first = fetched.take(page, first);
        }
        Some(fetched)
    }
}

impl Fetched {
    /// Adds a page whose records have places from `first`, and returns the first place of the next
    /// page.
    pub fn take(&mut self, page: MappedPage, first: i64) -> i64 {
        let mut next = first;
        let mut placed = |at: u64| {
            let place = first.saturating_add_unsigned(at);
            next = next.max(place.saturating_add(1));
            place
        };
        self.staff.extend(page.staff.into_iter().map(|(at, one)| (placed(at), one)));
        self.issues.extend(page.issues.into_iter().map(|(at, one)| (placed(at), one)));
        self.present.extend(page.present);
        self.left_out.extend(page.left_out);
        self.labels.extend(page.labels);
        self.gone.employees.extend(page.gone.employees);
        self.gone.classes.extend(page.gone.classes);
        self.gone.subjects.extend(page.gone.subjects);
        for (kind, record) in page.teaching {
            let of_kind = match kind {
                TeachingKind::Class => &mut self.classes,
                TeachingKind::Subject => &mut self.subjects,
            };
            if let Some(records) = of_kind {
                records.push(record);
            }
        }
        if let Some(photos) = &mut self.photos {
            photos.extend(page.photo_hashes);
        }
        let counts = &mut self.counts;
        *counts = FetchCounts {
            records: counts.records + page.fetched,
            current: counts.current + page.current,
            skipped: counts.skipped + page.skipped,
            nameless: counts.nameless + page.nameless,
            employment_said: counts.employment_said + page.employment_said,
            requests: counts.requests + page.requests,
        };
        next
    }
}

impl Gone {
    fn of(&self, kind: TeachingKind) -> &HashSet<String> {
        match kind {
            TeachingKind::Class => &self.classes,
            TeachingKind::Subject => &self.subjects,
        }
    }
}

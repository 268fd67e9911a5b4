//! Which schools a list has, and in which order. The address says it, so a list can be passed on.

use std::cmp::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use mis_sync_domain::{AlertKind, JobState, TokenState, named};
use url::form_urlencoded::Serializer;

use super::Row;
use crate::{ApiError, parameters::Parameters};

named!(
    /// A group of schools.
    pub(crate) Show, "group of schools", {
        Attention = "attention",
        Stale = "stale",
        Held = "held",
        Paused = "paused",
        Withheld = "withheld",
        Unconnected = "unconnected",
    }
);

named!(
    /// A column by which the list is sorted.
    pub(crate) Sort, "column of the list", {
        School = "school",
        Mis = "mis",
        Needs = "needs",
        LastSync = "last_sync",
        LastGood = "last_good",
        Quality = "quality",
        Next = "next",
    }
);

/// The oldest that a school is without counting as not synced.
const FRESH: TimeDelta = TimeDelta::hours(24);

/// What `sort` has to be.
const WANTED: &str = "a column like `school`, or `-school`";

impl Show {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Attention => "Needs attention",
            Self::Stale => "Not synced for 24 h",
            Self::Held => "Needs approval",
            Self::Paused => "Paused",
            Self::Withheld => "Withholds data",
            Self::Unconnected => "Not connected",
        }
    }

    pub(super) fn has(self, row: &Row, now: DateTime<Utc>) -> bool {
        let school = &row.school;
        let is_connected = school.token != TokenState::Missing;
        match self {
            Self::Attention => row.rank() > 0,
            Self::Stale => is_connected && school.last_synced_at.is_none_or(|at| now - at > FRESH),
            Self::Held => {
                row.conditions.iter().any(|condition| condition.kind == AlertKind::SyncHeld)
            }
            Self::Paused => school.paused_at.is_some(),
            Self::Withheld => school.withheld > 0,
            Self::Unconnected => !is_connected,
        }
    }
}

impl Sort {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::School => "School",
            Self::Mis => "MIS",
            Self::Needs => "Needs",
            Self::LastSync => "Last sync",
            Self::LastGood => "Last good",
            Self::Quality => "Data quality",
            Self::Next => "Next",
        }
    }

    /// The order of two schools. One without a value is last in both directions.
    fn compare(self, a: &Row, b: &Row, is_descending: bool) -> Ordering {
        let by = |order: Ordering, a_lacks: bool, b_lacks: bool| {
            let order = if is_descending { order.reverse() } else { order };
            if a_lacks == b_lacks { order } else { a_lacks.cmp(&b_lacks) }
        };
        let (x, y) = (&a.school, &b.school);
        match self {
            Self::School => by(a.name().cmp(&b.name()), false, false),
            Self::Mis => by(x.mis.cmp(&y.mis), x.mis.is_none(), y.mis.is_none()),
            // The worst first.
            Self::Needs => by(b.rank().cmp(&a.rank()), false, false),
            Self::LastSync => {
                by(when(a).cmp(&when(b)), x.last_sync.is_none(), y.last_sync.is_none())
            }
            Self::LastGood => {
                let (x, y) = (x.last_synced_at, y.last_synced_at);
                by(x.cmp(&y), x.is_none(), y.is_none())
            }
            Self::Quality => {
                let (x, y) = (x.quality.score(), y.quality.score());
                by(x.cmp(&y), x.is_none(), y.is_none())
            }
            Self::Next => by(a.next.cmp(&b.next), a.next.is_none(), b.next.is_none()),
        }
    }
}

/// A failed sync before a good one, and the older one first.
fn when(row: &Row) -> Option<(bool, DateTime<Utc>)> {
    row.school.last_sync.map(|(_, state, at)| (state != JobState::Failed, at))
}

/// The filter and the order of the list.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) q: Option<String>,
    pub(super) mis: Option<String>,
    pub(super) show: Option<Show>,
    pub(super) sort: Sort,
    pub(super) is_descending: bool,
    pub(super) page: usize,
}

impl Filter {
    pub(super) fn read(mut parameters: Parameters) -> Result<Self, ApiError> {
        parameters.drop_empty();
        let sort = parameters.take_text("sort", WANTED)?;
        let (is_descending, column) = match sort.as_deref().map(|sort| sort.strip_prefix('-')) {
            Some(Some(column)) => (true, Some(column)),
            _ => (false, sort.as_deref()),
        };
        let invalid = |found: &str| ApiError::InvalidParameter {
            parameter: "sort".into(),
            found: crate::body::quotable(found).to_owned(),
            wanted: WANTED.to_owned(),
        };
        let sort = column.map(|column| column.parse().map_err(|_| invalid(column))).transpose()?;
        let filter = Self {
            q: parameters.take_text("q", "a text")?,
            mis: parameters.take_text("mis", "a MIS")?,
            show: parameters.take("show", "a group of schools like `attention`")?,
            sort: sort.unwrap_or(Sort::Needs),
            is_descending,
            page: parameters.take("page", "a page's number")?.unwrap_or_default(),
        };
        parameters.finish("`q`, `mis`, `show`, `sort` and `page`")?;
        Ok(filter)
    }

    /// The address of the same list.
    pub(super) fn address(&self) -> String {
        let mut query = Serializer::new(String::new());
        let texts = [("q", self.q.as_deref()), ("mis", self.mis.as_deref())];
        for (name, text) in texts.into_iter().chain([("show", self.show.map(Show::as_str))]) {
            if let Some(text) = text {
                query.append_pair(name, text);
            }
        }
        if let Some(sort) = self.order() {
            query.append_pair("sort", &sort);
        }
        if self.page > 0 {
            query.append_pair("page", &self.page.to_string());
        }
        match query.finish().as_str() {
            "" => "/dashboard/schools".into(),
            query => format!("/dashboard/schools?{query}"),
        }
    }

    /// The order as the address names it; `None`: the usual one.
    pub(super) fn order(&self) -> Option<String> {
        let minus = if self.is_descending { "-" } else { "" };
        let is_usual = self.sort == Sort::Needs && !self.is_descending;
        (!is_usual).then(|| format!("{minus}{}", self.sort))
    }

    /// The list sorted by this column, and the other way round if it already is.
    pub(super) fn sorted_by(&self, sort: Sort) -> Self {
        let is_descending = self.sort == sort && !self.is_descending;
        Self { sort, is_descending, page: 0, ..self.clone() }
    }

    /// The list of this group.
    pub(super) fn showing(&self, show: Option<Show>) -> Self {
        Self { show, page: 0, ..self.clone() }
    }

    pub(super) fn on_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }

    /// Whether the text and the MIS are the school's.
    pub(super) fn is_about(&self, row: &Row) -> bool {
        let school = &row.school;
        let q = self.q.as_ref().map(|q| q.to_lowercase());
        let has = |text: &str| q.as_ref().is_none_or(|q| text.to_lowercase().contains(q));
        let is_mis = self.mis.is_none() || school.mis == self.mis;
        is_mis
            && (has(school.id.as_str())
                || has(&school.name)
                || school.mis.as_deref().is_some_and(has))
    }

    /// Sorts the rows. Equal schools stay in the order of their ids.
    pub(super) fn sort(&self, rows: &mut [Row]) {
        rows.sort_by(|a, b| self.sort.compare(a, b, self.is_descending));
    }
}

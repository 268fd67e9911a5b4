//! The options with which a simulator starts.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::mis::Mis;

/// How a new simulator looks. The same options give the same schools.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// How many schools; their MIS follow [`Mis::ALL`] in turn.
    pub schools: usize,
    /// People in each school, current or not: 1 to 100,000.
    pub staff: usize,
    /// Everything invented follows from this number.
    pub seed: u64,
    /// Time added to every answer of the Wonde API.
    pub latency: Duration,
    /// One MIS for all schools, instead of each in turn.
    pub mis: Option<Mis>,
    /// When lists carry `meta.pagination`.
    pub pagination: PaginationStyle,
    /// The largest page; a larger `per_page` is cut to it.
    pub per_page_max: usize,
    /// How a response shows what a MIS does not have, or what a school withdrew without its own
    /// look.
    pub unsupported: Unsupported,
    /// Which way `hierarchy` points.
    pub hierarchy: HierarchyDirection,
    /// What happens with an include that the API does not advertise.
    pub unknown_include: UnknownInclude,
    /// Whether the first school has one of each odd record in addition (see
    /// [`OddRecord`](crate::OddRecord)).
    pub odd: bool,
    /// The civil date (Europe/London) on which the simulator starts. Its clock runs from there.
    pub today: NaiveDate,
}

impl Default for SimulatorOptions {
    /// Eleven schools, one for each MIS, 40 people each, today.
    fn default() -> Self {
        Self {
            schools: Mis::ALL.len(),
            staff: 40,
            seed: 1,
            latency: Duration::ZERO,
            mis: None,
            pagination: PaginationStyle::Always,
            per_page_max: 1_000,
            unsupported: Unsupported::Empty,
            hierarchy: HierarchyDirection::Manager,
            unknown_include: UnknownInclude::Refuse,
            odd: false,
            today: london_date(real_now()),
        }
    }
}

/// When lists carry `meta.pagination`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaginationStyle {
    /// On every list.
    Always,
    /// Not on a complete result of 50 or fewer, unless `per_page` was given.
    OmitWhenSmall,
}

/// How a response shows what a MIS does not have, or what a school has withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// `{"data":[]}` for lists, null leaves for single things.
    Empty,
    /// `null` in place of the include; `{"data":[]}` for a whole list.
    Null,
    /// The whole request is answered 403 `invalid_permissions`.
    Forbidden,
}

/// Which way `hierarchy` points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HierarchyDirection {
    /// Upward: it lists the person's line manager.
    Manager,
    /// Downward: it lists those who report to the person.
    Reports,
}

/// What happens with an include that the API does not advertise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnknownInclude {
    /// It is ignored.
    Ignore,
    /// The request is answered 400 `invalid_include`, with the name.
    Refuse,
}

/// The real time, which is read only here.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator depends on no sibling, so not on the domain's clock; tests set its time by `set_now`"
)]
pub(crate) fn real_now() -> DateTime<Utc> {
    Utc::now()
}

/// The civil date in the schools' zone at an instant.
pub(crate) fn london_date(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&chrono_tz::Europe::London).date_naive()
}

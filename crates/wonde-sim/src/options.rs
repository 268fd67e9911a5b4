//! What a simulator can be told when it starts.

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
    /// One MIS for all schools instead of each in turn.
    pub mis: Option<Mis>,
    /// When lists carry `meta.pagination`.
    pub pagination: PaginationStyle,
    /// The largest page; a larger `per_page` is cut to it.
    pub per_page_max: usize,
    /// How the wire shows what a MIS does not have, or a school has withdrawn without an own look.
    pub unsupported: Unsupported,
    /// Which way `hierarchy` points.
    pub hierarchy: HierarchyDirection,
    /// What an include that the API does not advertise leads to.
    pub unknown_include: UnknownInclude,
    /// The first school has one of each odd record besides (see [`OddRecord`](crate::OddRecord)).
    pub odd: bool,
    /// The civil date (Europe/London) on which the simulator starts; its clock runs on from there.
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
    /// Not on a whole result of 50 or fewer, unless `per_page` was asked for.
    OmitWhenSmall,
}

/// How the wire shows what a MIS does not have, or a school has withdrawn.
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

/// What an include that the API does not advertise leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnknownInclude {
    /// It is passed over in silence.
    Ignore,
    /// The request is answered 400 `invalid_include`, with the name.
    Refuse,
}

/// The real time; the only place that asks for it.
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

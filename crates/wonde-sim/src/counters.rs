//! Counts the requests to the Wonde API, for tests of rate limits and of the number of requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The name under which requests with the application-wide token are counted.
pub const APPLICATION: &str = "application";
/// The name under which requests without a known token are counted.
pub const UNKNOWN_TOKEN: &str = "unknown";

/// Requests since the start or the last reset. Requests that met a fault count too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounters {
    pub total: u64,
    pub by_school: BTreeMap<String, u64>,
    /// By the path with placeholders, such as `schools/{id}/employees`.
    pub by_path: BTreeMap<String, u64>,
    /// By the path with placeholders and then by the requested include, such as `contact_details`,
    /// whether it was granted or not. Paths without a requested include are not listed.
    pub includes: BTreeMap<String, BTreeMap<String, u64>>,
    pub by_status: BTreeMap<u16, u64>,
    /// By token, which is shown as its school's id, [`APPLICATION`] or [`UNKNOWN_TOKEN`].
    pub per_token: BTreeMap<String, TokenCounter>,
}

/// Requests with one token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCounter {
    pub total: u64,
    /// The most that arrived within any one second.
    pub max_per_second: usize,
}

/// The counters, and what is needed to continue counting.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counters: RequestCounters,
    /// Arrivals of the last second, by token.
    recent: BTreeMap<String, VecDeque<Instant>>,
}

/// What is known about a request when it arrives.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) school: Option<&'a str>,
    pub(crate) path: &'static str,
    pub(crate) token: &'a str,
    /// The includes of its query, each once.
    pub(crate) includes: BTreeSet<&'a str>,
    pub(crate) at: Instant,
}

impl Ledger {
    /// Counts an arrival.
    pub(crate) fn arrived(&mut self, arrival: &Arrival<'_>) {
        let counters = &mut self.counters;
        counters.total += 1;
        if let Some(school) = arrival.school {
            *counters.by_school.entry(school.to_owned()).or_default() += 1;
        }
        *counters.by_path.entry(arrival.path.to_owned()).or_default() += 1;
        for &include in &arrival.includes {
            let of_path = counters.includes.entry(arrival.path.to_owned()).or_default();
            *of_path.entry(include.to_owned()).or_default() += 1;
        }
        let window = self.recent.entry(arrival.token.to_owned()).or_default();
        window.push_back(arrival.at);
        while window.front().is_some_and(|&first| {
            arrival.at.saturating_duration_since(first) >= Duration::from_secs(1)
        }) {
            window.pop_front();
        }
        let token = counters.per_token.entry(arrival.token.to_owned()).or_default();
        token.total += 1;
        token.max_per_second = token.max_per_second.max(window.len());
    }

    /// Counts an answer.
    pub(crate) fn answered(&mut self, status: u16) {
        *self.counters.by_status.entry(status).or_default() += 1;
    }

    /// The present counters.
    pub(crate) fn counters(&self) -> RequestCounters {
        self.counters.clone()
    }

    /// Resets all counters.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_is_over_a_sliding_second_of_each_token() {
        let start = Instant::now();
        let mut ledger = Ledger::default();
        let mut arrive = |token, at_ms| {
            let at = start + Duration::from_millis(at_ms);
            let includes = BTreeSet::new();
            ledger.arrived(&Arrival { school: None, path: "schools", token, includes, at });
        };
        // Never more than two in one calendar second, but four within one second around 1000.
        for at_ms in [100, 800, 950, 1_100, 1_750, 3_000] {
            arrive("A1", at_ms);
        }
        arrive("A2", 950);
        let counters = ledger.counters();
        assert_eq!(counters.per_token["A1"], TokenCounter { total: 6, max_per_second: 4 });
        assert_eq!(counters.per_token["A2"], TokenCounter { total: 1, max_per_second: 1 });
        assert_eq!(counters.total, 7);
    }

    #[test]
    fn exactly_one_second_later_is_another_window() {
        let start = Instant::now();
        let mut ledger = Ledger::default();
        for at in [start, start + Duration::from_secs(1)] {
            let (school, includes) = (Some("A1"), BTreeSet::new());
            ledger.arrived(&Arrival { school, path: "schools", token: "A1", includes, at });
        }
        assert_eq!(ledger.counters().per_token["A1"].max_per_second, 1);
    }
}

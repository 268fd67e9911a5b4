//! Medians, percentiles, verdicts, and how they are shown.

use std::{fmt, time::Duration};

/// The middle one; the lower of the two in the middle of an even number.
pub(super) fn median(times: &[Duration]) -> Duration {
    percentile(times, 50)
}

/// The smallest time that at least this percentage of times does not exceed (nearest rank).
pub(super) fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// How often the one goes into the other.
pub(super) fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}

/// A time as it is shown.
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Whether a target was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    Missed,
}

impl Verdict {
    pub(super) fn of(reached: bool) -> Self {
        if reached { Self::Ok } else { Self::Missed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Missed => "MISSED",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let times: Vec<Duration> = (1..=300).rev().map(Duration::from_millis).collect();
        let at = |percent| percentile(&times, percent).as_millis();
        assert_eq!((at(50), at(99), at(100)), (150, 297, 300));
        let three = [9, 1, 5].map(Duration::from_millis);
        assert_eq!(median(&three), Duration::from_millis(5));
        assert_eq!(median(&[]), Duration::ZERO);
    }

    #[test]
    fn a_missed_target_stands_out() {
        assert_eq!(format!("{:<7}|", Verdict::of(false)), "MISSED |");
        assert_eq!(format!("{:<7}|", Verdict::of(true)), "ok     |");
    }
}

//! When a school is synced on its schedule.
//!
//! A schedule has *slots*: one each night, at the school's own time inside its window, and one each
//! hour for the delta. A slot that has passed and was not served is due, once: of three missed
//! nights only the last one counts. There are no slots on a blackout date. A slot in blackout hours
//! waits until they end.

mod times;

use chrono::{
    DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{SchoolId, SyncMode};
pub use times::{DateRange, HourRange, InvalidTimeOfDay, TimeOfDay};

/// The name in `requested_by` of a scheduled sync.
pub const REQUESTED_BY_SCHEDULE: &str = "schedule";

/// How many ranges of dates, and of hours, a schedule can black out.
const MAX_BLACKOUTS: usize = 50;

/// How far ahead to look for slots, in days: longer than any holiday.
const HORIZON: i64 = 800;

/// A school's schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// If false, nothing is scheduled.
    pub enabled: bool,
    /// The time zone of all times and dates here.
    pub time_zone: Tz,
    /// The nightly full sync begins at this time or later.
    pub nightly_from: TimeOfDay,
    /// It begins before this time. If this is earlier than `nightly_from`, it is on the next day.
    pub nightly_until: TimeOfDay,
    /// Whether there is also an hourly delta.
    pub hourly_delta: bool,
    /// Days on which no sync begins.
    pub blackout_dates: Vec<DateRange>,
    /// Hours of each day in which no sync begins.
    pub blackout_hours: Vec<HourRange>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            enabled: true,
            time_zone: Tz::Europe__London,
            nightly_from: TimeOfDay::of_hour(1),
            nightly_until: TimeOfDay::of_hour(5),
            hourly_delta: false,
            blackout_dates: Vec::new(),
            blackout_hours: Vec::new(),
        }
    }
}

/// Up to when slots have been served, by the schedule itself or by a sync that began later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    pub full: DateTime<Utc>,
    /// Syncs of any mode.
    pub delta: DateTime<Utc>,
}

/// A sync that should begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSync {
    /// A nightly slot is a full sync, an hourly one a delta.
    pub mode: SyncMode,
    /// The slot that it serves.
    pub slot: DateTime<Utc>,
}

impl Schedule {
    /// The sync that should begin now, if any. A full sync comes before a delta.
    pub fn due(&self, school: &SchoolId, served: Served, now: DateTime<Utc>) -> Option<DueSync> {
        if !self.enabled || self.is_blackout(now) {
            return None;
        }
        let nightly = self.last_night(school, served.full, now);
        let hourly = || self.last_hour(school, now).filter(|slot| *slot > served.delta);
        nightly
            .map(|slot| DueSync { mode: SyncMode::Full, slot })
            .or_else(|| hourly().map(|slot| DueSync { mode: SyncMode::Delta, slot }))
    }

    /// When the next scheduled sync begins. It does not consider missed ones, which begin as soon
    /// as a worker is running.
    pub fn next(&self, school: &SchoolId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.enabled {
            return None;
        }
        let nightly = self.next_night(school, now).and_then(|slot| self.open_from(slot));
        let hourly = || self.next_hour(school, now).and_then(|slot| self.open_from(slot));
        [nightly, self.hourly_delta.then(hourly).flatten()].into_iter().flatten().min()
    }

    /// Whether any day of this time is a blackout date, so that no sync is expected.
    pub fn pauses_between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let (first, last) = (self.local(from).date(), self.local(until).date());
        self.blackout_dates.iter().any(|range| range.from <= last && range.until >= first)
    }

    /// Problems between fields that are each valid: the field, and what it has to be.
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        if self.nightly_from == self.nightly_until {
            problems.push(("nightly_until", "has to differ from `nightly_from`"));
        }
        if self.blackout_dates.len() > MAX_BLACKOUTS {
            problems.push(("blackout_dates", "has to be 50 ranges at the most"));
        } else if self.blackout_dates.iter().any(|range| range.from > range.until) {
            problems
                .push(("blackout_dates", "has to have no range whose `until` is before `from`"));
        }
        if self.blackout_hours.len() > MAX_BLACKOUTS {
            problems.push(("blackout_hours", "has to be 50 ranges at the most"));
        } else if self.blackout_hours.iter().any(|range| range.from == range.until) {
            problems.push(("blackout_hours", "has to have no range whose `until` equals `from`"));
        } else if TimeOfDay::all().all(|time| self.is_blackout_time(time.into())) {
            problems.push(("blackout_hours", "has to leave a part of the day open"));
        }
        problems
    }

    /// The latest nightly slot after `served` that has passed.
    fn last_night(
        &self,
        school: &SchoolId,
        served: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let today = self.local(now).date();
        (0..HORIZON)
            .map(|days| self.night(school, today - Duration::days(days)))
            // Nights on blackout dates have a time too, which shows when to stop looking back.
            .take_while(|(slot, _)| *slot > served)
            .find(|(slot, exists)| *exists && *slot <= now)
            .map(|(slot, _)| slot)
    }

    fn next_night(&self, school: &SchoolId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = self.local(now).date();
        (-1..HORIZON)
            .map(|days| self.night(school, today + Duration::days(days)))
            .find(|(slot, exists)| *exists && *slot > now)
            .map(|(slot, _)| slot)
    }

    /// The slot of the window that begins on `date`, and whether it exists.
    fn night(&self, school: &SchoolId, date: NaiveDate) -> (DateTime<Utc>, bool) {
        let minutes = self.nightly_from.minutes_until(self.nightly_until);
        let after = jitter(school, u64::from(minutes) * 60);
        let slot = date.and_time(self.nightly_from.into()) + Duration::seconds(after);
        (self.instant(slot), !self.is_blackout_date(slot.date()))
    }

    /// The latest hourly slot that has passed, unless its day is a blackout date.
    fn last_hour(&self, school: &SchoolId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let slot = hour_before(school, now);
        let exists = self.hourly_delta && !self.is_blackout_date(self.local(slot).date());
        exists.then_some(slot)
    }

    fn next_hour(&self, school: &SchoolId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut slot = hour_before(school, now) + Duration::hours(1);
        for _ in 0..HORIZON {
            let date = self.local(slot).date();
            if !self.is_blackout_date(date) {
                return Some(slot);
            }
            let midnight = self.instant((date + Duration::days(1)).and_time(NaiveTime::MIN));
            slot = hour_before(school, midnight) + Duration::hours(1);
        }
        None
    }

    /// The first moment from `time` on at which a sync may begin.
    fn open_from(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut time = time;
        for _ in 0..HORIZON {
            let local = self.local(time);
            let closed_hours = self.blackout_hours.iter().find(|range| range.covers(local.time()));
            time = if self.is_blackout_date(local.date()) {
                self.instant((local.date() + Duration::days(1)).and_time(NaiveTime::MIN))
            } else if let Some(range) = closed_hours {
                let until: NaiveTime = range.until.into();
                let days = i64::from(until <= local.time());
                self.instant((local.date() + Duration::days(days)).and_time(until))
            } else {
                return Some(time);
            };
        }
        None
    }

    fn is_blackout(&self, now: DateTime<Utc>) -> bool {
        let local = self.local(now);
        self.is_blackout_date(local.date()) || self.is_blackout_time(local.time())
    }

    fn is_blackout_date(&self, date: NaiveDate) -> bool {
        self.blackout_dates.iter().any(|range| (range.from..=range.until).contains(&date))
    }

    fn is_blackout_time(&self, time: NaiveTime) -> bool {
        self.blackout_hours.iter().any(|range| range.covers(time))
    }

    fn local(&self, time: DateTime<Utc>) -> NaiveDateTime {
        time.with_timezone(&self.time_zone).naive_local()
    }

    /// The instant at which clocks there show `local`. When clocks go back there are two, and the
    /// first counts. When they go forward past it, it is the instant at which they would have shown
    /// it.
    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        if let Some(instant) = self.time_zone.from_local_datetime(&local).earliest() {
            return instant.to_utc();
        }
        let before = (1..=48)
            .find_map(|hours| {
                self.time_zone.from_local_datetime(&(local - Duration::hours(hours))).earliest()
            })
            .expect("no clock was ever put forward by two days");
        (local - before.offset().fix()).and_utc()
    }
}

/// The latest hourly slot of the school at or before `now`.
fn hour_before(school: &SchoolId, now: DateTime<Utc>) -> DateTime<Utc> {
    let past_the_hour = i64::from(now.minute() * 60 + now.second());
    let since = (past_the_hour - jitter(school, 3600)).rem_euclid(3600);
    let whole_seconds = now.with_nanosecond(0).expect("every second has a first nanosecond");
    whole_seconds - Duration::seconds(since)
}

/// A number below `range` that is fixed for the school, so that thousands of schools are spread
/// evenly: FNV-1a of the id, mixed as in `SplitMix64`.
fn jitter(school: &SchoolId, range: u64) -> i64 {
    let fnv = school.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mixed = mixed ^ (mixed >> 31);
    i64::try_from(mixed % range).expect("ranges are seconds of a day")
}

#[cfg(test)]
mod tests;

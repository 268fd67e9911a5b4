use mis_sync_domain::{DateRange, HourRange, Schedule};
use serde::Serialize;
use utoipa::ToSchema;

/// When a school is synced automatically. A sync that falls into blackout hours waits until they
/// end; a blackout date has no sync at all.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleView {
    /// If false, nothing is scheduled.
    #[schema(default = true, required = false)]
    enabled: bool,
    /// IANA name of the time zone of all times and dates here.
    #[schema(default = "Europe/London", required = false)]
    time_zone: String,
    /// The nightly full sync begins at this time or later; each school has its own time.
    #[schema(default = "01:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", required = false)]
    nightly_from: String,
    /// It begins before this time, on the next day if this is the earlier of the two.
    #[schema(default = "05:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", required = false)]
    nightly_until: String,
    /// Whether there is also an hourly delta.
    #[schema(default = false, required = false)]
    hourly_delta: bool,
    /// Days on which no sync begins.
    #[schema(max_items = 50, required = false)]
    blackout_dates: Vec<DateRangeView>,
    /// Hours of each day in which no sync begins.
    #[schema(max_items = 50, required = false)]
    blackout_hours: Vec<HourRangeView>,
}

/// Consecutive days, including both ends.
#[derive(Serialize, ToSchema)]
#[schema(as = DateRange)]
struct DateRangeView {
    /// The first day.
    #[schema(format = Date, examples("2026-12-21"))]
    from: String,
    /// The last day.
    #[schema(format = Date, examples("2027-01-03"))]
    until: String,
}

/// A part of each day. It passes midnight if `until` is earlier than `from`.
#[derive(Serialize, ToSchema)]
#[schema(as = HourRange)]
struct HourRangeView {
    /// Its start.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("08:00"))]
    from: String,
    /// The first moment after it.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("17:30"))]
    until: String,
}

impl From<&Schedule> for ScheduleView {
    fn from(schedule: &Schedule) -> Self {
        // All fields are listed, so that a new field of the domain is not forgotten here.
        let Schedule {
            enabled,
            time_zone,
            nightly_from,
            nightly_until,
            hourly_delta,
            blackout_dates,
            blackout_hours,
        } = schedule;
        Self {
            enabled: *enabled,
            time_zone: time_zone.name().to_owned(),
            nightly_from: (*nightly_from).into(),
            nightly_until: (*nightly_until).into(),
            hourly_delta: *hourly_delta,
            blackout_dates: blackout_dates.iter().map(DateRangeView::from).collect(),
            blackout_hours: blackout_hours.iter().map(HourRangeView::from).collect(),
        }
    }
}

impl From<&DateRange> for DateRangeView {
    fn from(range: &DateRange) -> Self {
        Self { from: range.from.to_string(), until: range.until.to_string() }
    }
}

impl From<&HourRange> for HourRangeView {
    fn from(range: &HourRange) -> Self {
        Self { from: range.from.into(), until: range.until.into() }
    }
}

use mis_sync_domain::{DateRange, HourRange, Schedule};
use serde::Serialize;
use utoipa::ToSchema;

/// When a school is synced by itself. What begins in a blacked-out hour waits for its end; a
/// blacked-out day has no sync at all.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleView {
    /// False: nothing happens by itself.
    #[schema(default = true, required = false)]
    enabled: bool,
    /// IANA name of what the times and days here are told in.
    #[schema(default = "Europe/London", required = false)]
    time_zone: String,
    /// The nightly full sync begins at this time or later; each school has a moment of its own …
    #[schema(default = "01:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", required = false)]
    nightly_from: String,
    /// … and before this one, on the next day when it is the earlier of the two.
    #[schema(default = "05:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", required = false)]
    nightly_until: String,
    /// A sync of what changed each hour as well.
    #[schema(default = false, required = false)]
    hourly_delta: bool,
    /// On these days nothing begins.
    #[schema(max_items = 50, required = false)]
    blackout_dates: Vec<DateRangeView>,
    /// In these hours of each day nothing begins.
    #[schema(max_items = 50, required = false)]
    blackout_hours: Vec<HourRangeView>,
}

/// Days in a row, both ends included.
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

/// A part of each day; past midnight when `until` is the earlier of the two.
#[derive(Serialize, ToSchema)]
#[schema(as = HourRange)]
struct HourRangeView {
    /// Its begin.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("08:00"))]
    from: String,
    /// The first moment that is no longer part of it.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("17:30"))]
    until: String,
}

impl From<&Schedule> for ScheduleView {
    fn from(schedule: &Schedule) -> Self {
        // Taken apart, so that a field that is added to the domain is not forgotten here.
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

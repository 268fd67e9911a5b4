use serde_json::json;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn oak() -> SchoolId {
    "oak".parse().unwrap()
}

/// The default schedule with some fields changed.
fn schedule(changes: serde_json::Value) -> Schedule {
    serde_json::from_value(changes).unwrap()
}

/// Nothing served since this time.
fn since(text: &str) -> Served {
    Served { full: at(text), delta: at(text) }
}

/// A window of one minute, so that the slot is known to the minute whatever the jitter.
fn nightly_at(from: &str, until: &str) -> Schedule {
    schedule(json!({ "nightly_from": from, "nightly_until": until }))
}

fn due_at(schedule: &Schedule, served: Served, now: &str) -> Option<SyncMode> {
    schedule.due(&oak(), served, at(now)).map(|due| due.mode)
}

#[test]
fn a_night_is_due_once_its_slot_has_passed_and_until_it_is_served() {
    let schedule = nightly_at("02:00", "02:01");
    let served = since("2026-01-10T12:00:00Z");
    assert_eq!(due_at(&schedule, served, "2026-01-11T01:59:59Z"), None);
    let due = schedule.due(&oak(), served, at("2026-01-11T02:01:00Z")).unwrap();
    assert_eq!(due.mode, SyncMode::Full);
    assert!((at("2026-01-11T02:00:00Z")..at("2026-01-11T02:01:00Z")).contains(&due.slot));
    let served = Served { full: due.slot, delta: due.slot };
    assert_eq!(due_at(&schedule, served, "2026-01-11T23:59:00Z"), None);
    assert_eq!(due_at(&schedule, served, "2026-01-12T02:01:00Z"), Some(SyncMode::Full));
}

#[test]
fn three_missed_nights_are_one_sync() {
    let schedule = nightly_at("02:00", "02:01");
    let now = at("2026-01-14T10:00:00Z");
    let due = schedule.due(&oak(), since("2026-01-11T03:00:00Z"), now).unwrap();
    assert!(due.slot > at("2026-01-14T02:00:00Z"), "the last night counts");
    assert_eq!(schedule.due(&oak(), Served { full: due.slot, delta: due.slot }, now), None);
}

#[test]
fn a_schedule_that_is_off_never_is_due() {
    let off = schedule(json!({ "enabled": false, "hourly_delta": true }));
    assert_eq!(due_at(&off, since("2020-01-01T00:00:00Z"), "2026-01-14T10:00:00Z"), None);
    assert_eq!(off.next(&oak(), at("2026-01-14T10:00:00Z")), None);
}

#[test]
fn a_summer_night_is_told_in_local_time() {
    let schedule = nightly_at("02:00", "02:01");
    let served = since("2026-07-10T12:00:00Z");
    assert_eq!(due_at(&schedule, served, "2026-07-11T00:59:59Z"), None);
    assert_eq!(due_at(&schedule, served, "2026-07-11T01:01:00Z"), Some(SyncMode::Full));
    let elsewhere = Schedule { time_zone: Tz::Asia__Kolkata, ..schedule };
    assert_eq!(due_at(&elsewhere, served, "2026-07-10T20:31:00Z"), Some(SyncMode::Full));
}

#[test]
fn the_night_that_clocks_go_forward_has_its_slot_all_the_same() {
    // On 29 March 2026 clocks in London go from 01:00 to 02:00.
    let schedule = nightly_at("01:30", "01:31");
    let (slot, exists) = schedule.night(&oak(), "2026-03-29".parse().unwrap());
    assert!(exists);
    assert!((at("2026-03-29T01:30:00Z")..at("2026-03-29T01:31:00Z")).contains(&slot), "{slot}");
    let runs = runs_of(&schedule, "2026-03-28T12:00:00Z", 48);
    assert_eq!(runs.len(), 2, "{runs:?}");
}

#[test]
fn the_night_that_clocks_go_back_has_one_slot() {
    // On 25 October 2026 clocks in London go from 02:00 back to 01:00.
    let schedule = nightly_at("01:30", "01:31");
    let (slot, _) = schedule.night(&oak(), "2026-10-25".parse().unwrap());
    assert!((at("2026-10-25T00:30:00Z")..at("2026-10-25T00:31:00Z")).contains(&slot), "{slot}");
    let runs = runs_of(&schedule, "2026-10-24T12:00:00Z", 48);
    assert_eq!(runs.len(), 2, "{runs:?}");
}

/// Checks every minute for some hours, serves what is due, and returns the slots served.
fn runs_of(schedule: &Schedule, from: &str, hours: i64) -> Vec<DateTime<Utc>> {
    let mut served = since(from);
    let mut runs = Vec::new();
    for minute in 0..hours * 60 {
        let now = at(from) + Duration::minutes(minute);
        if let Some(due) = schedule.due(&oak(), served, now) {
            runs.push(due.slot);
            served.delta = due.slot;
            if due.mode == SyncMode::Full {
                served.full = due.slot;
            }
        }
    }
    runs
}

#[test]
fn a_window_may_go_past_midnight() {
    let late = nightly_at("23:00", "03:00");
    for school in ["oak", "elm", "ash", "fir", "yew"] {
        let (slot, _) = late.night(&school.parse().unwrap(), "2026-01-10".parse().unwrap());
        assert!((at("2026-01-10T23:00:00Z")..at("2026-01-11T03:00:00Z")).contains(&slot), "{slot}");
    }
    assert_eq!(runs_of(&late, "2026-01-10T12:00:00Z", 72).len(), 3);
}

#[test]
fn two_thousand_schools_spread_over_the_window_and_each_keeps_its_moment() {
    let schedule = Schedule::default();
    let date = "2026-01-10".parse().unwrap();
    let (from, until) = (at("2026-01-10T01:00:00Z"), at("2026-01-10T05:00:00Z"));
    let mut per_minute = vec![0; 240];
    for number in 0..2000 {
        let school: SchoolId = format!("school-{number}").parse().unwrap();
        let (slot, _) = schedule.night(&school, date);
        assert!((from..until).contains(&slot));
        assert_eq!(slot, schedule.night(&school, date).0);
        per_minute[usize::try_from((slot - from).num_minutes()).unwrap()] += 1;
    }
    let (least, most) = (per_minute.iter().min().unwrap(), per_minute.iter().max().unwrap());
    assert!(*most <= 25, "{most} schools in one minute, where 8 is even");
    assert!(per_minute.chunks(10).all(|part| part.iter().sum::<i32>() >= 40), "{least}");
}

#[test]
fn a_blacked_out_date_has_no_night_and_nothing_is_made_up_for_it() {
    let mut holiday = nightly_at("02:00", "02:01");
    holiday.blackout_dates = vec![DateRange {
        from: "2026-12-21".parse().unwrap(),
        until: "2027-01-03".parse().unwrap(),
    }];
    let served = since("2026-12-20T02:30:00Z");
    for now in ["2026-12-21T02:30:00Z", "2026-12-31T12:00:00Z", "2027-01-04T01:59:00Z"] {
        assert_eq!(due_at(&holiday, served, now), None, "{now}");
    }
    assert_eq!(due_at(&holiday, served, "2027-01-04T02:01:00Z"), Some(SyncMode::Full));
    let next = holiday.next(&oak(), at("2026-12-20T12:00:00Z")).unwrap();
    assert_eq!(next.date_naive(), "2027-01-04".parse().unwrap());
    assert!(holiday.pauses_between(at("2027-01-03T10:00:00Z"), at("2027-01-04T12:00:00Z")));
    assert!(!holiday.pauses_between(at("2027-01-04T10:00:00Z"), at("2027-01-05T12:00:00Z")));
}

#[test]
fn a_night_missed_before_a_holiday_is_not_made_up_in_it() {
    let mut holiday = nightly_at("02:00", "02:01");
    let day = "2026-12-21".parse().unwrap();
    holiday.blackout_dates = vec![DateRange { from: day, until: day }];
    let served = since("2026-12-18T12:00:00Z");
    assert_eq!(due_at(&holiday, served, "2026-12-20T23:59:00Z"), Some(SyncMode::Full));
    assert_eq!(due_at(&holiday, served, "2026-12-21T00:00:00Z"), None);
    assert_eq!(due_at(&holiday, served, "2026-12-22T00:00:00Z"), Some(SyncMode::Full));
}

#[test]
fn a_night_in_blacked_out_hours_waits_for_their_end() {
    let mut backups = nightly_at("02:30", "02:31");
    backups.blackout_hours =
        vec![HourRange { from: "02:00".parse().unwrap(), until: "03:00".parse().unwrap() }];
    let served = since("2026-01-10T12:00:00Z");
    assert_eq!(due_at(&backups, served, "2026-01-11T02:59:59Z"), None);
    assert_eq!(due_at(&backups, served, "2026-01-11T03:00:00Z"), Some(SyncMode::Full));
    let next = backups.next(&oak(), at("2026-01-10T12:00:00Z")).unwrap();
    assert_eq!(next, at("2026-01-11T03:00:00Z"));
}

#[test]
fn blacked_out_hours_may_go_past_midnight() {
    let range = HourRange { from: "22:00".parse().unwrap(), until: "06:00".parse().unwrap() };
    let time = |text: &str| -> NaiveTime { text.parse().unwrap() };
    assert!(range.covers(time("22:00:00")) && range.covers(time("05:59:59")));
    assert!(!range.covers(time("21:59:59")) && !range.covers(time("06:00:00")));
    let closed = Schedule { blackout_hours: vec![range], ..nightly_at("02:00", "02:01") };
    let next = closed.next(&oak(), at("2026-01-10T12:00:00Z")).unwrap();
    assert_eq!(next, at("2026-01-11T06:00:00Z"));
}

#[test]
fn the_delta_comes_each_hour_and_gives_way_to_the_night() {
    let mut hourly = nightly_at("02:00", "03:00");
    hourly.hourly_delta = true;
    let runs = runs_of(&hourly, "2026-01-10T12:00:00Z", 24);
    // 24 hours, and one night that replaces none or one of them.
    assert!((24..=25).contains(&runs.len()), "{runs:?}");
    let served = since("2026-01-10T12:00:00Z");
    assert_eq!(due_at(&hourly, served, "2026-01-11T03:00:00Z"), Some(SyncMode::Full));
    assert_eq!(due_at(&hourly, served, "2026-01-10T20:00:00Z"), Some(SyncMode::Delta));
    let slot = hourly.due(&oak(), served, at("2026-01-10T20:00:00Z")).unwrap().slot;
    assert!(slot > at("2026-01-10T19:00:00Z"), "missed hours are one delta");
}

#[test]
fn the_next_sync_is_the_one_that_becomes_due() {
    let mut hourly = Schedule { hourly_delta: true, ..Schedule::default() };
    hourly.blackout_hours =
        vec![HourRange { from: "08:00".parse().unwrap(), until: "17:00".parse().unwrap() }];
    for schedule in [Schedule::default(), hourly] {
        for hours in 0..48 {
            let now = at("2026-03-28T00:00:00Z") + Duration::hours(hours);
            let next = schedule.next(&oak(), now).unwrap();
            assert!(next > now);
            let served = Served { full: now, delta: now };
            assert_eq!(schedule.due(&oak(), served, next - Duration::seconds(1)), None, "{next}");
            assert!(schedule.due(&oak(), served, next).is_some(), "{next}");
        }
    }
}

#[test]
fn fields_that_contradict_each_other_are_named() {
    let all_day =
        json!([{ "from": "00:00", "until": "12:00" }, { "from": "12:00", "until": "00:00" }]);
    let many = vec![json!({ "from": "01:00", "until": "02:00" }); MAX_BLACKOUTS + 1];
    for (changes, field) in [
        (json!({ "nightly_from": "05:00" }), "nightly_until"),
        (
            json!({ "blackout_dates": [{ "from": "2026-01-02", "until": "2026-01-01" }] }),
            "blackout_dates",
        ),
        (json!({ "blackout_hours": [{ "from": "01:00", "until": "01:00" }] }), "blackout_hours"),
        (json!({ "blackout_hours": all_day }), "blackout_hours"),
        (json!({ "blackout_hours": many }), "blackout_hours"),
    ] {
        let problems = schedule(changes).problems();
        assert_eq!(problems.iter().map(|(field, _)| *field).collect::<Vec<_>>(), [field]);
    }
    assert_eq!(Schedule::default().problems(), []);
}

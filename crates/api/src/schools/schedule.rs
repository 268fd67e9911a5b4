//! Reads the setting `schedule`. Each field is tried by itself, because the domain's message would
//! quote the value.

use mis_sync_domain::Schedule;
use serde_json::{Map, Value};

use crate::body::{Fields, quotable};

/// Notes what is wrong with the setting `schedule`.
pub(super) fn check(fields: &mut Fields, schedule: &Value) {
    let Value::Object(parts) = schedule else {
        fields.refuse("settings.schedule", "has to be an object");
        return;
    };
    for (name, value) in parts {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if serde_json::from_value::<Schedule>(alone.into()).is_err() {
            fields.refuse(path(quotable(name)), wanted(name));
        }
    }
    if let Ok(whole) = serde_json::from_value::<Schedule>(schedule.clone()) {
        for (name, message) in whole.problems() {
            fields.refuse(path(name), message);
        }
    }
}

fn path(name: &str) -> String {
    format!("settings.schedule.{name}")
}

fn wanted(name: &str) -> &'static str {
    match name {
        "enabled" | "hourly_delta" => "has to be true or false",
        "time_zone" => "has to be an IANA name like Europe/London",
        "nightly_from" | "nightly_until" => "has to be a time of day like 01:00",
        "blackout_dates" => {
            "has to be a list of ranges like {\"from\": \"2026-12-21\", \"until\": \"2027-01-03\"}"
        }
        "blackout_hours" => {
            "has to be a list of ranges like {\"from\": \"08:00\", \"until\": \"17:30\"}"
        }
        _ => "is not known",
    }
}

//! How a person wants pages to look. It is kept in cookies, so that the server renders the right thing
//! at once, without flicker. Only a script knows the time zone; it sets that cookie itself.

use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{REFERER, SET_COOKIE},
    },
    response::Response,
};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};
use url::Url;

use super::{
    form::Posted,
    login::{go, is_ours},
    page::form_token,
};
use crate::state::{ApiState, Operator, cookie};

const TIME_COOKIE: &str = "mis_sync_time";
const ZONE_COOKIE: &str = "mis_sync_zone";
const THEME_COOKIE: &str = "mis_sync_theme";

const A_YEAR: u32 = 365 * 86_400;

/// The format of a browser's field for date and time.
pub(super) const FIELD: &str = "%Y-%m-%dT%H:%M";

/// Colours of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
    /// As the system prefers.
    System,
}

/// How a person wants pages to look.
#[derive(Debug, Clone)]
pub(crate) struct Preferences {
    pub(super) theme: Theme,
    /// The displayed time zone.
    pub(super) zone: Tz,
    /// Whether times should be in UTC, whatever the browser's zone is.
    pub(super) is_utc: bool,
    pub(super) environment: String,
}

impl Preferences {
    pub(crate) fn of(headers: &HeaderMap, state: &ApiState) -> Self {
        let theme = match cookie(headers, THEME_COOKIE) {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        };
        let is_utc = cookie(headers, TIME_COOKIE) == Some("utc");
        let zone = cookie(headers, ZONE_COOKIE).and_then(|name| name.parse().ok());
        let zone = zone.filter(|_| !is_utc).unwrap_or(Tz::UTC);
        Self { theme, zone, is_utc, environment: state.environment().to_owned() }
    }

    /// A time for display: the day, if it is not today, and the time of day.
    pub(super) fn time(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let (at, now) = (at.with_timezone(&self.zone), now.with_timezone(&self.zone));
        let days = (now.date_naive() - at.date_naive()).num_days();
        let format = match days {
            0 => "%H:%M:%S",
            -180..=180 => "%-d %b %H:%M",
            _ => "%-d %b %Y",
        };
        at.format(format).to_string()
    }

    /// A time on the axis of a graph: the day too, if the graph is longer than one.
    pub(super) fn axis_time(&self, at: DateTime<Utc>, span: TimeDelta) -> String {
        let format = if span > TimeDelta::days(1) { "%-d %b" } else { "%H:%M" };
        at.with_timezone(&self.zone).format(format).to_string()
    }

    /// The moment with this time in the displayed zone; of the two hours that the end of summer
    /// time repeats, the first.
    pub(super) fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let found = self.zone.from_local_datetime(&local).earliest();
        found.map_or_else(|| local.and_utc(), |at| at.to_utc())
    }

    /// A time in the format of form fields, in the displayed zone.
    pub(super) fn field(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format(FIELD).to_string()
    }

    /// A time to the second, in the shown zone and in UTC.
    pub(super) fn exact_time(&self, at: DateTime<Utc>) -> String {
        let utc = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        if self.zone == Tz::UTC {
            return utc;
        }
        format!("{} · {utc}", at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M:%S %Z"))
    }
}

/// The choices in the menu. With a script each counts at once.
pub(super) fn form(operator: &Operator) -> Markup {
    let preferences = operator.preferences();
    html! {
        form #preferences method="post" action="/dashboard/preferences" {
            (form_token(operator))
            fieldset {
                legend { "Colours" }
                @for (value, name) in [("system", "System"), ("light", "Light"), ("dark", "Dark")] {
                    label {
                        input
                            type="radio"
                            name="theme"
                            value=(value)
                            checked[value == theme_name(preferences.theme)];
                        (name)
                    }
                }
            }
            fieldset {
                legend { "Times" }
                @for (value, name) in [("local", "Local"), ("utc", "UTC")] {
                    label {
                        input
                            type="radio"
                            name="time"
                            value=(value)
                            checked[(value == "utc") == preferences.is_utc];
                        (name)
                    }
                }
                p.quiet { "Shown: " (preferences.zone.name()) }
            }
            button.no-script { "Apply" }
        }
    }
}

fn theme_name(theme: Theme) -> &'static str {
    match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
        Theme::System => "system",
    }
}

/// Keeps what was chosen, and leads back to the page.
pub(super) async fn choose(headers: HeaderMap, posted: Posted) -> Response {
    let mut response = go(&page_before(&headers).unwrap_or_else(|| "/dashboard".into()), None);
    let fields = posted.fields();
    let choices = [
        (THEME_COOKIE, fields.text("theme"), ["system", "light", "dark"].as_slice()),
        (TIME_COOKIE, fields.text("time"), &["local", "utc"]),
    ];
    for (name, chosen, known) in choices {
        if let Some(chosen) = known.iter().find(|value| chosen == Some(**value)) {
            let cookie =
                format!("{name}={chosen}; Path=/dashboard; SameSite=Strict; Max-Age={A_YEAR}");
            let cookie = HeaderValue::from_str(&cookie).expect("names and a number");
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// The page of ours on which a form was.
fn page_before(headers: &HeaderMap) -> Option<String> {
    let before = Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
    let query = before.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", before.path())).filter(|page| is_ours(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_zone_that_the_browser_has() {
        let london = Preferences {
            theme: Theme::System,
            zone: Tz::Europe__London,
            is_utc: false,
            environment: String::new(),
        };
        let at = Utc.with_ymd_and_hms(2026, 7, 1, 23, 30, 5).unwrap();
        let now = Utc.with_ymd_and_hms(2026, 7, 2, 8, 0, 0).unwrap();
        assert_eq!(london.time(at, now), "00:30:05");
        assert_eq!(london.exact_time(at), "2026-07-02 00:30:05 BST · 2026-07-01 23:30:05 UTC");
        assert_eq!(london.field(at), "2026-07-02T00:30");
        assert_eq!(london.axis_time(at, TimeDelta::days(1)), "00:30");
        assert_eq!(london.axis_time(at, TimeDelta::days(30)), "2 Jul");
        let typed = |text| NaiveDateTime::parse_from_str(text, FIELD).unwrap();
        assert_eq!(
            london.instant(typed("2026-07-02T00:30")).to_rfc3339(),
            "2026-07-01T23:30:00+00:00"
        );
        // An hour that exists twice, and one that does not exist.
        assert_eq!(
            london.instant(typed("2026-10-25T01:30")).to_rfc3339(),
            "2026-10-25T00:30:00+00:00"
        );
        assert_eq!(
            london.instant(typed("2026-03-29T01:30")).to_rfc3339(),
            "2026-03-29T01:30:00+00:00"
        );
        let utc = Preferences { zone: Tz::UTC, ..london };
        assert_eq!(utc.time(at, now), "1 Jul 23:30");
        assert_eq!(utc.exact_time(at), "2026-07-01 23:30:05 UTC");
    }
}

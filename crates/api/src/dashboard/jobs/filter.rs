use std::{fmt::Display, str::FromStr};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use mis_sync_domain::{JobId, JobKind, JobState, SchoolId, StaffId};
use mis_sync_store::{
    Pool,
    bulk::BulkAction,
    jobs::{self, IdPrefix, JobFilter},
    schools,
};
use url::form_urlencoded::Serializer;

use crate::{
    ApiError,
    dashboard::{
        parts::now,
        preferences::{FIELD, Preferences},
    },
    parameters::{Parameters, Several},
};

/// Names of time spans, in addresses and in words.
pub(super) const AGES: &[(&str, &str)] = &[
    ("", "any time"),
    ("15m", "last 15 min"),
    ("1h", "last hour"),
    ("24h", "last 24 h"),
    ("7d", "last 7 days"),
    ("30d", "last 30 days"),
];

/// At most this many schools may match a searched name.
const SCHOOLS: i64 = 50;
/// A text with at least this many hex digits may be a part of a job's id.
const PREFIX_DIGITS: usize = 6;

/// The filter of the list of jobs, as in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::dashboard) struct Filter {
    /// A job's id, its beginning or its end, a person's id, a school's id or name.
    pub(super) q: Option<String>,
    /// Only these jobs: the ticked ones.
    pub(super) ids: Vec<JobId>,
    pub(super) states: Vec<JobState>,
    pub(super) kind: Option<JobKind>,
    pub(super) school: Option<String>,
    pub(super) user: Option<StaffId>,
    pub(super) error: Option<String>,
    pub(super) age: &'static str,
    /// Requested at this time or later.
    pub(super) from: Option<DateTime<Utc>>,
    /// Requested before this time.
    pub(super) until: Option<DateTime<Utc>>,
    /// With the failures that were retried.
    pub(super) retried: bool,
    pub(super) before: Option<JobId>,
}

impl Filter {
    /// Reads the filter of an address. Nothing else may be in it. Times without a zone are in the
    /// displayed zone.
    pub(in crate::dashboard) fn read(
        mut parameters: Parameters,
        preferences: &Preferences,
    ) -> Result<Self, ApiError> {
        parameters.drop_empty();
        let ids = parameters.take_ticked("id.", "a job's id after the dot, and on")?;
        let mut states: Vec<JobState> =
            parameters.take_ticked("state.", "a job's state after the dot, and on")?;
        // The form that the API uses is accepted too.
        let named: Option<Several<JobState>> = parameters.take("state", "states of jobs")?;
        states.extend(named.unwrap_or_default().0);
        states.sort_by_key(|state| JobState::ALL.iter().position(|other| other == state));
        states.dedup();
        let age = parameters.take_text("age", "one of 15m, 1h, 24h, 7d, 30d")?;
        let time = "a time, as 2026-11-23T08:30";
        let [from, until] = [parameters.take("from", time)?, parameters.take("until", time)?]
            .map(|time: Option<Time>| time.map(|time| time.in_zone_of(preferences)));
        let age = AGES.iter().find(|(name, _)| Some(*name) == age.as_deref());
        let filter = Self {
            q: parameters.take_text("q", "a text")?,
            ids,
            states,
            kind: parameters.take("kind", "sync-school or refresh-user")?,
            school: parameters.take_text("school", "a school's id or name")?,
            user: parameters.take("user", "the id of a person in iP, a UUID")?,
            error: parameters.take_text("error", "the type of an error")?,
            age: age.map_or("", |(name, _)| *name),
            from,
            until,
            retried: parameters.take_text("retried", "on")?.is_some(),
            before: parameters.take("before", "a job's id")?,
        };
        parameters.finish("the fields of the filter")?;
        Ok(filter)
    }

    /// The filter for the ledger; `None` if nothing can match.
    pub(in crate::dashboard) async fn resolve(
        &self,
        pool: &Pool,
    ) -> Result<Option<JobFilter>, mis_sync_store::Error> {
        let mut wanted = JobFilter {
            ids: self.ids.clone(),
            states: self.states.clone(),
            kinds: self.kind.into_iter().collect(),
            staff_id: self.user,
            error_code: self.error.clone(),
            since: self.span().map(|span| now() - span).max(self.from),
            until: self.until,
            before: self.before,
            // Ticked jobs are meant whatever became of them.
            hides_retried: !self.retried && self.ids.is_empty(),
            ..JobFilter::default()
        };
        if let Some(school) = &self.school {
            wanted.schools = named(pool, school).await?;
            if wanted.schools.is_empty() {
                return Ok(None);
            }
        }
        let Some(q) = &self.q else { return Ok(Some(wanted)) };
        if let Some(by_id) = by_id(pool, q, &wanted).await?
            && !jobs::list(pool, &by_id, 1).await?.is_empty()
        {
            return Ok(Some(by_id));
        }
        if let Ok(person) = q.parse::<StaffId>() {
            return Ok(Some(JobFilter { staff_id: Some(person), ..wanted }));
        }
        let schools = named(pool, q).await?;
        let both = |id: &SchoolId| wanted.schools.is_empty() || wanted.schools.contains(id);
        let schools: Vec<_> = schools.into_iter().filter(both).collect();
        Ok((!schools.is_empty()).then_some(JobFilter { schools, ..wanted }))
    }

    fn span(&self) -> Option<TimeDelta> {
        Some(match self.age {
            "15m" => TimeDelta::minutes(15),
            "1h" => TimeDelta::hours(1),
            "24h" => TimeDelta::hours(24),
            "7d" => TimeDelta::days(7),
            "30d" => TimeDelta::days(30),
            _ => return None,
        })
    }

    /// Whether matching jobs could allow the action. Without a state nothing is offered.
    pub(super) fn may_hold(&self, action: BulkAction) -> bool {
        self.states.iter().any(|state| action.states().contains(state))
    }

    /// Only these jobs.
    pub(in crate::dashboard) fn of_jobs(ids: Vec<JobId>) -> Self {
        Self { ids, ..Self::default() }
    }

    /// The jobs that were ticked for an action on many, or otherwise the states that it was for.
    pub(in crate::dashboard) fn meant_by(filter: &JobFilter) -> Self {
        let ids = filter.ids.clone();
        let states = if ids.is_empty() { filter.states.clone() } else { Vec::new() };
        Self { ids, states, retried: true, ..Self::default() }
    }

    /// How many jobs are ticked; 0 if the filter is not about single jobs.
    pub(in crate::dashboard) fn ticked(&self) -> usize {
        self.ids.len()
    }

    /// The same filter without ticked jobs.
    pub(super) fn without_ticked(&self) -> Self {
        Self { ids: Vec::new(), ..self.clone() }
    }

    /// Whether a filter is set that the form folds away.
    pub(super) fn has_more(&self) -> bool {
        let shown =
            Self { q: None, ids: Vec::new(), states: Vec::new(), before: None, ..self.clone() };
        shown != Self::default()
    }

    /// Whether it filters nothing. No action is offered for all jobs.
    pub(in crate::dashboard) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The same filter, from the newest job on.
    pub(in crate::dashboard) fn newest(self) -> Self {
        Self { before: None, ..self }
    }

    /// The query of the address, with its question mark; empty for everything.
    pub(in crate::dashboard) fn query_string(&self) -> String {
        self.written(None)
    }

    /// The same filter with one more field.
    pub(in crate::dashboard) fn with(&self, name: &str, value: &str) -> String {
        self.written(Some((name, value)))
    }

    /// The same filter on another page.
    pub(super) fn before(&self, before: Option<JobId>) -> String {
        Self { before, ..self.clone() }.query_string()
    }

    fn written(&self, more: Option<(&str, &str)>) -> String {
        fn text(value: Option<impl Display>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let mut query = Serializer::new(String::new());
        for id in &self.ids {
            query.append_pair(&format!("id.{id}"), "on");
        }
        for state in &self.states {
            query.append_pair(&format!("state.{state}"), "on");
        }
        let exact = |time: Option<DateTime<Utc>>| {
            time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        let fields = [
            ("q", text(self.q.as_ref())),
            ("kind", text(self.kind)),
            ("school", text(self.school.as_ref())),
            ("user", text(self.user)),
            ("error", text(self.error.as_ref())),
            ("age", self.age.to_owned()),
            ("from", text(exact(self.from))),
            ("until", text(exact(self.until))),
            ("retried", text(self.retried.then_some("on"))),
            ("before", text(self.before)),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some((name, value)) = more {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

/// A time in an address: an exact one, or one from a form field.
struct Time(Result<DateTime<Utc>, NaiveDateTime>);

impl Time {
    fn in_zone_of(self, preferences: &Preferences) -> DateTime<Utc> {
        self.0.unwrap_or_else(|local| preferences.instant(local))
    }
}

impl FromStr for Time {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(exact) => Ok(Self(Ok(exact))),
            Err(_) => Ok(Self(Err(NaiveDateTime::parse_from_str(text, FIELD)?))),
        }
    }
}

/// Those of the wanted jobs whose id begins with the typed text, or ends with it as pages show it; `None`
/// if that is no part of an id.
pub(in crate::dashboard) async fn by_id(
    pool: &Pool,
    text: &str,
    wanted: &JobFilter,
) -> Result<Option<JobFilter>, mis_sync_store::Error> {
    let prefix: Option<IdPrefix> = text.parse().ok().filter(|_| text.len() >= PREFIX_DIGITS);
    if prefix.is_none() {
        return Ok(None);
    }
    let mut ids = jobs::with_short_id(pool, text).await?;
    ids.retain(|id| wanted.ids.is_empty() || wanted.ids.contains(id));
    // A typed id means that job, whatever became of it.
    let wanted = JobFilter { hides_retried: false, ..wanted.clone() };
    Ok(Some(if ids.is_empty() {
        JobFilter { id_prefix: prefix, ..wanted }
    } else {
        JobFilter { ids, ..wanted }
    }))
}

async fn named(pool: &Pool, text: &str) -> Result<Vec<SchoolId>, mis_sync_store::Error> {
    let found = schools::find(pool, text, SCHOOLS).await?;
    Ok(found.into_iter().map(|(id, _)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::preferences::Theme;

    fn london() -> Preferences {
        Preferences {
            theme: Theme::System,
            zone: chrono_tz::Tz::Europe__London,
            is_utc: false,
            environment: String::new(),
        }
    }

    fn read(query: &str) -> Result<Filter, ApiError> {
        Filter::read(Parameters::parse(query)?, &london())
    }

    #[test]
    fn an_address_says_the_same_as_the_filter_it_is_made_of() {
        let query = "?state.failed=on&state.cancelled=on&q=oak+hill&kind=sync-school&school=oak\
            &error=wonde_unauthorized&age=24h";
        let filter = read(&query[1..]).unwrap();
        assert_eq!(filter.states, [JobState::Failed, JobState::Cancelled]);
        assert_eq!(filter.query_string(), query);
        assert_eq!(filter.with("action", "retry"), format!("{query}&action=retry"));
        let ticked = "?id.01985bb3-d16d-7a13-92dd-9b0131ca3f1d=on\
            &id.01985bb3-d16d-7a13-92dd-9b0131ca3f1e=on";
        assert_eq!(read(&ticked[1..]).unwrap().ids.len(), 2);
        assert_eq!(read(&ticked[1..]).unwrap().query_string(), ticked);
        assert_eq!(read("").unwrap(), Filter::default());
        assert_eq!(Filter::default().query_string(), "");
    }

    #[test]
    fn a_time_is_in_the_zone_that_is_shown_and_exact_in_the_address() {
        let filter = read("from=2026-07-06T08:30&until=2026-07-06T12:00:05Z").unwrap();
        let query = "?from=2026-07-06T07%3A30%3A00Z&until=2026-07-06T12%3A00%3A05Z";
        assert_eq!(filter.query_string(), query);
        assert_eq!(read(&query[1..]).unwrap(), filter);
        assert_eq!(london().field(filter.from.unwrap()), "2026-07-06T08:30");
        assert!(read("from=Monday").is_err());
    }

    #[test]
    fn fields_left_empty_do_not_filter_and_unknown_ones_are_refused() {
        assert_eq!(read("q=&kind=&school=+&age=").unwrap(), Filter::default());
        for query in ["state=failed,held", "state=failed&state=held", "state.failed=on&state=held"]
        {
            let states = read(query).unwrap().states;
            assert_eq!(states.len(), 2, "{query}: {states:?}");
        }
        for bad in [
            "colour=red",
            "kind=sync",
            "user=oak",
            "before=x",
            "id.oak=on",
            "state.done=on",
            "state.failed=off",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bulk_is_offered_for_states_that_allow_it() {
        let of = |states: &[JobState]| Filter { states: states.to_vec(), ..Filter::default() };
        assert!(of(&[JobState::Failed]).may_hold(BulkAction::Retry));
        assert!(!of(&[JobState::Failed]).may_hold(BulkAction::Cancel));
        assert!(of(&[JobState::Held]).may_hold(BulkAction::Cancel));
        assert!(!Filter::default().may_hold(BulkAction::Cancel), "not everything at once");
    }
}

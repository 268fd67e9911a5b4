use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use mis_sync_domain::{JobId, JobKind, JobState, SchoolId, StaffId};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// The clocks of two servers differ by less: the time in a job's id comes from another clock than
/// its `created_at`.
const CLOCKS_APART: TimeDelta = TimeDelta::hours(1);

/// Which jobs to list. A missing field does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobFilter {
    /// One of these; any if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<JobId>,
    /// Whose id begins like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_prefix: Option<IdPrefix>,
    /// Of any of these schools; of all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schools: Vec<SchoolId>,
    /// For this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<StaffId>,
    /// Of any of these kinds; without one, of the kinds that people request.
    #[serde(rename = "kind", with = "one_or_several", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<JobKind>,
    /// In any of these states; in any state if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<JobState>,
    /// Whose last error has this type, for example `wonde_unauthorized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Requested by this API key or command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// Requested at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Requested before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Older than this job, where the last page ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<JobId>,
    /// Without failed jobs that were retried.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hides_retried: bool,
}

impl JobFilter {
    /// Adds `SELECT columns` for the newest `limit` jobs that match, newest first.
    pub(crate) fn push_select(
        &self,
        query: &mut QueryBuilder<Postgres>,
        columns: &str,
        limit: i64,
    ) {
        if self.push_reads(query, columns, limit) {
            query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
        }
    }

    /// Adds the reads that together find what matches, with the newest `limit` of each, and returns
    /// whether they are several.
    ///
    /// Every filter has an index that is newest first for one value. If a filter has several
    /// values, each is read up to `limit` separately: one ordered read for all of them would have
    /// to walk past everything else, or sort everything that matches.
    pub(super) fn push_reads(
        &self,
        query: &mut QueryBuilder<Postgres>,
        columns: &str,
        limit: i64,
    ) -> bool {
        if self.schools.len() > 1 {
            // Planned once for all of them, because one index serves every school.
            let schools: Vec<String> = self.schools.iter().map(ToString::to_string).collect();
            query.push("SELECT ").push(columns).push(" FROM unnest(").push_bind(schools);
            query.push(") AS of (school) CROSS JOIN LATERAL ");
            let of_school = |query: &mut QueryBuilder<_>| {
                query.push(" AND school_id = of.school");
            };
            self.push_read(query, columns, limit, "school_id", of_school, &self.kinds);
            query.push(" AS job");
            return true;
        }
        let states = self.states_one_by_one();
        if states.is_empty() {
            self.push_read(query, columns, limit, "", |_| (), &self.kinds);
            return false;
        }
        // The index of kinds is ordered within one kind and one state.
        let mut kinds: Vec<&[JobKind]> = self.kinds.chunks(1).collect();
        if kinds.is_empty() {
            kinds.push(&[]);
        }
        let parts = kinds.iter().flat_map(|kinds| states.iter().map(move |state| (*kinds, state)));
        for (n, (kinds, state)) in parts.clone().enumerate() {
            query.push(if n == 0 { "" } else { " UNION ALL " });
            let in_state = |query: &mut QueryBuilder<_>| {
                query.push(" AND state = ").push_bind(state.as_str());
            };
            self.push_read(query, columns, limit, "state", in_state, kinds);
        }
        parts.count() > 1
    }

    /// Adds one read, of one value of the column `of`, which `push_value` writes.
    fn push_read(
        &self,
        query: &mut QueryBuilder<Postgres>,
        columns: &str,
        limit: i64,
        of: &str,
        push_value: impl FnOnce(&mut QueryBuilder<Postgres>),
        kinds: &[JobKind],
    ) {
        query.push("(SELECT ").push(columns).push(" FROM job WHERE true");
        push_value(query);
        self.push_conditions(query, of, kinds);
        query.push(" ORDER BY id DESC LIMIT ").push_bind(limit).push(")");
    }

    /// Whether each of several states is a separate read.
    pub(super) fn is_read_by_state(&self) -> bool {
        !self.states_one_by_one().is_empty()
    }

    /// The states that are read one by one; none if there is a single read. A kind is read state by
    /// state, like its index.
    fn states_one_by_one(&self) -> &[JobState] {
        let narrow = !self.ids.is_empty()
            || !self.schools.is_empty()
            || self.staff_id.is_some()
            || self.error_code.is_some()
            || self.id_prefix.is_some();
        if narrow || (self.states.len() < 2 && self.kinds.is_empty()) {
            return &[];
        }
        if self.states.is_empty() { JobState::ALL } else { &self.states }
    }

    /// Every condition that `done` does not cover already, for these of the kinds.
    fn push_conditions(&self, query: &mut QueryBuilder<Postgres>, done: &str, kinds: &[JobKind]) {
        if !self.ids.is_empty() {
            let ids: Vec<Uuid> = self.ids.iter().map(|id| id.0).collect();
            query.push(" AND id = ANY(").push_bind(ids).push(")");
        }
        if done != "school_id" {
            push_any(query, "school_id", self.schools.iter().map(ToString::to_string).collect());
        }
        if done != "state" {
            push_any(query, "state", self.states.iter().map(ToString::to_string).collect());
        }
        push_any(query, "kind", kinds.iter().map(ToString::to_string).collect());
        if kinds.is_empty() && self.ids.is_empty() {
            // There are few internal ones; with a column, every row would have to be read.
            query.push(" AND id NOT IN (SELECT id FROM job WHERE lane = 'internal')");
        }
        if let Some(staff_id) = self.staff_id {
            query.push(" AND staff_id = ").push_bind(staff_id.0);
        }
        if let Some(code) = &self.error_code {
            query.push(" AND error IS NOT NULL AND error ->> 'type' = ").push_bind(code.clone());
        }
        if let Some(name) = &self.requested_by {
            query.push(" AND requested_by = ").push_bind(name.clone());
        }
        if let Some(IdPrefix { first, last, .. }) = self.id_prefix {
            query.push(" AND id BETWEEN ").push_bind(first).push(" AND ").push_bind(last);
        }
        if self.hides_retried {
            query.push(
                " AND NOT (state = 'failed' AND EXISTS (SELECT FROM job r WHERE r.retry_of = job.id))",
            );
        }
        if let Some(before) = self.before {
            query.push(" AND id < ").push_bind(before.0);
        }
        // The id limits what is read, because everything is ordered by it; the time decides.
        if let Some(since) = self.since {
            query.push(" AND id >= ").push_bind(earliest_id(since - CLOCKS_APART));
            query.push(" AND created_at >= ").push_bind(since);
        }
        if let Some(until) = self.until {
            query.push(" AND id < ").push_bind(earliest_id(until + CLOCKS_APART));
            query.push(" AND created_at < ").push_bind(until);
        }
    }
}

fn push_any(query: &mut QueryBuilder<Postgres>, column: &str, mut values: Vec<String>) {
    // One value does not use `ANY`: an index that is ordered within one value stays ordered.
    if values.len() == 1 {
        query.push(" AND ").push(column).push(" = ").push_bind(values.remove(0));
    } else if !values.is_empty() {
        query.push(" AND ").push(column).push(" = ANY(").push_bind(values).push(")");
    }
}

/// One kind is kept as a text, as earlier releases keep it.
mod one_or_several {
    use mis_sync_domain::JobKind;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kinds {
        One(JobKind),
        Several(Vec<JobKind>),
    }

    pub(super) fn serialize<S: Serializer>(kinds: &[JobKind], to: S) -> Result<S::Ok, S::Error> {
        if let [kind] = kinds { kind.serialize(to) } else { kinds.serialize(to) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<JobKind>, D::Error> {
        Ok(match Kinds::deserialize(from)? {
            Kinds::One(kind) => vec![kind],
            Kinds::Several(kinds) => kinds,
        })
    }
}

/// The smallest `UUIDv7` of a time: it begins with its milliseconds.
fn earliest_id(time: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(u128::from(milliseconds & 0xffff_ffff_ffff) << 80)
}

/// The first hex digits of a job's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdPrefix {
    digits: u8,
    first: Uuid,
    last: Uuid,
}

/// No id begins with this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id begins with at most 32 hex digits")]
pub struct InvalidIdPrefix;

impl FromStr for IdPrefix {
    type Err = InvalidIdPrefix;

    /// Hyphens may be anywhere, or missing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut value, mut digits) = (0_u128, 0_u8);
        for character in text.chars().filter(|character| *character != '-') {
            let digit = character.to_digit(16).ok_or(InvalidIdPrefix)?;
            if digits == 32 {
                return Err(InvalidIdPrefix);
            }
            digits += 1;
            value = (value << 4) | u128::from(digit);
        }
        let missing = 4 * u32::from(32 - digits);
        // A shift by all 128 bits does nothing.
        let (first, rest) = match digits {
            0 => return Err(InvalidIdPrefix),
            _ => (value << missing, (1_u128 << missing) - 1),
        };
        Ok(Self { digits, first: Uuid::from_u128(first), last: Uuid::from_u128(first | rest) })
    }
}

impl TryFrom<String> for IdPrefix {
    type Error = InvalidIdPrefix;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<IdPrefix> for String {
    fn from(prefix: IdPrefix) -> Self {
        prefix.to_string()
    }
}

impl fmt::Display for IdPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.first.simple().to_string();
        f.write_str(digits.get(..usize::from(self.digits)).unwrap_or(&digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(text: &str) -> (String, String) {
        let prefix: IdPrefix = text.parse().unwrap();
        (prefix.first.to_string(), prefix.last.to_string())
    }

    #[test]
    fn a_prefix_is_a_range_of_ids() {
        let whole = "01985bb3-d16d-7a13-92dd-9b0131ca3f1d";
        assert_eq!(bounds(whole), (whole.to_owned(), whole.to_owned()));
        let (first, last) = bounds("01985BB3-d");
        assert_eq!(first, "01985bb3-d000-0000-0000-000000000000");
        assert_eq!(last, "01985bb3-dfff-ffff-ffff-ffffffffffff");
        assert_eq!(bounds("0").1, "0fffffff-ffff-ffff-ffff-ffffffffffff");
        for bad in ["", "-", "oak", "0é", &"0".repeat(33)] {
            assert_eq!(bad.parse::<IdPrefix>(), Err(InvalidIdPrefix), "{bad}");
        }
    }

    #[test]
    fn a_filter_is_read_back_strictly() {
        let filter = JobFilter {
            ids: vec!["01985bb3-d16d-7a13-92dd-9b0131ca3f1d".parse().unwrap()],
            id_prefix: Some("0198-5b".parse().unwrap()),
            schools: vec!["oak".parse().unwrap()],
            states: vec![JobState::Failed, JobState::Cancelled],
            error_code: Some("database".into()),
            until: Some(DateTime::UNIX_EPOCH),
            ..JobFilter::default()
        };
        let json = serde_json::to_value(&filter).unwrap();
        assert_eq!(json["id_prefix"], "01985b");
        assert_eq!(serde_json::from_value::<JobFilter>(json).unwrap(), filter);
        for (kinds, kept) in [
            (vec![JobKind::SyncSchool], r#"{"kind":"sync-school"}"#),
            (
                vec![JobKind::SyncSchool, JobKind::RefreshUser],
                r#"{"kind":["sync-school","refresh-user"]}"#,
            ),
        ] {
            let filter = JobFilter { kinds, ..JobFilter::default() };
            assert_eq!(serde_json::to_string(&filter).unwrap(), kept);
            assert_eq!(serde_json::from_str::<JobFilter>(kept).unwrap(), filter);
        }
        for bad in [r#"{"state":"failed"}"#, r#"{"id_prefix":"x"}"#, r#"{"states":["done"]}"#] {
            assert!(serde_json::from_str::<JobFilter>(bad).is_err(), "{bad}");
        }
    }
}

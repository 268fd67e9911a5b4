use mis_sync_domain::{Job, JobId, JobState};
use sqlx::{PgPool, QueryBuilder};

use super::{
    filter::JobFilter,
    row::{COLUMNS, JobRow},
};
use crate::Error;

/// How many jobs match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub number: i64,
    /// False if there may be more.
    pub is_exact: bool,
}

/// Jobs, newest first.
pub async fn list(pool: &PgPool, filter: &JobFilter, limit: i64) -> Result<Vec<Job>, Error> {
    let mut query = QueryBuilder::new("");
    filter.push_select(&mut query, COLUMNS, limit);
    // Planned for these very values, because they decide which index is best.
    let query = query.build_query_as::<JobRow>().persistent(false);
    let rows = query.fetch_all(pool).await?;
    rows.into_iter().map(Job::try_from).collect()
}

/// Jobs whose id ends with these eight digits: the part that pages show.
pub async fn with_short_id(pool: &PgPool, digits: &str) -> Result<Vec<JobId>, Error> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM job WHERE right(id::text, 8) = lower($1) ORDER BY id DESC LIMIT 10",
        digits
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// How many jobs match. Counting stops at `at_most`.
pub async fn count(pool: &PgPool, filter: &JobFilter, at_most: i64) -> Result<Count, Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM (");
    filter.push_select(&mut query, "id", at_most.saturating_add(1));
    query.push(") AS matching");
    let number: i64 = query.build_query_scalar().persistent(false).fetch_one(pool).await?;
    Ok(Count { number: number.min(at_most), is_exact: number <= at_most })
}

/// How many jobs match on all pages, and how many in each state as [`count_by_state`] counts them.
/// Mostly the states tell both.
pub async fn counts(
    pool: &PgPool,
    filter: &JobFilter,
    at_most: i64,
) -> Result<(Count, Vec<(JobState, Count)>), Error> {
    let by_state = count_by_state(pool, filter, at_most).await?;
    let wanted = |state| filter.states.is_empty() || filter.states.contains(state);
    let wanted = by_state.iter().filter(|(state, _)| wanted(state)).map(|(_, count)| count);
    let number: i64 = wanted.clone().map(|count| count.number).sum();
    let all = if number > at_most {
        Count { number: at_most, is_exact: false }
    } else if wanted.clone().all(|count| count.is_exact) {
        Count { number, is_exact: true }
    } else {
        count(pool, &JobFilter { before: None, ..filter.clone() }, at_most).await?
    };
    Ok((all, by_state))
}

/// How many jobs match in each state, whatever states the filter names: what a filter by state
/// would leave. Counting stops at `at_most` in each state.
pub async fn count_by_state(
    pool: &PgPool,
    filter: &JobFilter,
    at_most: i64,
) -> Result<Vec<(JobState, Count)>, Error> {
    let filter = JobFilter { states: JobState::ALL.to_vec(), before: None, ..filter.clone() };
    let mut query = QueryBuilder::new("SELECT state, count(*) FROM (SELECT state FROM (");
    let limit = at_most.saturating_add(1);
    // What is not read state by state is read as far as all states together would be.
    let reads = JobState::ALL.len() * filter.kinds.len().max(1);
    let all = limit.saturating_mul(i64::try_from(reads).expect("a few"));
    let is_by_state = filter.is_read_by_state();
    filter.push_reads(&mut query, "id, state", if is_by_state { limit } else { all });
    query.push(") AS matching LIMIT ").push_bind(all).push(") AS read GROUP BY state");
    let found: Vec<(String, i64)> =
        query.build_query_as().persistent(false).fetch_all(pool).await?;
    let is_cut = !is_by_state && found.iter().map(|(_, number)| number).sum::<i64>() == all;
    let of = |state: JobState| {
        let number = found.iter().find(|(name, _)| name == state.as_str()).map_or(0, |row| row.1);
        (state, Count { number: number.min(at_most), is_exact: number <= at_most && !is_cut })
    };
    Ok(JobState::ALL.iter().copied().map(of).collect())
}

/// The error types of jobs, in order. Each is one step in the index of errors.
pub async fn error_codes(pool: &PgPool) -> Result<Vec<String>, Error> {
    let codes = sqlx::query_scalar!(
        r#"
        WITH RECURSIVE codes AS (
            (SELECT error ->> 'type' AS code FROM job WHERE error IS NOT NULL
                ORDER BY error ->> 'type' LIMIT 1)
            UNION ALL
            SELECT (SELECT j.error ->> 'type' FROM job j
                WHERE j.error IS NOT NULL AND j.error ->> 'type' > c.code
                ORDER BY j.error ->> 'type' LIMIT 1)
            FROM codes c WHERE c.code IS NOT NULL
        )
        SELECT code AS "code!" FROM codes WHERE code IS NOT NULL
        "#
    )
    .fetch_all(pool)
    .await?;
    Ok(codes)
}

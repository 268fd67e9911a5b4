//! How logins were answered, counted by minute: whatever no job shows, such as an answer from what
//! iP holds while Wonde is away. Neither people nor schools are in it.
//!
//! The minutes are kept for two days. Before, the leader adds them up in `login_period`, for the
//! steps of the long charts.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::Error;

/// The upper limits of the counted times, in milliseconds. An answer that took longer counts with
/// the last one.
pub const WITHIN_MS: [i32; 8] = [50, 100, 200, 400, 800, 1_600, 3_200, 10_000];

/// Logins of one minute that were answered alike, within the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginCount {
    /// The minute, or the beginning of a longer step.
    pub minute: DateTime<Utc>,
    pub outcome: String,
    /// One of [`WITHIN_MS`].
    pub within_ms: i32,
    pub logins: i64,
}

/// Adds to what is counted already, by this process or another.
pub async fn add(pool: &PgPool, counts: &[LoginCount]) -> Result<(), Error> {
    let minutes: Vec<_> = counts.iter().map(|count| count.minute).collect();
    let outcomes: Vec<_> = counts.iter().map(|count| count.outcome.clone()).collect();
    let within: Vec<_> = counts.iter().map(|count| count.within_ms).collect();
    let logins: Vec<_> = counts.iter().map(|count| count.logins).collect();
    sqlx::query!(
        r#"
        INSERT INTO login_minute AS m (minute, outcome, within_ms, logins)
        SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::int[], $4::bigint[])
            AS new (minute, outcome, within_ms, logins)
        -- In one order for all processes, so that none waits for another in a circle.
        ORDER BY minute, outcome, within_ms
        ON CONFLICT (minute, outcome, within_ms) DO UPDATE SET logins = m.logins + excluded.logins
        "#,
        &minutes,
        &outcomes,
        &within,
        &logins,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The counts of a span of time, added up in steps of so many seconds. A step that is stored is read
/// as it is, and the others are added up from their minutes.
pub async fn list(
    pool: &PgPool,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    step_seconds: i32,
) -> Result<Vec<LoginCount>, Error> {
    let counts = sqlx::query_as!(
        LoginCount,
        r#"
        SELECT starts_at AS "minute!", outcome AS "outcome!", within_ms AS "within_ms!",
            logins AS "logins!"
        FROM login_period WHERE width_seconds = $3 AND starts_at >= $1 AND starts_at <= $2
        UNION ALL
        SELECT date_bin(make_interval(secs => $3::int), minute, to_timestamp(0)), outcome, within_ms,
            sum(logins)::bigint
        FROM login_minute
        WHERE minute <= $2 AND minute >= greatest($1, (
            SELECT max(starts_at) + make_interval(secs => $3::int) FROM login_period
            WHERE width_seconds = $3))
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        "#,
        from,
        until,
        step_seconds,
    )
    .fetch_all(pool)
    .await?;
    Ok(counts)
}

/// Stores the periods of this length that are over and not stored yet.
///
/// A period is over ten minutes after its end: an API process that cannot reach the database keeps
/// its counts until it can.
pub(crate) async fn fill_periods(pool: &PgPool, width_seconds: i32) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH width AS (SELECT make_interval(secs => $1::int) AS width)
        INSERT INTO login_period (width_seconds, starts_at, outcome, within_ms, logins)
        SELECT $1, date_bin(width, minute, to_timestamp(0)), outcome, within_ms, sum(logins)
        FROM login_minute, width
        WHERE minute < date_bin(width, now() - interval '10 minutes', to_timestamp(0))
            AND minute >= coalesce((
                SELECT max(starts_at) + width FROM login_period WHERE width_seconds = $1
            ), '-infinity')
        GROUP BY 2, 3, 4
        ON CONFLICT DO NOTHING
        "#,
        width_seconds,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Deletes what no chart and no incident shows any more. Every period of these minutes has to be
/// stored before.
pub(crate) async fn forget(pool: &PgPool) -> Result<(), Error> {
    sqlx::query!("DELETE FROM login_minute WHERE minute < now() - interval '2 days'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM login_period WHERE starts_at < now() - interval '60 days'")
        .execute(pool)
        .await?;
    Ok(())
}

/// The time within which 95 of 100 of these logins were answered, in milliseconds; `None` without a
/// login.
pub fn p95_ms<'a>(counts: impl IntoIterator<Item = &'a LoginCount>) -> Option<i32> {
    let mut by_time = [0_i64; WITHIN_MS.len()];
    for count in counts {
        let place = WITHIN_MS.iter().position(|limit| *limit >= count.within_ms);
        by_time[place.unwrap_or(WITHIN_MS.len() - 1)] += count.logins;
    }
    let all: i64 = by_time.iter().sum();
    let mut so_far = 0;
    WITHIN_MS.into_iter().zip(by_time).find_map(|(limit, logins)| {
        so_far += logins;
        (all > 0 && so_far * 100 >= all * 95).then_some(limit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(within_ms: i32, logins: i64) -> LoginCount {
        LoginCount { minute: DateTime::UNIX_EPOCH, outcome: "fresh".into(), within_ms, logins }
    }

    #[test]
    fn the_95th_of_100_logins_decides() {
        assert_eq!(p95_ms(&[]), None);
        assert_eq!(p95_ms(&[count(50, 95), count(3_200, 5)]), Some(50));
        assert_eq!(p95_ms(&[count(3_200, 6), count(50, 94)]), Some(3_200));
        assert_eq!(p95_ms(&[count(99_999, 1)]), Some(10_000));
    }
}

//! How logins were answered, counted by minute: whatever no job shows, such as an answer from what
//! iP holds while Wonde is away. Neither people nor schools are in it.

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

/// The counts of a span of time, added up in steps of so many seconds.
pub async fn list(
    pool: &PgPool,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    step_seconds: i32,
) -> Result<Vec<LoginCount>, Error> {
    let counts = sqlx::query_as!(
        LoginCount,
        r#"
        SELECT date_bin(make_interval(secs => $3), minute, to_timestamp(0)) AS "minute!", outcome,
            within_ms, sum(logins)::bigint AS "logins!"
        FROM login_minute WHERE minute >= $1 AND minute <= $2
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        "#,
        from,
        until,
        f64::from(step_seconds),
    )
    .fetch_all(pool)
    .await?;
    Ok(counts)
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

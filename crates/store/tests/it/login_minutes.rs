use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use mis_sync_domain::Clock;
use mis_sync_store::{
    figures::{self, Window},
    login_minutes::{self, LoginCount},
};

use crate::{fixture::TestStore, rows};

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// Logins of the minute that was so long ago, `stale` of them answered from what iP holds.
async fn counted(store: &TestStore, ago: TimeDelta, fresh: i64, stale: i64) {
    let minute = (now() - ago).duration_trunc(TimeDelta::minutes(1)).unwrap();
    let of = |outcome: &str, within_ms, logins| LoginCount {
        minute,
        outcome: outcome.into(),
        within_ms,
        logins,
    };
    let counts = [of("fresh", 200, fresh), of("stale", 800, stale)];
    login_minutes::add(&store.pool, &counts).await.unwrap();
}

/// What the chart of each window is drawn from.
async fn charts(store: &TestStore, now: DateTime<Utc>) -> Vec<Vec<LoginCount>> {
    let mut all = Vec::new();
    for window in Window::ALL {
        let width = TimeDelta::from_std(window.width()).unwrap();
        let from = (now - window.length()).duration_trunc(width).unwrap();
        let seconds = i32::try_from(width.num_seconds()).unwrap().max(60);
        all.push(login_minutes::list(&store.pool, from, now, seconds).await.unwrap());
    }
    all
}

#[tokio::test]
async fn periods_that_are_over_are_stored_and_their_minutes_forgotten() {
    let store = TestStore::start().await;
    let now = now();
    for (ago, fresh, stale) in [
        (TimeDelta::minutes(2), 3, 1),
        (TimeDelta::hours(5), 10, 2),
        (TimeDelta::hours(5) + TimeDelta::minutes(1), 7, 0),
        (TimeDelta::days(4), 100, 20),
        (TimeDelta::days(20), 1000, 0),
    ] {
        counted(&store, ago, fresh, stale).await;
    }
    let before = charts(&store, now).await;
    let logins = |chart: &[LoginCount]| chart.iter().map(|count| count.logins).sum::<i64>();
    let sums: Vec<i64> = before.iter().map(|chart| logins(chart)).collect();
    assert_eq!(sums, [4, 23, 1143]);

    while figures::fill_periods(&store.pool).await.unwrap() > 0 {}
    assert_eq!(charts(&store, now).await, before);
    let minutes = "SELECT count(*) FROM login_minute WHERE minute < now() - interval '2 days'";
    assert_eq!(rows::value::<i64>(&store.pool, minutes).await, 0);
    let stored = "SELECT sum(logins)::bigint FROM login_period WHERE width_seconds = 21600";
    assert!(rows::value::<i64>(&store.pool, stored).await >= 1120);

    // A period is read once: what is counted in it later, and a second run, add nothing twice.
    counted(&store, TimeDelta::minutes(2), 5, 0).await;
    figures::fill_periods(&store.pool).await.unwrap();
    let sums: Vec<i64> = charts(&store, now).await.iter().map(|chart| logins(chart)).collect();
    assert_eq!(sums, [9, 28, 1148]);

    // What no window shows any more is deleted.
    let age = "UPDATE login_period SET starts_at = starts_at - interval '50 days'";
    rows::change(&store.pool, age).await;
    figures::fill_periods(&store.pool).await.unwrap();
    let old = "SELECT count(*) FROM login_period WHERE starts_at < now() - interval '60 days'";
    assert_eq!(rows::value::<i64>(&store.pool, old).await, 0);
}

use mis_sync_store::alerts::{self, Alert};
use serde_json::{Value, json};

use crate::{arguments::Alerts, commands::print, config::Config, exit::Failure, wiring};

pub(super) async fn run(config: &Config, alerts: Alerts) -> Result<(), Failure> {
    let Alerts::List { all, limit, json } = alerts;
    let pool = wiring::database(config).await?;
    let alerts = alerts::list(&pool, all, limit.into()).await?;
    if json {
        return print(&alerts.iter().map(describe).collect::<Value>().to_string());
    }
    if alerts.is_empty() {
        return print(if all { "There have been no alerts yet." } else { "No alert is open." });
    }
    print(&format!(
        "{:16}  {:16}  {:14}  {:20}  {}",
        "RAISED", "OVER", "KIND", "SCHOOL", "DETAIL"
    ))?;
    for alert in alerts {
        let time = |time: chrono::DateTime<_>| time.format("%Y-%m-%d %H:%M").to_string();
        let over = alert.cleared_at.map_or_else(|| "open".to_owned(), time);
        print(&format!(
            "{:16}  {over:16}  {:14}  {:20}  {}",
            time(alert.raised_at),
            alert.kind,
            alert.school_id.as_str(),
            alert.detail,
        ))?;
    }
    Ok(())
}

fn describe(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "school_id": alert.school_id,
        "kind": alert.kind,
        "job_id": alert.job_id,
        "reason": alert.reason,
        "detail": alert.detail,
        "raised_at": alert.raised_at,
        "cleared_at": alert.cleared_at,
    })
}

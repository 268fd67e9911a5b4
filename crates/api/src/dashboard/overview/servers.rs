//! Postgres and Redis: are they working, and is anything about to go wrong?

use maud::{Markup, html};
use mis_sync_queue::RedisHealth;
use mis_sync_store::Health;

use crate::dashboard::parts::{badge, length, number};

/// A database whose connections are in use beyond this percentage will soon refuse one.
const CROWDED_PERCENT: i64 = 80;
/// A transaction that is open for longer than this stops the database from cleaning up.
const LONG_SECONDS: u64 = 300;

pub(super) fn show(
    postgres: &Result<Health, String>,
    redis: &Result<RedisHealth, String>,
) -> Markup {
    html! {
        section.panel {
            header {
                h2 { "Servers" }
                p.source { "Live" }
            }
            (server("Postgres", postgres, of_postgres))
            (server("Redis", redis, of_redis))
        }
    }
}

/// What a server says of itself.
#[derive(Default)]
struct Told {
    warnings: Vec<String>,
    /// Names and values; `None` where it does not tell.
    facts: Vec<(&'static str, Option<String>)>,
}

fn server<T>(name: &str, health: &Result<T, String>, tell: fn(&T) -> Told) -> Markup {
    let Told { warnings, facts } = match health {
        Ok(health) => tell(health),
        Err(reason) => {
            Told { warnings: vec![format!("It cannot be reached. {reason}")], ..Told::default() }
        }
    };
    html! {
        @for warning in &warnings {
            p.warning {
                strong { (name) ". " }
                (warning)
            }
        }
        dl.facts.server {
            div {
                dt { (name) }
                dd {
                    @if health.is_ok() { (badge("succeeded", "✓", "up")) }
                    @else { (badge("failed", "✕", "away")) }
                }
            }
            @for (name, value) in facts {
                div {
                    dt { (name) }
                    dd {
                        @match value {
                            Some(value) => (value),
                            None => span.quiet { "not told" },
                        }
                    }
                }
            }
        }
    }
}

fn of_postgres(health: &Health) -> Told {
    let is_crowded = health.connections * 100 > health.max_connections * CROWDED_PERCENT;
    let oldest = health.oldest_transaction;
    let mut warnings = Vec::new();
    if is_crowded {
        warnings.push(
            "Nearly all connections are taken. Lower `database.max_connections` or raise those of \
             the server."
                .to_owned(),
        );
    }
    if oldest.is_some_and(|age| age.as_secs() > LONG_SECONDS) {
        warnings.push(
            "A transaction has been open for a long time, which stops the database from cleaning \
             up."
            .to_owned(),
        );
    }
    let age = |age| length(chrono::TimeDelta::from_std(age).unwrap_or_default());
    let facts = vec![
        ("Version", Some(health.version.clone())),
        ("Size", Some(size(health.size_bytes))),
        (
            "Connections",
            Some(format!("{} of {}", number(health.connections), number(health.max_connections))),
        ),
        ("Oldest transaction", Some(oldest.map_or_else(|| "none".to_owned(), age))),
    ];
    Told { warnings, facts }
}

fn of_redis(health: &RedisHealth) -> Told {
    let bytes = |bytes: u64| size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let max = health.max_bytes.filter(|max| *max > 0);
    let memory = |used| match max {
        Some(max) => format!("{} of {}", bytes(used), bytes(max)),
        None => bytes(used),
    };
    let kept = match health.persistence {
        Some(how) if how.log && how.snapshots => Some("log and snapshots"),
        Some(how) if how.log => Some("log"),
        Some(how) if how.snapshots => Some("snapshots"),
        Some(_) => Some("nothing"),
        None => None,
    };
    let warnings = health.warnings.iter().map(|warning| warning.sentence().to_owned()).collect();
    let facts = vec![
        ("Version", health.version.clone()),
        ("Memory", health.used_bytes.map(memory)),
        ("When full", health.eviction.clone()),
        ("Kept over a restart by", kept.map(str::to_owned)),
        ("Clients", health.clients.map(|clients| number(i128::from(clients)))),
    ];
    Told { warnings, facts }
}

/// Bytes in a suitable unit.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut whole = bytes;
    let mut unit = "bytes";
    for next in UNITS {
        if whole < 1024 {
            break;
        }
        whole /= 1024;
        unit = next;
    }
    format!("{} {unit}", number(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_in_the_unit_that_people_would_use() {
        for (bytes, text) in [(0, "0 bytes"), (2048, "2 KiB"), (5_000_000_000, "4 GiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}

//! Postgres and Redis: are they working, and is anything about to go wrong?

use maud::{Markup, html};
use mis_sync_queue::RedisHealth;
use mis_sync_store::Health;

use crate::dashboard::parts::{length, number, panel};

/// A database whose connections are in use beyond this percentage will soon refuse one.
const CROWDED_PERCENT: i64 = 80;
/// A transaction that is open for longer than this stops the database from cleaning up.
const LONG_SECONDS: u64 = 300;

pub(super) fn postgres(health: &Result<Health, String>) -> Markup {
    panel("Postgres", "Live", health, |health| {
        let is_crowded = health.connections * 100 > health.max_connections * CROWDED_PERCENT;
        let oldest = health.oldest_transaction;
        html! {
            @if is_crowded {
                p.warning {
                    "Nearly all connections are taken. Lower "
                    code { "database.max_connections" }
                    " or raise those of the server."
                }
            }
            @if oldest.is_some_and(|age| age.as_secs() > LONG_SECONDS) {
                p.warning {
                    "A transaction has been open for a long time, which stops the database from cleaning up."
                }
            }
            dl.facts {
                div {
                    dt { "Version" }
                    dd { (health.version) }
                }
                div {
                    dt { "Size" }
                    dd { (size(health.size_bytes)) }
                }
                div {
                    dt { "Connections" }
                    dd { (number(health.connections)) " of " (number(health.max_connections)) }
                }
                div {
                    dt { "Oldest transaction" }
                    dd {
                        @match oldest {
                            Some(age) => (length(chrono::TimeDelta::from_std(age).unwrap_or_default())),
                            None => span.quiet { "none" },
                        }
                    }
                }
            }
        }
    })
}

pub(super) fn redis(health: &Result<RedisHealth, String>) -> Markup {
    panel("Redis", "Live", health, |health| {
        let unknown = html! { span.quiet { "not told" } };
        let bytes = |bytes: u64| size(i64::try_from(bytes).unwrap_or(i64::MAX));
        html! {
            @for warning in &health.warnings {
                p.warning { (warning.sentence()) }
            }
            dl.facts {
                div {
                    dt { "Version" }
                    dd {
                        @match &health.version {
                            Some(version) => (version),
                            None => (unknown),
                        }
                    }
                }
                div {
                    dt { "Memory" }
                    dd {
                        @match health.used_bytes {
                            Some(used) => (bytes(used)),
                            None => (unknown),
                        }
                        @if let Some(max) = health.max_bytes.filter(|max| *max > 0) {
                            " of "
                            (bytes(max))
                        }
                    }
                }
                div {
                    dt { "When full" }
                    dd {
                        @match &health.eviction {
                            Some(policy) => code { (policy) },
                            None => (unknown),
                        }
                    }
                }
                div {
                    dt { "Kept over a restart by" }
                    dd {
                        @match health.persistence {
                            Some(how) if how.log && how.snapshots => "log and snapshots",
                            Some(how) if how.log => "log",
                            Some(how) if how.snapshots => "snapshots",
                            Some(_) => "nothing",
                            None => (unknown),
                        }
                    }
                }
                div {
                    dt { "Clients" }
                    dd {
                        @match health.clients {
                            Some(clients) => (number(i128::from(clients))),
                            None => (unknown),
                        }
                    }
                }
            }
        }
    })
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

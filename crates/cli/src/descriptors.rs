use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// File descriptors that a process needs besides those of its clients and of Postgres: Redis,
/// Wonde, logs, listening sockets.
const OTHERS: u64 = 64;

/// How many connections the API may have open: as many as configured, or as the process' limit on
/// open files allows.
pub(crate) fn connections(config: &Config) -> usize {
    let (wanted, allowed) = wanted_and_allowed(config);
    if allowed < wanted {
        tracing::warn!(
            api.max_connections = wanted,
            allowed,
            "the limit on open files allows fewer connections than configured"
        );
    }
    usize::try_from(wanted.min(allowed)).unwrap_or(usize::MAX)
}

/// How many connections of callers are configured, and how many the limit on open files allows. The
/// limit is first raised as far as possible.
pub(crate) fn wanted_and_allowed(config: &Config) -> (u64, u64) {
    let wanted = u64::from(config.api.max_connections.get());
    let reserved = OTHERS + u64::from(config.database.max_connections.get());
    (wanted, open_files(wanted + reserved).saturating_sub(reserved).max(1))
}

/// How many files this process may have open, after trying to raise the limit to `wanted`.
fn open_files(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current else { return u64::MAX };
    if current >= wanted {
        return current;
    }
    let raised = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    }
}

use std::time::Duration;

use mis_sync_queue::{Persistence, Redis, RedisDiagnosis, RedisError, RedisHealth, RedisWarning};

use super::{compare_clocks, finding::Finding};
use crate::config::Config;

/// How long a first connection may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Checks Redis. mis-sync works without it, but slower.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    // The section says what is wrong with the address.
    let Ok(redis) = config.redis.open() else { return Vec::new() };
    let diagnosis = redis.diagnose().await;
    if let Ok(RedisDiagnosis { right_address: Some(right), .. }) = &diagnosis {
        return vec![wrong_kind(right)];
    }
    if let Ok(RedisDiagnosis { denied, .. }) = &diagnosis
        && !denied.is_empty()
    {
        return vec![not_permitted(denied, &config.redis.prefix)];
    }
    if let Err(error) = redis.check(PATIENCE).await {
        // What the connection of the diagnosis was told says more.
        return vec![away(diagnosis.as_ref().err().unwrap_or(&error))];
    }
    let mut findings = vec![
        Finding::ok("redis", "answers and accepts writes"),
        Finding::ok("redis.rights", "the user may do what we need"),
    ];
    if let Ok(RedisDiagnosis { clock_ahead: Some(ahead), .. }) = diagnosis {
        findings.push(compare_clocks("redis.clock", "Redis", ahead));
    }
    findings.extend(check_health(&redis).await);
    findings
}

fn away(error: &RedisError) -> Finding {
    let trouble = error.trouble();
    let detail =
        format!("degraded, {}: {error}. meanwhile mis-sync works without it", { trouble.as_str() });
    let text = error.to_string();
    let kinds = [("cluster support disabled", "cluster"), ("not point to a sentinel", "Sentinel")];
    if let Some((_, kind)) = kinds.iter().find(|(said, _)| text.contains(said)) {
        let what_to_do =
            format!("This server is no {kind}: begin redis.url with redis:// (or rediss://).");
        return Finding::wrong("redis", detail, &what_to_do);
    }
    Finding::broken(
        "redis",
        detail,
        "Check redis.url, and that Redis runs; `Redis` in docs/behaviour.md explains the reasons.",
    )
}

fn wrong_kind(right: &str) -> Finding {
    let kind = if right.contains("+sentinel://") { "a Sentinel" } else { "a node of a cluster" };
    Finding::wrong(
        "redis",
        format!("redis.url names {kind} as if it were a Redis on its own"),
        &format!("Set redis.url to {right}, with the login before the host if there is one."),
    )
}

fn not_permitted(denied: &[String], prefix: &str) -> Finding {
    Finding::wrong(
        "redis.rights",
        format!("the user may not use {} on our keys and channels", denied.join(", ")),
        &format!(
            "Permit them: ACL SETUSER name ~{prefix}:* &{prefix}:* +@all -@admin -@dangerous +info"
        ),
    )
}

async fn check_health(redis: &Redis) -> Vec<Finding> {
    let Ok(health) = redis.health().await else { return Vec::new() };
    let mut findings = vec![memory(&health), persistence(health.persistence)];
    let others = health.warnings.iter().filter(|warning| {
        matches!(warning, RedisWarning::SaveFailed | RedisWarning::MemoryNearlyFull)
    });
    findings.extend(others.map(|warning| {
        let (detail, what_to_do) = warning.sentence().split_once(". ").unwrap_or_default();
        Finding::warn("redis.memory", detail, what_to_do)
    }));
    findings
}

fn memory(health: &RedisHealth) -> Finding {
    match health.eviction.as_deref() {
        Some("noeviction") => Finding::ok("redis.eviction", "Redis throws no key away"),
        Some(policy) => Finding::warn(
            "redis.eviction",
            format!("maxmemory-policy is {policy}: a full Redis throws ids and rate limits away"),
            "Set maxmemory-policy to noeviction.",
        ),
        None => Finding::ok("redis.eviction", "Redis does not say what it does when it is full"),
    }
}

/// Every answer is fine, because Redis may be lost at any time.
fn persistence(persistence: Option<Persistence>) -> Finding {
    let detail = match persistence {
        Some(Persistence { log: true, .. }) => "Redis logs every write",
        Some(Persistence { snapshots: true, .. }) => "Redis writes snapshots",
        Some(_) => "Redis keeps nothing over a restart; then jobs are delivered again",
        None => "Redis does not say what it keeps; what it loses is delivered again",
    };
    Finding::ok("redis.persistence", detail)
}

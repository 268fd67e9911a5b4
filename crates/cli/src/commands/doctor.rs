mod database;
mod finding;
mod process;
mod redis;
mod service;

use std::path::Path;

use mis_sync_store::{Pool, TokenCipher};

use self::finding::Finding;
use crate::{
    arguments::Doctor,
    commands::print,
    config::Config,
    exit::Failure,
    telemetry,
    wiring::{SECTIONS, Sections},
};

/// Checks every part, so that one run shows everything that is wrong. The exit code is that of the
/// worst finding: configuration before dependencies. Warnings do not count.
pub(super) async fn run(file: Option<&Path>, doctor: &Doctor) -> Result<(), Failure> {
    let findings = examine(file).await;
    if doctor.json {
        print(&serde_json::to_string(&findings).expect("findings are texts"))?;
    } else {
        findings.iter().try_for_each(|finding| print(&finding.tell()))?;
    }
    if findings.iter().any(Finding::is_configuration) {
        return Err(Failure::usage("the configuration needs a change"));
    }
    if findings.iter().any(Finding::is_failure) {
        return Err(Failure::dependency("a dependency of mis-sync is not working"));
    }
    Ok(())
}

async fn examine(file: Option<&Path>) -> Vec<Finding> {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(failure) => return vec![Finding::failed("configuration", &failure)],
    };
    let mut findings = check_sections(&config);
    if let Err(failure) = telemetry::start(&config.log) {
        findings.push(Finding::failed("configuration.log", &failure));
    }
    findings.extend(process::check(&config).await);
    let (database, pool) = database::check(&config).await;
    findings.extend(database);
    if let Some(pool) = pool {
        let cipher = config.encryption.cipher().ok();
        findings.extend(check_service(&pool, cipher.as_ref()).await);
    }
    findings.extend(redis::check(&config).await);
    findings.push(service::check_wonde(&config).await);
    findings
}

/// Each section as `serve` and `worker` read it.
fn check_sections(config: &Config) -> Vec<Finding> {
    let wrong = Sections::read(config).err().unwrap_or_default();
    let mut findings = Vec::new();
    for section in SECTIONS {
        let check = format!("configuration.{section}");
        let mut of_section = wrong.iter().filter(|wrong| wrong.section == section).peekable();
        if of_section.peek().is_none() {
            findings.push(Finding::ok(&check, "can be used"));
        }
        findings.extend(of_section.map(|wrong| Finding::failed(&check, &wrong.failure)));
    }
    findings
}

async fn check_service(pool: &Pool, cipher: Option<&TokenCipher>) -> Vec<Finding> {
    let mut findings = vec![service::check_api_keys(pool).await];
    if let Some(cipher) = cipher {
        findings.push(service::check_secrets(pool, cipher).await);
    }
    findings.push(service::check_workers(pool).await);
    findings
}

/// Clocks that differ by more than this many seconds are a warning, and by more than the second
/// number a failure: leases, the rate limit and signatures compare times of several machines.
const CLOCKS: (f64, f64) = (1.0, 5.0);

fn compare_clocks(check: &str, server: &str, ahead: f64) -> Finding {
    let side = if ahead < 0.0 { "behind" } else { "ahead of" };
    let detail = format!("the clock of {server} is {:.1} s {side} this machine's", ahead.abs());
    let what_to_do = "Let all machines take the time from the same servers (NTP).";
    match ahead.abs() {
        off if off > CLOCKS.1 => Finding::broken(check, detail, what_to_do),
        off if off > CLOCKS.0 => Finding::warn(check, detail, what_to_do),
        _ => Finding::ok(check, format!("the clock of {server} agrees with this machine's")),
    }
}

#[cfg(test)]
mod tests {
    use super::{compare_clocks, finding::Status};

    #[test]
    fn clocks_may_differ_by_a_second() {
        for (ahead, status) in [
            (0.0, Status::Ok),
            (-1.0, Status::Ok),
            (1.1, Status::Warn),
            (-4.9, Status::Warn),
            (5.1, Status::Fail),
            (-3600.0, Status::Fail),
        ] {
            assert_eq!(compare_clocks("redis.clock", "Redis", ahead).status, status, "{ahead}");
        }
    }
}

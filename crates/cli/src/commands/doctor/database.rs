use mis_sync_domain::LoginScope;
use mis_sync_store::{
    Address, Error, Pool, check_schema,
    diagnosis::{self, Diagnosis, OLDEST_VERSION, Rights, Sessions},
    logins, reach,
};

use super::{compare_clocks, finding::Finding};
use crate::{config::Config, exit::Failure, wiring};

/// So many rights are named; the others are counted.
const NAMED: usize = 5;

/// Checks the database. Gives a pool if it can be used, and has our schema.
pub(super) async fn check(config: &Config) -> (Vec<Finding>, Option<Pool>) {
    let (Ok(address), Ok(pool)) = (config.database.address(), wiring::open_database(config)) else {
        // The section says why.
        return (Vec::new(), None);
    };
    if let Err(error) = reach(&address).await {
        return (vec![unreachable("database", error)], None);
    }
    let sessions = check_sessions(config, &address).await;
    let mut findings = match diagnosis::diagnose(&pool).await {
        Ok(diagnosis) => tell(&address, &diagnosis),
        // Where prepared statements get lost, any statement may fail.
        Err(error) => {
            let mut findings = vec![unreachable("database", error)];
            findings.extend(sessions.into_iter().filter(Finding::is_failure));
            return (findings, None);
        }
    };
    findings.extend(sessions);
    let schema = check_schema(&pool).await;
    let has_schema = schema.is_ok();
    findings.push(match schema {
        Ok(()) => Finding::ok("database.schema", "it has the schema of this release"),
        Err(error) => Finding::failed("database.schema", &error.into()),
    });
    if !has_schema {
        return (findings, None);
    }
    findings.push(check_scope(&pool, config.logins.unique_within).await);
    match diagnosis::rights(&pool).await {
        Ok(rights) => findings.extend(tell_rights(&rights)),
        Err(error) => findings.push(unreachable("database.rights", error)),
    }
    (findings, Some(pool))
}

fn unreachable(check: &str, error: Error) -> Finding {
    match error {
        Error::Unreachable(why) if why.is_configuration() => {
            Finding::wrong(check, why.to_string(), why.what_to_do())
        }
        Error::Unreachable(why) => Finding::broken(check, why.to_string(), why.what_to_do()),
        other => Finding::failed(check, &Failure::from(other)),
    }
}

fn tell(address: &Address, diagnosis: &Diagnosis) -> Vec<Finding> {
    let detail = format!("Postgres {} at {address}", diagnosis.version);
    let version = if diagnosis.major < OLDEST_VERSION {
        let what_to_do = format!("Move to Postgres {OLDEST_VERSION} or later.");
        Finding::wrong("database", format!("{detail} is not supported"), &what_to_do)
    } else {
        Finding::ok("database", format!("{detail} answers"))
    };
    let writes = if diagnosis.is_standby {
        Finding::broken(
            "database.writes",
            "this server is a standby and accepts no writes",
            "Point database.url at the primary.",
        )
    } else if diagnosis.is_read_only {
        Finding::broken(
            "database.writes",
            "it accepts no writes",
            "Look for default_transaction_read_only in its settings, and those of database and role.",
        )
    } else {
        Finding::ok("database.writes", "it accepts writes")
    };
    let durability = if diagnosis.unsafe_settings.is_empty() {
        Finding::ok("database.durability", "what is committed survives a crash")
    } else {
        Finding::warn(
            "database.durability",
            format!("a crash can lose what was committed: {} is off", {
                diagnosis.unsafe_settings.join(", ")
            }),
            "Switch it on, unless this database is for trials.",
        )
    };
    let clock = compare_clocks("database.clock", "Postgres", diagnosis.clock_ahead);
    vec![version, writes, durability, clock]
}

/// A pooler that shares sessions needs two things: prepared statements, and an address beside it.
async fn check_sessions(config: &Config, address: &Address) -> Vec<Finding> {
    const CHECK: &str = "database.sessions";
    let shared = match diagnosis::sessions(address).await {
        Ok(Sessions::Own) => {
            return vec![Finding::ok(CHECK, "each connection has its own session")];
        }
        Ok(Sessions::Shared { prepares }) => prepares,
        Err(error) => return vec![unreachable(CHECK, error)],
    };
    let mut findings = Vec::new();
    if !shared {
        findings.push(Finding::wrong(
            CHECK,
            "a pooler shares sessions, and loses prepared statements",
            "Use PgBouncer 1.21 or later with max_prepared_statements = 200, or pool_mode = session.",
        ));
    }
    let Ok(direct) = config.database.direct_address() else { return findings };
    findings.push(match check_direct(&direct).await {
        Ok(Sessions::Own) => Finding::ok(
            CHECK,
            "a pooler shares sessions; the leader and `mis-sync migrate` use database.direct_url",
        ),
        Ok(Sessions::Shared { .. }) => Finding::wrong(
            CHECK,
            "a pooler shares sessions, so the leader's lock and `mis-sync migrate` do not work",
            "Set database.direct_url to the address of Postgres itself.",
        ),
        Err(error) => unreachable("database.direct_url", error),
    });
    findings
}

async fn check_direct(direct: &Address) -> Result<Sessions, Error> {
    reach(direct).await?;
    diagnosis::sessions(direct).await
}

async fn check_scope(pool: &Pool, wanted: LoginScope) -> Finding {
    match logins::check_scope(pool, wanted).await {
        Ok(()) => {
            let detail = format!("logins are unique within the {}", wanted.as_str());
            Finding::ok("database.logins", detail)
        }
        Err(error) => Finding::failed("database.logins", &error.into()),
    }
}

fn tell_rights(rights: &Rights) -> Vec<Finding> {
    let mut findings = vec![if rights.missing.is_empty() {
        Finding::ok("database.rights", "the role may do what the API and the workers need")
    } else {
        Finding::wrong(
            "database.rights",
            format!("the role lacks {}", listed(&rights.missing)),
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, and USAGE ON ALL \
             SEQUENCES, to the role of database.url.",
        )
    }];
    findings.push(if rights.cannot_migrate.is_empty() {
        Finding::ok("database.owner", "the role may run `mis-sync migrate`")
    } else {
        Finding::warn(
            "database.owner",
            format!("the role may not run `mis-sync migrate`: {}", listed(&rights.cannot_migrate)),
            "Run `mis-sync migrate` with the role that owns the tables.",
        )
    });
    findings
}

fn listed(all: &[String]) -> String {
    let (named, others) = all.split_at(all.len().min(NAMED));
    match others.len() {
        0 => named.join(", "),
        more => format!("{}, and {more} more", named.join(", ")),
    }
}

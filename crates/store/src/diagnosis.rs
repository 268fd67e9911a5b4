//! What an operator should know about a database before a process uses it.

use std::time::SystemTime;

use sqlx::{Connection, Executor, PgConnection, PgPool, Row};

use crate::{Address, Error, MIGRATIONS};

/// The oldest version of Postgres that this release supports.
pub const OLDEST_VERSION: i32 = 15;

/// How often to look whether two connections share a session. Other clients of a pooler may take it in
/// between.
const LOOKS: usize = 10;

/// What is unusual about a database.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// For example `16.4`.
    pub version: String,
    /// For example `16`.
    pub major: i32,
    /// It follows another server, and accepts no writes.
    pub is_standby: bool,
    /// It accepts no writes.
    pub is_read_only: bool,
    /// The settings without which a crash loses what was committed, and that are off.
    pub unsafe_settings: Vec<&'static str>,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_ahead: f64,
}

/// What a role may do with our tables.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    /// Rights that the API and the workers need and the role does not have, such as
    /// `UPDATE on job`.
    pub missing: Vec<String>,
    /// What keeps the role from running migrations, such as `it does not own job`.
    pub cannot_migrate: Vec<String>,
}

/// How sessions of an address behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Each connection has a session of Postgres to itself.
    Own,
    /// A pooler gives each transaction another session.
    Shared {
        /// Whether it knows prepared statements.
        prepares: bool,
    },
}

/// Reads what is unusual about the database.
pub async fn diagnose(pool: &PgPool) -> Result<Diagnosis, Error> {
    let asked = SystemTime::now();
    let row = sqlx::query!(
        r#"
        SELECT split_part(current_setting('server_version'), ' ', 1) AS "version!",
            current_setting('server_version_num')::int / 10000 AS "major!",
            pg_is_in_recovery() AS "is_standby!",
            current_setting('transaction_read_only')::bool AS "is_read_only!",
            current_setting('fsync')::bool AS "fsync!",
            current_setting('full_page_writes')::bool AS "full_page_writes!",
            current_setting('synchronous_commit') <> 'off' AS "synchronous_commit!",
            extract(epoch FROM clock_timestamp())::float8 AS "clock!"
        "#
    )
    .fetch_one(pool)
    .await?;
    let settings = [
        ("fsync", row.fsync),
        ("full_page_writes", row.full_page_writes),
        ("synchronous_commit", row.synchronous_commit),
    ];
    Ok(Diagnosis {
        version: row.version,
        major: row.major,
        is_standby: row.is_standby,
        is_read_only: row.is_read_only,
        unsafe_settings: settings.iter().filter(|(_, on)| !on).map(|(name, _)| *name).collect(),
        clock_ahead: ahead(row.clock, asked),
    })
}

/// How far a clock is ahead of ours, which was read before and is read now: the other one was read
/// between the two.
fn ahead(clock: f64, asked: SystemTime) -> f64 {
    let seconds = |at: SystemTime| {
        at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    };
    clock - f64::midpoint(seconds(asked), seconds(SystemTime::now()))
}

/// Reads what the role may do with our tables. It needs the schema of this release.
pub async fn rights(pool: &PgPool) -> Result<Rights, Error> {
    let names = tables();
    let rows = sqlx::query!(
        r#"
        SELECT c.relname AS "name!", pg_has_role(c.relowner, 'USAGE') AS "owns!",
            c.relkind = 'S' AS "is_sequence!",
            CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE')
                ELSE has_table_privilege(c.oid, 'SELECT') END AS "reads!",
            has_table_privilege(c.oid, 'INSERT') AS "inserts!",
            has_table_privilege(c.oid, 'UPDATE') AS "updates!",
            has_table_privilege(c.oid, 'DELETE') AS "deletes!"
        FROM unnest($1::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(name)
        ORDER BY c.relname
        "#,
        &names as &[&str],
    )
    .fetch_all(pool)
    .await?;
    let mut rights = Rights::default();
    for row in rows {
        if !row.owns {
            rights.cannot_migrate.push(format!("it does not own {}", row.name));
        }
        let (first, writes) = if row.is_sequence { ("USAGE", false) } else { ("SELECT", true) };
        // The first is written by `migrate` only. No one changes a line of the other.
        let (fixed, grows) = (row.name == "login_scope", row.name == "audit_log");
        for (right, held, is_needed) in [
            (first, row.reads, true),
            ("INSERT", row.inserts, writes && !fixed),
            ("UPDATE", row.updates, writes && !fixed && !grows),
            ("DELETE", row.deletes, writes && !fixed && !grows),
        ] {
            if is_needed && !held {
                rights.missing.push(format!("{right} on {}", row.name));
            }
        }
    }
    let creates = sqlx::query_scalar!(
        r#"SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS "creates!""#
    )
    .fetch_one(pool)
    .await?;
    if !creates {
        rights.cannot_migrate.push("it may not create tables in the schema".to_owned());
    }
    Ok(rights)
}

/// The tables and sequences that our migrations create; some of them were dropped later.
fn tables() -> Vec<&'static str> {
    let of_one = |sql: &'static str| {
        sql.lines().filter_map(|line| {
            let rest = line.strip_prefix("CREATE ")?;
            let rest = rest.strip_prefix("UNLOGGED ").unwrap_or(rest);
            let rest = rest.strip_prefix("TABLE ").or_else(|| rest.strip_prefix("SEQUENCE "))?;
            Some(rest.split([' ', '(', ';']).next().unwrap_or(rest))
        })
    };
    let ups = MIGRATIONS.iter().filter(|migration| migration.migration_type.is_up_migration());
    ups.flat_map(|migration| of_one(migration.sql.as_str())).collect()
}

/// Finds out whether a pooler shares sessions of this address.
///
/// While one connection rests and another is in a transaction, they can only be in the same session
/// if a pooler gave it to the second. Poolers give away first what was used last.
pub async fn sessions(address: &Address) -> Result<Sessions, Error> {
    let connect = || PgConnection::connect_with(address.options());
    let (mut rests, mut works) = (connect().await?, connect().await?);
    let session = async |connection: &mut PgConnection, before: &'static str| {
        let sql = format!("{before}SELECT pg_backend_pid()");
        let row = connection.fetch_one(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await?;
        row.try_get::<i32, _>(0)
    };
    for _ in 0..LOOKS {
        // The statement that is described here is known to one session only, unless the pooler keeps
        // account of it.
        let described = prepared(&mut rests).await;
        let first = session(&mut rests, "").await?;
        let second = session(&mut works, "BEGIN; ").await?;
        if first == second {
            let again = prepared(&mut rests).await;
            return Ok(Sessions::Shared { prepares: described.is_ok() && again.is_ok() });
        }
        works.execute(sqlx::raw_sql("ROLLBACK")).await?;
    }
    Ok(Sessions::Own)
}

async fn prepared(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_tables_are_read_off_the_migrations() {
        let found = tables();
        for name in ["school", "staff", "job", "job_fence", "fetched_page", "audit_log"] {
            assert!(found.contains(&name), "{name} in {found:?}");
        }
        assert!(!found.contains(&"staff_read"), "a view");
    }
}

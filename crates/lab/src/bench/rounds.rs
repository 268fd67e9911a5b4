//! The programs in turn, round after round, each round with a school that none of them
//! has seen. Some more rounds come first and do not count: they open connections, prepare
//! statements and warm caches, for all alike, as in a process that has been up for a while.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use mis_sync_cli::Failure;
use mis_sync_domain::{Clock, SchoolId};
use mis_sync_wonde_sim::{Mis, SchoolSummary, Simulator, SimulatorOptions};
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    database,
    installation::Installation,
    minimal, row_by_row, whole_job,
    wire::{PAGE_SIZE, Pages},
};
use crate::private::{PrivateOptions, PrivateSystem, Transport};

/// High enough for Wonde's rate limit not to matter: it is the same for every program.
pub(super) const SETTINGS: &[(&str, u64)] =
    &[("wonde.rate_per_second", 1_000_000), ("wonde.page_size", PAGE_SIZE as u64)];

/// As long as the ones that the sync gives to new people.
const PASSWORD_HASH_LENGTH: usize = 90;

/// Where the comparison programs write.
const TABLES: [&str; 3] = [minimal::TABLE, row_by_row::TABLE, row_by_row::COMMITTED_TABLE];

/// What the programs took, round by round.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) whole_job: Times,
    pub(super) minimal: Times,
    pub(super) row_by_row: Times,
    pub(super) row_by_row_committed: Times,
    /// Rows of `staff` that unchanged syncs wrote, over all rounds.
    pub(super) rows_written: usize,
    /// Bytes that each unchanged sync wrote to the log of Postgres, with what other work there was.
    wal: Vec<u64>,
}

impl Measured {
    /// The median.
    pub(super) fn wal(&self) -> u64 {
        let mut sorted = self.wal.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

/// The settings of a school of which people alone are imported: the other programs know no more.
pub(super) fn people_only() -> Value {
    json!({ "import_classes": false })
}

/// What one program took.
#[derive(Default)]
pub(super) struct Times {
    /// With an empty school.
    pub(super) first: Vec<Duration>,
    /// With the same school once more, nothing having changed.
    pub(super) again: Vec<Duration>,
}

/// Rounds that do not count. Postgres plans a prepared statement again for its first five uses,
/// on each connection of the pool.
const WARM_UP: usize = 10;

/// Measures with schools of one size, in servers of their own.
pub(super) async fn measure(
    staff: u32,
    rounds: u32,
    transport: Transport,
) -> Result<Measured, Failure> {
    let options = PrivateOptions {
        simulator: Simulator::new(SimulatorOptions {
            schools: WARM_UP + rounds as usize,
            staff: staff as usize,
            mis: Some(Mis::Sims),
            ..SimulatorOptions::default()
        }),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        settings: SETTINGS,
        transport,
    };
    PrivateSystem::run(options, run).await
}

async fn run(system: &PrivateSystem) -> Result<Measured, Failure> {
    let bench = Bench {
        system,
        installation: system.installation()?,
        http: Client::builder().build()?,
        today: Clock::system().today(),
        password_hash: "x".repeat(PASSWORD_HASH_LENGTH),
        upsert: row_by_row::upsert_into(row_by_row::TABLE),
        upsert_committed: row_by_row::upsert_into(row_by_row::COMMITTED_TABLE),
    };
    for table in TABLES {
        bench.create_table(table).await?;
    }
    let mut measured = Measured::default();
    let schools = system.simulator.simulator().schools();
    for (round, school) in schools.iter().enumerate() {
        if round == WARM_UP {
            measured = Measured::default();
        }
        bench.round(school, &mut measured).await?;
    }
    Ok(measured)
}

/// What the programs share.
struct Bench<'a> {
    system: &'a PrivateSystem,
    installation: Installation,
    http: Client,
    today: NaiveDate,
    password_hash: String,
    upsert: Arc<str>,
    upsert_committed: Arc<str>,
}

impl Bench<'_> {
    async fn round(&self, school: &SchoolSummary, into: &mut Measured) -> Result<(), Failure> {
        let id = self.installation.connect(school, &people_only()).await?;
        into.whole_job.first.push(whole_job::sync(&self.installation, &id).await?);
        into.minimal.first.push(self.minimal(school, &id).await?);
        into.row_by_row.first.push(self.row_by_row(school, &id).await?);
        into.row_by_row_committed.first.push(self.row_by_row_committed(school, &id).await?);

        let before = self.row_versions(&id).await?;
        let log = self.end_of_log().await?;
        into.whole_job.again.push(whole_job::sync(&self.installation, &id).await?);
        into.wal.push(self.end_of_log().await?.saturating_sub(log));
        let after = self.row_versions(&id).await?;
        into.rows_written += after.difference(&before).count();
        into.minimal.again.push(self.minimal(school, &id).await?);
        into.row_by_row.again.push(self.row_by_row(school, &id).await?);
        into.row_by_row_committed.again.push(self.row_by_row_committed(school, &id).await?);

        for table in TABLES {
            self.check_same_people(&id, table).await?;
        }
        Ok(())
    }

    async fn minimal(&self, school: &SchoolSummary, id: &SchoolId) -> Result<Duration, Failure> {
        let started = Instant::now();
        let mut pages = self.pages(school);
        let mut tx = self.system.pool.begin().await.map_err(database)?;
        while let Some(people) = pages.next().await? {
            minimal::upsert(&mut tx, id, &self.password_hash, &people).await?;
        }
        tx.commit().await.map_err(database)?;
        Ok(started.elapsed())
    }

    async fn row_by_row(&self, school: &SchoolSummary, id: &SchoolId) -> Result<Duration, Failure> {
        let started = Instant::now();
        let mut pages = self.pages(school);
        let mut tx = self.system.pool.begin().await.map_err(database)?;
        while let Some(people) = pages.next().await? {
            row_by_row::upsert(&mut tx, &self.upsert, id, &self.password_hash, &people).await?;
        }
        tx.commit().await.map_err(database)?;
        Ok(started.elapsed())
    }

    async fn row_by_row_committed(
        &self,
        school: &SchoolSummary,
        id: &SchoolId,
    ) -> Result<Duration, Failure> {
        let started = Instant::now();
        let mut pages = self.pages(school);
        let mut db = self.system.pool.acquire().await.map_err(database)?;
        while let Some(people) = pages.next().await? {
            let hash = &self.password_hash;
            row_by_row::upsert(&mut db, &self.upsert_committed, id, hash, &people).await?;
        }
        Ok(started.elapsed())
    }

    fn pages<'a>(&'a self, school: &'a SchoolSummary) -> Pages<'a> {
        Pages::of(&self.http, &self.system.simulator.base_url(), school, self.today)
    }

    /// A table like `staff`: columns, checks, indexes and foreign keys.
    async fn create_table(&self, table: &str) -> Result<(), Failure> {
        self.execute(format!(
            "CREATE TABLE {table} (LIKE staff INCLUDING ALL,
                FOREIGN KEY (school_id) REFERENCES school (id),
                FOREIGN KEY (line_manager_id) REFERENCES {table} (id))"
        ))
        .await
    }

    async fn execute(&self, statement: String) -> Result<(), Failure> {
        #[expect(clippy::disallowed_methods, reason = "the table is made for the measurement")]
        let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
        statement.execute(&self.system.pool).await.map_err(database)?;
        Ok(())
    }

    /// How much Postgres has written to its log, in bytes.
    async fn end_of_log(&self) -> Result<u64, Failure> {
        #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
        let end: i64 =
            sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
                .fetch_one(&self.system.pool)
                .await
                .map_err(database)?;
        Ok(end.unsigned_abs())
    }

    /// Every version of a row has its own place and its own writer.
    async fn row_versions(
        &self,
        school: &SchoolId,
    ) -> Result<HashSet<(Uuid, String, String)>, Failure> {
        #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
        let rows =
            sqlx::query_as("SELECT id, ctid::text, xmin::text FROM staff WHERE school_id = $1")
                .bind(school.as_str())
                .fetch_all(&self.system.pool)
                .await
                .map_err(database)?;
        Ok(rows.into_iter().collect())
    }

    /// A comparison program that does less work would compare nothing: it has to hold all the
    /// people of the sync, field by field. (It may hold more: it has no rule for doubtful ones.)
    async fn check_same_people(&self, school: &SchoolId, table: &str) -> Result<(), Failure> {
        let fields = "wonde_id, upi, email, first_name, surname, initials, job_title, non_teaching";
        let statement = format!(
            "SELECT count(*), (SELECT count(*) FROM (
                SELECT {fields} FROM staff WHERE school_id = $1
                EXCEPT SELECT {fields} FROM {table} WHERE school_id = $1
            ) missing) FROM staff WHERE school_id = $1"
        );
        #[expect(clippy::disallowed_methods, reason = "a look that only the measurement takes")]
        let counts = sqlx::query_as(sqlx::AssertSqlSafe(statement));
        let (people, missing): (i64, i64) =
            counts.bind(school.as_str()).fetch_one(&self.system.pool).await.map_err(database)?;
        if people == 0 || missing > 0 {
            return Err(Failure::work(format!(
                "{table} does other work than the sync: of {people} people it lacks {missing}"
            )));
        }
        Ok(())
    }
}

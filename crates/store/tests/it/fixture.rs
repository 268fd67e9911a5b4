//! A database of the test's own, and the steps of a job in few words.

use std::time::Duration;

use mis_sync_domain::{
    ConnectSchool, Guard, Imports, Issue, IssueCode, JobFailure, JobId, JobKind, JobTitle, Lease,
    OwnedFields, Progress, Report, SchoolId, StaffRecord, Stage, SyncOptions, SyncRules, WorkEmail,
};
use mis_sync_store::{
    Error, Pool, TokenCipher,
    jobs::{self, Enqueued, NewJob},
    schools,
    staging::{self, MappedPage},
    sync::{self, Finished, Plan},
};
use mis_sync_testing::{Servers, connector, eventually, somebody, wonde_id_of};

use crate::rows;

/// Long enough for no lease and no deadline to end by itself.
pub(crate) const LONG: Duration = Duration::from_hours(1);
/// The MIS owns what it delivers.
pub(crate) const ALL_OWNED: OwnedFields =
    OwnedFields { initials: true, job_title: true, line_manager: true };
/// Everything follows the MIS, and nobody is deactivated or restored.
pub(crate) const RULES: SyncRules = SyncRules {
    owned: ALL_OWNED,
    restores: false,
    deactivates: false,
    imports: NOTHING_ELSE,
    clears_departments: false,
};
/// People and nothing else.
pub(crate) const NOTHING_ELSE: Imports = Imports {
    classes: false,
    subjects: false,
    class_staff: false,
    subject_staff: false,
    photos: false,
};
/// Whatever changes is applied: with three people in a school every change is a large one.
pub(crate) fn no_guard() -> Guard {
    Guard { enabled: false, ..Guard::default() }
}

/// A plan of a sync that is no dry run.
pub(crate) fn plan(lease: Lease, school: &SchoolId, rules: SyncRules) -> Plan<'_> {
    Plan { lease, school_id: school, rules, guard: no_guard(), dry_run: false }
}

/// Makes the comparison, which must not be held.
pub(crate) async fn finish(pool: &Pool, plan: Plan<'_>) -> Result<Report, Error> {
    match sync::finish(pool, plan, || Duration::ZERO).await? {
        Finished::Applied(report) => Ok(report),
        Finished::Held(report) => panic!("held: {:?}", report.guard),
    }
}

/// What a test that does not care says of its progress.
pub(crate) const PROGRESS: Progress = Progress { stage: Stage::Fetching, done: 1, total: None };

/// The store over its own Postgres.
pub(crate) struct TestStore {
    pub(crate) servers: Servers,
    pub(crate) pool: Pool,
}

impl TestStore {
    pub(crate) async fn start() -> Self {
        let servers = Servers::start().await;
        let pool = servers.pool();
        Self { servers, pool }
    }

    /// Connects a school of this id.
    pub(crate) async fn school(&self, id: &str) -> SchoolId {
        let school = connection(id);
        let (cipher, token) = (cipher(1), "t0ken".into());
        schools::connect(&self.pool, connector(&cipher, &somebody()), &school, Some(&token))
            .await
            .unwrap()
            .unwrap();
        school.id
    }

    /// A new sync of the school, which must have no unfinished one.
    pub(crate) async fn enqueue(&self, school: &SchoolId) -> JobId {
        self.enqueue_new(&new_sync(school)).await
    }

    pub(crate) async fn enqueue_new(&self, new: &NewJob) -> JobId {
        match jobs::enqueue(&self.pool, new, None).await.unwrap() {
            Enqueued::New(job) => job.id,
            Enqueued::Existing(job) => panic!("{} is unfinished", job.id),
        }
    }

    /// Claims a job that must be due.
    pub(crate) async fn claim(&self, job: JobId) -> Lease {
        self.claim_for(job, LONG).await
    }

    /// A claim whose lease has this length; one of zero has run out at once.
    ///
    /// A claim skips a row that is locked, and a refused write gives its lock back only when
    /// its connection is back in the pool.
    pub(crate) async fn claim_for(&self, job: JobId, lease: Duration) -> Lease {
        let claimed = eventually("the job can be claimed", async || {
            jobs::claim(&self.pool, job, "worker", lease).await.unwrap()
        });
        claimed.await.lease
    }

    /// A sync that a worker runs, with this list staged to its end.
    pub(crate) async fn staged(&self, school: &SchoolId, people: &[StaffRecord]) -> Lease {
        self.staged_with(&new_sync(school), ALL_OWNED, people).await
    }

    pub(crate) async fn staged_with(
        &self,
        new: &NewJob,
        owned: OwnedFields,
        people: &[StaffRecord],
    ) -> Lease {
        let job = self.enqueue_new(new).await;
        let lease = self.claim(job).await;
        staging::begin(&self.pool, lease, SyncRules { owned, ..RULES }, None, LONG).await.unwrap();
        self.add(lease, &page(people)).await.unwrap();
        lease
    }

    /// Stages a page. After the last one of a full list everybody who is missing counts as looked for
    /// and not found.
    pub(crate) async fn add(&self, lease: Lease, page: &MappedPage) -> Result<(), Error> {
        staging::add_page(&self.pool, lease, page, PROGRESS).await?;
        if page.next_page.is_none() && page.next_list.is_none() {
            rows::stage_missing_as_gone(&self.pool, lease.job_id).await;
        }
        Ok(())
    }

    pub(crate) async fn finish(&self, lease: Lease, school: &SchoolId) -> Result<Report, Error> {
        finish(&self.pool, plan(lease, school, RULES)).await
    }

    /// A whole sync of this list.
    pub(crate) async fn sync(&self, school: &SchoolId, people: &[StaffRecord]) -> (JobId, Report) {
        self.sync_owning(school, ALL_OWNED, people).await
    }

    pub(crate) async fn sync_owning(
        &self,
        school: &SchoolId,
        owned: OwnedFields,
        people: &[StaffRecord],
    ) -> (JobId, Report) {
        let lease = self.staged_with(&new_sync(school), owned, people).await;
        let report = self.finish(lease, school).await.unwrap();
        staging::discard(&self.pool, lease).await.unwrap();
        (lease.job_id, report)
    }

    /// A whole sync, or a dry run, of this page by these rules.
    pub(crate) async fn sync_page(
        &self,
        school: &SchoolId,
        rules: SyncRules,
        page: &MappedPage,
        dry_run: bool,
    ) -> (JobId, Report) {
        let job = self.enqueue(school).await;
        let lease = self.claim(job).await;
        staging::begin(&self.pool, lease, rules, None, LONG).await.unwrap();
        self.add(lease, page).await.unwrap();
        let plan = Plan { dry_run, ..plan(lease, school, rules) };
        let report = finish(&self.pool, plan).await.unwrap();
        staging::discard(&self.pool, lease).await.unwrap();
        (job, report)
    }

    /// A dry run of this list.
    pub(crate) async fn preview(
        &self,
        school: &SchoolId,
        people: &[StaffRecord],
    ) -> (JobId, Report) {
        let options = SyncOptions { dry_run: true, ..SyncOptions::default() };
        let new = NewJob { options, ..new_sync(school) };
        let lease = self.staged_with(&new, ALL_OWNED, people).await;
        let plan = Plan { dry_run: true, ..plan(lease, school, RULES) };
        (lease.job_id, finish(&self.pool, plan).await.unwrap())
    }

    /// Code and Wonde id of each issue of a job.
    pub(crate) async fn issues(&self, job: JobId) -> Vec<(IssueCode, String)> {
        let issues = jobs::issues(&self.pool, job, 0, 1000).await.unwrap();
        let pair = |(_, issue): (i64, Issue)| (issue.code, issue.wonde_id.unwrap_or_default());
        issues.into_iter().map(pair).collect()
    }
}

pub(crate) fn cipher(key: u8) -> TokenCipher {
    TokenCipher::from_hex(&format!("{key:02x}").repeat(32).into()).unwrap()
}

pub(crate) fn connection(id: &str) -> ConnectSchool {
    ConnectSchool {
        id: id.parse().unwrap(),
        name: format!("School {id}"),
        wonde_school_id: wonde_id_of(id),
        wonde_base_url: None,
        mis: None,
        settings: None,
    }
}

pub(crate) fn new_sync(school: &SchoolId) -> NewJob {
    NewJob {
        kind: JobKind::SyncSchool,
        school_id: school.clone(),
        staff_id: None,
        options: SyncOptions::default(),
        unique_key: format!("sync-school:{school}"),
        requested_by: "test".into(),
        deadline: LONG,
    }
}

pub(crate) fn failure(code: &str) -> JobFailure {
    JobFailure { code: code.into(), title: "It failed".into(), detail: "On purpose.".into() }
}

/// A person whose surname and email begin with the Wonde id, so that lists are easy to read.
pub(crate) fn person(wonde_id: &str) -> StaffRecord {
    StaffRecord {
        wonde_id: wonde_id.into(),
        upi: None,
        email: email(&format!("{wonde_id}@oak.example")),
        first_name: "Robin".into(),
        surname: wonde_id.into(),
        initials: None,
        job_title: JobTitle::NotDelivered,
        non_teaching: None,
        hierarchy: None,
    }
}

pub(crate) fn with_email(wonde_id: &str, address: &str) -> StaffRecord {
    StaffRecord { email: email(address), ..person(wonde_id) }
}

pub(crate) fn with_upi(wonde_id: &str, upi: &str) -> StaffRecord {
    StaffRecord { upi: Some(upi.into()), ..person(wonde_id) }
}

pub(crate) fn email(address: &str) -> WorkEmail {
    WorkEmail::parse(address).unwrap()
}

/// A last page that holds nothing but these people.
pub(crate) fn page(people: &[StaffRecord]) -> MappedPage {
    let count = u64::try_from(people.len()).unwrap();
    MappedPage {
        staff: (0..).zip(people.iter().cloned()).collect(),
        fetched: count,
        current: count,
        employment_said: count,
        requests: 1,
        ..MappedPage::default()
    }
}

/// The same with more to come.
pub(crate) fn page_before(people: &[StaffRecord], next_page: &str) -> MappedPage {
    MappedPage { next_page: Some(next_page.into()), ..page(people) }
}

//! A database for one test, and the steps of a job in few words.

use std::time::Duration;

use mis_sync_domain::{
    ConnectSchool, Guard, Imports, Issue, IssueCode, JobFailure, JobId, JobTitle, Lease,
    OwnedFields, Progress, Report, SchoolId, StaffRecord, Stage, SyncOptions, SyncRules,
    SyncSchool, Update, WorkEmail,
    plan::{Fetched, Gone, List, MappedPage, Next},
};
use mis_sync_store::{
    Error, Pool, TokenCipher,
    fetches::{self, KeptFetch},
    jobs::{self, Enqueued, NewJob},
    schools,
    sync::{self, Finished},
};
use mis_sync_testing::{Servers, a_person, connector, eventually, wonde_id_of};
use serde_json::Value;

/// Long enough that no lease and no deadline ends by itself.
pub(crate) const LONG: Duration = Duration::from_hours(1);
/// The MIS owns what it delivers.
pub(crate) const ALL_OWNED: OwnedFields =
    OwnedFields { initials: true, job_title: true, line_manager: true };
/// Everything follows the MIS, and no one is deactivated or restored.
pub(crate) const RULES: SyncRules = SyncRules {
    owned: ALL_OWNED,
    hierarchy_lists: None,
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
/// Applies all changes: with three people in a school every change is a large one.
pub(crate) fn no_guard() -> Guard {
    Guard { enabled: false, ..Guard::default() }
}

/// A sync of what was kept of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) lease: Lease,
    pub(crate) school_id: &'a SchoolId,
    pub(crate) rules: SyncRules,
    pub(crate) guard: Guard,
    pub(crate) dry_run: bool,
}

/// A plan of a sync that is not a dry run.
pub(crate) fn plan(lease: Lease, school: &SchoolId, rules: SyncRules) -> Plan<'_> {
    Plan { lease, school_id: school, rules, guard: no_guard(), dry_run: false }
}

/// Compares; the job must not be held.
pub(crate) async fn finish(pool: &Pool, plan: Plan<'_>) -> Result<Report, Error> {
    match try_finish(pool, plan).await? {
        Finished::Applied(report) => Ok(report),
        Finished::Held(report) => panic!("held: {:?}", report.guard),
    }
}

/// Compares what another worker would continue with.
pub(crate) async fn try_finish(pool: &Pool, plan: Plan<'_>) -> Result<Finished, Error> {
    let fetched = kept(pool, plan.lease).await?.into_fetched().expect("the fetch is complete");
    sync::finish(pool, plan.of(&fetched), || Duration::ZERO).await
}

impl<'a> Plan<'a> {
    pub(crate) fn of(self, fetched: &'a Fetched) -> sync::Plan<'a> {
        let Self { lease, school_id, rules, guard, dry_run } = self;
        sync::Plan { lease, school_id, fetched, rules, guard, dry_run }
    }
}

/// What was kept of a fetch, or a new one.
pub(crate) async fn kept(pool: &Pool, lease: Lease) -> Result<KeptFetch, Error> {
    fetches::begin(pool, lease, None, LONG).await
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
        schools::connect(&self.pool, connector(&cipher, &a_person()), &school, Some(&token))
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

    /// A claim whose lease has this length; one of zero expires at once.
    ///
    /// A claim skips a locked row, and a refused write releases its lock only when its connection
    /// is back in the pool.
    pub(crate) async fn claim_for(&self, job: JobId, lease: Duration) -> Lease {
        let claimed = eventually("the job can be claimed", async || {
            jobs::claim(&self.pool, job, "worker", lease, jobs::Leaves::NOTHING).await.unwrap()
        });
        claimed.await.lease
    }

    /// A sync that a worker runs, with this list staged to its end.
    pub(crate) async fn staged(&self, school: &SchoolId, people: &[StaffRecord]) -> Lease {
        self.staged_with(&new_sync(school), people).await
    }

    pub(crate) async fn staged_with(&self, new: &NewJob, people: &[StaffRecord]) -> Lease {
        let job = self.enqueue_new(new).await;
        let lease = self.claim(job).await;
        self.add(lease, &page(people)).await.unwrap();
        lease
    }

    /// Keeps the last page of a full list of staff. Everyone who is missing from it counts as asked
    /// for and not found.
    pub(crate) async fn add(&self, lease: Lease, page: &MappedPage) -> Result<(), Error> {
        self.keep(lease, List::Employees, page, Next::Over).await?;
        self.find_nobody_missing(lease).await
    }

    /// Keeps a page of a list of staff that continues.
    pub(crate) async fn add_before(
        &self,
        lease: Lease,
        page: &MappedPage,
        next: &str,
    ) -> Result<(), Error> {
        self.keep(lease, List::Employees, page, Next::At(next.into())).await
    }

    /// Keeps whole lists of staff and of classes.
    pub(crate) async fn add_with_classes(
        &self,
        lease: Lease,
        people: &MappedPage,
        classes: &MappedPage,
    ) -> Result<(), Error> {
        self.keep(lease, List::Classes, classes, Next::Over).await?;
        self.add(lease, people).await
    }

    pub(crate) async fn keep(
        &self,
        lease: Lease,
        list: List,
        page: &MappedPage,
        next: Next<Value>,
    ) -> Result<(), Error> {
        let mut fetch = kept(&self.pool, lease).await?;
        fetches::keep(&self.pool, lease, &mut fetch, list, page.clone(), next, PROGRESS).await
    }

    /// The result of a sync if Wonde knows none of the people who are missing from the full list.
    async fn find_nobody_missing(&self, lease: Lease) -> Result<(), Error> {
        let fetch = kept(&self.pool, lease).await?;
        if !fetch.is_full() {
            return Ok(());
        }
        let school = jobs::get(&self.pool, lease.job_id).await?.unwrap().school_id.unwrap();
        let reading = fetches::missing(&self.pool, &fetch, &school, List::Employees).await?;
        let employees = reading.missing.into_iter().map(|missing| missing.wonde_id).collect();
        let gone = Gone { employees, ..Gone::default() };
        let page = MappedPage { gone, ..MappedPage::default() };
        self.keep(lease, List::Missing, &page, Next::Over).await
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
        let lease = self.staged_with(&new_sync(school), people).await;
        let rules = SyncRules { owned, ..RULES };
        let report = finish(&self.pool, plan(lease, school, rules)).await.unwrap();
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
        self.add(lease, page).await.unwrap();
        let plan = Plan { dry_run, ..plan(lease, school, rules) };
        let report = finish(&self.pool, plan).await.unwrap();
        (job, report)
    }

    /// A dry run of this list.
    pub(crate) async fn preview(
        &self,
        school: &SchoolId,
        people: &[StaffRecord],
    ) -> (JobId, Report) {
        let options = SyncOptions { dry_run: true, ..SyncOptions::default() };
        let new = NewJob::of(&SyncSchool { school_id: school.clone(), options }, "test");
        let lease = self.staged_with(&new, people).await;
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
        mis: Update::Keep,
        settings: None,
        callback_url: Update::Keep,
    }
}

pub(crate) fn new_sync(school: &SchoolId) -> NewJob {
    let sync = SyncSchool { school_id: school.clone(), options: SyncOptions::default() };
    NewJob { deadline: LONG, ..NewJob::of(&sync, "test") }
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

pub(crate) fn email(address: &str) -> Option<WorkEmail> {
    let email = WorkEmail::parse(address).ok();
    assert!(email.is_some(), "{address}");
    email
}

/// A last page with only these people.
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

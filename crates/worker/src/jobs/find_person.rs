//! Looks a person up in the school's list of staff, and says what the next sync would make of them. It
//! keeps nothing but the answer, and that for minutes.

use std::time::Duration;

use futures::TryStreamExt;
use mis_sync_domain::{
    FindPerson, FoundInMis, IssueCode, Mis, NameQuery, PersonInMis, Reading, RecordKind,
    RecordOutcome, School, SyncMode, SyncOptions, SyncRules, WorkEmail,
    explain::{self, Evidence},
    plan::{Fetched, Label},
};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{
    person_search, schools,
    sync::{Preview, preview},
};
use mis_sync_wonde::{EmployeeInclude, EmployeeQuery, Error as WondeError, SchoolClient};
use tokio::time::timeout;

use super::{Run, connection, sync_school};
use crate::{
    Context, SyncError,
    mapping::{MappingRules, map_page},
};

/// A person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most people in an answer.
const MOST: usize = 20;

impl Run for FindPerson {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        find(context, claimed, &self).await?;
        Ok(Done::Succeeded)
    }
}

async fn find(context: &Context, claimed: &Claimed, job: &FindPerson) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let keep =
        async |found| person_search::keep_answer(pool, claimed.lease, job.search_id, &found).await;
    let Some(text) = person_search::question(pool, job.search_id).await? else {
        // The question is no longer kept, so no one waits for an answer.
        return Ok(keep(FoundInMis { listed: 0, people: Vec::new(), has_more: false }).await?);
    };
    let (school, client) =
        connection::open(context, &context.wonde_at_login, &job.school_id).await?;
    let mis = school.mis.as_deref().and_then(|spelling| context.mis.find(spelling));
    let rules = MappingRules::of_school(context.clock.today(), mis, &school.settings);
    let read = timeout(PATIENCE, List::read(&client, rules, context)).await;
    let list = match read.unwrap_or(Err(SyncError::TooSlow)) {
        Err(SyncError::Wonde(WondeError::Unauthorized)) => {
            schools::mark_token_rejected(pool, &school).await?;
            return Err(WondeError::Unauthorized.into());
        }
        list => list?,
    };
    let sync = SyncRules::decide(mis, &school.settings, SyncOptions::default());
    let mut previews = preview(pool, claimed.job.id, &school.id, &list.fetched, sync).await?;
    let sought = Sought::new(&text);
    let mut people: Vec<PersonInMis> = list
        .people()
        .filter(|label| sought.is(label, &list.fetched))
        .filter_map(|label| {
            let preview = previews.remove(&label.wonde_id)?;
            Some(list.say(label, preview, &school, mis))
        })
        .collect();
    let has_more = people.len() > MOST;
    people.truncate(MOST);
    let found = FoundInMis { listed: list.fetched.counts.records, people, has_more };
    tracing::info!(found.people = found.people.len(), found.listed, "looked a person up");
    Ok(keep(found).await?)
}

/// The school's list of staff.
struct List {
    fetched: Fetched,
    reading: Reading,
}

impl List {
    /// Reads the list with the includes that decide who is imported. What the school refuses is left
    /// out, as in a sync.
    async fn read(
        client: &SchoolClient,
        mut rules: MappingRules,
        context: &Context,
    ) -> Result<Self, SyncError> {
        let mut issues = Vec::new();
        let fetched = loop {
            let include: Vec<EmployeeInclude> = rules
                .includes()
                .into_iter()
                .filter(|include| *include != EmployeeInclude::Hierarchy)
                .collect();
            match read_pages(client, &include, rules, context).await {
                Ok(fetched) => break fetched,
                Err(error @ (WondeError::Forbidden { .. } | WondeError::InvalidInclude { .. })) => {
                    let refused = sync_school::refused(client, &include, &error).await?;
                    if refused.is_empty() {
                        return Err(error.into());
                    }
                    issues.extend(refused.iter().filter_map(|one| sync_school::withheld(*one)));
                    rules.leave_out(&refused);
                }
                Err(error) => return Err(error.into()),
            }
        };
        if fetched.counts.records > 0 && fetched.counts.employment_said == 0 {
            issues.push(IssueCode::EmploymentWithheld);
        }
        let reading = Reading {
            job_id: mis_sync_domain::JobId(uuid::Uuid::nil()),
            mode: SyncMode::Full,
            dry_run: true,
            read_at: fetched.started_at,
            issues,
        };
        Ok(Self { fetched, reading })
    }

    fn people(&self) -> impl Iterator<Item = &Label> {
        self.fetched.labels.iter().filter(|label| label.record == RecordKind::Staff)
    }

    /// What the ordinary rules say of a record.
    fn say(
        &self,
        label: &Label,
        preview: Preview,
        school: &School,
        mis: Option<&Mis>,
    ) -> PersonInMis {
        let Preview { sighting, account, issues } = preview;
        let outcome = sighting.outcome;
        let in_short =
            explain::in_short(account.as_ref().map(|account| account.active), Some(outcome));
        let staff_id = account.as_ref().map(|account| account.id);
        let is_there = account.as_ref().is_some_and(|account| account.active);
        let evidence = Evidence {
            reading: Some(self.reading.clone()),
            sighting: Some(sighting),
            account,
            fields: Vec::new(),
            issues,
            has_login_elsewhere: false,
        };
        // Fields are not compared here; the page of the person does that.
        let sentence = if is_there && outcome == RecordOutcome::Imported {
            "The page of this person compares every field with the MIS.".to_owned()
        } else {
            explain::explain(&evidence, &school.settings, mis).sentence
        };
        PersonInMis {
            wonde_id: label.wonde_id.clone(),
            staff_id,
            name: label.name.clone(),
            mis_id: label.mis_id.clone(),
            in_short,
            sentence,
        }
    }
}

async fn read_pages(
    client: &SchoolClient,
    include: &[EmployeeInclude],
    rules: MappingRules,
    context: &Context,
) -> Result<Fetched, WondeError> {
    let query = EmployeeQuery { include: include.to_vec(), ..EmployeeQuery::default() };
    let pages = client.employees(&query, None);
    futures::pin_mut!(pages);
    let mut fetched = Fetched { started_at: context.clock.now(), ..Fetched::default() };
    let mut first = 0;
    while let Some(page) = pages.try_next().await? {
        first = fetched.take(map_page(&page, rules), first);
    }
    Ok(fetched)
}

/// Whom the question is about.
struct Sought<'a> {
    text: &'a str,
    name: Option<NameQuery>,
}

impl<'a> Sought<'a> {
    fn new(text: &'a str) -> Self {
        let name = NameQuery::parse(text).filter(|_| !text.contains('@'));
        Self { text, name }
    }

    fn is(&self, label: &Label, fetched: &Fetched) -> bool {
        let is_text = |text: &str| text.to_lowercase() == self.text.to_lowercase();
        let is_named = |name: &String| self.name.as_ref().is_some_and(|query| query.matches(name));
        if is_text(&label.wonde_id)
            || label.mis_id.as_deref().is_some_and(is_text)
            || label.name.as_ref().is_some_and(is_named)
        {
            return true;
        }
        let has_id = |wonde_id: &str| wonde_id == label.wonde_id;
        let current = fetched.staff.iter().map(|(_, one)| one).find(|one| has_id(&one.wonde_id));
        let left_out = fetched.left_out.iter().find(|one| has_id(&one.wonde_id));
        let email = current.and_then(|one| one.email.as_ref()).map(WorkEmail::as_str);
        let texts = [
            email,
            left_out.and_then(|one| one.email.as_deref()),
            current.and_then(|one| one.upi.as_deref()),
            left_out.and_then(|one| one.upi.as_deref()),
        ];
        texts.into_iter().flatten().any(is_text)
    }
}

//! Asks Wonde whether it accepts a school's token, and what the school grants. It reads a few records
//! and keeps none of them.

use futures::{Stream, future::try_join_all};
use mis_sync_domain::{
    Capability, CheckSchool, CheckedPart, Grant, GrantState, Mis, School, SchoolCheck,
    SchoolSettings, TokenState, TokenVerdict,
};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::schools;
use mis_sync_wonde::{
    Class, ClassInclude, Employee, EmployeeInclude, EmployeeQuery, Error as WondeError, Page,
    SchoolClient,
};

use super::{Run, connection, sync_school::first_page};
use crate::{Context, SyncError};

/// How many people are looked at.
const SAMPLE: u32 = 20;

/// The parts that come with a person, and what they are asked for with.
const OF_PEOPLE: [(CheckedPart, EmployeeInclude); 5] = [
    (CheckedPart::WorkEmails, EmployeeInclude::ContactDetails),
    (CheckedPart::Employment, EmployeeInclude::EmploymentDetails),
    (CheckedPart::JobTitles, EmployeeInclude::Roles),
    (CheckedPart::LineManagers, EmployeeInclude::Hierarchy),
    (CheckedPart::Photos, EmployeeInclude::Photo),
];

impl Run for CheckSchool {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        check(context, claimed, &self).await?;
        Ok(Done::Succeeded)
    }
}

async fn check(context: &Context, claimed: &Claimed, job: &CheckSchool) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let (school, client) =
        connection::open(context, &context.wonde_at_login, &job.school_id).await?;
    let (token, wonde_name) = ask_for_token(context, &school, &client).await?;
    let grants = match token {
        TokenVerdict::Accepted => grants(context, &school, &client).await?,
        _ => Vec::new(),
    };
    let check = SchoolCheck { checked_at: context.clock.now(), token, wonde_name, grants };
    tracing::info!(check.token = token.as_str(), check.missing = check.missing().len(), "checked");
    Ok(schools::keep_check(pool, claimed.lease, &school, &check).await?)
}

async fn ask_for_token(
    context: &Context,
    school: &School,
    client: &SchoolClient,
) -> Result<(TokenVerdict, Option<String>), SyncError> {
    let pool = context.queue.pool();
    // Postgres cannot hold a NUL.
    let plain = |text: String| text.replace(char::is_control, " ");
    let verdict = match client.school().await {
        Ok(found) => {
            if school.token == TokenState::Rejected {
                schools::mark_token_accepted(pool, school).await?;
            }
            if let Some(mis) = found.mis.map(plain) {
                schools::note_mis(pool, &school.id, &mis).await?;
            }
            return Ok((TokenVerdict::Accepted, found.name.map(plain)));
        }
        Err(WondeError::Unauthorized) => {
            schools::mark_token_rejected(pool, school).await?;
            TokenVerdict::Refused
        }
        Err(WondeError::Forbidden { .. }) => TokenVerdict::NotApproved,
        Err(WondeError::NotFound) => TokenVerdict::UnknownSchool,
        Err(error) => return Err(error.into()),
    };
    Ok((verdict, None))
}

async fn grants(
    context: &Context,
    school: &School,
    client: &SchoolClient,
) -> Result<Vec<Grant>, SyncError> {
    // The token's check may have learnt the MIS.
    let known = schools::get(context.queue.pool(), &school.id).await?.and_then(|school| school.mis);
    let mis = known.as_deref().and_then(|spelling| context.mis.find(spelling));
    let unwanted = |part| unwanted(part, mis, &school.settings);
    let (people, groups) =
        tokio::try_join!(of_people(client, unwanted), of_groups(client, unwanted))?;
    let asked = people.into_iter().chain(groups);
    let grant = |part| {
        let state = asked.clone().find(|(found, _)| *found == part).map(|(_, state)| state);
        let state = state.or_else(|| unwanted(part)).unwrap_or(GrantState::NotGranted);
        Grant { part, state }
    };
    Ok(CheckedPart::ALL.iter().copied().map(grant).collect())
}

/// Why a part is not asked for; `None` if it is.
fn unwanted(part: CheckedPart, mis: Option<&Mis>, settings: &SchoolSettings) -> Option<GrantState> {
    let (needs, is_imported) = match part {
        CheckedPart::Staff | CheckedPart::WorkEmails | CheckedPart::Employment => (None, true),
        CheckedPart::JobTitles => (Some(Capability::Roles), true),
        CheckedPart::LineManagers => (Some(Capability::ReportsTo), true),
        CheckedPart::Photos => (Some(Capability::Photo), settings.import_photos),
        CheckedPart::Classes => (None, settings.import_classes),
        CheckedPart::ClassStaff => (Some(Capability::ClassStaff), settings.import_classes),
        CheckedPart::Subjects => (None, settings.import_subjects),
    };
    if !is_imported {
        return Some(GrantState::NotImported);
    }
    needs.is_some_and(|needs| !Mis::supports(mis, needs)).then_some(GrantState::NotInMis)
}

/// The people, and what comes with them. Each include is asked for alone, because a refusal does not
/// say reliably which one it is about.
async fn of_people(
    client: &SchoolClient,
    unwanted: impl Fn(CheckedPart) -> Option<GrantState>,
) -> Result<Vec<(CheckedPart, GrantState)>, WondeError> {
    let staff = state(people(client, None).await?.as_deref(), |_| true);
    if staff != GrantState::Granted {
        return Ok(vec![(CheckedPart::Staff, staff)]);
    }
    let wanted = OF_PEOPLE.iter().filter(|(part, _)| unwanted(*part).is_none());
    let ask = async |(part, include): &(CheckedPart, EmployeeInclude)| {
        let people = people(client, Some(*include)).await?;
        Ok::<_, WondeError>((*part, state(people.as_deref(), |person| has(person, *include))))
    };
    let mut states = try_join_all(wanted.map(ask)).await?;
    states.push((CheckedPart::Staff, staff));
    Ok(states)
}

/// The first people of the list; `None` if the school refuses them.
async fn people(
    client: &SchoolClient,
    include: Option<EmployeeInclude>,
) -> Result<Option<Vec<Employee>>, WondeError> {
    // A photo has about 100 KB.
    let page_size = if include == Some(EmployeeInclude::Photo) { 1 } else { SAMPLE };
    let query = EmployeeQuery {
        include: include.into_iter().collect(),
        page_size: Some(page_size),
        ..EmployeeQuery::default()
    };
    records(client.employees(&query, None)).await
}

/// Whether the person has what was asked for.
fn has(person: &Employee, include: EmployeeInclude) -> bool {
    match include {
        EmployeeInclude::ContactDetails => {
            let details = person.contact_details.delivered().and_then(Option::as_ref);
            details.is_some_and(|details| details.emails.work.is_some())
        }
        EmployeeInclude::EmploymentDetails => {
            person.employment_details.delivered().is_some_and(Option::is_some)
        }
        EmployeeInclude::Roles => person.roles.delivered().is_some_and(|roles| !roles.is_empty()),
        EmployeeInclude::Hierarchy => {
            person.hierarchy.delivered().is_some_and(|others| !others.is_empty())
        }
        // One person need not have one.
        EmployeeInclude::Photo | EmployeeInclude::Classes => true,
    }
}

async fn of_groups(
    client: &SchoolClient,
    unwanted: impl Fn(CheckedPart) -> Option<GrantState>,
) -> Result<Vec<(CheckedPart, GrantState)>, WondeError> {
    let mut states = Vec::new();
    if unwanted(CheckedPart::Classes).is_none() {
        let classes = records(client.classes(&[], None, None)).await?;
        let of_classes = state(classes.as_deref(), |_| true);
        states.push((CheckedPart::Classes, of_classes));
        if of_classes == GrantState::Granted && unwanted(CheckedPart::ClassStaff).is_none() {
            let classes = records(client.classes(&[ClassInclude::Employees], None, None)).await?;
            let has_staff =
                |class: &Class| class.employees.delivered().is_some_and(|staff| !staff.is_empty());
            states.push((CheckedPart::ClassStaff, state(classes.as_deref(), has_staff)));
        }
    }
    if unwanted(CheckedPart::Subjects).is_none() {
        let subjects = records(client.subjects(None, None)).await?;
        states.push((CheckedPart::Subjects, state(subjects.as_deref(), |_| true)));
    }
    Ok(states)
}

/// The records of the first page of a list; `None` if the school refuses it.
async fn records<T>(
    pages: impl Stream<Item = Result<Page<T>, WondeError>>,
) -> Result<Option<Vec<T>>, WondeError> {
    let page = first_page(pages).await?;
    Ok(page.map(|page| page.into_iter().flat_map(|page| page.records).flatten().collect()))
}

/// A school that does not grant a part may get empty values in place of it.
fn state<T>(records: Option<&[T]>, has_value: impl Fn(&T) -> bool) -> GrantState {
    match records {
        None => GrantState::NotGranted,
        Some(records) if records.iter().any(has_value) => GrantState::Granted,
        Some(_) => GrantState::Empty,
    }
}

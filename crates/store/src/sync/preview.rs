//! What a sync would conclude about each record of a list, without writing anything.

use std::collections::HashMap;

use mis_sync_domain::{
    IssueCode, JobId, SchoolId, Sighting, SyncRules,
    explain::Account,
    plan::{self, Fetched, Ref, Rules},
};
use sqlx::PgPool;

use super::held;
use crate::Error;

/// A record as a sync would see it.
#[derive(Debug, Clone)]
pub struct Preview {
    pub sighting: Sighting,
    /// The account in iP that it belongs to.
    pub account: Option<Account>,
    pub issues: Vec<IssueCode>,
}

/// Compares a list with iP's record by the ordinary plan; by Wonde id. `job_id` is the job that read
/// the list.
pub async fn preview(
    pool: &PgPool,
    job_id: JobId,
    school_id: &SchoolId,
    fetched: &Fetched,
    rules: SyncRules,
) -> Result<HashMap<String, Preview>, Error> {
    let rules = Rules {
        sync: rules,
        left_out: Vec::new(),
        leave_people: Vec::new(),
        has_many_recent_leavers: false,
    };
    let mut tx = crate::begin(pool).await?;
    let held = held::read_school(&mut tx, school_id, fetched, &rules, None).await?;
    tx.rollback().await?;
    let plan = plan::plan(&held, fetched, &rules);
    let accounts: HashMap<_, _> = held.people.iter().map(|one| (one.id, one)).collect();
    // The plan has the evidence that differs from what was known.
    let known = held.evidence.iter().map(|(wonde_id, evidence)| (wonde_id.clone(), evidence));
    let seen = plan.sightings.seen.iter().map(|(wonde_id, evidence)| (wonde_id.clone(), evidence));
    let all: HashMap<String, &plan::Evidence> = known.chain(seen).collect();
    let preview = |(wonde_id, evidence): (String, &plan::Evidence)| {
        let staff_id = match evidence.staff {
            Some(Ref::Known(id)) => Some(id),
            _ => None,
        };
        let sighting = Sighting {
            has_email: evidence.email_key.is_some(),
            standing: evidence.standing,
            starts_on: evidence.starts_on,
            ends_on: evidence.ends_on,
            teaching: evidence.teaching,
            outcome: evidence.outcome,
            staff_id,
            matched_by: evidence.matched_by,
            job_id,
            seen_at: fetched.started_at,
            wonde_id: wonde_id.clone(),
        };
        let account = staff_id.and_then(|id| accounts.get(&id)).map(|one| Account {
            id: one.id,
            wonde_id: one.person.wonde_id.clone(),
            active: one.person.active,
        });
        let issues = plan.issues.iter().filter(|one| one.wonde_id.as_ref() == Some(&wonde_id));
        let issues = issues.map(|one| one.code).collect();
        (wonde_id, Preview { sighting, account, issues })
    };
    Ok(all.into_iter().map(preview).collect())
}

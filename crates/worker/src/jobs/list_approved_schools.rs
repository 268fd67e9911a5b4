//! Asks Wonde which schools a token can see. The token is in a draft, and so is the answer.

use futures::TryStreamExt;
use mis_sync_domain::{ApprovedSchool, ListApprovedSchools};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{
    connection_drafts::{self, OpenDraft},
    jobs,
};
use mis_sync_wonde::{Error as WondeError, ListedSchool};

use super::Run;
use crate::{Context, SyncError};

/// The most schools that a person can choose from.
const MOST: usize = 1_000;

impl Run for ListApprovedSchools {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        list(context, claimed, &self).await?;
        Ok(Done::Succeeded)
    }
}

async fn list(
    context: &Context,
    claimed: &Claimed,
    job: &ListApprovedSchools,
) -> Result<(), SyncError> {
    let (pool, cipher) = (context.queue.pool(), &context.cipher);
    let Some(draft) = connection_drafts::open(pool, cipher, job.draft_id).await? else {
        return Ok(jobs::finish(pool, claimed.lease).await?);
    };
    let found = ask(context, &draft).await;
    let found = found.as_deref().map_err(|error| problem(error));
    Ok(connection_drafts::keep(pool, claimed.lease, job.draft_id, found).await?)
}

async fn ask(context: &Context, draft: &OpenDraft) -> Result<Vec<ApprovedSchool>, WondeError> {
    let address = draft.wonde_base_url.as_deref().map(|url| context.wonde_hosts.check(url));
    let address = address.transpose().map_err(|_| WondeError::AddressRefused)?;
    let wonde = &context.wonde_at_login;
    let pages = wonde.approved_schools(&draft.token, address.as_ref())?;
    futures::pin_mut!(pages);
    let mut schools = Vec::new();
    while let Some(page) = pages.try_next().await? {
        schools.extend(page.records.into_iter().flatten().map(school));
        if schools.len() >= MOST {
            break;
        }
    }
    schools.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(schools)
}

fn school(listed: ListedSchool) -> ApprovedSchool {
    // Postgres cannot hold a NUL.
    let plain = |text: String| text.replace(char::is_control, " ");
    let id = listed.id.to_string();
    let address = listed.address.unwrap_or_default();
    ApprovedSchool {
        name: listed.name.map_or_else(|| id.clone(), plain),
        town: address.town.map(plain),
        postcode: address.postcode.map(plain),
        mis: listed.mis.map(plain),
        id,
    }
}

/// Why there is no list, for the person who waits for it.
fn problem(error: &WondeError) -> &'static str {
    match error {
        WondeError::Unauthorized => "Wonde refuses this token. Check it and start again.",
        WondeError::Forbidden { .. } => "Wonde lists no schools for this token.",
        WondeError::AddressRefused => "The Wonde address is not allowed.",
        _ => "Wonde could not be asked for its list of schools.",
    }
}

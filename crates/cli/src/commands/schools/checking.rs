//! Whether Wonde accepts a school's token, and what the school grants.

use mis_sync_control as control;
use mis_sync_domain::{School, SchoolId};
use mis_sync_queue::Queue;
use mis_sync_store::{Pool, schools};

use crate::{
    commands::{
        COMMAND_LINE,
        follow::{Shown, follow},
        print,
        sync::find_school,
        words,
    },
    config::Config,
    exit::Failure,
};

/// Checks a school and waits for the result. A worker has to be running.
pub(super) async fn run(
    config: &Config,
    pool: Pool,
    id: &SchoolId,
    json: bool,
) -> Result<(), Failure> {
    let school = find_school(&pool, id).await?;
    let new = control::check(&school, COMMAND_LINE)
        .map_err(|refused| Failure::work(refused.to_string()))?;
    let queue = Queue::new(pool, config.redis.open()?);
    let job = queue.enqueue(&new, None).await?.job().id;
    let job = follow(queue.pool(), job, Shown::Nothing).await?;
    words::require_success(&job)?;
    let school = schools::get(queue.pool(), id).await?;
    let changed = || Failure::work("the school was changed while it was checked");
    let school = school.filter(|school| school.last_check.is_some()).ok_or_else(changed)?;
    let check = school.last_check.as_ref().ok_or_else(changed)?;
    if json {
        return print(&mis_sync_api::json::check(check).to_string());
    }
    print(check.token.sentence())?;
    for grant in &check.grants {
        print(&format!("  {:<15} {}", grant.part.label(), grant.state.as_str().replace('_', " ")))?;
    }
    print_missing(&school)
}

/// When the school was last checked.
pub(super) fn when(school: &School) -> String {
    school.last_check.as_ref().map_or_else(
        || "never".to_owned(),
        |check| check.checked_at.format("%Y-%m-%d %H:%M").to_string(),
    )
}

/// What the last check found to be missing.
pub(super) fn print_missing(school: &School) -> Result<(), Failure> {
    for missing in school.last_check.iter().flat_map(mis_sync_domain::SchoolCheck::missing) {
        print(&missing)?;
    }
    Ok(())
}

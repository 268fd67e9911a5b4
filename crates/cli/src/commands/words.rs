//! Reports what a sync did, in words that a school understands.

use std::collections::BTreeMap;

use mis_sync_domain::{Affected, Issue, Job, JobState, Report};
use mis_sync_store::{Pool, jobs};

use crate::{commands::print, exit::Failure};

/// Ids shown for each reason; `jobs issues` has the whole list.
const IDS_SHOWN: usize = 5;
/// Rows read at a time.
const PAGE: i64 = 1000;

/// Tells what became of a job for the school of this name. One that did not succeed is a
/// failure.
pub async fn tell(pool: &Pool, job: &Job, school: &str) -> Result<(), Failure> {
    require_success(job)?;
    tell_report(pool, job, school).await
}

/// Prints the report of a job in any state, if it has one.
pub(crate) async fn tell_report(pool: &Pool, job: &Job, school: &str) -> Result<(), Failure> {
    let Some(report) = &job.report else { return Ok(()) };
    print(&headline(report, school, job.options.dry_run))?;
    for (number, text) in lines(report, job.options.dry_run) {
        print(&format!("  {number:>8}  {text}"))?;
    }
    tell_reasons(pool, job).await
}

/// The failure of a command whose job did not succeed.
pub(crate) fn require_success(job: &Job) -> Result<(), Failure> {
    let why = match (job.state, &job.error) {
        (JobState::Succeeded, _) => return Ok(()),
        (JobState::Held, _) => {
            let guard = job.report.iter().flat_map(|report| &report.guard);
            let held_for: Vec<_> = guard.map(Affected::sentence).collect();
            format!(
                "it would make an unusually large change, which needs approval ({}). `mis-sync jobs \
                 changes` shows what it would do, `mis-sync jobs approve` and `reject` decide",
                held_for.join("; ")
            )
        }
        (_, Some(error)) => format!("{}. {}", error.title, error.detail),
        (_, None) => "no reason given".to_owned(),
    };
    Err(Failure::work(format!("the job {} ended as {}: {why}", job.id, job.state)))
}

fn headline(report: &Report, school: &str, dry_run: bool) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
    let seconds = report.duration_ms as f64 / 1000.0;
    if dry_run {
        format!(
            "\n  Done in {seconds:.2} s, as a dry run: nothing was changed. A sync of {school} would:\n"
        )
    } else {
        format!("\n  Done in {seconds:.2} s. {school} has in iP what its MIS says:\n")
    }
}

fn lines(report: &Report, dry_run: bool) -> [(u64, String); 9] {
    let (are, left) = if dry_run {
        ("would be", "people have left and could no longer log in")
    } else {
        ("are", "people have left and can no longer log in")
    };
    [
        (report.fetched, format!("staff records read, with {} requests to Wonde", report.requests)),
        (
            report.fetched.saturating_sub(report.current),
            "of them are not current staff, or cannot be read: not imported".into(),
        ),
        (
            report.created,
            format!("people {are} new in iP; each uses Forgot Password before the first login"),
        ),
        (report.updated, if dry_run { "people would change" } else { "people changed" }.into()),
        (report.unchanged, "people already matched the MIS".into()),
        (report.deactivated, left.into()),
        (report.skipped, "people were left out".into()),
        (report.classes.created, format!("classes {are} new in iP, with their teachers")),
        (report.issues, "issues for the school:".into()),
    ]
}

/// The issues of a job, by reason.
async fn tell_reasons(pool: &Pool, job: &Job) -> Result<(), Failure> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = jobs::issues(pool, job.id, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, Issue { code, wonde_id }) in page {
            let who = wonde_id.unwrap_or_else(|| "the whole school".to_owned());
            by_reason.entry(code.sentence()).or_default().push(who);
        }
    }
    for (sentence, people) in by_reason {
        let mut shown = people.iter().take(IDS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if people.len() > IDS_SHOWN {
            shown.push_str(", …");
        }
        print(&format!("  {:>12}  {sentence}\n                ({shown})", people.len()))?;
    }
    Ok(())
}

use mis_sync_domain::{GuardCategory, IssueCode, Lease, Report, SyncMode};
use sqlx::PgConnection;

use super::{
    Run, counts, counts::Counted, decisions, departments, doubts, doubts::Doubts, issues::Issues,
    leavers, managers, matching, people, photos, rematching, roster::Roster, sightings, teaching,
    twins,
};
use crate::Error;

/// What a comparison came to.
pub(super) struct Compared {
    /// All but how long it took, and what the guard says.
    pub(super) report: Report,
    /// What the guard looks at.
    pub(super) counted: Counted,
}

/// Compares the staged school with iP's, writes what differs to the change history and, unless
/// it is a dry run, to the people.
pub(super) async fn compare(tx: &mut PgConnection, run: &Run<'_>) -> Result<Compared, Error> {
    let (lease, fetched) = (run.lease, run.fetched);
    let mut issues = Issues::default();
    for affected in fetched.left_out.iter().filter(|left| left.category != GuardCategory::NewIds) {
        issues.push_of_school(IssueCode::not_approved(affected.category));
    }
    let (matched, quarantined) = compare_people(tx, run, &mut issues).await?;
    let photos = photos::apply(tx, run, &mut issues).await?;
    departments::clear(tx, run).await?;
    let roster = Roster::read(tx, run).await?;
    managers::link(tx, run, &roster, &mut issues).await?;
    let taught = teaching::apply(tx, run, &roster, &mut issues).await?;
    record_issues(tx, lease).await?;
    issues.record(tx, lease).await?;
    sightings::record(tx, run).await?;

    let counted = counts::read(tx, lease, taught.classes_emptied).await?;
    // A list that moved while it was read can deliver a person twice; they count once.
    let twice = fetched.staged - matched.records;
    let report = Report {
        mode: if fetched.is_full { SyncMode::Full } else { SyncMode::Delta },
        fetched: fetched.records - twice,
        current: fetched.current - twice,
        unchanged: matched.records - quarantined - counted.created - counted.touched,
        created: counted.created,
        updated: counted.updated,
        deactivated: counted.deactivated,
        restored: counted.restored,
        skipped: fetched.skipped + quarantined,
        issues: counted.issues,
        classes: taught.classes,
        subjects: taught.subjects,
        photos,
        left_out: fetched.left_out.clone(),
        requests: fetched.requests,
        ..Report::default()
    };
    Ok(Compared { report, counted })
}

/// The people of the list: who they are in iP, what differs, who left, who is new. Returns how
/// they were matched, and how many of them were left out.
async fn compare_people(
    tx: &mut PgConnection,
    run: &Run<'_>,
    issues: &mut Issues,
) -> Result<(matching::Matched, u64), Error> {
    let lease = run.lease;
    let given = matching::Given {
        upis: doubts::usable_upis(tx, run).await?,
        decisions: decisions::read(tx, run).await?,
        aliases: twins::find(tx, run).await?,
    };
    let (mut matched, in_doubt) = matching::match_staff(tx, run, &given).await?;
    let joined = twins::match_aliases(tx, run, &given.aliases).await?;
    matched.records += joined;
    let left_out =
        joined + leave_out_possible_matches(tx, run, &given, &matched, &in_doubt).await?;
    // Whoever leaves holds no login any more, so this comes first.
    let leavers = leavers::record(tx, run, &given.upis, issues).await?;
    let quarantined = left_out + matching::quarantine(tx, run, &matched).await?;
    let has_decisions = !given.decisions.wonde_ids.is_empty();
    if has_decisions {
        decisions::record_unlinked(tx, run).await?;
    }
    // On a first sync nobody can differ, and mostly nobody does: what has no work is left out.
    let differing = if matched.linked == 0 {
        0
    } else {
        people::notice_withheld_roles(tx, run, issues).await?;
        people::record_changes(tx, lease).await?
    };
    if run.dry_run {
        if matched.unmatched > 0 {
            people::record_would_be_created(tx, lease).await?;
        }
        return Ok((matched, quarantined));
    }
    if leavers > 0 {
        leavers::deactivate(tx, lease).await?;
    }
    if has_decisions {
        decisions::unlink(tx, run).await?;
    }
    if differing > 0 {
        people::update(tx, lease).await?;
    }
    if matched.unmatched > 0 {
        people::create(tx, lease, run.school_id).await?;
    }
    if has_decisions {
        decisions::conclude(tx, run).await?;
    }
    twins::keep(tx, run, &given.aliases).await?;
    Ok((matched, quarantined))
}

/// Records that may mean somebody in iP wait for a person; returns how many.
async fn leave_out_possible_matches(
    tx: &mut PgConnection,
    run: &Run<'_>,
    given: &matching::Given,
    matched: &matching::Matched,
    in_doubt: &Doubts,
) -> Result<u64, Error> {
    let decided = &given.decisions.wonde_ids;
    rematching::forget_candidates(tx, run).await?;
    let mut left_out = 0;
    if matched.unmatched > 0 {
        left_out = rematching::find_candidates(tx, run, &given.upis, decided).await?;
    }
    left_out += doubts::leave_out(tx, run, in_doubt, decided).await?;
    Ok(left_out + matching::leave_out_new_ids(tx, run).await?)
}

/// Keeps the problems that mapping and matching found, and says who stays inactive.
pub(super) async fn record_issues(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO job_issue (job_id, code, wonde_id)
        SELECT $1, code, wonde_id FROM (
            -- A record that a moving list delivered twice, or two readings did, is told of once.
            SELECT min(position) AS position, code, wonde_id FROM stage_issue
            WHERE job_id = $1 GROUP BY code, wonde_id, CASE WHEN wonde_id IS NULL THEN position END
            UNION ALL
            SELECT position, issue, wonde_id FROM stage_match
            WHERE job_id = $1 AND issue IS NOT NULL
            UNION ALL
            SELECT t.position, 'inactive_in_ip', t.wonde_id FROM stage_target t
            WHERE t.job_id = $1 AND NOT t.active
        ) found ORDER BY position
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

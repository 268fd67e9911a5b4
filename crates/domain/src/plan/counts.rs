//! A plan in numbers: the report, and the figures for the guard.

use std::collections::HashSet;

use super::{ChangedPerson, Plan, lookup::Lookup, matching::Match};
use crate::{Affected, GuardCategory, PhotoCounts, Report, StaffId, SyncMode};

/// Fills in how much the plan changes.
pub(super) fn count(of: &Lookup<'_>, matches: &[Match<'_>], photos: PhotoCounts, plan: &mut Plan) {
    let deactivated = count_changed(plan, ChangedPerson::is_deactivated);
    let touched = count_with_departments(plan, ChangedPerson::is_touched);
    let records = of.records.len() as u64;
    let quarantined = matches.iter().filter(|one| !one.is_imported()).count() as u64;
    let created = plan.created.len() as u64;
    let said = of.fetched.counts;
    // A list that changed while it was read can deliver a person twice. They count once.
    let twice = of.fetched.staff.len() as u64 - records;
    plan.report = Report {
        mode: if of.fetched.is_full { SyncMode::Full } else { SyncMode::Delta },
        fetched: said.records.saturating_sub(twice),
        current: said.current.saturating_sub(twice),
        unchanged: records.saturating_sub(quarantined + created + touched),
        created,
        updated: count_with_departments(plan, ChangedPerson::is_updated),
        deactivated,
        restored: count_changed(plan, ChangedPerson::is_restored),
        skipped: said.skipped + quarantined,
        issues: plan.issues.len() as u64,
        classes: plan.classes.counts,
        subjects: plan.subjects.counts,
        photos,
        left_out: of.rules.left_out.clone(),
        requests: said.requests,
        ..Report::default()
    };
    plan.affected = affected(of, plan);
    plan.empties_school = of.fetched.is_full && said.records == 0 && deactivated > 0;
}

/// An undo in numbers.
pub(super) fn of_undo(plan: &Plan) -> Report {
    Report {
        updated: count_with_departments(plan, ChangedPerson::is_updated),
        deactivated: count_changed(plan, ChangedPerson::is_deactivated),
        restored: count_changed(plan, ChangedPerson::is_restored),
        classes: plan.classes.counts,
        subjects: plan.subjects.counts,
        ..Report::default()
    }
}

fn count_changed(plan: &Plan, is: impl Fn(&ChangedPerson) -> bool) -> u64 {
    plan.changed.iter().filter(|changed| is(changed)).count() as u64
}

/// The same count, with everyone whose departments change.
fn count_with_departments(plan: &Plan, is: impl Fn(&ChangedPerson) -> bool) -> u64 {
    let moved = plan.departments.iter().map(|change| change.staff_id);
    let changed = plan.changed.iter().filter(|changed| is(changed)).map(|changed| changed.id);
    moved.chain(changed).collect::<HashSet<StaffId>>().len() as u64
}

/// How much the plan changes in each category of the guard, compared with iP's record.
fn affected(of: &Lookup<'_>, plan: &Plan) -> Vec<Affected> {
    let known = |is: &dyn Fn(&super::Person) -> bool| {
        let people = of.held.people.iter().map(|account| &account.person);
        people.filter(|one| one.active && one.wonde_id.is_some() && is(one)).count() as u64
    };
    let people = known(&|_| true);
    let emptied = plan.classes.emptied();
    let of_category = |category: GuardCategory| {
        let (records, of) = match category {
            GuardCategory::Deactivated => {
                (count_changed(plan, ChangedPerson::is_deactivated), people)
            }
            GuardCategory::EmailsChanged => {
                (count_changed(plan, |one| one.before.email != one.after.email), people)
            }
            GuardCategory::JobTitlesEmptied => (
                count_changed(plan, |one| {
                    one.before.job_title.is_some() && one.after.job_title.is_none()
                }),
                known(&|one| one.job_title.is_some()),
            ),
            GuardCategory::LineManagersEmptied => (
                count_changed(plan, |one| {
                    one.before.line_manager.is_some() && one.after.line_manager.is_none()
                }),
                known(&|one| one.line_manager.is_some()),
            ),
            GuardCategory::ClassesEmptied => (emptied.records, emptied.of),
            GuardCategory::NewIds => (count_changed(plan, ChangedPerson::has_new_id), people),
        };
        Affected { category, records, of }
    };
    GuardCategory::ALL.iter().copied().map(of_category).collect()
}

impl ChangedPerson {
    fn is_deactivated(&self) -> bool {
        self.before.active && !self.after.active
    }

    fn is_restored(&self) -> bool {
        !self.before.active && self.after.active
    }

    /// Whether a field of the history differs, other than being able to log in.
    fn is_updated(&self) -> bool {
        self.new_password.is_some() || self.differs_without(false)
    }

    /// Whether the person is in this list and differs. A person whose record belongs to someone
    /// else is not in it.
    fn is_touched(&self) -> bool {
        self.new_password.is_some() || self.is_restored() || self.differs_without(true)
    }

    fn differs_without(&self, lost_ids: bool) -> bool {
        let mut before = self.before.clone();
        before.active = self.after.active;
        before.mis.clone_from(&self.after.mis);
        if lost_ids && self.after.wonde_id.is_none() {
            before.wonde_id = None;
        }
        if lost_ids && self.after.upi.is_none() {
            before.upi = None;
        }
        before != self.after
    }

    fn has_new_id(&self) -> bool {
        let ids = self.before.wonde_id.as_deref().zip(self.after.wonde_id.as_deref());
        ids.is_some_and(|(before, after)| before != after)
    }
}

#[cfg(test)]
mod tests;

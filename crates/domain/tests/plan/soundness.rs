//! What is true of every plan, and quick to check.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    MatchedBy, StaffId,
    identity::{Identity, is_doubtful},
    line_manager::on_a_circle,
};

use crate::{algebra::Case, apply::check};

impl Case<'_> {
    /// Quick checks, made each time.
    pub(crate) fn is_sound(&self) {
        check(self.after);
        self.nobody_current_is_deactivated();
        self.nobody_gets_a_circle();
        self.no_login_is_taken_from_another_school();
        self.nobodys_account_passes_to_someone_else();
        self.every_record_is_someones_or_told_of();
    }

    /// Unless a person decided so, or it was never used.
    fn nobodys_account_passes_to_someone_else(&self) {
        for changed in &self.plan.changed {
            let account = self.held.people.iter().find(|one| one.id == changed.id).unwrap();
            let is_used = account.person.mis.is_some() || !account.password_reset_required;
            let is_decided = self.held.decisions.iter().any(|one| one.staff_id == Some(changed.id));
            let [before, after] = [&changed.before, &changed.after].map(|one| Identity {
                first_name: &one.first_name,
                surname: &one.surname,
                email: &one.email,
                initials: None,
            });
            let passes = is_used && !is_decided && is_doubtful(MatchedBy::WondeId, &before, &after);
            assert!(!passes, "the account of {:?} passes on", changed.id);
        }
    }

    fn every_record_is_someones_or_told_of(&self) {
        let is_later = |at: DateTime<Utc>| at > self.fetched.started_at;
        if self.held.people.iter().any(|one| one.read_at.is_some_and(is_later)) {
            return;
        }
        let people = self.after.people.iter().filter_map(|one| one.person.wonde_id.as_deref());
        let told = self.plan.issues.iter().filter_map(|one| one.wonde_id.as_deref());
        let accounted: HashSet<&str> = people.chain(told).collect();
        for (_, record) in &self.fetched.staff {
            assert!(accounted.contains(record.wonde_id.as_str()), "{} is lost", record.wonde_id);
        }
    }

    /// Unless a person decided that the record belongs to someone else.
    fn nobody_current_is_deactivated(&self) {
        let mut current: HashSet<&str> =
            self.fetched.staff.iter().map(|(_, record)| record.wonde_id.as_str()).collect();
        for decision in &self.held.decisions {
            current.remove(decision.wonde_id.as_str());
        }
        for changed in self.plan.changed.iter().filter(|one| one.before.active) {
            let is_current =
                changed.after.wonde_id.as_deref().is_some_and(|id| current.contains(id));
            assert!(changed.after.active || !is_current, "{:?} is current", changed.id);
        }
    }

    fn nobody_gets_a_circle(&self) {
        let pairs: Vec<(StaffId, StaffId)> = self
            .after
            .people
            .iter()
            .filter_map(|account| Some((account.id, account.person.line_manager?.known()?)))
            .collect();
        let circles = on_a_circle(&pairs);
        for changed in &self.plan.changed {
            let moves = changed.before.line_manager != changed.after.line_manager;
            assert!(!moves || !circles.contains(&changed.id), "{:?} is on a circle", changed.id);
        }
    }

    fn no_login_is_taken_from_another_school(&self) {
        let elsewhere = &self.held.logins.elsewhere;
        assert!(self.plan.created.iter().all(|one| !elsewhere.contains(&one.email.to_lowercase())));
    }
}

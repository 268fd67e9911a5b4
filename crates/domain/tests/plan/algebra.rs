//! What is true of every plan, and needs another comparison to check.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    Affected, GuardCategory, IssueCode, StaffId,
    line_manager::HierarchyLists,
    plan::{Fetched, Held, Person, Plan, Rules, plan},
};

use crate::{
    apply::{apply, check},
    fetch::look_up,
    random::Random,
};

/// A comparison: the record before, the fetch, and the plan.
pub(crate) struct Case<'a> {
    pub(crate) held: &'a Held,
    pub(crate) fetched: &'a Fetched,
    pub(crate) rules: &'a Rules,
    pub(crate) plan: &'a Plan,
    /// iP's record after it.
    pub(crate) after: &'a Held,
    pub(crate) now: DateTime<Utc>,
}

impl Case<'_> {
    /// Checks one of the [`Self::LAWS`] that need another comparison.
    pub(crate) fn obeys(&self, law: u64, random: &mut Random) {
        match law % Self::LAWS {
            0 => self.comes_to_rest(),
            1 => self.is_decided(),
            2 => self.goes_in_any_order(random),
            3 => self.leaves_out_what_was_not_approved(),
            4 => self.is_its_own_delta(),
            5 => self.can_be_taken_back(),
            _ => self.is_the_sum_of_its_logins(),
        }
    }

    pub(crate) const LAWS: u64 = 7;

    fn again(&self, held: &Held, fetched: &Fetched, rules: &Rules) -> (Plan, Held) {
        let mut held = held.clone();
        look_up(&mut held, fetched);
        let plan = plan(&held, fetched, rules);
        let after = apply(&held, fetched, &plan, self.now);
        (plan, after)
    }

    /// Once it is applied, the same list finds nothing to do. There are exceptions: a decision that
    /// is followed can leave an account without a record, which another record may match the next
    /// time; a UPI can become unique to one person; and a further record can become another
    /// person's.
    fn comes_to_rest(&self) {
        let upi_moves = self.plan.changed.iter().any(|one| one.before.upi != one.after.upi);
        let is_known = |alias: &str| self.held.aliases.iter().any(|(known, _)| known == alias);
        let alias_moves = self.plan.new_aliases.iter().any(|(alias, _)| is_known(alias));
        if upi_moves || alias_moves || !self.plan.used_decisions.is_empty() {
            return;
        }
        let (plan, _) = self.again(self.after, self.fetched, self.rules);
        assert_eq!((plan.created.len(), plan.changed), (0, Vec::new()), "people");
        assert_eq!((plan.classes.new.len(), plan.classes.changed), (0, Vec::new()), "classes");
        assert_eq!((plan.subjects.new.len(), plan.subjects.changed), (0, Vec::new()), "subjects");
        assert_eq!(plan.departments, [], "departments");
        assert_eq!(plan.sightings, mis_sync_domain::plan::Sightings::default(), "evidence");
        assert_eq!((plan.new_aliases, plan.forgotten_aliases), (Vec::new(), Vec::new()), "aliases");
        assert_eq!((plan.used_decisions, plan.hierarchy_lists), (Vec::new(), None));
    }

    /// The same input gives the same plan, however the tables are hashed.
    fn is_decided(&self) {
        let (held, fetched) = (self.held.clone(), self.fetched.clone());
        assert!(plan(&held, &fetched, self.rules) == *self.plan, "another plan");
    }

    /// The order of the list does not matter, unless a person is in it twice.
    fn goes_in_any_order(&self, random: &mut Random) {
        let ids: BTreeSet<&str> =
            self.fetched.staff.iter().map(|(_, record)| record.wonde_id.as_str()).collect();
        if ids.len() < self.fetched.staff.len() {
            return;
        }
        let mut fetched = self.fetched.clone();
        random.shuffle(&mut fetched.staff);
        random.shuffle(&mut fetched.left_out);
        random.shuffle(&mut fetched.present);
        fetched.classes.iter_mut().for_each(|all| random.shuffle(all));
        fetched.subjects.iter_mut().for_each(|all| random.shuffle(all));
        let (plan, after) = self.again(self.held, &fetched, self.rules);
        assert!(after == *self.after, "another school");
        assert_eq!(sorted(&plan), sorted(self.plan), "issues");
        assert_eq!((&plan.report, &plan.affected), (&self.plan.report, &self.plan.affected));
    }

    /// What a person left out of the approval does not happen, and what they approved is not held
    /// again. A login is never held.
    fn leaves_out_what_was_not_approved(&self) {
        if self.fetched.alone.is_some() {
            return;
        }
        let all = GuardCategory::ALL.iter();
        let left_out = all.map(|category| Affected { category: *category, records: 1, of: 1 });
        let rules = Rules { left_out: left_out.collect(), ..self.rules.clone() };
        let (plan, after) = self.again(self.held, self.fetched, &rules);
        check(&after);
        assert_eq!(
            plan.affected.iter().map(|one| one.records).sum::<u64>(),
            0,
            "{:?}",
            plan.affected
        );
        let guard = mis_sync_domain::Guard::default();
        let held = guard.judge(self.plan);
        assert!(held.iter().all(|one| one.is_covered_by(&self.plan.affected)));
    }

    /// A delta with everyone does the same to people as a full list, if no one has left and nothing
    /// is concluded from missing values.
    fn is_its_own_delta(&self) {
        let listed: HashSet<&str> =
            self.fetched.staff.iter().map(|(_, record)| record.wonde_id.as_str()).collect();
        let is_listed = |wonde_id: &str| listed.contains(wonde_id);
        let mut linked = self.held.people.iter().filter_map(|one| one.person.wonde_id.as_deref());
        let all_are_there = self.fetched.left_out.is_empty()
            && linked.all(is_listed)
            && self.held.aliases.iter().all(|(alias, _)| is_listed(alias));
        let is_withheld = |one: &mis_sync_domain::Issue| IssueCode::WITHHELD.contains(&one.code);
        let managers = self.after.hierarchy_lists;
        if !self.fetched.is_full
            || !all_are_there
            || self.plan.issues.iter().any(is_withheld)
            || managers == Some(HierarchyLists::Reports)
        {
            return;
        }
        let mut fetched = Fetched { is_full: false, ..self.fetched.clone() };
        // Only a full list removes a picture.
        let photos = |one: &(String, Option<String>)| one.1.is_some();
        fetched.photos = fetched.photos.map(|all| all.into_iter().filter(photos).collect());
        let held = Held { hierarchy_lists: managers, ..self.held.clone() };
        let (plan, after) = self.again(&held, &fetched, self.rules);
        // A delta does not report that the direction of the lists is unknown.
        let has_hierarchy = managers.is_some()
            && self.fetched.staff.iter().any(|(_, one)| {
                one.hierarchy.as_ref().is_some_and(|hierarchy| !hierarchy.is_empty())
            });
        let fields = |held: &Held| -> BTreeMap<StaffId, Person> {
            let person = |account: &mis_sync_domain::plan::Account| {
                let mut person = account.person.clone();
                person.photo_hash = None;
                person.mis.as_mut().map(|mis| mis.photo_hash.take());
                if !has_hierarchy {
                    person.line_manager = None;
                    person.mis.as_mut().map(|mis| mis.line_manager.take());
                }
                (account.id, person)
            };
            held.people.iter().map(person).collect()
        };
        assert!(fields(&after) == fields(self.after), "a delta differs");
        assert!(!has_hierarchy || sorted(&plan) == sorted(self.plan), "issues of a delta differ");
    }

    /// Everyone in a delta logs in, one after the other. The result is that of the delta, as long
    /// as no login moves and no one is in doubt.
    fn is_the_sum_of_its_logins(&self) {
        let known: BTreeMap<&str, StaffId> = self
            .held
            .people
            .iter()
            .filter_map(|one| Some((one.person.wonde_id.as_deref()?, one.id)))
            .collect();
        let mut staff = self.fetched.staff.iter().map(|(_, record)| record);
        let is_plain = self.plan.issues.is_empty()
            && self.plan.created.is_empty()
            && self.held.aliases.is_empty()
            && self.held.decisions.is_empty()
            && self.fetched.alone.is_none()
            && self.plan.changed.iter().all(|one| {
                one.before.email == one.after.email
                    && one.before.active == one.after.active
                    && one.before.wonde_id == one.after.wonde_id
            })
            && staff.all(|record| known.contains_key(record.wonde_id.as_str()));
        if !is_plain {
            return;
        }
        let mut held = self.held.clone();
        // Of two deliveries the later one counts.
        let all = &self.fetched.staff;
        let comes_again =
            |n: usize| all[n + 1..].iter().any(|(_, later)| later.wonde_id == all[n].1.wonde_id);
        for (at, record) in (0..all.len()).filter(|n| !comes_again(*n)).map(|n| &all[n]) {
            let staff_id = known[record.wonde_id.as_str()];
            let alone = mis_sync_domain::plan::Alone {
                staff_id,
                wonde_id: record.wonde_id.clone(),
                teaches: None,
            };
            let fetched = Fetched {
                started_at: self.fetched.started_at,
                staff: vec![(*at, record.clone())],
                alone: Some(alone),
                ..Fetched::default()
            };
            held = self.again(&held, &fetched, self.rules).1;
        }
        let fields = |held: &Held| -> BTreeMap<StaffId, Person> {
            let person = |account: &mis_sync_domain::plan::Account| {
                let mut person =
                    Person { line_manager: None, photo_hash: None, ..account.person.clone() };
                if let Some(mis) = &mut person.mis {
                    (mis.line_manager, mis.photo_hash) = (None, None);
                }
                (account.id, person)
            };
            held.people.iter().map(person).collect()
        };
        assert!(fields(&held) == fields(self.after), "logins differ");
    }
}

fn sorted(plan: &Plan) -> Vec<(&'static str, Option<&str>)> {
    let mut issues: Vec<_> =
        plan.issues.iter().map(|one| (one.code.as_str(), one.wonde_id.as_deref())).collect();
    issues.sort_unstable();
    issues
}

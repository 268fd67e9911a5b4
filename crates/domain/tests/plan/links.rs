//! Checks in iP's record that managers, teachers and pictures are those of the list.

use std::collections::{HashMap, HashSet};

use mis_sync_domain::{
    IssueCode, StaffRecord, SubjectOfClass, TeachingRecord,
    line_manager::HierarchyLists,
    plan::{Account, Group, Link, Ref},
};

use crate::algebra::Case;

/// Everyone in iP, by their record.
struct Everybody<'a> {
    by_record: HashMap<&'a str, &'a Account>,
    /// Records with an issue.
    told: HashSet<&'a str>,
}

impl Case<'_> {
    /// If a person was read later, waits for a decision, or has several records, their links stay
    /// in ways that the unit tests check.
    pub(crate) fn links_are_those_of_the_list(&self) {
        let is_later = |one: &Account| one.read_at.is_some_and(|at| at > self.fetched.started_at);
        let waits = self.plan.issues.iter().any(|one| one.code == IssueCode::PossibleMatch);
        let is_plain = self.fetched.alone.is_none()
            && !waits
            && self.after.aliases.is_empty()
            && self.held.aliases.is_empty()
            && !self.held.people.iter().any(is_later);
        if !is_plain {
            return;
        }
        let by_record = self.after.people.iter();
        let everybody = Everybody {
            by_record: by_record
                .filter_map(|one| Some((one.person.wonde_id.as_deref()?, one)))
                .collect(),
            told: self.plan.issues.iter().filter_map(|one| one.wonde_id.as_deref()).collect(),
        };
        let last: HashMap<&str, &StaffRecord> =
            self.fetched.staff.iter().map(|(_, one)| (one.wonde_id.as_str(), one)).collect();
        for record in last.into_values().filter(|one| !everybody.told.contains(&*one.wonde_id)) {
            self.manager_is_named(record, &everybody);
            self.picture_is_theirs(record, &everybody);
        }
        self.classes_are_taught(&everybody);
    }

    /// The manager is the one that the list names, or none if it is empty. Lists of managers have
    /// no second name here.
    fn manager_is_named(&self, record: &StaffRecord, everybody: &Everybody<'_>) {
        let is_new =
            self.plan.created.iter().any(|one| one.wonde_id.as_ref() == Some(&record.wonde_id));
        let shows = self.plan.hierarchy_lists.or(self.held.hierarchy_lists);
        let knows = !self.fetched.is_full || self.plan.hierarchy_lists.is_some();
        let is_plain = |hierarchy: &&Vec<String>| knows && hierarchy.len() < 2;
        let Some(hierarchy) = record.hierarchy.as_ref().filter(is_plain) else { return };
        if shows == Some(HierarchyLists::Managers) && (is_new || self.rules.sync.owned.line_manager)
        {
            let manager = hierarchy.first().map(|id| Ref::Known(everybody.by_record[&**id].id));
            assert_eq!(everybody.by_record[&*record.wonde_id].person.line_manager, manager);
        }
    }

    fn picture_is_theirs(&self, record: &StaffRecord, everybody: &Everybody<'_>) {
        let said = self.fetched.photos.iter().flatten().find(|(id, _)| *id == record.wonde_id);
        let Some((id, Some(hash))) = said else { return };
        assert_eq!(everybody.by_record[&**id].person.photo_hash.as_ref(), Some(hash));
    }

    fn classes_are_taught(&self, everybody: &Everybody<'_>) {
        let imports = self.rules.sync.imports;
        let Some(classes) = self.fetched.classes.as_ref().filter(|_| imports.classes) else {
            return;
        };
        let held: HashMap<&str, _> =
            self.after.classes.iter().map(|one| (one.wonde_id.as_str(), one)).collect();
        let is_withheld = |one: &mis_sync_domain::Issue| one.code == IssueCode::ClassStaffWithheld;
        let says_staff = imports.class_staff && !self.plan.issues.iter().any(is_withheld);
        for said in classes {
            let Some(name) = &said.name else { continue };
            let class = held[said.wonde_id.as_str()];
            assert!(class.fields.name == *name && class.fields.active, "{}", said.wonde_id);
            if imports.subjects && !self.after.subjects.is_empty() {
                assert_eq!(class.fields.subject, self.subject_of(said), "{}", said.wonde_id);
            }
            if says_staff && said.staff.is_some() {
                let links = taught_by(said, class, everybody);
                assert_eq!(class.links, links, "{}", said.wonde_id);
            }
        }
        for gone in &self.fetched.gone.classes {
            let is_archived = held.get(gone.as_str()).is_none_or(|class| !class.fields.active);
            assert!(is_archived || classes.is_empty(), "{gone} is gone");
        }
    }

    fn subject_of(&self, said: &TeachingRecord) -> Option<Ref<mis_sync_domain::SubjectId>> {
        let SubjectOfClass::Of(wonde_id) = &said.subject else { return None };
        let subject = self.after.subjects.iter().find(|one| one.wonde_id == *wonde_id)?;
        Some(Ref::Known(subject.id))
    }
}

/// Everyone that the MIS names and who is active in iP, once, in order, without people who were
/// linked by hand.
fn taught_by<Id>(said: &TeachingRecord, class: &Group<Id>, everybody: &Everybody<'_>) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for teacher in said.staff.iter().flatten() {
        let account = everybody.by_record.get(teacher.wonde_id.as_str());
        let Some(account) = account.filter(|one| one.person.active) else { continue };
        let staff = Ref::Known(account.id);
        let is_linked = links.iter().any(|link| link.staff == staff);
        if !is_linked && !class.by_hand.contains(&account.id) {
            links.push(Link { staff, is_main: teacher.is_main });
        }
    }
    links
}

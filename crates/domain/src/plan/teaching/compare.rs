//! What differs between the classes or subjects of the MIS and those of iP.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use crate::{
    Issue, IssueCode, SubjectId, SubjectOfClass, TeachingCounts, TeachingKind, TeachingRecord,
    plan::{
        held::{Group, GroupFields, Link, Ref},
        roster::Roster,
    },
};

/// The inputs of a comparison.
pub(super) struct Comparison<'a> {
    pub(super) kind: TeachingKind,
    pub(super) is_full: bool,
    /// Records that are gone. A record that is merely missing from a full list is not.
    pub(super) gone: &'a HashSet<String>,
    /// The subjects of classes.
    pub(super) subjects: HashMap<&'a str, Ref<SubjectId>>,
    /// Whether the MIS says who teaches.
    pub(super) links_staff: bool,
    /// Whether nothing may be archived or lose all its teachers, because that was not approved.
    pub(super) keeps: bool,
}

/// What to write for classes, or for subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<Id> {
    /// Records to create.
    pub new: Vec<New>,
    /// Records to change.
    pub changed: Vec<Changed<Id>>,
    /// How many of each there are.
    pub counts: TeachingCounts,
    before: Standing,
}

impl<Id> Default for Difference<Id> {
    fn default() -> Self {
        Self {
            new: Vec::new(),
            changed: Vec::new(),
            counts: TeachingCounts::default(),
            before: Standing::default(),
        }
    }
}

/// A class or subject that is not in iP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// Wonde's id of the class or subject.
    pub wonde_id: String,
    /// Its new values.
    pub fields: GroupFields,
    /// Its teachers.
    pub links: Vec<Link>,
}

/// A class or subject in iP that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<Id> {
    /// The values before.
    pub before: Group<Id>,
    /// The values after.
    pub fields: GroupFields,
    /// The new links from the MIS; `None` if they stay the same.
    pub links: Option<Vec<Link>>,
}

/// How many there are, and how many of them have a teacher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Standing {
    active: u64,
    taught: u64,
}

/// How many are archived or lose all their teachers, and of how many. Classes that are replaced by
/// others do not count, so a summer rollover is not a loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Emptied {
    /// The number that is lost.
    pub records: u64,
    /// The number that there was.
    pub of: u64,
}

/// Compares all classes, or all subjects.
pub(super) fn compare<Id: Copy + Ord>(
    by: &Comparison<'_>,
    held: &[Group<Id>],
    said: &[Cow<'_, TeachingRecord>],
    roster: &Roster<'_>,
    issues: &mut Vec<Issue>,
) -> Difference<Id> {
    let mut difference = Difference::default();
    difference.counts.fetched = said.len() as u64;
    difference.before = Standing::of(held.iter().map(Group::standing));
    if by.is_full && said.is_empty() && difference.before.active > 0 {
        issues.push(Issue::of_school(withheld(by.kind)));
        return difference;
    }
    let links_staff = by.links_staff && !staff_is_withheld(by, held, said, issues);
    let mut unseen: HashMap<&str, &Group<Id>> =
        held.iter().map(|held| (held.wonde_id.as_str(), held)).collect();
    for record in said {
        let before = unseen.remove(record.wonde_id.as_str());
        let Some(fields) = target(by, record, before) else {
            // It has no name; the mapping has reported that.
            difference.counts.skipped += 1;
            continue;
        };
        let links = links_staff.then(|| target_links(by, record, before, roster, issues)).flatten();
        difference.add(&record.wonde_id, before, fields, links);
    }
    let is_gone =
        |held: &&Group<Id>| held.fields.active && !by.keeps && by.gone.contains(&held.wonde_id);
    let mut gone: Vec<&Group<Id>> = unseen.into_values().filter(is_gone).collect();
    gone.sort_by_key(|held| held.id);
    difference.counts.archived = gone.len() as u64;
    difference.changed.extend(gone.into_iter().map(Changed::archived));
    difference
}

/// The issue for a whole list that is empty although iP has records from it.
fn withheld(kind: TeachingKind) -> IssueCode {
    match kind {
        TeachingKind::Class => IssueCode::ClassesWithheld,
        TeachingKind::Subject => IssueCode::SubjectsWithheld,
    }
}

/// If a whole list names no one, although iP has links from the MIS, access was withdrawn.
fn staff_is_withheld<Id>(
    by: &Comparison<'_>,
    held: &[Group<Id>],
    said: &[Cow<'_, TeachingRecord>],
    issues: &mut Vec<Issue>,
) -> bool {
    let names_nobody = said.iter().all(|record| record.staff.as_ref().is_none_or(Vec::is_empty));
    let had_links = held.iter().any(|held| held.fields.active && !held.links.is_empty());
    let is_withheld = by.is_full && names_nobody && had_links;
    // The teachers of subjects come from the classes, so it is reported once.
    if is_withheld && by.kind == TeachingKind::Class {
        issues.push(Issue::of_school(IssueCode::ClassStaffWithheld));
    }
    is_withheld
}

/// The new values. What the MIS leaves empty stays. `None` if it has no name.
fn target<Id>(
    by: &Comparison<'_>,
    said: &TeachingRecord,
    before: Option<&Group<Id>>,
) -> Option<GroupFields> {
    let kept = before.map(|held| held.fields.clone()).unwrap_or_default();
    let subject = match &said.subject {
        SubjectOfClass::NotDelivered => kept.subject,
        _ if by.subjects.is_empty() => kept.subject,
        SubjectOfClass::Without => None,
        // A subject that is not in iP does not count.
        SubjectOfClass::Of(wonde_id) => by.subjects.get(wonde_id.as_str()).copied(),
    };
    Some(GroupFields {
        name: said.name.clone()?,
        code: said.code.clone().or(kept.code),
        description: said.description.clone().or(kept.description),
        subject,
        active: true,
    })
}

/// The new teachers who are in iP; `None` if the MIS does not say.
fn target_links<Id>(
    by: &Comparison<'_>,
    said: &TeachingRecord,
    before: Option<&Group<Id>>,
    roster: &Roster<'_>,
    issues: &mut Vec<Issue>,
) -> Option<Vec<Link>> {
    let staff = said.staff.as_ref()?;
    let mut seen = HashSet::new();
    let mut found: Vec<Link> = Vec::new();
    for teacher in staff {
        let Some(linked) = roster.find(&teacher.wonde_id) else { continue };
        if linked.person.active && seen.insert(linked.id) {
            found.push(Link { staff: linked.id, is_main: teacher.is_main });
        }
    }
    if found.is_empty() && !staff.is_empty() && by.kind == TeachingKind::Class {
        let wonde_id = Some(said.wonde_id.clone());
        issues.push(Issue { code: IssueCode::ClassStaffMissing, wonde_id });
    }
    let Some(before) = before else { return Some(found) };
    keep_later_word(&mut found, before, roster);
    let by_hand = |link: &Link| link.staff.known().is_some_and(|id| before.by_hand.contains(&id));
    found.retain(|link| !by_hand(link));
    let is_emptied = found.is_empty() && !before.links.is_empty();
    (!by.keeps || !is_emptied).then_some(found)
}

/// People that a later fetch read keep the links that it found. People whose record is in doubt, and
/// people whom the approver left as they are, keep their links.
fn keep_later_word<Id>(found: &mut Vec<Link>, before: &Group<Id>, roster: &Roster<'_>) {
    if roster.stay.is_empty() {
        return;
    }
    let is_later = |link: &Link| roster.stay.contains(&link.staff);
    let as_before = |link: Link| {
        let held = before.links.iter().find(|held| held.staff == link.staff).copied();
        if is_later(&link) { held } else { Some(link) }
    };
    *found = found.drain(..).filter_map(as_before).collect();
    for link in before.links.iter().filter(|link| is_later(link)) {
        if !found.contains(link) {
            found.push(*link);
        }
    }
}

impl<Id> Group<Id> {
    /// Whether it is active, and whether it has a teacher.
    fn standing(&self) -> (bool, bool) {
        (self.fields.active, !self.links.is_empty() || !self.by_hand.is_empty())
    }
}

impl Standing {
    fn of(all: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut standing = Self::default();
        for (is_active, is_taught) in all {
            standing.active += u64::from(is_active);
            standing.taught += u64::from(is_active && is_taught);
        }
        standing
    }
}

impl<Id: Copy> Difference<Id> {
    /// Adds a reversed change, unless nothing would change.
    pub(in crate::plan) fn add_back(&mut self, changed: Changed<Id>) {
        let (was, is) = (changed.before.fields.active, changed.fields.active);
        let rest = GroupFields { active: was, ..changed.fields.clone() };
        let differs = rest != changed.before.fields || changed.links.is_some();
        self.counts.archived += u64::from(was && !is);
        self.counts.restored += u64::from(!was && is);
        self.counts.updated += u64::from(differs);
        if differs || was != is {
            self.changed.push(changed);
        }
    }

    /// See [`Emptied`].
    pub fn emptied(&self) -> Emptied {
        let lost = Standing::of(self.changed.iter().map(|changed| changed.before.standing()));
        let changed = self.changed.iter().map(Changed::standing);
        let new = self.new.iter().map(|new| (true, !new.links.is_empty()));
        let gained = Standing::of(changed.chain(new));
        let gone = lost.active.saturating_sub(gained.active);
        let untaught = lost.taught.saturating_sub(gained.taught);
        if untaught > gone {
            Emptied { records: untaught, of: self.before.taught }
        } else {
            Emptied { records: gone, of: self.before.active }
        }
    }

    fn add(
        &mut self,
        wonde_id: &str,
        before: Option<&Group<Id>>,
        fields: GroupFields,
        links: Option<Vec<Link>>,
    ) {
        let Some(before) = before else {
            self.counts.created += 1;
            let links = links.unwrap_or_default();
            self.new.push(New { wonde_id: wonde_id.to_owned(), fields, links });
            return;
        };
        let was_active = before.fields.active;
        let links = links.filter(|links| *links != before.links);
        let restored = GroupFields { active: true, ..before.fields.clone() };
        let differs = fields != restored || links.is_some();
        self.counts.restored += u64::from(!was_active);
        self.counts.updated += u64::from(differs);
        if differs || !was_active {
            self.changed.push(Changed { before: before.clone(), fields, links });
        } else {
            self.counts.unchanged += 1;
        }
    }
}

impl<Id> Changed<Id> {
    fn standing(&self) -> (bool, bool) {
        let links = self.links.as_ref().unwrap_or(&self.before.links);
        (self.fields.active, !links.is_empty() || !self.before.by_hand.is_empty())
    }
}

impl<Id: Copy> Changed<Id> {
    fn archived(before: &Group<Id>) -> Self {
        let fields = GroupFields { active: false, ..before.fields.clone() };
        Self { before: before.clone(), fields, links: None }
    }
}

#[cfg(test)]
mod tests;

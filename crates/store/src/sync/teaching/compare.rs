//! What differs between the classes (or subjects) of the MIS and those of iP. Pure.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use mis_sync_domain::{IssueCode, TeachingCounts, TeachingKind};
use uuid::Uuid;

use super::{rows::Staged, withheld};
use crate::sync::{issues::Issues, roster::Roster};

/// A record of iP, or in a dry run one that would be created.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Reference {
    Known(Uuid),
    /// By Wonde id.
    Coming(String),
}

impl Reference {
    fn id(&self) -> Option<Uuid> {
        match self {
            Self::Known(id) => Some(*id),
            Self::Coming(_) => None,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(id) => id.fmt(f),
            Self::Coming(wonde_id) => write!(f, "wonde:{wonde_id}"),
        }
    }
}

/// A class or subject as iP holds it.
pub(super) struct Held {
    pub(super) id: Uuid,
    pub(super) wonde_id: String,
    pub(super) fields: Fields,
    pub(super) active: bool,
    /// Made by syncs, in their order.
    pub(super) links: Vec<Link>,
    /// People linked by hand.
    pub(super) by_hand: HashSet<Uuid>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) name: String,
    pub(super) code: Option<String>,
    pub(super) description: Option<String>,
    pub(super) subject: Option<Reference>,
}

impl Fields {
    pub(super) fn subject_id(&self) -> Option<Uuid> {
        self.subject.as_ref().and_then(Reference::id)
    }
}

/// Somebody who teaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) staff: Reference,
    pub(super) is_main: bool,
}

impl Link {
    pub(super) fn staff_id(&self) -> Option<Uuid> {
        self.staff.id()
    }
}

/// By what is compared.
pub(super) struct Comparison {
    pub(super) kind: TeachingKind,
    pub(super) is_full: bool,
    /// What is gone. What is merely not in a full list is not.
    pub(super) gone: HashSet<String>,
    /// The subjects of classes.
    pub(super) subjects: HashMap<String, Reference>,
    /// The MIS says who teaches.
    pub(super) links_staff: bool,
    /// Nothing is archived or loses everybody who teaches it: that was not approved.
    pub(super) keeps: bool,
}

/// What is to be written.
#[derive(Default)]
pub(super) struct Difference {
    pub(super) new: Vec<New>,
    pub(super) changed: Vec<Changed>,
    pub(super) counts: TeachingCounts,
    before: Standing,
}

/// How many there are, and how many of these somebody teaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Standing {
    active: u64,
    taught: u64,
}

/// Of so many that there were, how many are gone or taught by nobody. What others replace does
/// not count: a summer rollover is no loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sync) struct Emptied {
    pub(in crate::sync) records: u64,
    pub(in crate::sync) of: u64,
}

pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) wonde_id: String,
    pub(super) fields: Fields,
    pub(super) links: Vec<Link>,
}

/// Something that iP holds and that differs.
pub(super) struct Changed {
    pub(super) before: Held,
    pub(super) fields: Fields,
    pub(super) active: bool,
    /// `None`: who teaches it stays as it is.
    pub(super) links: Option<Vec<Link>>,
}

/// Compares one kind.
pub(super) fn compare(
    by: &Comparison,
    held: Vec<Held>,
    staged: Vec<Staged>,
    roster: &Roster,
    issues: &mut Issues,
) -> Difference {
    let mut held: HashMap<String, Held> =
        held.into_iter().map(|held| (held.wonde_id.clone(), held)).collect();
    let mut difference = Difference::default();
    difference.counts.fetched = staged.len() as u64;
    difference.before = Standing::of(held.values().map(Held::standing));
    if by.is_full && staged.is_empty() && difference.before.active > 0 {
        issues.push_of_school(withheld(by.kind));
        return difference;
    }
    let links_staff = by.links_staff && !staff_is_withheld(by, &held, &staged, issues);
    for staged in staged {
        let before = held.remove(&staged.wonde_id);
        let Some(fields) = target(by, &staged, before.as_ref()) else {
            // Staged without a name: the mapping said why.
            difference.counts.skipped += 1;
            continue;
        };
        let links = links_staff
            .then(|| target_links(by, &staged, before.as_ref(), roster, issues))
            .flatten();
        difference.add(staged.wonde_id, before, fields, links);
    }
    let is_gone = |held: &Held| !by.keeps && by.gone.contains(&held.wonde_id);
    let mut gone: Vec<Held> =
        held.into_values().filter(|held| held.active && is_gone(held)).collect();
    gone.sort_by_key(|held| held.id);
    difference.counts.archived = gone.len() as u64;
    difference.changed.extend(gone.into_iter().map(Changed::archived));
    difference
}

/// A whole list that names nobody, while iP has links from the MIS, is one to which access was
/// withdrawn.
fn staff_is_withheld(
    by: &Comparison,
    held: &HashMap<String, Held>,
    staged: &[Staged],
    issues: &mut Issues,
) -> bool {
    let names_nobody = staged.iter().all(|staged| staged.staff.as_ref().is_none_or(Vec::is_empty));
    let had_links = held.values().any(|held| held.active && !held.links.is_empty());
    let is_withheld = by.is_full && by.links_staff && names_nobody && had_links;
    // The teachers of subjects are those of classes: it is said once.
    if is_withheld && by.kind == TeachingKind::Class {
        issues.push_of_school(IssueCode::ClassStaffWithheld);
    }
    is_withheld
}

/// What it shall be; what the MIS leaves empty stays as it is. `None`: it has no name.
fn target(by: &Comparison, staged: &Staged, before: Option<&Held>) -> Option<Fields> {
    let kept = before.map(|held| &held.fields);
    let or_kept = |said: &Option<String>, kept: Option<&Option<String>>| {
        said.clone().or_else(|| kept.cloned().flatten())
    };
    let subject = match &staged.subject {
        // A subject that iP does not have is none.
        Some(wonde_id) => by.subjects.get(wonde_id).cloned(),
        None => None,
    };
    let keeps_subject = !staged.subject_delivered || by.subjects.is_empty();
    Some(Fields {
        name: staged.name.clone()?,
        code: or_kept(&staged.code, kept.map(|fields| &fields.code)),
        description: or_kept(&staged.description, kept.map(|fields| &fields.description)),
        subject: if keeps_subject { kept.and_then(|f| f.subject.clone()) } else { subject },
    })
}

/// Who shall be linked, of those who are in iP; `None`: the MIS does not say.
fn target_links(
    by: &Comparison,
    staged: &Staged,
    before: Option<&Held>,
    roster: &Roster,
    issues: &mut Issues,
) -> Option<Vec<Link>> {
    let staff = staged.staff.as_ref()?;
    let mut seen = HashSet::new();
    let mut found: Vec<Link> = staff
        .iter()
        .map(|wonde_id| roster.leading(wonde_id))
        .enumerate()
        .filter(|(_, wonde_id)| seen.insert(*wonde_id))
        .filter_map(|(place, wonde_id)| {
            let staff = match roster.staff.get(wonde_id) {
                Some(person) if person.active => Reference::Known(person.id),
                None if roster.coming.contains(wonde_id) => Reference::Coming(wonde_id.to_owned()),
                _ => return None,
            };
            Some(Link { staff, is_main: place < staged.main_teachers })
        })
        .collect();
    if found.is_empty() && !staff.is_empty() && by.kind == TeachingKind::Class {
        issues.push(IssueCode::ClassStaffMissing, &staged.wonde_id);
    }
    if let Some(before) = before {
        keep_later_word(&mut found, before, roster);
    }
    let by_hand = |link: &Link| {
        link.staff_id().is_some_and(|id| before.is_some_and(|held| held.by_hand.contains(&id)))
    };
    let found: Vec<Link> = found.into_iter().filter(|link| !by_hand(link)).collect();
    let is_emptied = found.is_empty() && before.is_some_and(|held| !held.links.is_empty());
    Some(found).filter(|_| !(by.keeps && is_emptied))
}

impl Held {
    /// Whether it is active, and whether somebody teaches it.
    fn standing(&self) -> (bool, bool) {
        (self.active, !self.links.is_empty() || !self.by_hand.is_empty())
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

/// People who were read after this fetch began are linked as that later fetch found them, and people
/// whose record is in doubt as they were.
fn keep_later_word(found: &mut Vec<Link>, before: &Held, roster: &Roster) {
    let later = &roster.stay;
    if later.is_empty() {
        return;
    }
    let is_later = |link: &Link| link.staff_id().is_some_and(|id| later.contains(&id));
    let kept: Vec<&Link> = before.links.iter().filter(|link| is_later(link)).collect();
    found.retain(|link| !is_later(link) || kept.iter().any(|kept| kept.staff == link.staff));
    for link in kept {
        if found.iter().all(|found| found.staff != link.staff) {
            found.push(link.clone());
        }
    }
}

impl Difference {
    /// See [`Emptied`].
    pub(super) fn emptied(&self) -> Emptied {
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
        wonde_id: String,
        before: Option<Held>,
        fields: Fields,
        links: Option<Vec<Link>>,
    ) {
        let Some(before) = before else {
            self.counts.created += 1;
            let links = links.unwrap_or_default();
            self.new.push(New { id: Uuid::now_v7(), wonde_id, fields, links });
            return;
        };
        let links = links.filter(|links| *links != before.links);
        let differs = fields != before.fields || links.is_some();
        self.counts.restored += u64::from(!before.active);
        self.counts.updated += u64::from(differs);
        if differs || !before.active {
            self.changed.push(Changed { before, fields, active: true, links });
        } else {
            self.counts.unchanged += 1;
        }
    }
}

impl Changed {
    fn standing(&self) -> (bool, bool) {
        let links = self.links.as_ref().unwrap_or(&self.before.links);
        (self.active, !links.is_empty() || !self.before.by_hand.is_empty())
    }

    fn archived(before: Held) -> Self {
        Self { fields: before.fields.clone(), before, active: false, links: None }
    }
}

#[cfg(test)]
mod tests;

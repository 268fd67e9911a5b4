//! The classes of one person at a login: only their own links, and only in classes that are in iP.

use std::collections::HashMap;

use super::compare::{Changed, Difference};
use crate::{
    ClassId, StaffId,
    plan::{
        fetched::Alone,
        held::{Group, Link, Ref},
        lookup::Lookup,
        roster::{Linked, Roster},
    },
};

/// Links the person to the classes that the MIS names, and removes their links to others that a
/// sync made. Other people's links are not touched, and neither are links made by hand. The
/// teachers of subjects are left to the next full sync, because only all classes together show
/// them.
///
/// Nothing is linked for a person whose record is in doubt, who has further records, whom a later
/// fetch read, or who has left.
pub(in crate::plan) fn link(
    of: &Lookup<'_>,
    roster: &Roster<'_>,
    alone: &Alone,
) -> Difference<ClassId> {
    let staff_id = alone.staff_id;
    let is_known_whole = |linked: &&Linked<'_>| {
        linked.id == Ref::Known(staff_id)
            && linked.person.active
            && !linked.stays
            && !of.fetched.gone.employees.contains(&alone.wonde_id)
            && !of.held.aliases.iter().any(|(_, owner)| *owner == staff_id)
    };
    let linked = roster.find(&alone.wonde_id).filter(is_known_whole);
    let (Some(_), Some(classes)) = (linked, &alone.teaches) else { return Difference::default() };
    let mut said: HashMap<&str, bool> = HashMap::new();
    for (wonde_id, is_main) in classes {
        *said.entry(wonde_id).or_default() |= is_main;
    }
    let mut difference = Difference::default();
    difference.counts.fetched = classes.len() as u64;
    for class in of.held.classes.iter().filter(|class| class.fields.active) {
        let is_main = said.get(class.wonde_id.as_str()).copied();
        let before = class.links.iter().find(|link| link.staff == Ref::Known(staff_id));
        let was_main = before.map(|link| link.is_main);
        if is_main.is_none() && was_main.is_none() {
            continue;
        }
        if is_main == was_main || class.by_hand.contains(&staff_id) {
            difference.counts.unchanged += 1;
            continue;
        }
        difference.counts.updated += 1;
        let links = Some(placed(class, staff_id, is_main));
        let fields = class.fields.clone();
        difference.changed.push(Changed { before: class.clone(), fields, links });
    }
    difference
}

/// Removes the person from a class and puts them back in the right place: a main teacher behind the
/// other main teachers, anyone else at the end. Only the class itself would say exactly where.
fn placed(class: &Group<ClassId>, person: StaffId, is_main: Option<bool>) -> Vec<Link> {
    let staff = Ref::Known(person);
    let mut links: Vec<Link> =
        class.links.iter().copied().filter(|link| link.staff != staff).collect();
    let Some(is_main) = is_main else { return links };
    let behind_the_main = || links.iter().rposition(|link| link.is_main).map_or(0, |at| at + 1);
    let place = if is_main { behind_the_main() } else { links.len() };
    links.insert(place, Link { staff, is_main });
    links
}

#[cfg(test)]
mod tests;

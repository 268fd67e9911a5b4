//! The columns of classes and subjects to write.

use mis_sync_domain::plan::{Difference, Group, GroupFields, Link, NewIds, Ref};
use uuid::Uuid;

use super::super::{Write, people::staff_id};

/// Classes or subjects, column by column.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) ids: Vec<Uuid>,
    pub(super) versions: Vec<i64>,
    pub(super) wonde_ids: Vec<&'a str>,
    pub(super) names: Vec<&'a str>,
    pub(super) codes: Vec<Option<&'a str>>,
    pub(super) descriptions: Vec<Option<&'a str>>,
    pub(super) subject_ids: Vec<Option<Uuid>>,
    pub(super) active: Vec<bool>,
}

impl<'a> Columns<'a> {
    pub(super) fn of_new<Id>(difference: &'a Difference<Id>, new: &[Uuid], ids: &NewIds) -> Self {
        let mut columns = Self::default();
        for (id, new) in new.iter().zip(&difference.new) {
            columns.push(*id, 0, &new.wonde_id, &new.fields, ids);
        }
        columns
    }

    /// Records with a changed field. Of the others only the links change.
    pub(super) fn of_changed<Id: Copy>(
        difference: &'a Difference<Id>,
        uuid: fn(Id) -> Uuid,
        ids: &NewIds,
    ) -> Self {
        let mut columns = Self::default();
        for changed in difference.changed.iter().filter(|one| one.fields != one.before.fields) {
            let before = &changed.before;
            let id = uuid(before.id);
            columns.push(id, before.version, &before.wonde_id, &changed.fields, ids);
        }
        columns
    }

    fn push(
        &mut self,
        id: Uuid,
        version: u32,
        wonde_id: &'a str,
        fields: &'a GroupFields,
        ids: &NewIds,
    ) {
        self.ids.push(id);
        self.versions.push(i64::from(version));
        self.wonde_ids.push(wonde_id);
        self.names.push(&fields.name);
        self.codes.push(fields.code.as_deref());
        self.descriptions.push(fields.description.as_deref());
        self.subject_ids.push(match fields.subject {
            Some(Ref::Known(id)) => Some(id.0),
            Some(Ref::New(at)) => ids.subjects.get(at).map(|id| id.0),
            None => None,
        });
        self.active.push(fields.active);
    }
}

/// New links that replace old ones, column by column.
#[derive(Default)]
pub(super) struct LinkColumns {
    /// The records whose links are replaced.
    pub(super) rebuilt: Vec<Uuid>,
    pub(super) ids: Vec<Uuid>,
    pub(super) staff_ids: Vec<Uuid>,
    pub(super) positions: Vec<i32>,
    pub(super) are_main: Vec<bool>,
}

impl LinkColumns {
    pub(super) fn of<Id: Copy>(
        write: &Write<'_>,
        difference: &Difference<Id>,
        new: &[Uuid],
        uuid: fn(Id) -> Uuid,
        ids: &NewIds,
    ) -> Self {
        let mut columns = Self::default();
        for (id, new) in new.iter().zip(&difference.new) {
            columns.push(*id, &new.links, 0.., ids);
        }
        for changed in &difference.changed {
            if let Some(links) = &changed.links {
                let id = uuid(changed.before.id);
                columns.rebuilt.push(id);
                if write.is_of_one_person {
                    columns.push(id, links, kept_places(&changed.before, links), ids);
                } else {
                    columns.push(id, links, 0.., ids);
                }
            }
        }
        columns
    }

    fn push(
        &mut self,
        id: Uuid,
        links: &[Link],
        places: impl IntoIterator<Item = i32>,
        ids: &NewIds,
    ) {
        for (position, link) in places.into_iter().zip(links) {
            let Some(staff_id) = staff_id(link.staff, ids) else { continue };
            self.ids.push(id);
            self.staff_ids.push(staff_id);
            self.positions.push(position);
            self.are_main.push(link.is_main);
        }
    }
}

/// Where one person goes among the others, who all keep their places: behind the last that they
/// follow, or otherwise before the first.
fn kept_places<Id>(before: &Group<Id>, links: &[Link]) -> Vec<i32> {
    let place_of = |link: &Link| {
        let at = before.links.iter().position(|held| held.staff == link.staff)?;
        // A person who has become a main teacher, or no longer is, gets another place.
        (before.links[at].is_main == link.is_main).then(|| before.places[at])
    };
    let before_first = links.iter().find_map(place_of).map_or(0, |first| first - 1);
    let mut places = Vec::new();
    for (at, link) in links.iter().enumerate() {
        let behind = places.last().copied();
        let is_last = at + 1 == links.len();
        let new = behind.map_or(before_first, |place: i32| if is_last { place + 1 } else { place });
        places.push(place_of(link).unwrap_or(new));
    }
    places
}

//! Scenarios about photos.

use rand::RngExt;

use super::Event;
use crate::error::Error;
use crate::ids::WondeId;
use crate::photo::Image;
use crate::school::{Employee, Photo, Times};

impl Event<'_> {
    pub(super) fn change_photo(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        Ok(self.give_photos(people, std::iter::repeat(Image::Drawn)))
    }

    pub(super) fn spoil_photos(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(Image::ODD.len(), has_image)?;
        Ok(self.give_photos(people, Image::ODD.into_iter().cycle()))
    }

    pub(super) fn remove_photo(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, has_image)?;
        Ok(self.change(people, |person| person.photo = None))
    }

    /// A new photo for each of these people; the record of an old one is kept.
    fn give_photos(
        &mut self,
        people: Vec<usize>,
        images: impl Iterator<Item = Image>,
    ) -> Vec<WondeId> {
        let now = self.now;
        let fresh: Vec<(WondeId, u64)> =
            people.iter().map(|_| (self.school.ids.take(), self.school.rng.random())).collect();
        let mut fresh = fresh.into_iter().zip(images);
        self.change(people, |person| {
            let ((id, seed), image) = fresh.next().expect("one for each person");
            let (id, times) = person.photo.map_or((id, Times::new(now)), |old| (old.id, old.times));
            person.photo = Some(Photo { id, seed, image, times: Times { updated: now, ..times } });
        })
    }
}

/// Whether the person has a photo that can be imported.
fn has_image(person: &Employee) -> bool {
    person.photo.is_some_and(|photo| photo.image == Image::Drawn)
}

//! Scenarios about subjects.

use std::collections::HashSet;

use super::Event;
use super::record::{self, ids, take_out};
use crate::error::Error;
use crate::ids::WondeId;
use crate::names;
use crate::school::{Subject, Times};

impl Event<'_> {
    pub(super) fn add_subject(&mut self) -> Result<Vec<WondeId>, Error> {
        let unused = self.unused_subjects();
        let chosen = self.some_of(unused, 1);
        if chosen.is_empty() {
            return Err(self.nothing_fits());
        }
        let school = &mut *self.school;
        let mut touched = Vec::new();
        for (name, code) in chosen {
            let (id, mis_id, times) =
                (school.ids.take(), school.take_mis_id(), Times::new(self.now));
            school.subjects.push(Subject { id, mis_id, name, code: Some(code), times });
            touched.push(id);
        }
        Ok(touched)
    }

    /// The code stays.
    pub(super) fn rename_subject(&mut self) -> Result<Vec<WondeId>, Error> {
        let mut subjects = self.choose_subjects(|_| true)?;
        let unused = self.unused_subjects();
        let names = self.some_of(unused, 1);
        if names.is_empty() {
            return Err(self.nothing_fits());
        }
        subjects.truncate(names.len());
        let mut names = names.into_iter();
        Ok(record::change(&mut self.school.subjects, subjects, self.now, |subject| {
            subject.name = names.next().expect("one for each subject").0;
        }))
    }

    /// Subjects have no lines among the deletions.
    pub(super) fn delete_subject(&mut self) -> Result<Vec<WondeId>, Error> {
        let taught: HashSet<WondeId> =
            self.school.classes.iter().filter_map(|class| class.subject).collect();
        let subjects = self.choose_subjects(|subject| taught.contains(&subject.id))?;
        let gone = take_out(&mut self.school.subjects, subjects);
        self.drop_lost_subjects();
        Ok(ids(&gone))
    }

    /// Removes subjects that no longer exist from the classes on the list.
    pub(super) fn drop_lost_subjects(&mut self) {
        let known: HashSet<WondeId> = ids(&self.school.subjects).into_iter().collect();
        for class in &mut self.school.classes {
            if class.subject.is_some_and(|subject| !known.contains(&subject)) {
                (class.subject, class.times.updated) = (None, self.now);
            }
        }
    }

    /// Names and codes that no subject of the school has.
    fn unused_subjects(&self) -> Vec<(&'static str, &'static str)> {
        let is_used = |name| self.school.subjects.iter().any(|subject| subject.name == name);
        names::FURTHER_SUBJECTS.iter().copied().filter(|&(name, _)| !is_used(name)).collect()
    }
}

//! Scenarios about classes.

use rand::seq::IndexedRandom;

use super::Event;
use super::choice::named;
use super::record::{ids, take_out};
use crate::error::Error;
use crate::ids::WondeId;
use crate::population;
use crate::school::{Class, Teacher, Times};
use crate::truth;

impl Event<'_> {
    pub(super) fn rename_class(&mut self) -> Result<Vec<WondeId>, Error> {
        let classes = self.choose_classes(1, |_| true)?;
        Ok(self.change_classes(classes, |class| class.name.push('b')))
    }

    /// The new main teacher is a person who did not teach the class.
    pub(super) fn change_class_teacher(&mut self) -> Result<Vec<WondeId>, Error> {
        let classes = self.choose_classes(1, |class| class.teachers.iter().any(|one| one.main))?;
        let teachers = self.imported_teachers();
        let mut chosen = Vec::new();
        for &at in &classes {
            let class = &self.school.classes[at];
            let is_new = |id: &WondeId| class.teachers.iter().all(|one| one.employee != *id);
            let others: Vec<WondeId> = teachers.iter().copied().filter(is_new).collect();
            let teacher = others.choose(&mut self.school.rng).copied();
            chosen.push(teacher.ok_or_else(|| self.nobody_fits())?);
        }
        let mut chosen = chosen.into_iter();
        Ok(self.change_classes(classes, |class| {
            class.teachers.retain(|teacher| !teacher.main);
            class.teachers.extend(chosen.next().map(main_teacher));
        }))
    }

    pub(super) fn add_class(&mut self) -> Result<Vec<WondeId>, Error> {
        let teachers = self.imported_teachers();
        let times = Times::new(self.now);
        let mut touched = Vec::new();
        for _ in 0..self.scenario.count.unwrap_or(1) {
            let subject = self.school.subjects.choose(&mut self.school.rng);
            let subject = subject.map(|subject| subject.id).ok_or_else(|| self.nothing_fits())?;
            let teacher = teachers.choose(&mut self.school.rng).copied();
            let teacher = teacher.ok_or_else(|| self.nobody_fits())?;
            let number = self.next_class_number();
            let mut class = population::class(self.school, number, Some(subject), times);
            class.teachers.push(main_teacher(teacher));
            touched.push(class.id);
            self.school.classes.push(class);
        }
        Ok(touched)
    }

    /// Numbers continue over all earlier classes, so that each new class has its own name.
    fn next_class_number(&self) -> usize {
        let school = &*self.school;
        school.classes.len() + school.departed_classes.len() + school.withheld_classes.len()
    }

    pub(super) fn delete_class(&mut self) -> Result<Vec<WondeId>, Error> {
        let classes = self.choose_classes(1, |_| true)?;
        let gone = take_out(&mut self.school.classes, classes);
        Ok(self.remove_classes(gone))
    }

    /// Records deleted classes.
    pub(super) fn remove_classes(&mut self, gone: Vec<Class>) -> Vec<WondeId> {
        let touched = self.note_deletions("class", &gone);
        self.school.departed_classes.extend(gone);
        touched
    }

    /// The named deleted classes, or otherwise the last ones.
    pub(super) fn restore_class(&mut self) -> Result<Vec<WondeId>, Error> {
        let departed = &mut self.school.departed_classes;
        let classes = if self.scenario.classes.is_empty() {
            let count = self.scenario.count.unwrap_or(1);
            (departed.len().saturating_sub(count)..departed.len()).collect()
        } else {
            named(&self.scenario.classes, departed, Error::UnknownClass)?
        };
        if classes.is_empty() {
            return Err(self.nothing_fits());
        }
        let mut back = take_out(departed, classes);
        let touched = self.note_restored(&mut back);
        self.list_classes(back);
        Ok(touched)
    }

    pub(super) fn empty_classes(&mut self) -> Result<Vec<WondeId>, Error> {
        let classes = self.choose_classes(usize::MAX, |class| !class.teachers.is_empty())?;
        Ok(self.change_classes(classes, |class| class.teachers.clear()))
    }

    pub(super) fn hide_classes(&mut self) -> Vec<WondeId> {
        let touched = ids(&self.school.classes);
        self.school.withheld_classes.append(&mut self.school.classes);
        touched
    }

    pub(super) fn show_classes(&mut self) -> Vec<WondeId> {
        let back = std::mem::take(&mut self.school.withheld_classes);
        let touched = ids(&back);
        self.list_classes(back);
        touched
    }

    /// Puts classes back on the list. A subject that has gone meanwhile is no longer theirs.
    fn list_classes(&mut self, back: Vec<Class>) {
        self.school.classes.extend(back);
        self.school.classes.sort_unstable_by_key(|class| class.id);
        self.drop_lost_subjects();
    }

    /// People who are imported and teach, whether they have a class or not.
    fn imported_teachers(&self) -> Vec<WondeId> {
        let imported = truth::imported(self.school, self.today);
        let mut teachers = population::teachers(self.school);
        teachers.retain(|id| imported.contains(id));
        teachers
    }
}

fn main_teacher(employee: WondeId) -> Teacher {
    Teacher { employee, main: true }
}

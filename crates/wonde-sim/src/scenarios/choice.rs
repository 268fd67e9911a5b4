//! Chooses the affected records: those named in the request, or a choice by the school's seed.

use rand::seq::SliceRandom;

use super::Event;
use super::record::{self, Record};
use crate::error::Error;
use crate::ids::WondeId;
use crate::school::{Class, Employee, Subject};
use crate::truth;

impl Event<'_> {
    /// Positions of the named people, or of up to `count` (by default `default`) imported people
    /// who fit.
    pub(super) fn choose(
        &mut self,
        default: usize,
        fits: impl Fn(&Employee) -> bool,
    ) -> Result<Vec<usize>, Error> {
        if !self.scenario.staff.is_empty() {
            return named(&self.scenario.staff, &self.school.employees, Error::UnknownEmployee);
        }
        let imported = truth::imported(self.school, self.today);
        let fitting = positions(&self.school.employees, |person: &Employee| {
            imported.contains(&person.id) && fits(person)
        });
        let chosen = self.some_of(fitting, default);
        if chosen.is_empty() { Err(self.nobody_fits()) } else { Ok(chosen) }
    }

    /// Pairs of people, by default one; named people are paired in order.
    pub(super) fn choose_pairs(&mut self) -> Result<Vec<(usize, usize)>, Error> {
        let pairs = self.scenario.count.unwrap_or(1);
        let counted = super::Scenario { count: Some(pairs * 2), ..self.scenario.clone() };
        let mut event =
            Event { school: self.school, scenario: &counted, now: self.now, today: self.today };
        let people = event.choose(2, |_| true)?;
        let pairs: Vec<(usize, usize)> =
            people.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        if pairs.is_empty() { Err(self.nobody_fits()) } else { Ok(pairs) }
    }

    /// Positions of the named classes, or of up to `count` (by default `default`) that fit.
    pub(super) fn choose_classes(
        &mut self,
        default: usize,
        fits: impl Fn(&Class) -> bool,
    ) -> Result<Vec<usize>, Error> {
        if !self.scenario.classes.is_empty() {
            return named(&self.scenario.classes, &self.school.classes, Error::UnknownClass);
        }
        let fitting = positions(&self.school.classes, fits);
        let chosen = self.some_of(fitting, default);
        if chosen.is_empty() { Err(self.nothing_fits()) } else { Ok(chosen) }
    }

    /// Positions of the named subjects, or of up to `count` (by default one) that fit.
    pub(super) fn choose_subjects(
        &mut self,
        fits: impl Fn(&Subject) -> bool,
    ) -> Result<Vec<usize>, Error> {
        if !self.scenario.subjects.is_empty() {
            return named(&self.scenario.subjects, &self.school.subjects, Error::UnknownSubject);
        }
        let fitting = positions(&self.school.subjects, fits);
        let chosen = self.some_of(fitting, 1);
        if chosen.is_empty() { Err(self.nothing_fits()) } else { Ok(chosen) }
    }

    /// Up to `count` (by default `default`) of what fits, in no order.
    pub(super) fn some_of<T>(&mut self, mut fitting: Vec<T>, default: usize) -> Vec<T> {
        fitting.shuffle(&mut self.school.rng);
        fitting.truncate(self.scenario.count.unwrap_or(default));
        fitting
    }

    /// Changes the people at these positions, stamps the change and returns their ids.
    pub(super) fn change(
        &mut self,
        people: Vec<usize>,
        change: impl FnMut(&mut Employee),
    ) -> Vec<WondeId> {
        record::change(&mut self.school.employees, people, self.now, change)
    }

    /// Changes the classes at these positions, stamps the change and returns their ids.
    pub(super) fn change_classes(
        &mut self,
        classes: Vec<usize>,
        change: impl FnMut(&mut Class),
    ) -> Vec<WondeId> {
        record::change(&mut self.school.classes, classes, self.now, change)
    }

    pub(super) fn nobody_fits(&self) -> Error {
        Error::NobodyFits(self.scenario.name.as_str())
    }

    pub(super) fn nothing_fits(&self) -> Error {
        Error::NothingFits(self.scenario.name.as_str())
    }
}

/// Positions of the records that fit.
fn positions<T>(records: &[T], fits: impl Fn(&T) -> bool) -> Vec<usize> {
    let fitting = records.iter().enumerate().filter(|(_, record)| fits(record));
    fitting.map(|(at, _)| at).collect()
}

/// Positions of the records of these ids.
pub(super) fn named<T: Record>(
    ids: &[String],
    records: &[T],
    unknown: fn(String) -> Error,
) -> Result<Vec<usize>, Error> {
    let find = |text: &String| {
        let id: Option<WondeId> = text.parse().ok();
        let at = records.iter().position(|record| Some(record.id()) == id);
        at.ok_or_else(|| unknown(text.clone()))
    };
    ids.iter().map(find).collect()
}

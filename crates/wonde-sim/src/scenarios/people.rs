//! Scenarios about single people.

use chrono::{Days, NaiveDate};
use rand::seq::IndexedRandom;

use super::Event;
use super::record::take_out;
use crate::error::Error;
use crate::ids::WondeId;
use crate::names;
use crate::population::{self, Quirk};
use crate::school::{Employee, Role, Times};

impl Event<'_> {
    pub(super) fn leave(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        let yesterday = self.today - Days::new(1);
        Ok(self.change(people, |person| {
            let employment = person.employment.get_or_insert_default();
            (employment.current, employment.end) = (Some(false), Some(yesterday));
        }))
    }

    pub(super) fn delete(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        Ok(self.remove(people))
    }

    /// Removes people from the list and adds them to the deletions.
    fn remove(&mut self, people: Vec<usize>) -> Vec<WondeId> {
        let gone = take_out(&mut self.school.employees, people);
        let touched = self.note_deletions("employee", &gone);
        self.school.departed.extend(gone);
        touched
    }

    /// `count` (by default `default`) people start today.
    pub(super) fn join(&mut self, default: usize) -> Vec<WondeId> {
        self.hire(self.scenario.count.unwrap_or(default), self.today)
    }

    /// People are entered who start in thirty days.
    pub(super) fn announce(&mut self) -> Vec<WondeId> {
        let start = self.today + Days::new(30);
        let people = self.hire(self.scenario.count.unwrap_or(1), start);
        // If a MIS marks a person as current, they are, whatever the start date is.
        for person in self.school.employees.iter_mut().filter(|p| people.contains(&p.id)) {
            person.employment.get_or_insert_default().current = None;
        }
        people
    }

    pub(super) fn hire(&mut self, count: usize, start: NaiveDate) -> Vec<WondeId> {
        (0..count)
            .map(|_| {
                let mut person = population::hire(self.school, Quirk::None, self.today, self.now);
                person.times = Times::new(self.now);
                person.employment.get_or_insert_default().start = Some(start);
                let id = person.id;
                self.school.employees.push(person);
                id
            })
            .collect()
    }

    pub(super) fn rename(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        let added = *names::SURNAMES.choose(&mut self.school.rng).expect("there are surnames");
        Ok(self.change(people, |person| {
            let surname = person.surname.as_deref().map(str::trim).unwrap_or_default();
            person.surname = Some(format!("{surname}-{added}"));
        }))
    }

    pub(super) fn change_initials(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        Ok(self.change(people, |person| {
            let initials = person.initials.as_deref().map(str::trim).unwrap_or_default();
            person.initials = Some(format!("{initials}X"));
        }))
    }

    pub(super) fn change_teaching(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        Ok(self.change(people, |person| {
            let employment = person.employment.get_or_insert_default();
            employment.teaching_staff = Some(!employment.teaching_staff.unwrap_or(true));
        }))
    }

    /// The last deleted people, or else people who have left, or else an error.
    pub(super) fn restore(&mut self) -> Result<Vec<WondeId>, Error> {
        let count = self.scenario.count.unwrap_or(1);
        if !self.scenario.staff.is_empty() {
            return self.restore_leavers(self.scenario.staff.len());
        }
        let from = self.school.departed.len().saturating_sub(count);
        let mut back: Vec<Employee> = self.school.departed.split_off(from);
        if back.is_empty() {
            return self.restore_leavers(count);
        }
        let touched = self.note_restored(&mut back);
        self.school.employees.append(&mut back);
        self.school.employees.sort_unstable_by_key(|person| person.id);
        Ok(touched)
    }

    fn restore_leavers(&mut self, count: usize) -> Result<Vec<WondeId>, Error> {
        let (now, today) = (self.now, self.today);
        let named = &self.scenario.staff;
        let has_left = |person: &Employee| {
            let end = person.employment.as_ref().and_then(|employment| employment.end);
            let is_meant = named.is_empty() || named.contains(&person.id.to_string());
            is_meant && end.is_some_and(|end| end < today)
        };
        let people =
            self.school.employees.iter().enumerate().filter(|(_, person)| has_left(person));
        let people: Vec<usize> = people.map(|(at, _)| at).take(count).collect();
        if people.is_empty() {
            return Err(self.nobody_fits());
        }
        Ok(self.change(people, |person| {
            person.times.restored = Some(now);
            let employment = person.employment.get_or_insert_default();
            (employment.current, employment.end) = (Some(true), None);
        }))
    }

    /// The last deleted people, or else current ones who are deleted in the same moment.
    pub(super) fn add_again(&mut self) -> Result<Vec<WondeId>, Error> {
        let count = self.scenario.count.unwrap_or(1);
        if self.school.departed.is_empty() || !self.scenario.staff.is_empty() {
            let people = self.choose(1, |person| person.upi.is_some())?;
            self.remove(people);
        }
        let from = self.school.departed.len().saturating_sub(count.max(self.scenario.staff.len()));
        let mut touched = Vec::new();
        for mut person in self.school.departed.split_off(from) {
            person.id = self.school.ids.take();
            person.times = Times::new(self.now);
            touched.push(person.id);
            self.school.employees.push(person);
        }
        Ok(touched)
    }

    pub(super) fn add_role(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        let ids: Vec<WondeId> = people.iter().map(|_| self.school.ids.take()).collect();
        let mut ids = ids.into_iter();
        Ok(self.change(people, |person| {
            // A title that the person does not have yet, so that the job title really changes.
            let titles = ["Duty Manager", "Acting Duty Manager", "Deputy Duty Manager"];
            let has = |title: &str| person.roles.iter().any(|role| role.name == Some(title));
            let name = titles.into_iter().find(|title| !has(title));
            person.roles.extend(ids.next().map(|id| Role { id, name, code: Some("DUTY") }));
        }))
    }

    pub(super) fn empty_roles(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(usize::MAX, |person| !person.roles.is_empty())?;
        Ok(self.change(people, |person| person.roles.clear()))
    }

    pub(super) fn change_manager(&mut self) -> Result<Vec<WondeId>, Error> {
        let head = self.school.employees.first().map(|person| person.id);
        let people = self.choose(1, |person| Some(person.id) != head)?;
        Ok(self.change(people, |person| {
            person.manager = if person.manager == head { None } else { head }
        }))
    }

    pub(super) fn lose_managers(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(usize::MAX, |person| person.manager.is_some())?;
        Ok(self.change(people, |person| person.manager = None))
    }

    pub(super) fn close_circle(&mut self) -> Result<Vec<WondeId>, Error> {
        let mut touched = Vec::new();
        for (first, second) in self.choose_pairs()? {
            let ids = [self.school.employees[second].id, self.school.employees[first].id];
            let mut managers = ids.into_iter();
            touched.extend(
                self.change(vec![first, second], |person| person.manager = managers.next()),
            );
        }
        Ok(touched)
    }
}

//! Who is touched: the people named in the order, or some chosen by the school's seed.

use rand::seq::SliceRandom;

use super::Event;
use crate::error::Error;
use crate::ids::WondeId;
use crate::school::Employee;
use crate::truth;

impl Event<'_> {
    /// Positions of the people named, or of up to `count` (by default `default`) imported people who fit.
    pub(super) fn choose(
        &mut self,
        default: usize,
        fits: impl Fn(&Employee) -> bool,
    ) -> Result<Vec<usize>, Error> {
        if !self.scenario.staff.is_empty() {
            return self.named();
        }
        let imported = truth::imported(self.school, self.today);
        let people = self.school.employees.iter().enumerate();
        let mut fitting: Vec<usize> = people
            .filter(|(_, person)| imported.contains(&person.id) && fits(person))
            .map(|(at, _)| at)
            .collect();
        fitting.shuffle(&mut self.school.rng);
        fitting.truncate(self.scenario.count.unwrap_or(default));
        if fitting.is_empty() {
            return Err(Error::NobodyFits(self.scenario.name.as_str()));
        }
        Ok(fitting)
    }

    /// Pairs of people, by default one; the people named two by two.
    pub(super) fn choose_pairs(&mut self) -> Result<Vec<(usize, usize)>, Error> {
        let pairs = self.scenario.count.unwrap_or(1);
        let counted = super::Scenario { count: Some(pairs * 2), ..self.scenario.clone() };
        let mut event =
            Event { school: self.school, scenario: &counted, now: self.now, today: self.today };
        let people = event.choose(2, |_| true)?;
        let pairs: Vec<(usize, usize)> =
            people.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        if pairs.is_empty() {
            return Err(Error::NobodyFits(self.scenario.name.as_str()));
        }
        Ok(pairs)
    }

    /// Changes the people at these positions, stamps the change and tells who they are.
    pub(super) fn change(
        &mut self,
        people: Vec<usize>,
        mut change: impl FnMut(&mut Employee),
    ) -> Vec<WondeId> {
        let stamp = self.now;
        people
            .into_iter()
            .map(|at| {
                let person = &mut self.school.employees[at];
                change(person);
                person.times.updated = stamp;
                person.id
            })
            .collect()
    }

    fn named(&self) -> Result<Vec<usize>, Error> {
        let find = |text: &String| {
            let id: Option<WondeId> = text.parse().ok();
            let at = id.and_then(|id| {
                self.school.employees.binary_search_by_key(&id, |person| person.id).ok()
            });
            at.ok_or_else(|| Error::UnknownEmployee(text.clone()))
        };
        self.scenario.staff.iter().map(find).collect()
    }
}

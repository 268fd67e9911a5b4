//! Scenarios about work emails.

use super::Event;
use crate::error::Error;
use crate::ids::WondeId;
use crate::names;

impl Event<'_> {
    /// `forename.surname2@…` with the next free number.
    pub(super) fn change_email(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        let emails: Vec<String> = people.iter().map(|&at| self.next_email(at)).collect();
        let mut emails = emails.into_iter();
        Ok(self.change(people, |person| person.contact.work_email = emails.next()))
    }

    pub(super) fn swap_emails(&mut self) -> Result<Vec<WondeId>, Error> {
        let mut touched = Vec::new();
        for (first, second) in self.choose_pairs()? {
            let email =
                |at: usize, event: &Self| event.school.employees[at].contact.work_email.clone();
            let swapped = [email(second, self), email(first, self)];
            let mut emails = swapped.into_iter();
            touched.extend(self.change(vec![first, second], |person| {
                person.contact.work_email = emails.next().flatten();
            }));
        }
        Ok(touched)
    }

    pub(super) fn lose_email(&mut self) -> Result<Vec<WondeId>, Error> {
        let people = self.choose(1, |_| true)?;
        Ok(self.change(people, |person| person.contact.work_email = None))
    }

    /// In another case, because the same address is the same in any.
    pub(super) fn share_email(&mut self) -> Result<Vec<WondeId>, Error> {
        let mut touched = Vec::new();
        for (first, second) in self.choose_pairs()? {
            let holder = &self.school.employees[first];
            let shared = holder.contact.work_email.as_deref().map(str::to_uppercase);
            touched.push(holder.id);
            touched.extend(
                self.change(vec![second], |person| person.contact.work_email.clone_from(&shared)),
            );
        }
        Ok(touched)
    }

    fn next_email(&mut self, at: usize) -> String {
        let person = &self.school.employees[at];
        let part = |name: &Option<String>| names::email_part(name.as_deref().unwrap_or("staff"));
        let name = format!("{}.{}", part(&person.forename), part(&person.surname));
        let given_out = self.school.email_parts.entry(name.clone()).or_insert(1);
        *given_out += 1;
        format!("{name}{given_out}@{}", self.school.profile.domain)
    }
}

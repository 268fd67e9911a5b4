//! Scenarios about the whole school.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Event, Scenario, ScenarioName};
use crate::error::Error;
use crate::ids::WondeId;
use crate::mis::{Feature, Mis};
use crate::population;
use crate::school::{Access, Employee};

impl Event<'_> {
    /// A tenth leaves, as many start, and all classes are new.
    pub(super) fn roll_over(&mut self) -> Result<Vec<WondeId>, Error> {
        let count = self.scenario.count.unwrap_or(self.school.employees.len().div_ceil(10));
        let counted = Scenario { count: Some(count), ..self.scenario.clone() };
        let mut event =
            Event { school: self.school, scenario: &counted, now: self.now, today: self.today };
        let mut touched = event.leave()?;
        touched.extend(event.join(count));
        self.show_classes();
        let classes = std::mem::take(&mut self.school.classes);
        self.remove_classes(classes);
        population::classes(self.school, self.now);
        Ok(touched)
    }

    /// Leaves `keep` people visible and returns who is hidden.
    pub(super) fn hide(&mut self, keep: usize) -> Vec<WondeId> {
        let keep = keep.min(self.school.employees.len());
        let mut hidden = self.school.employees.split_off(keep);
        let touched = hidden.iter().map(|person| person.id).collect();
        self.school.withheld.append(&mut hidden);
        touched
    }

    pub(super) fn shrink(&mut self) -> Result<Vec<WondeId>, Error> {
        let needed = Error::MissingSetting {
            scenario: "shrink",
            needs: "keep, the number of people who stay, such as {\"keep\": 5}",
        };
        let keep = self.scenario.keep.ok_or(needed)?;
        Ok(self.hide(keep))
    }

    pub(super) fn refill(&mut self) -> Vec<WondeId> {
        let mut back: Vec<Employee> = std::mem::take(&mut self.school.withheld);
        let touched = back.iter().map(|person| person.id).collect();
        self.school.employees.append(&mut back);
        self.school.employees.sort_unstable_by_key(|person| person.id);
        touched
    }

    pub(super) fn lose_mis_name(&mut self) -> Vec<WondeId> {
        self.school.has_unknown_mis = true;
        self.school.profile.updated_at = self.now;
        Vec::new()
    }

    /// Everything gets a new id, record number and UPI. The old ones do not appear among the
    /// deletions.
    pub(super) fn migrate(&mut self) -> (Vec<WondeId>, Value) {
        let old = self.school.mis;
        let place = Mis::ALL.iter().position(|&mis| mis == old).unwrap_or_default();
        self.school.mis = self.scenario.mis.unwrap_or(Mis::ALL[(place + 1) % Mis::ALL.len()]);
        self.refill();
        self.show_classes();
        self.school.departed.clear();
        self.school.departed_classes.clear();
        self.school.deletions.clear();
        let people = self.renumber_people();
        self.renumber_teaching(&people);
        let touched = self.school.employees.iter().map(|person| person.id).collect();
        let webhook = json!({
            "payload_type": "schoolMigration",
            "school_id": self.school.id,
            "school_name": self.school.profile.name,
            "migrate_from": old,
            "migrate_to": self.school.mis,
            "scheduled_at": self.now.format("%Y-%m-%d %H:%M:%S").to_string(),
            "completed_at": self.now.format("%Y-%m-%d %H:%M:%S").to_string(),
        });
        (touched, webhook)
    }

    /// New ids for people and what is theirs; returns which id became which.
    fn renumber_people(&mut self) -> HashMap<WondeId, WondeId> {
        let school = &mut *self.school;
        let mut became = HashMap::new();
        for person in &mut school.employees {
            let id = school.ids.take();
            became.insert(person.id, id);
            school.next_mis_id += 1;
            person.id = id;
            person.mis_id = school.next_mis_id;
            person.upi =
                person.upi.is_some().then(|| population::upi(school.id, school.mis, person.mis_id));
            (person.times.created, person.times.updated, person.times.restored) =
                (self.now, self.now, None);
            for role in &mut person.roles {
                role.id = school.ids.take();
            }
            if let Some(photo) = &mut person.photo {
                photo.id = school.ids.take();
                photo.times = person.times;
            }
        }
        for person in &mut school.employees {
            person.manager = person.manager.and_then(|manager| became.get(&manager).copied());
        }
        became
    }

    fn renumber_teaching(&mut self, people: &HashMap<WondeId, WondeId>) {
        let school = &mut *self.school;
        let mut subjects = HashMap::new();
        for subject in &mut school.subjects {
            let id = school.ids.take();
            subjects.insert(std::mem::replace(&mut subject.id, id), id);
            school.next_mis_id += 1;
            subject.mis_id = school.next_mis_id;
            subject.times.updated = self.now;
        }
        for class in &mut school.classes {
            class.id = school.ids.take();
            school.next_mis_id += 1;
            class.mis_id = school.next_mis_id;
            class.times.updated = self.now;
            class.subject = class.subject.and_then(|subject| subjects.get(&subject).copied());
            class.teachers.retain_mut(|teacher| {
                people.get(&teacher.employee).map(|&id| teacher.employee = id).is_some()
            });
        }
        for group in &mut school.groups {
            group.id = school.ids.take();
            school.next_mis_id += 1;
            group.mis_id = school.next_mis_id;
            group.times.updated = self.now;
            group.members =
                group.members.iter().filter_map(|member| people.get(member).copied()).collect();
        }
    }

    /// Revokes, approves or gives a new token; returns what Wonde would post.
    pub(super) fn change_access(&mut self) -> Value {
        let school = &mut *self.school;
        match self.scenario.name {
            ScenarioName::Revoke => school.access = Access::Revoked,
            ScenarioName::RotateToken => school.token = population::token(&mut school.rng),
            _ => school.access = Access::Approved,
        }
        let mut body = json!({
            "school_id": school.id,
            "school_name": school.profile.name,
            "school_la_code": school.profile.la_code.to_string(),
            "school_urn": school.profile.urn.to_string(),
            "school_establishment_number": school.profile.establishment_number.to_string(),
        });
        if school.access == Access::Revoked {
            body["payload_type"] = "accessRevoked".into();
            body["revoke_reason"] = "Revoked by the school.".into();
        } else {
            body["payload_type"] = "schoolApproved".into();
            body["school_token"] = school.token.as_str().into();
        }
        body
    }

    pub(super) fn change_scope(&mut self) -> Result<Vec<WondeId>, Error> {
        let needs = "scope: roles, photo, line_manager, staff_links, contact_details, \
                     employment_details, classes or subjects";
        let scenario = self.scenario.name.as_str();
        let scope: Feature =
            self.scenario.scope.ok_or(Error::MissingSetting { scenario, needs })?;
        if self.scenario.name == ScenarioName::WithdrawScope {
            self.school.withdrawn.insert(scope, self.scenario.look);
        } else {
            self.school.withdrawn.remove(&scope);
        }
        Ok(Vec::new())
    }
}

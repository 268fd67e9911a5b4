mod photos;
mod stamps;
mod teaching;
mod whole;

use std::collections::{HashMap, HashSet};

use super::*;
use crate::options::SimulatorOptions;
use crate::population;
use crate::truth::{Reason, StaffTruth, Truth, truth};

fn now() -> DateTime<Utc> {
    "2026-09-07T10:11:12Z".parse().unwrap()
}

fn school(staff: usize) -> School {
    let today = london_date(now());
    let options = SimulatorOptions {
        schools: 1,
        staff,
        today,
        mis: Some(Mis::Sims),
        ..SimulatorOptions::default()
    };
    population::school(0, &options)
}

/// A school before and after a scenario.
struct Story {
    school: School,
    before: Truth,
    after: Truth,
    touched: Vec<String>,
}

impl Story {
    fn tell(scenario: impl Into<Scenario>) -> Self {
        Self::go_on(school(40), &scenario.into())
    }

    fn go_on(mut school: School, scenario: &Scenario) -> Self {
        let before = truth(&school, london_date(now()));
        let outcome = apply(&mut school, scenario, now()).unwrap();
        let after = truth(&school, london_date(now()));
        Self { school, before, after, touched: outcome.touched }
    }

    /// The affected people in the truth before and after.
    fn changes(&self) -> Vec<(&StaffTruth, &StaffTruth)> {
        let find = |truth: &'_ Truth, id: &String| {
            truth.staff.iter().position(|person| person.wonde_id == *id).unwrap()
        };
        self.touched
            .iter()
            .map(|id| {
                (
                    &self.before.staff[find(&self.before, id)],
                    &self.after.staff[find(&self.after, id)],
                )
            })
            .collect()
    }

    /// Asserts that only the affected people have changed in the truth.
    fn assert_others_stayed(&self) {
        let others = |truth: &Truth| -> Vec<StaffTruth> {
            truth
                .staff
                .iter()
                .filter(|person| !self.touched.contains(&person.wonde_id))
                .cloned()
                .collect()
        };
        assert_eq!(others(&self.before), others(&self.after));
    }

    fn reason(&self, id: &str) -> Option<Reason> {
        self.after
            .not_imported
            .iter()
            .find(|person| person.wonde_id == id)
            .map(|person| person.reason)
    }
}

fn counted(name: ScenarioName, count: usize) -> Scenario {
    Scenario { count: Some(count), ..name.into() }
}

#[test]
fn every_name_reads_back_as_itself() {
    for &name in ScenarioName::ALL {
        assert_eq!(name.as_str().replace('_', "-").parse::<ScenarioName>().unwrap(), name);
    }
    assert_eq!(
        ScenarioName::ALL.len(),
        ScenarioName::all_names().into_iter().collect::<HashSet<_>>().len()
    );
}

#[test]
fn leavers_are_no_longer_current() {
    let story = Story::tell(counted(ScenarioName::Leaver, 3));
    assert_eq!(story.after.staff.len(), story.before.staff.len() - 3);
    for id in &story.touched {
        assert_eq!(story.reason(id), Some(Reason::NotCurrent));
    }
}

#[test]
fn the_deleted_are_gone_and_noted() {
    let story = Story::tell(counted(ScenarioName::Deleted, 2));
    assert_eq!(story.school.employees.len(), 38);
    let noted: HashSet<String> =
        story.school.deletions.iter().map(|deletion| deletion.id.to_string()).collect();
    assert_eq!(noted, story.touched.iter().cloned().collect());
}

#[test]
fn joiners_are_imported_and_future_starters_are_not_yet() {
    let story = Story::tell(ScenarioName::Joiner);
    assert_eq!(story.after.staff.len(), story.before.staff.len() + 1);
    let story = Story::tell(ScenarioName::Grow);
    assert_eq!(story.after.staff.len(), story.before.staff.len() + 10);
    let emails: HashSet<String> =
        story.after.staff.iter().map(|person| person.email.to_lowercase()).collect();
    assert_eq!(emails.len(), story.after.staff.len());
    let story = Story::tell(ScenarioName::FutureStarter);
    assert_eq!(story.after.staff.len(), story.before.staff.len());
    assert_eq!(story.reason(&story.touched[0]), Some(Reason::NotCurrent));
}

#[test]
fn one_field_of_one_person_changes() {
    type Field = fn(&StaffTruth) -> String;
    let fields: [(ScenarioName, Field); 7] = [
        (ScenarioName::Rename, |person| person.surname.clone()),
        (ScenarioName::NewInitials, |person| format!("{:?}", person.initials)),
        (ScenarioName::EmailChange, |person| person.email.clone()),
        (ScenarioName::TeachingChange, |person| person.non_teaching.to_string()),
        (ScenarioName::RoleChange, |person| format!("{:?}", person.job_title)),
        (ScenarioName::ManagerChange, |person| format!("{:?}", person.line_manager_wonde_id)),
        (ScenarioName::NewPhoto, |person| format!("{:?}", person.photo_hash)),
    ];
    for (name, _) in &fields {
        let story = Story::tell(*name);
        story.assert_others_stayed();
        assert_eq!(story.touched.len(), 1, "{name:?}");
        for (before, after) in story.changes() {
            for (other, field) in &fields {
                assert_eq!(
                    field(before) != field(after),
                    name == other,
                    "{name:?} and the field of {other:?}"
                );
            }
        }
        let touched = story.school.employee(story.touched[0].parse().unwrap()).unwrap();
        assert_eq!(touched.times.updated, now());
    }
}

#[test]
fn emails_are_swapped_lost_and_shared() {
    let story = Story::tell(ScenarioName::EmailSwap);
    let changes = story.changes();
    assert_eq!(changes.len(), 2);
    assert_eq!(
        (&changes[0].0.email, &changes[1].0.email),
        (&changes[1].1.email, &changes[0].1.email)
    );
    story.assert_others_stayed();

    let story = Story::tell(ScenarioName::EmailLost);
    assert_eq!(story.reason(&story.touched[0]), Some(Reason::NoWorkEmail));

    let story = Story::tell(ScenarioName::SharedEmail);
    assert_eq!(story.touched.len(), 2);
    for id in &story.touched {
        assert_eq!(story.reason(id), Some(Reason::SharedWorkEmail));
    }
}

#[test]
fn a_deleted_person_is_restored_or_added_again() {
    let gone = Story::tell(ScenarioName::Deleted);
    let upi_of = |story: &Story, id: &str| {
        story.before.staff.iter().find(|person| person.wonde_id == id).unwrap().upi.clone()
    };
    let (id, upi) = (gone.touched[0].clone(), upi_of(&gone, &gone.touched[0]));
    let back = Story::go_on(gone.school, &ScenarioName::Restored.into());
    assert_eq!(back.touched, std::slice::from_ref(&id));
    assert_eq!(back.after, gone.before);
    let restored = back.school.employee(id.parse().unwrap()).unwrap();
    assert_eq!(restored.times.restored, Some(now()));

    let mut school = back.school;
    let named = Scenario { staff: vec![id.clone()], ..ScenarioName::Deleted.into() };
    apply(&mut school, &named, now()).unwrap();
    let again = Story::go_on(school, &ScenarioName::ReAdded.into());
    assert_ne!(again.touched[0], id);
    let person =
        again.after.staff.iter().find(|person| person.wonde_id == again.touched[0]).unwrap();
    assert_eq!(person.upi, upi);
}

#[test]
fn without_deletions_a_leaver_is_restored_and_a_current_person_added_again() {
    let story = Story::tell(ScenarioName::Restored);
    let restored = story.school.employee(story.touched[0].parse().unwrap()).unwrap();
    assert_eq!(restored.times.restored, Some(now()));
    assert_eq!(story.after.staff.len(), story.before.staff.len() + 1);

    let story = Story::tell(ScenarioName::ReAdded);
    assert_eq!(story.after.staff.len(), story.before.staff.len());
    assert!(story.before.staff.iter().all(|person| person.wonde_id != story.touched[0]));
    assert_eq!(story.school.deletions.len(), 1);
}

#[test]
fn a_named_leaver_comes_back() {
    let left = Story::tell(ScenarioName::Leaver);
    let named = Scenario { staff: left.touched.clone(), ..ScenarioName::Restored.into() };
    let back = Story::go_on(left.school, &named);
    assert_eq!(back.touched, left.touched);
    assert_eq!(back.after, left.before);
}

#[test]
fn job_titles_and_managers_are_emptied() {
    let story = Story::tell(ScenarioName::RolesEmptied);
    assert!(story.before.staff.iter().any(|person| person.job_title.is_some()));
    assert!(story.after.staff.iter().all(|person| person.job_title.is_none()));
    let story = Story::tell(ScenarioName::ManagersLost);
    assert!(story.before.staff.iter().any(|person| person.line_manager_wonde_id.is_some()));
    assert!(story.after.staff.iter().all(|person| person.line_manager_wonde_id.is_none()));
}

#[test]
fn two_who_manage_each_other_have_no_manager() {
    let story = Story::tell(ScenarioName::ManagerCycle);
    let manager = |at: usize| {
        story
            .school
            .employee(story.touched[at].parse().unwrap())
            .unwrap()
            .manager
            .unwrap()
            .to_string()
    };
    assert_eq!((manager(0), manager(1)), (story.touched[1].clone(), story.touched[0].clone()));
    assert!(story.changes().iter().all(|(_, after)| after.line_manager_wonde_id.is_none()));
}

#[test]
fn the_people_named_are_the_ones_touched() {
    let school = school(40);
    let ids: Vec<String> =
        school.employees[3..6].iter().map(|person| person.id.to_string()).collect();
    let story =
        Story::go_on(school, &Scenario { staff: ids.clone(), ..ScenarioName::Leaver.into() });
    assert_eq!(story.touched, ids);
}

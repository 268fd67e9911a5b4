//! Wonde shows changes by `updated_at`: every scenario has to move it for every record that it
//! changes, and for no other.

use std::fmt::Debug;

use chrono::TimeDelta;

use super::*;
use crate::school::Times;

/// All records of a school that have an `updated_at`, in words, by id.
fn records(school: &School) -> HashMap<WondeId, (String, DateTime<Utc>)> {
    let mut records = HashMap::new();
    let mut add = |id: WondeId, record: &dyn Debug, times: &Times| {
        records.insert(id, (format!("{record:?}"), times.updated));
    };
    for person in &school.employees {
        add(person.id, person, &person.times);
    }
    for class in &school.classes {
        add(class.id, class, &class.times);
    }
    for subject in &school.subjects {
        add(subject.id, subject, &subject.times);
    }
    records
}

#[test]
fn every_changed_record_is_stamped_and_no_other() {
    for &name in ScenarioName::ALL {
        let mut school = school(40);
        for before in [ScenarioName::Deleted, ScenarioName::ClassDeleted] {
            apply(&mut school, &before.into(), now()).unwrap();
        }
        let before = records(&school);
        let later = now() + TimeDelta::hours(1);
        let scenario = Scenario { keep: Some(5), scope: Some(Feature::Roles), ..name.into() };
        apply(&mut school, &scenario, later).unwrap();
        for (id, (record, updated)) in records(&school) {
            let is_changed = before.get(&id).is_none_or(|(old, _)| *old != record);
            assert_eq!(updated == later, is_changed, "{name:?}: {record}");
        }
    }
}

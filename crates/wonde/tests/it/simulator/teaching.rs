use std::collections::{BTreeMap, HashSet};

use mis_sync_wonde::{Class, ClassInclude, ClassSubject};
use mis_sync_wonde_sim::{ClassTruth, SimulatorOptions, SubjectTruth, Truth};

use super::{World, records};

/// A class as the simulator's truth describes it.
fn told(class: &Class, imported: &HashSet<&str>) -> ClassTruth {
    let mut people: Vec<_> = class.employees.delivered().unwrap().iter().collect();
    people.retain(|person| imported.contains(person.id.as_str()));
    people.sort_by_key(|person| person.is_main_teacher != Some(true));
    let subject = class.subject.delivered().unwrap().as_ref();
    ClassTruth {
        wonde_id: class.id.to_string(),
        name: class.name.clone().unwrap(),
        code: class.code.clone(),
        description: class.description.clone(),
        subject_wonde_id: subject.map(|subject| subject.id().to_string()),
        staff: people.into_iter().map(|person| person.id.to_string()).collect(),
    }
}

fn by_id(classes: impl IntoIterator<Item = ClassTruth>) -> BTreeMap<String, ClassTruth> {
    classes.into_iter().map(|class| (class.wonde_id.clone(), class)).collect()
}

#[tokio::test]
async fn classes_are_those_of_the_truth_with_subject_and_teachers() {
    let world = World::start(SimulatorOptions::default()).await;
    let include = [ClassInclude::Subject, ClassInclude::Employees];
    let read = records(world.client.classes(&include, None, None)).await;
    let Truth { staff, classes, subjects, .. } = world.truth();
    let imported = staff.iter().map(|person| person.wonde_id.as_str()).collect();
    let count = read.len();
    assert_eq!(by_id(read.iter().map(|class| told(class, &imported))), by_id(classes));
    assert!(count > 20, "more than one page: {count}");

    let main: HashSet<_> = read
        .iter()
        .flat_map(|class| class.employees.delivered().unwrap())
        .map(|person| person.is_main_teacher)
        .collect();
    assert_eq!(main, HashSet::from([Some(true), Some(false)]));

    let names: BTreeMap<&str, &str> =
        subjects.iter().map(|subject| (subject.wonde_id.as_str(), subject.name.as_str())).collect();
    for subject in read.iter().filter_map(|class| class.subject.delivered().unwrap().as_ref()) {
        let ClassSubject::Included(subject) = subject else { panic!("it was asked for") };
        assert_eq!(subject.name.as_deref(), Some(names[subject.id.as_str()]));
    }
}

#[tokio::test]
async fn classes_alone_still_name_their_subject() {
    let world = World::start(SimulatorOptions::default()).await;
    let read = records(world.client.classes(&[], None, None)).await;
    let truth = world.truth();
    let mut without = 0;
    for class in &read {
        let subject = class.subject.delivered().unwrap();
        assert!(!matches!(subject, Some(ClassSubject::Included(_))));
        assert!(class.employees.delivered().is_none(), "not asked for");
        let truth = truth.classes.iter().find(|known| known.wonde_id == class.id.as_str()).unwrap();
        let id = subject.as_ref().map(|subject| subject.id().to_string());
        assert_eq!(id, truth.subject_wonde_id);
        without += usize::from(id.is_none());
    }
    assert!(without > 0 && without < read.len(), "{without} of {}", read.len());
}

#[tokio::test]
async fn subjects_are_those_of_the_truth() {
    let world = World::start(SimulatorOptions::default()).await;
    let read = records(world.client.subjects(None, None)).await;
    assert!(read.iter().all(|subject| subject.active == Some(true)));
    let mut read: Vec<_> = read
        .into_iter()
        .map(|subject| (subject.id.to_string(), subject.name, subject.code))
        .collect();
    read.sort();
    let truth: Vec<_> = world
        .truth()
        .subjects
        .into_iter()
        .map(|SubjectTruth { wonde_id, name, code, .. }| (wonde_id, Some(name), code))
        .collect();
    assert_eq!(read, truth);
    assert!(!truth.is_empty());
}

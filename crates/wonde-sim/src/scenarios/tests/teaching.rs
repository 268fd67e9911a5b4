use super::*;
use crate::truth::{ClassTruth, SubjectTruth};

/// The affected classes in the truth before and after.
fn classes(story: &Story) -> Vec<(&ClassTruth, &ClassTruth)> {
    let find = |truth: &'_ Truth, id: &String| {
        truth.classes.iter().position(|class| class.wonde_id == *id).unwrap()
    };
    let touched = story.touched.iter();
    touched
        .map(|id| {
            let (before, after) = (find(&story.before, id), find(&story.after, id));
            (&story.before.classes[before], &story.after.classes[after])
        })
        .collect()
}

/// Asserts that only the affected classes have changed in the truth, and no person.
fn assert_the_rest_stayed(story: &Story) {
    let others = |truth: &Truth| -> Vec<ClassTruth> {
        let others = truth.classes.iter().filter(|class| !story.touched.contains(&class.wonde_id));
        others.cloned().collect()
    };
    assert_eq!(others(&story.before), others(&story.after));
    assert_eq!(story.before.staff, story.after.staff);
}

fn subject_ids(truth: &Truth) -> HashSet<&String> {
    truth.subjects.iter().map(|subject| &subject.wonde_id).collect()
}

/// A school without any classes and subjects.
fn without_subjects() -> School {
    let mis = Some(Mis::ScholarPack);
    let options = SimulatorOptions { staff: 20, mis, ..SimulatorOptions::default() };
    population::school(0, &options)
}

#[test]
fn a_class_takes_another_name() {
    let story = Story::tell(counted(ScenarioName::ClassRename, 2));
    assert_eq!(story.touched.len(), 2);
    for (before, after) in classes(&story) {
        assert_ne!(before.name, after.name);
        assert_eq!(*before, ClassTruth { name: before.name.clone(), ..after.clone() });
    }
    assert_the_rest_stayed(&story);
    assert_eq!(story.before.subjects, story.after.subjects);
}

#[test]
fn a_class_gets_a_main_teacher_whom_it_did_not_have() {
    let story = Story::tell(counted(ScenarioName::ClassTeacherChange, 5));
    assert_eq!(story.touched.len(), 5);
    for (before, after) in classes(&story) {
        assert!(!before.staff.contains(&after.staff[0]));
        assert!(after.staff[1..].iter().all(|id| before.staff.contains(id)));
        let id = after.wonde_id.parse().unwrap();
        let class = story.school.classes.iter().find(|class| class.id == id).unwrap();
        let main: Vec<String> = class
            .teachers
            .iter()
            .filter(|teacher| teacher.main)
            .map(|teacher| teacher.employee.to_string())
            .collect();
        assert_eq!(main, after.staff[..1], "the new one and no other");
    }
    assert_the_rest_stayed(&story);
}

#[test]
fn a_new_class_has_a_subject_and_a_teacher() {
    let story = Story::tell(counted(ScenarioName::ClassAdded, 3));
    let names: HashSet<&String> = story.after.classes.iter().map(|class| &class.name).collect();
    assert_eq!(names.len(), story.before.classes.len() + 3);
    for id in &story.touched {
        let class = story.after.classes.iter().find(|class| class.wonde_id == *id).unwrap();
        assert!(subject_ids(&story.before).contains(class.subject_wonde_id.as_ref().unwrap()));
        assert_eq!(class.staff.len(), 1);
    }
    assert_the_rest_stayed(&story);

    let nowhere = apply(&mut without_subjects(), &ScenarioName::ClassAdded.into(), now());
    assert_eq!(nowhere.unwrap_err(), Error::NothingFits("class_added"));
}

#[test]
fn deleted_classes_are_noted_and_come_back_as_they_were() {
    let gone = Story::tell(counted(ScenarioName::ClassDeleted, 3));
    assert_eq!(gone.after.classes.len(), gone.before.classes.len() - 3);
    let lines: Vec<(&str, String)> =
        gone.school.deletions.iter().map(|line| (line.kind, line.id.to_string())).collect();
    let wanted: Vec<_> = gone.touched.iter().map(|id| ("class", id.clone())).collect();
    assert_eq!(lines, wanted);
    assert_the_rest_stayed(&gone);

    let first = Scenario { classes: vec![gone.touched[0].clone()], ..named_back() };
    let back = Story::go_on(gone.school, &first);
    assert_eq!(back.touched, gone.touched[..1]);
    let back = Story::go_on(back.school, &counted(ScenarioName::ClassRestored, 9));
    assert_eq!(back.touched, gone.touched[1..]);
    assert_eq!(back.after, gone.before);
    assert!(back.school.deletions.iter().all(|line| line.restored_at == Some(now())));
    for class in &back.school.classes {
        let is_back = gone.touched.contains(&class.id.to_string());
        assert_eq!(class.times.restored, is_back.then(now));
    }
}

fn named_back() -> Scenario {
    ScenarioName::ClassRestored.into()
}

#[test]
fn only_a_deleted_class_can_be_restored() {
    let mut school = school(20);
    let none = apply(&mut school, &ScenarioName::ClassRestored.into(), now()).unwrap_err();
    assert_eq!(none, Error::NothingFits("class_restored"));
    let listed = vec![school.classes[0].id.to_string()];
    let named = Scenario { classes: listed.clone(), ..named_back() };
    let unknown = apply(&mut school, &named, now()).unwrap_err();
    assert_eq!(unknown, Error::UnknownClass(listed[0].clone()));
}

#[test]
fn the_classes_named_are_the_ones_touched() {
    let school = school(40);
    let ids: Vec<String> = school.classes[3..6].iter().map(|class| class.id.to_string()).collect();
    let named = Scenario { classes: ids.clone(), ..ScenarioName::ClassRename.into() };
    assert_eq!(Story::go_on(school, &named).touched, ids);
}

#[test]
fn classes_stay_without_teachers() {
    let story = Story::tell(ScenarioName::ClassesEmptied);
    assert_eq!(story.after.classes.len(), story.before.classes.len());
    assert!(story.before.classes.iter().any(|class| !class.staff.is_empty()));
    assert!(story.after.classes.iter().all(|class| class.staff.is_empty()));
    assert!(story.after.subjects.iter().all(|subject| subject.staff.is_empty()));
    let none = apply(&mut { story.school }, &ScenarioName::ClassesEmptied.into(), now());
    assert_eq!(none.unwrap_err(), Error::NothingFits("classes_emptied"));
}

#[test]
fn the_classes_list_runs_empty_and_fills_again() {
    let empty = Story::tell(ScenarioName::NoClasses);
    assert!(empty.after.classes.is_empty() && empty.school.deletions.is_empty());
    assert_eq!(empty.touched.len(), empty.before.classes.len());
    let full = Story::go_on(empty.school, &ScenarioName::ClassesBack.into());
    assert_eq!(full.after, empty.before);
    assert_eq!(full.touched, empty.touched);
}

#[test]
fn hidden_classes_are_replaced_in_summer_too() {
    let empty = Story::tell(ScenarioName::NoClasses);
    let summer = Story::go_on(empty.school, &ScenarioName::Rollover.into());
    let old: HashSet<&String> = empty.touched.iter().collect();
    assert!(!summer.after.classes.is_empty());
    assert!(summer.after.classes.iter().all(|class| !old.contains(&class.wonde_id)));
    let noted = summer.school.deletions.iter().map(|line| line.id.to_string());
    assert_eq!(noted.collect::<Vec<_>>(), empty.touched);
    let back = Story::go_on(summer.school, &ScenarioName::ClassesBack.into());
    assert!(back.touched.is_empty());
}

#[test]
fn a_new_subject_is_one_that_the_school_did_not_have() {
    let story = Story::tell(counted(ScenarioName::SubjectAdded, 2));
    let names: HashSet<&String> =
        story.after.subjects.iter().map(|subject| &subject.name).collect();
    assert_eq!(names.len(), story.before.subjects.len() + 2);
    assert!(story.touched.iter().all(|id| !subject_ids(&story.before).contains(id)));
    assert_the_rest_stayed(&story);
    let all = Story::go_on(story.school, &counted(ScenarioName::SubjectAdded, 99));
    let none = apply(&mut { all.school }, &ScenarioName::SubjectAdded.into(), now());
    assert_eq!(none.unwrap_err(), Error::NothingFits("subject_added"));
}

#[test]
fn a_renamed_subject_keeps_all_else() {
    let story = Story::tell(ScenarioName::SubjectRenamed);
    let changed: Vec<(&SubjectTruth, &SubjectTruth)> = story
        .before
        .subjects
        .iter()
        .zip(&story.after.subjects)
        .filter(|(before, after)| before != after)
        .collect();
    let [(before, after)] = changed[..] else { panic!("{} subjects changed", changed.len()) };
    assert_eq!(story.touched, std::slice::from_ref(&after.wonde_id));
    assert_ne!(before.name, after.name);
    assert_eq!(*before, SubjectTruth { name: before.name.clone(), ..after.clone() });
    assert_the_rest_stayed(&story);
}

#[test]
fn a_deleted_subject_leaves_its_classes_without_one() {
    let story = Story::tell(ScenarioName::SubjectDeleted);
    let gone = &story.touched[0];
    assert!(!subject_ids(&story.after).contains(gone));
    assert_eq!(story.after.subjects.len(), story.before.subjects.len() - 1);
    assert_eq!(story.before.classes.len(), story.after.classes.len());
    let mut lost = 0;
    for (before, after) in story.before.classes.iter().zip(&story.after.classes) {
        let had_it = before.subject_wonde_id.as_ref() == Some(gone);
        lost += usize::from(had_it);
        let kept = before.subject_wonde_id.clone().filter(|_| !had_it);
        assert_eq!(*after, ClassTruth { subject_wonde_id: kept, ..before.clone() });
    }
    assert!(lost > 0);
}

#[test]
fn a_class_that_comes_back_does_not_bring_its_subject_back() {
    for (away, back) in [
        (ScenarioName::ClassDeleted, ScenarioName::ClassRestored),
        (ScenarioName::NoClasses, ScenarioName::ClassesBack),
    ] {
        let mut school = school(40);
        let extra = apply(&mut school, &ScenarioName::ClassAdded.into(), now()).unwrap().touched;
        let named = Scenario { classes: extra.clone(), ..away.into() };
        apply(&mut school, &named, now()).unwrap();
        school.subjects.clear();
        let story = Story::go_on(school, &back.into());
        let class = story.after.classes.iter().find(|class| class.wonde_id == extra[0]).unwrap();
        assert_eq!(class.subject_wonde_id, None, "{back:?}");
    }
}

use super::*;

#[test]
fn a_migration_changes_every_key_and_keeps_every_person() {
    let story =
        Story::tell(Scenario { mis: Some(Mis::Arbor), ..ScenarioName::MisMigration.into() });
    assert_eq!(story.after.mis, Mis::Arbor);
    let by_email = |truth: &Truth| -> HashMap<String, StaffTruth> {
        truth.staff.iter().map(|person| (person.email.clone(), person.clone())).collect()
    };
    let (before, after) = (by_email(&story.before), by_email(&story.after));
    assert_eq!(before.len(), after.len());
    let email_of = |truth: &Truth, id: &str| {
        truth.staff.iter().find(|person| person.wonde_id == id).map(|person| person.email.clone())
    };
    for (email, old) in &before {
        let new = &after[email];
        assert_ne!(old.wonde_id, new.wonde_id);
        assert!(old.upi != new.upi || old.upi.is_none());
        assert_ne!(old.mis_id, new.mis_id);
        assert_eq!((&old.surname, &old.job_title), (&new.surname, &new.job_title));
        let managers = [(&story.before, old), (&story.after, new)].map(|(truth, person)| {
            person.line_manager_wonde_id.as_deref().and_then(|id| email_of(truth, id))
        });
        assert_eq!(managers[0], managers[1]);
    }
    let sizes = |truth: &Truth| -> Vec<usize> {
        let mut sizes: Vec<usize> = truth.classes.iter().map(|class| class.staff.len()).collect();
        sizes.sort_unstable();
        sizes
    };
    assert_eq!(sizes(&story.before), sizes(&story.after));
}

#[test]
fn a_rollover_replaces_the_classes() {
    let story = Story::tell(ScenarioName::Rollover);
    let ids = |truth: &Truth| -> HashSet<String> {
        truth.classes.iter().map(|class| class.wonde_id.clone()).collect()
    };
    assert!(!ids(&story.after).is_empty() && ids(&story.before).is_disjoint(&ids(&story.after)));
    assert_eq!(story.after.staff.len(), story.before.staff.len());
    assert_eq!(story.touched.len(), 8);
    let deleted = story.school.deletions.iter().filter(|deletion| deletion.kind == "class").count();
    assert_eq!(deleted, story.before.classes.len());
}

#[test]
fn a_list_runs_empty_and_fills_again() {
    let empty = Story::tell(ScenarioName::Empty);
    assert!(empty.after.staff.is_empty() && empty.school.deletions.is_empty());
    let full = Story::go_on(empty.school, &ScenarioName::Refill.into());
    assert_eq!(full.after, empty.before);
    let few = Story::go_on(full.school, &Scenario { keep: Some(5), ..ScenarioName::Shrink.into() });
    assert_eq!(few.school.employees.len(), 5);
    assert_eq!(few.touched.len(), 35);
}

#[test]
fn a_withdrawn_scope_no_longer_delivers() {
    let story =
        Story::tell(Scenario { scope: Some(Feature::Roles), ..ScenarioName::WithdrawScope.into() });
    assert!(
        story.before.delivers.contains(&Feature::Roles)
            && !story.after.delivers.contains(&Feature::Roles)
    );
    assert!(story.after.staff.iter().all(|person| person.job_title.is_none()));
}

#[test]
fn a_withdrawn_list_takes_with_it_all_that_is_known_by_it() {
    let withdrawn =
        |scope| Story::tell(Scenario { scope: Some(scope), ..ScenarioName::WithdrawScope.into() });
    let story = withdrawn(Feature::Classes);
    assert!(!story.before.classes.is_empty() && story.after.classes.is_empty());
    assert!(story.before.subjects.iter().any(|subject| !subject.staff.is_empty()));
    assert!(story.after.subjects.iter().all(|subject| subject.staff.is_empty()));
    assert_eq!(story.after.subjects.len(), story.before.subjects.len());
    assert_eq!(story.after.staff, story.before.staff);

    let story = withdrawn(Feature::Subjects);
    assert!(!story.before.subjects.is_empty() && story.after.subjects.is_empty());
    assert!(story.before.classes.iter().any(|class| class.subject_wonde_id.is_some()));
    assert!(story.after.classes.iter().all(|class| class.subject_wonde_id.is_none()));
    let granted = Scenario { scope: Some(Feature::Subjects), ..ScenarioName::GrantScope.into() };
    assert_eq!(Story::go_on(story.school, &granted).after, story.before);
}

#[test]
fn each_withdrawn_scope_has_its_own_look() {
    let mut school = school(4);
    for (scope, look) in
        [(Feature::Roles, Some(Unsupported::Null)), (Feature::Photo, None), (Feature::Roles, None)]
    {
        let name = ScenarioName::WithdrawScope;
        apply(&mut school, &Scenario { scope: Some(scope), look, ..name.into() }, now()).unwrap();
        let shown = school.look_without(scope, Unsupported::Forbidden);
        assert_eq!(shown, look.unwrap_or(Unsupported::Forbidden), "the last word counts");
    }
    let other = school.look_without(Feature::Classes, Unsupported::Empty);
    assert_eq!(other, Unsupported::Empty);
}

#[test]
fn an_unknown_mis_delivers_as_before() {
    let story = Story::tell(ScenarioName::UnknownMis);
    assert!(story.school.has_unknown_mis);
    assert_eq!(story.school.profile.updated_at, now());
    assert_eq!(story.after, story.before);
}

use crate::{
    Affected, ClassId, GuardCategory, SubjectId, SubjectOfClass, TeachingCounts, TeachingRecord,
    plan::{
        ChangedGroup, Emptied, Fetched, Group, GroupFields, Held, Plan, Ref, Rules,
        fixture::{
            NOTHING, account, compare, group, id, inactive, link, list, record, rules, school,
            stranger, taught, teaching, told, with,
        },
    },
};

fn class(name: &str, teachers: &[&str]) -> Group<ClassId> {
    group(name, ClassId, teachers)
}

fn subject(name: &str, teachers: &[&str]) -> Group<SubjectId> {
    group(name, SubjectId, teachers)
}

/// A school of Ada, Bea and a leaver, with these classes.
fn held(classes: impl IntoIterator<Item = Group<ClassId>>) -> Held {
    let people = [account("a1"), account("a2"), inactive("a9")];
    Held { classes: classes.into_iter().collect(), ..school(people) }
}

/// A full list of Ada and Bea and these classes.
fn says(classes: impl IntoIterator<Item = TeachingRecord>) -> Fetched {
    let list = list([record("a1"), record("a2")]);
    Fetched { classes: Some(classes.into_iter().collect()), ..list }
}

fn without(mut fetched: Fetched, names: &[&str]) -> Fetched {
    fetched.gone.classes.extend(names.iter().map(|name| (*name).to_owned()));
    fetched
}

fn counts(plan: &Plan) -> TeachingCounts {
    plan.report.classes
}

/// No one is named.
fn silent(name: &str) -> TeachingRecord {
    TeachingRecord { staff: None, ..taught(name, &[]) }
}

#[test]
fn what_is_the_same_is_not_written_and_what_the_mis_leaves_empty_stays() {
    let with_code = with(class("c1", &["a1", "a2"]), |class| {
        class.fields.code = Some("by hand".into());
        class.fields.description = Some("by hand".into());
    });
    let plan = compare(&held([with_code]), &says([taught("c1", &["a1", "a2"])]), &teaching());
    assert_eq!((plan.told().len(), plan.classes.changed.len()), (0, 0));
    assert_eq!(counts(&plan), TeachingCounts { fetched: 1, unchanged: 1, ..Default::default() });
}

#[test]
fn a_class_follows_the_mis_and_is_created_where_ip_has_none() {
    let renamed = |class: TeachingRecord| TeachingRecord {
        name: Some("Maths".into()),
        code: Some("7x".into()),
        description: Some("Set 1".into()),
        ..class
    };
    let lines = ["c1 name=Maths", "c1 code=7x", "c1 description=Set 1"];
    let fetched = says([renamed(taught("c1", &["a1"]))]);
    assert_eq!(told(&held([class("c1", &["a1"])]), &fetched, &teaching()), lines);
    let plan = compare(&held([]), &fetched, &teaching());
    assert_eq!(plan.told(), ["c1 created"]);
    let new = &plan.classes.new[0];
    let fields = GroupFields {
        name: "Maths".into(),
        code: Some("7x".into()),
        description: Some("Set 1".into()),
        subject: None,
        active: true,
    };
    assert!(new.fields == fields);
    assert_eq!(new.links, [link("a1", true)]);
}

#[test]
fn of_two_deliveries_the_later_counts() {
    let old = TeachingRecord { name: Some("Old".into()), ..taught("c1", &["a2"]) };
    let fetched = says([old, taught("c1", &["a1"])]);
    let plan = compare(&held([class("c1", &["a1"])]), &fetched, &teaching());
    assert_eq!((plan.told().len(), counts(&plan).fetched), (0, 1));
}

#[test]
fn links_follow_the_mis_in_order_and_only_to_active_people_of_ip_once() {
    let fetched = Fetched {
        classes: Some(vec![taught("c1", &["a2", "a9", "a404", "a1", "a5", "a2"])]),
        ..list([record("a1"), record("a2"), stranger("a5", "Cy", "cy@oak.example")])
    };
    let plan = compare(&held([class("c1", &["a1"])]), &fetched, &teaching());
    let lines = ["a5 created", "c1 staff=a2,a1,wonde:a5", "c1 main_teachers=a2"];
    assert_eq!(plan.told(), lines);
    let changed: &ChangedGroup<_> = &plan.classes.changed[0];
    assert_eq!(changed.links.as_ref().unwrap()[2].staff, Ref::New(0));
    // Another order, or another main teacher, is a change.
    let held = held([class("c1", &["a1", "a2"])]);
    let lines = ["c1 staff=a2,a1", "c1 main_teachers=a2"];
    assert_eq!(told(&held, &says([taught("c1", &["a2", "a1"])]), &teaching()), lines);
    let both = with(taught("c1", &["a1", "a2"]), |class| {
        class.staff.as_mut().unwrap()[1].is_main = true;
    });
    assert_eq!(told(&held, &says([both]), &teaching()), ["c1 main_teachers=a1,a2"]);
}

#[test]
fn links_made_by_hand_are_left_alone() {
    let by_hand = with(class("c1", &["a1"]), |class| class.by_hand = [id("a2")].into());
    let plan = compare(&held([by_hand.clone()]), &says([taught("c1", &["a1", "a2"])]), &teaching());
    assert_eq!((plan.told().len(), counts(&plan).unchanged), (0, 1), "linked once");
    let others = [taught("c1", &[]), taught("c2", &["a1"])];
    let plan = compare(&held([by_hand, class("c2", &["a1"])]), &says(others), &teaching());
    assert_eq!(plan.told(), ["c1 staff=", "c1 main_teachers="]);
}

#[test]
fn what_is_gone_is_archived_and_comes_back() {
    let both = || [class("c1", &["a1"]), class("c2", &["a1"])];
    let one = || says([taught("c1", &["a1"])]);
    let plan = compare(&held(both()), &without(one(), &["c2"]), &teaching());
    assert_eq!((plan.told(), counts(&plan).archived), (vec!["c2 active=false".to_owned()], 1));
    let archived = with(class("c1", &["a1"]), |class| class.fields.active = false);
    let plan = compare(&held([archived]), &one(), &teaching());
    assert_eq!((plan.told(), counts(&plan).restored), (vec!["c1 active=true".to_owned()], 1));
    assert_eq!(counts(&plan).updated, 0);
}

#[test]
fn nothing_is_archived_without_proof() {
    let both = || held([class("c1", &["a1"]), class("c2", &["a1"])]);
    let one = || says([taught("c1", &["a1"])]);
    assert_eq!(told(&both(), &one(), &teaching()), NOTHING, "merely missing");
    let empty = without(says([]), &["c1", "c2"]);
    assert_eq!(told(&both(), &empty, &teaching()), ["school classes_withheld"]);
    let blank = TeachingRecord { name: None, ..taught("c2", &["a1"]) };
    let fetched = without(says([taught("c1", &["a1"]), blank]), &["c2"]);
    let plan = compare(&both(), &fetched, &teaching());
    assert_eq!((plan.told().len(), counts(&plan).skipped), (0, 1), "there, without a name");
    let delta = without(with(says([]), |list| list.is_full = false), &["c2"]);
    assert_eq!(told(&both(), &delta, &teaching()), ["c2 active=false"], "it says so itself");
    assert_eq!(told(&both(), &list([record("a1")]), &teaching()), NOTHING, "not read");
    assert_eq!(told(&held([]), &says([]), &teaching()), NOTHING, "there never was one");
}

#[test]
fn a_list_that_names_nobody_any_more_takes_nobody_away() {
    let taught_by_ada = || held([class("c1", &["a1"]), class("c2", &[])]);
    let withheld = ["school class_staff_withheld"];
    assert_eq!(told(&taught_by_ada(), &says([silent("c1"), silent("c2")]), &teaching()), withheld);
    let nobody = [taught("c1", &[]), taught("c2", &[])];
    assert_eq!(told(&taught_by_ada(), &says(nobody.clone()), &teaching()), withheld);
    // One class alone may lose its teacher.
    let other = [taught("c1", &[]), taught("c2", &["a2"])];
    let lines = ["c1 staff=", "c1 main_teachers=", "c2 staff=a2", "c2 main_teachers=a2"];
    assert_eq!(told(&taught_by_ada(), &says(other), &teaching()), lines);
    // A delta is about few classes.
    let delta = with(says(nobody.clone()), |list| list.is_full = false);
    assert_eq!(told(&taught_by_ada(), &delta, &teaching()), lines[..2]);
    // If the MIS does not deliver it, nothing is reported.
    let unsupported = with(teaching(), |rules| rules.sync.imports.class_staff = false);
    assert_eq!(told(&taught_by_ada(), &says(nobody), &unsupported), NOTHING);
}

#[test]
fn what_was_not_approved_to_be_emptied_stays() {
    let three = || held([class("c1", &["a1"]), class("c2", &["a1"]), class("c3", &["a1"])]);
    let fetched = || without(says([taught("c1", &[]), taught("c3", &["a2"])]), &["c2"]);
    let plan = compare(&three(), &fetched(), &teaching());
    assert_eq!((counts(&plan).archived, counts(&plan).updated), (1, 2));
    assert_eq!(plan.classes.emptied(), Emptied { records: 2, of: 3 });
    let emptied = Affected { category: GuardCategory::ClassesEmptied, records: 2, of: 3 };
    let keeps = Rules { left_out: vec![emptied], ..teaching() };
    let plan = compare(&three(), &fetched(), &keeps);
    // Another teacher is not a loss.
    let lines = ["c3 staff=a2", "c3 main_teachers=a2", "school classes_not_approved"];
    assert_eq!(plan.told(), lines);
    assert_eq!(plan.classes.emptied().records, 0);
}

#[test]
fn what_others_replace_is_no_loss() {
    let fetched = || without(says([taught("n1", &["a1"]), taught("n2", &[])]), &["c1", "c2"]);
    let plan = compare(&held([class("c1", &["a1"]), class("c2", &[])]), &fetched(), &teaching());
    assert_eq!(plan.classes.emptied(), Emptied { records: 0, of: 2 }, "a summer rollover");
    let taught_both = held([class("c1", &["a1"]), class("c2", &["a2"])]);
    let plan = compare(&taught_both, &fetched(), &teaching());
    assert_eq!(plan.classes.emptied(), Emptied { records: 1, of: 2 }, "left without a teacher");
}

#[test]
fn a_class_of_whose_staff_nobody_is_in_ip_is_told_of() {
    let fetched = says([taught("c1", &["a404"]), taught("c2", &["a1"]), taught("c3", &[])]);
    let lines = ["c1 created", "c2 created", "c3 created", "c1 class_staff_missing"];
    assert_eq!(told(&held([]), &fetched, &teaching()), lines);
}

#[test]
fn the_subject_of_a_class_follows_where_subjects_are_imported() {
    let art = with(class("c1", &["a1"]), |class| {
        class.fields.subject = Some(Ref::Known(subject("art", &[]).id));
    });
    let held =
        Held { subjects: vec![subject("art", &["a1"]), subject("maths", &[])], ..held([art]) };
    let of = |subject| says([TeachingRecord { subject, ..taught("c1", &["a1"]) }]);
    let maths = || SubjectOfClass::Of("maths".into());
    assert_eq!(told(&held, &of(maths()), &teaching()), ["c1 subject_id=maths"]);
    assert_eq!(told(&held, &of(SubjectOfClass::Without), &teaching()), ["c1 subject_id="]);
    assert_eq!(told(&held, &of(SubjectOfClass::NotDelivered), &teaching()), NOTHING);
    let unknown = SubjectOfClass::Of("latin".into());
    assert_eq!(told(&held, &of(unknown), &teaching()), ["c1 subject_id="], "iP has none");
    let without = with(teaching(), |rules| rules.sync.imports.subjects = false);
    assert_eq!(told(&held, &of(maths()), &without), NOTHING);
    // A person that this same list brings.
    let new =
        Fetched { subjects: Some(vec![silent("latin")]), ..of(SubjectOfClass::Of("latin".into())) };
    let plan = compare(&held, &new, &teaching());
    assert_eq!(plan.classes.changed[0].fields.subject, Some(Ref::New(0)));
}

#[test]
fn whoever_teaches_a_class_of_a_subject_teaches_the_subject_main_teachers_first() {
    let of = |class| TeachingRecord { subject: SubjectOfClass::Of("maths".into()), ..class };
    let classes = [of(taught("c1", &["a9", "a2"])), of(taught("c2", &["a1", "a2"]))];
    let with_subject = |fetched| Fetched { subjects: Some(vec![silent("maths")]), ..fetched };
    let held = || Held { subjects: vec![subject("maths", &[])], ..held([]) };
    let plan = compare(&held(), &with_subject(says(classes.clone())), &teaching());
    let links = plan.subjects.changed[0].links.clone().unwrap();
    assert_eq!(links, [link("a1", true), link("a2", false)]);
    // Only all classes together show it.
    let delta = with(with_subject(says(classes.clone())), |list| list.is_full = false);
    assert!(compare(&held(), &delta, &teaching()).subjects.changed.is_empty());
    let unsupported = with(teaching(), |rules| rules.sync.imports.subject_staff = false);
    let plan = compare(&held(), &with_subject(says(classes)), &unsupported);
    assert!(plan.subjects.changed.is_empty());
}

#[test]
fn whoever_was_read_later_is_linked_as_that_found_them() {
    let fetched = || says([taught("c1", &["a2", "a1"]), taught("c2", &["a2"])]);
    let held = with(held([class("c1", &["a2"]), class("c2", &["a2", "a1"])]), |held| {
        held.people[0].read_at = Some(fetched().started_at + chrono::TimeDelta::seconds(1));
    });
    assert_eq!(told(&held, &fetched(), &teaching()), NOTHING);
    // As a main teacher or not, too.
    let main = with(held, |held| held.classes = vec![class("c1", &["a1", "a2"])]);
    let other = with(taught("c1", &["a1", "a2"]), |class| {
        class.staff.as_mut().unwrap()[0].is_main = false;
    });
    assert_eq!(told(&main, &says([other]), &teaching()), NOTHING);
}

#[test]
fn a_subject_that_is_gone_is_archived_and_an_empty_list_of_them_is_withheld() {
    let held = || Held { subjects: vec![subject("art", &[]), subject("maths", &[])], ..held([]) };
    let fetched = |subjects: Vec<TeachingRecord>| {
        let list = Fetched { subjects: Some(subjects), ..list([record("a1"), record("a2")]) };
        with(list, |list| list.gone.subjects = ["art".to_owned()].into())
    };
    let lines = ["art active=false"];
    assert_eq!(told(&held(), &fetched(vec![silent("maths")]), &teaching()), lines);
    assert_eq!(told(&held(), &fetched(Vec::new()), &teaching()), ["school subjects_withheld"]);
    let none = rules(|rules| rules.imports.classes = true);
    assert_eq!(told(&held(), &fetched(vec![silent("maths")]), &none), NOTHING);
}

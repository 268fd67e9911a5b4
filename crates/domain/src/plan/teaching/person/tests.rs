use crate::{
    ClassId, StaffRecord,
    plan::{
        Alone, Fetched, Group, Held,
        fixture::{
            NOTHING, account, compare, delta, group, id, inactive, link, record, school, stranger,
            teaching, told, with,
        },
    },
};

fn class(name: &str, teachers: &[&str]) -> Group<ClassId> {
    group(name, ClassId, teachers)
}

fn held(classes: impl IntoIterator<Item = Group<ClassId>>) -> Held {
    let people = [account("a1"), account("a2"), account("a3")];
    Held { classes: classes.into_iter().collect(), ..school(people) }
}

/// Ada logs in with this record.
fn login(said: StaffRecord, teaches: Option<&[(&str, bool)]>) -> Fetched {
    let teaches = teaches.map(|classes| {
        classes.iter().map(|(name, is_main)| ((*name).to_owned(), *is_main)).collect()
    });
    let alone = Alone { staff_id: id("a1"), wonde_id: "a1".into(), teaches };
    Fetched { alone: Some(alone), ..delta([said]) }
}

fn of_ada(held: &Held, teaches: &[(&str, bool)]) -> Vec<String> {
    told(held, &login(record("a1"), Some(teaches)), &teaching())
}

#[test]
fn only_the_persons_own_links_change_and_only_in_classes_that_ip_has() {
    let held = held([class("c1", &["a1"]), class("c2", &["a2"]), class("c3", &["a2", "a1"])]);
    let lines = ["c1 staff=", "c1 main_teachers=", "c2 staff=a2,a1"];
    let teaches = [("c2", false), ("c3", false), ("c404", true)];
    assert_eq!(of_ada(&held, &teaches), lines);
    let plan = compare(&held, &login(record("a1"), Some(&teaches)), &teaching());
    assert_eq!(plan.classes.new.len(), 0);
    let counts = plan.report.classes;
    assert_eq!((counts.fetched, counts.updated, counts.unchanged), (3, 2, 1));
}

#[test]
fn a_main_teacher_comes_behind_the_other_main_teachers_and_anybody_else_at_the_end() {
    let held = held([class("c1", &["a2", "a3"])]);
    assert_eq!(of_ada(&held, &[("c1", true)]), ["c1 staff=a2,a1,a3", "c1 main_teachers=a2,a1"]);
    assert_eq!(of_ada(&held, &[("c1", false)]), ["c1 staff=a2,a3,a1"]);
    // Said twice, once as a main teacher.
    let teaches = [("c1", true), ("c1", false)];
    assert_eq!(of_ada(&held, &teaches)[1], "c1 main_teachers=a2,a1");
    let nobody_else = with(held, |held| held.classes[0].links = vec![link("a2", false)]);
    assert_eq!(of_ada(&nobody_else, &[("c1", true)])[0], "c1 staff=a1,a2");
}

#[test]
fn links_made_by_hand_and_archived_classes_are_left_alone() {
    let by_hand = with(class("c1", &["a2"]), |class| class.by_hand = [id("a1")].into());
    let archived = with(class("c2", &["a2"]), |class| class.fields.active = false);
    assert_eq!(of_ada(&held([by_hand, archived]), &[("c1", true), ("c2", true)]), NOTHING);
}

#[test]
fn nothing_is_linked_for_someone_of_whom_not_all_is_known() {
    let teaches: &[(&str, bool)] = &[("c1", true)];
    let all = || held([class("c1", &["a2"])]);
    assert_eq!(told(&all(), &login(record("a1"), None), &teaching()), NOTHING, "not said");
    let cy = stranger("a1", "Cy", "cy@oak.example");
    let lines = ["a1 possible_match"];
    assert_eq!(told(&all(), &login(cy, Some(teaches)), &teaching()), lines);
    let twice = Held { aliases: vec![("b1".into(), id("a1"))], ..all() };
    assert_eq!(told(&twice, &login(record("a1"), Some(teaches)), &teaching()), NOTHING);
    let fetched = login(record("a1"), Some(teaches));
    let later = with(all(), |held| {
        held.people[0].read_at = Some(fetched.started_at + chrono::TimeDelta::seconds(1));
    });
    assert_eq!(told(&later, &fetched, &teaching()), NOTHING, "read later");
    let gone = Fetched { staff: Vec::new(), ..fetched.clone() }.gone(&["a1"]);
    assert_eq!(told(&all(), &gone, &teaching()), ["a1 active=false"]);
    let keep = with(teaching(), |rules| {
        rules.sync.deactivates = false;
        rules.sync.restores = false;
    });
    assert_eq!(told(&all(), &gone, &keep), NOTHING, "left, though the account stays");
    let left = with(all(), |held| held.people[0] = inactive("a1"));
    assert_eq!(told(&left, &fetched, &keep), ["a1 inactive_in_ip"]);
}

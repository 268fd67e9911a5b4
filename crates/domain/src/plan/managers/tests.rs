use super::super::fixture::{
    NOTHING, RULES, account, by_hand, compare, delta, id, inactive, list, person, record, rules,
    school, stranger, told, with,
};
use super::super::{Account, Affected, Fetched, Held, Plan, Present, Ref, Rules, Said};
use crate::{GuardCategory, StaffRecord, line_manager::HierarchyLists};

/// A person whose hierarchy lists these people.
fn listing(name: &str, listed: &[&str]) -> StaffRecord {
    let hierarchy = Some(listed.iter().map(|name| (*name).to_owned()).collect());
    StaffRecord { hierarchy, ..record(name) }
}

/// A person who reports to this one, as the MIS says.
fn below(name: &str, manager: &str) -> Account {
    person(account(name), |person| {
        person.line_manager = Some(Ref::Known(id(manager)));
        person.mis.as_mut().unwrap().line_manager = Some(Said(Some(manager.into())));
    })
}

/// A school whose lists are known to name managers.
fn knowing(people: impl IntoIterator<Item = Account>) -> Held {
    Held { hierarchy_lists: Some(HierarchyLists::Managers), ..school(people) }
}

/// A head of two people.
fn held() -> Held {
    knowing([account("head"), below("a1", "head"), below("a2", "head")])
}

/// The same, with a list that says something else about Ada.
fn of_ada(listed: &[&str]) -> Fetched {
    list([listing("head", &[]), listing("a1", listed), listing("a2", &["head"])])
}

#[test]
fn lists_of_managers_and_lists_of_reports_come_to_the_same() {
    let upward = list([
        listing("head", &[]),
        listing("a1", &["head"]),
        listing("a2", &["head"]),
        listing("a3", &["a1", "head"]),
    ]);
    let downward = list([
        listing("head", &["a1", "a2"]),
        listing("a1", &["a3"]),
        listing("a2", &[]),
        listing("a3", &[]),
    ]);
    let directions = [HierarchyLists::Managers, HierarchyLists::Reports];
    for (fetched, seen) in [upward, downward].into_iter().zip(directions) {
        let plan = compare(&school([]), &fetched, &RULES);
        let managers: Vec<_> = plan.created.iter().map(|person| person.line_manager).collect();
        assert_eq!(managers, [None, Some(Ref::New(0)), Some(Ref::New(0)), Some(Ref::New(1))]);
        assert_eq!((plan.hierarchy_lists, plan.issues.len()), (Some(seen), 0));
        let names = ["head", "a1", "a2", "a3"].map(account);
        let lines = ["a1 line_manager_id=head", "a2 line_manager_id=head", "a3 line_manager_id=a1"];
        assert_eq!(told(&school(names), &fetched, &RULES), lines);
    }
}

#[test]
fn another_manager_is_a_change_none_empties_the_field_and_silence_does_nothing() {
    assert_eq!(told(&held(), &of_ada(&["head"]), &RULES), NOTHING);
    assert_eq!(told(&held(), &of_ada(&["a2", "head"]), &RULES), ["a1 line_manager_id=a2"]);
    assert_eq!(told(&held(), &of_ada(&[]), &RULES), ["a1 line_manager_id="]);
    let silent = list([listing("head", &[]), record("a1"), listing("a2", &["head"])]);
    assert_eq!(told(&held(), &silent, &RULES), NOTHING);
}

#[test]
fn what_cannot_be_linked_is_an_issue_and_the_manager_in_ip_stays() {
    let missing = ["a1 manager_missing"];
    assert_eq!(told(&held(), &of_ada(&["nobody"]), &RULES), missing);
    assert_eq!(told(&held(), &of_ada(&["a1"]), &RULES), ["a1 manager_circle"]);
    let with_left = with(held(), |held| held.people.push(inactive("left")));
    assert_eq!(told(&with_left, &of_ada(&["left"]), &RULES), ["a1 manager_inactive"]);
    // The MIS cannot name an account that was made by hand.
    let with_hand = with(held(), |held| held.people.push(by_hand("b1")));
    assert_eq!(told(&with_hand, &of_ada(&["b1"]), &RULES), missing);
    // What the MIS said is stored, so that it is not written again.
    let plan = compare(&held(), &of_ada(&["nobody"]), &RULES);
    let said = plan.changed[0].after.mis.as_ref().unwrap().line_manager.as_ref().unwrap();
    assert_eq!(said.0.as_deref(), Some("nobody"));
}

#[test]
fn those_on_a_circle_are_not_linked_and_those_below_it_are() {
    let fetched = list([
        listing("head", &[]),
        listing("x", &["y"]),
        listing("y", &["x"]),
        listing("b", &["x"]),
        listing("c", &["head"]),
    ]);
    let people = ["head", "x", "y", "b", "c"].map(account);
    let lines =
        ["b line_manager_id=x", "c line_manager_id=head", "x manager_circle", "y manager_circle"];
    assert_eq!(told(&school(people), &fetched, &RULES), lines);
}

#[test]
fn a_manager_who_stays_closes_no_circle_with_a_new_one() {
    // Ada's new manager is not in iP, so she keeps Bea; so Bea cannot report to Ada.
    let held = knowing([account("head"), below("a1", "a2"), below("a2", "head")]);
    let fetched = list([listing("head", &[]), listing("a1", &["nobody"]), listing("a2", &["a1"])]);
    let issues = ["a1 manager_missing", "a2 manager_circle"];
    assert_eq!(told(&held, &fetched, &RULES), issues);
    // Nor with the circle of a person who is not in the list.
    let fetched = list([listing("head", &[]), listing("a2", &["a1"])]);
    assert_eq!(told(&held, &fetched, &RULES), ["a2 manager_circle"]);
}

#[test]
fn a_circle_can_lead_through_someone_whom_the_mis_does_not_know() {
    let hand = person(by_hand("b1"), |b1| b1.line_manager = Some(Ref::Known(id("a1"))));
    let leading = person(account("head"), |head| head.line_manager = Some(Ref::Known(id("b1"))));
    let fetched = list([listing("a1", &["head"]), listing("a2", &[])]);
    let held = knowing([leading, account("a1"), account("a2"), hand]);
    assert_eq!(told(&held, &fetched, &RULES), ["a1 manager_circle"]);
}

#[test]
fn nobody_goes_on_reporting_to_a_leaver() {
    let fetched = list([listing("a1", &["head"]), listing("a2", &["a1"])]).gone(&["head"]);
    let lines = [
        "head active=false",
        "a1 line_manager_id=",
        "a2 line_manager_id=a1",
        "a1 manager_inactive",
    ];
    assert_eq!(told(&held(), &fetched, &RULES), lines);
}

#[test]
fn where_it_was_not_approved_no_line_manager_is_emptied() {
    let emptied = Affected { category: GuardCategory::LineManagersEmptied, records: 1, of: 2 };
    let rules = Rules { left_out: vec![emptied], ..RULES };
    let says = "school line_managers_not_approved";
    assert_eq!(told(&held(), &of_ada(&[]), &rules), [says]);
    assert_eq!(told(&held(), &of_ada(&["a2"]), &rules), ["a1 line_manager_id=a2", says]);
    // Not even if the manager leaves.
    let fetched = list([listing("a1", &["head"]), listing("a2", &["head"])]).gone(&["head"]);
    let lines = ["head active=false", says, "a1 manager_inactive", "a2 manager_inactive"];
    assert_eq!(told(&held(), &fetched, &rules), lines);
}

#[test]
fn managers_set_in_ip_stay_and_are_filled_for_new_people_only() {
    let editable = rules(|rules| rules.owned.line_manager = false);
    let fetched = list([listing("head", &[]), listing("a1", &["head"]), listing("a2", &["head"])]);
    let plan = compare(&school([account("head"), account("a1")]), &fetched, &editable);
    assert_eq!(plan.told(), ["a2 created"]);
    assert_eq!(plan.created[0].line_manager, Some(Ref::Known(id("head"))));
}

#[test]
fn a_full_list_in_which_nobody_has_a_manager_is_withheld_where_people_had_some() {
    let silent = || list(["head", "a1", "a2"].map(record));
    let empty = list(["head", "a1", "a2"].map(|name| listing(name, &[])));
    let withheld = ["school line_managers_withheld"];
    assert_eq!(told(&held(), &silent(), &RULES), withheld);
    assert_eq!(told(&held(), &empty, &RULES), withheld);
    let delta = with(silent(), |list| list.is_full = false);
    assert_eq!(told(&held(), &delta, &RULES), NOTHING);
    assert_eq!(told(&held(), &list([]), &RULES), NOTHING, "it says nothing about managers");
    assert_eq!(
        told(&school(["head", "a1"].map(account)), &list(["head", "a1"].map(record)), &RULES),
        NOTHING
    );
}

/// Each list has at most one name: `a2` under `a1` under `head`, or the other way round.
fn unclear() -> Fetched {
    list([listing("head", &["a1"]), listing("a1", &["a2"]), listing("a2", &[])])
}

#[test]
fn lists_that_show_no_way_link_no_manager_and_the_school_is_asked() {
    let asks = ["school line_manager_direction_unknown"];
    let unknowing = || Held { hierarchy_lists: None, ..held() };
    assert_eq!(told(&unknowing(), &unclear(), &RULES), asks, "managers in iP stay");
    let plan = compare(&school([]), &unclear(), &RULES);
    assert!(plan.created.iter().all(|person| person.line_manager.is_none()));
    assert_eq!(plan.hierarchy_lists, None);
    let both_ways = list([
        listing("head", &["a1", "a2"]),
        listing("a1", &["x"]),
        listing("a2", &["x"]),
        listing("x", &[]),
    ]);
    let held = Held { hierarchy_lists: None, ..school(["head", "a1", "a2", "x"].map(account)) };
    assert_eq!(told(&held, &both_ways, &RULES), asks);
    // Only a full list can say it, and it does not matter if the MIS may set no manager.
    let delta = with(unclear(), |list| list.is_full = false);
    assert_eq!(told(&unknowing(), &delta, &RULES), NOTHING);
    let editable = rules(|rules| rules.owned.line_manager = false);
    assert_eq!(told(&unknowing(), &unclear(), &editable), NOTHING);
}

#[test]
fn what_the_school_says_of_its_lists_decides_and_is_kept() {
    use HierarchyLists::{Managers, Reports};
    let people = || school(["head", "a1", "a2"].map(account));
    for (way, lines) in [
        (Managers, ["head line_manager_id=a1", "a1 line_manager_id=a2"]),
        (Reports, ["a1 line_manager_id=head", "a2 line_manager_id=a1"]),
    ] {
        let says = rules(|rules| rules.hierarchy_lists = Some(way));
        assert_eq!(told(&people(), &unclear(), &says), lines);
        assert_eq!(compare(&people(), &unclear(), &says).hierarchy_lists, Some(way));
        // Without the setting, what was known last counts.
        let knows = Held { hierarchy_lists: Some(way), ..people() };
        assert_eq!(told(&knows, &unclear(), &RULES), lines);
    }
    // The setting overrides what the lists show, and what was known.
    let says = rules(|rules| rules.hierarchy_lists = Some(Reports));
    let of_head = list([listing("head", &[]), listing("a1", &["head"]), listing("a2", &["head"])]);
    let knows = Held { hierarchy_lists: Some(Managers), ..people() };
    let plan = compare(&knows, &of_head, &says);
    assert_eq!(plan.hierarchy_lists, Some(Reports));
    assert_eq!(plan.told(), ["head line_manager_id=a1"]);
    let delta = with(of_head, |list| list.is_full = false);
    assert_eq!(told(&knows, &delta, &says), NOTHING, "one manager's list does not say it all");
}

#[test]
fn a_list_that_shows_another_way_than_was_known_is_believed() {
    let downward = list([listing("head", &["a1", "a2"]), listing("a1", &[]), listing("a2", &[])]);
    let plan = compare(&held(), &downward, &RULES);
    assert_eq!((plan.hierarchy_lists, plan.told()), (Some(HierarchyLists::Reports), vec![]));
}

#[test]
fn a_delta_goes_by_what_the_last_full_list_showed() {
    let moved = || delta([listing("a1", &["a2", "head"])]);
    let knows = |way| Held { hierarchy_lists: way, ..held() };
    let lines = ["a1 line_manager_id=a2"];
    assert_eq!(told(&knows(Some(HierarchyLists::Managers)), &moved(), &RULES), lines);
    for way in [None, Some(HierarchyLists::Reports)] {
        assert_eq!(told(&knows(way), &moved(), &RULES), NOTHING, "{way:?}");
    }
    // What is known is not reported again, and a delta does not show it.
    let seen = |held: &Held, fetched: &Fetched| compare(held, fetched, &RULES).hierarchy_lists;
    assert_eq!(seen(&knows(None), &of_ada(&["head"])), Some(HierarchyLists::Managers));
    assert_eq!(seen(&knows(Some(HierarchyLists::Managers)), &of_ada(&["head"])), None);
    assert_eq!(seen(&knows(Some(HierarchyLists::Reports)), &moved()), None);
}

#[test]
fn reports_of_a_manager_who_is_not_imported_keep_them() {
    // The list of reports is all that shows who belongs to whom.
    let head = Present {
        wonde_id: "head".into(),
        upi: None,
        hierarchy: Some(["a1", "a2"].map(str::to_owned).to_vec()),
    };
    let fetched = list([listing("a1", &[]), listing("a2", &[])]);
    let fetched = with(fetched, |list| list.present.push(head));
    assert_eq!(told(&held(), &fetched, &RULES), NOTHING);
}

#[test]
fn whoever_was_read_later_or_is_in_doubt_keeps_the_manager_and_gets_no_new_reports() {
    let fetched = of_ada(&["a2"]);
    let later = with(below("a1", "head"), |a1| {
        a1.read_at = Some(fetched.started_at + chrono::TimeDelta::seconds(1));
    });
    let held = knowing([account("head"), later, below("a2", "head")]);
    assert_eq!(told(&held, &fetched, &RULES), NOTHING);
    // Ada's id may now belong to someone else: existing reports stay, and no one else becomes one.
    let held =
        school([account("head"), below("a1", "head"), below("a2", "a1"), below("a3", "head")]);
    let cy = StaffRecord {
        hierarchy: Some(vec!["a2".into()]),
        ..stranger("a1", "Cy", "cy@oak.example")
    };
    let others = [listing("head", &[]), listing("a2", &["a1"]), listing("a3", &["a1"])];
    let plan: Plan = compare(&held, &list([cy].into_iter().chain(others)), &RULES);
    assert_eq!(plan.told(), ["a1 possible_match", "a3 manager_missing"]);
}

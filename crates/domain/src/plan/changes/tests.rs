use uuid::Uuid;

use super::super::fixture::{
    account, compare, group, id, list, person, record, school, taught, teaching, with,
};
use super::super::{Fetched, Held, NewIds, Ref};
use crate::{
    ChangedField, ChangedRecord, ClassId, StaffId, StaffRecord, SubjectId, SubjectOfClass,
    TeachingRecord, line_manager::HierarchyLists,
};

/// A new person manages Ada, and teaches a class of a new subject.
fn plan() -> super::super::Plan {
    let held = Held {
        classes: vec![group("c1", ClassId, &["a1"])],
        hierarchy_lists: Some(HierarchyLists::Managers),
        ..school([account("a1")])
    };
    let listing = |name: &str, listed: &[&str]| StaffRecord {
        hierarchy: Some(listed.iter().map(|name| (*name).to_owned()).collect()),
        ..record(name)
    };
    let class = TeachingRecord {
        subject: SubjectOfClass::Of("maths".into()),
        ..taught("c1", &["a1", "new"])
    };
    let fetched = Fetched {
        classes: Some(vec![class, taught("c2", &[])]),
        subjects: Some(vec![taught("maths", &[])]),
        ..list([listing("a1", &["new"]), listing("new", &[])])
    };
    compare(&held, &fetched, &teaching())
}

fn lines(ids: &NewIds) -> Vec<(ChangedField, String)> {
    let new =
        |change: &crate::Change| change.new.as_ref().map_or("", |new| new.as_str()).to_owned();
    plan().changes(ids).iter().map(|change| (change.field, new(change))).collect()
}

#[test]
fn people_come_first_then_subjects_then_classes_and_what_is_new_is_one_line() {
    use ChangedField::{Created, LineManagerId, Staff, SubjectId};
    let fields: Vec<ChangedField> =
        lines(&NewIds::default()).into_iter().map(|(field, _)| field).collect();
    let expected = [Created, LineManagerId, Created, Created, SubjectId, Staff];
    assert_eq!(fields, expected);
}

#[test]
fn what_is_new_is_called_by_wondes_id_until_it_has_one_of_its_own() {
    let [person, subject, class] = [1, 2, 3].map(Uuid::from_u128);
    let text = |lines: &[(ChangedField, String)], wanted| {
        lines.iter().find(|(field, _)| *field == wanted).unwrap().1.clone()
    };
    let dry = lines(&NewIds::default());
    assert_eq!(text(&dry, ChangedField::LineManagerId), "wonde:new");
    assert_eq!(text(&dry, ChangedField::SubjectId), "wonde:maths");
    assert_eq!(text(&dry, ChangedField::Staff), format!("{},wonde:new", id("a1")));
    let ids = NewIds {
        people: vec![StaffId(person)],
        subjects: vec![SubjectId(subject)],
        classes: vec![ClassId(class)],
    };
    let written = lines(&ids);
    assert_eq!(text(&written, ChangedField::LineManagerId), person.to_string());
    assert_eq!(text(&written, ChangedField::SubjectId), subject.to_string());
    assert_eq!(text(&written, ChangedField::Staff), format!("{},{person}", id("a1")));
    let records: Vec<ChangedRecord> = plan()
        .changes(&ids)
        .into_iter()
        .filter(|change| change.field == ChangedField::Created)
        .map(|change| change.record)
        .collect();
    let expected = [
        ChangedRecord::Staff(Some(StaffId(person))),
        ChangedRecord::Subject(Some(SubjectId(subject))),
        ChangedRecord::Class(Some(ClassId(class))),
    ];
    assert_eq!(records, expected);
}

#[test]
fn a_change_has_what_was_and_what_is_of_every_field_that_differs() {
    let held = school([person(account("a1"), |a1| a1.line_manager = Some(Ref::Known(id("a2"))))]);
    let said = StaffRecord { first_name: "Ada".into(), upi: Some("u1".into()), ..record("a1") };
    let plan = compare(&with(held, |_| ()), &list([said]), &teaching());
    let text =
        |value: &Option<crate::FieldValue>| value.as_ref().map(|one| one.as_str().to_owned());
    let changes: Vec<_> = plan
        .changes(&NewIds::default())
        .iter()
        .map(|change| (change.field, text(&change.old), text(&change.new)))
        .collect();
    let expected = [
        (ChangedField::Upi, None, Some("u1".to_owned())),
        (ChangedField::FirstName, Some("Robin".to_owned()), Some("Ada".to_owned())),
    ];
    assert_eq!(changes, expected);
}

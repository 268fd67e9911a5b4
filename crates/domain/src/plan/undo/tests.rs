use super::*;
use crate::{
    ClassId, FieldValue, StaffRecord,
    plan::{
        Rules,
        fixture::{
            RULES, account, compare, email, group, id, inactive, link, list, person, record,
            school, taught, teaching, with,
        },
    },
};

/// What a sync of this list changed, as its history shows it.
fn history(held: &Held, staff: impl IntoIterator<Item = StaffRecord>, rules: &Rules) -> Vec<Past> {
    let changes = compare(held, &list(staff), rules).changes(&NewIds::default());
    changes.into_iter().map(|change| Past { change, later: None }).collect()
}

fn line(record: ChangedRecord, field: ChangedField, old: Option<&str>, new: Option<&str>) -> Past {
    let value = |text: Option<&str>| text.and_then(|text| field.value(text.to_owned()));
    let change = Change { record, wonde_id: None, field, old: value(old), new: value(new) };
    Past { change, later: None }
}

fn of(name: &str) -> ChangedRecord {
    ChangedRecord::Staff(Some(id(name)))
}

fn conflicts(held: &Held, history: &[Past]) -> Vec<(ChangedRecord, ChangedField, Option<JobId>)> {
    let conflicts = undo(held, history).expect_err("nothing stands in the way");
    conflicts.into_iter().map(|one| (one.record, one.field, one.job_id)).collect()
}

#[test]
fn two_people_get_each_others_login_back() {
    let held = school([account("a1"), account("a2")]);
    let swap = [("a1", "a2@oak.example"), ("a2", "a1@oak.example")];
    let said = swap.map(|(name, address)| StaffRecord { email: email(address), ..record(name) });
    let history = history(&held, said, &RULES);
    let email_of = |name, address: &str| {
        let mut account = person(account(name), |one| one.email = address.into());
        account.email_key = address.into();
        account
    };
    let after = school(swap.map(|(name, address)| email_of(name, address)));
    let plan = undo(&after, &history).unwrap();
    let back = with(after.clone(), |held| {
        for (account, changed) in held.people.iter_mut().zip(&plan.changed) {
            account.person = changed.after.clone();
            account.email_key = account.person.email.clone();
        }
    });
    assert!(back == held);
    assert_eq!((plan.report.updated, plan.report.deactivated), (2, 0));
    let told: Vec<_> = plan.changes(&NewIds::default());
    assert_eq!(told.len(), 2, "{told:?}");
    // A third person has taken one of the two meanwhile, at this school or another.
    let third = email_of("a3", "a1@oak.example");
    let taken = with(after.clone(), |held| held.people.push(third));
    let expected = [(of("a1"), ChangedField::Email, None)];
    assert_eq!(conflicts(&taken, &history), expected);
    let taken = with(after, |held| {
        held.logins.elsewhere.insert("a1@oak.example".into());
    });
    assert_eq!(conflicts(&taken, &history), expected);
}

#[test]
fn a_leaver_is_back_unless_their_login_or_record_is_taken() {
    let history = [
        line(of("a1"), ChangedField::Active, Some("true"), Some("false")),
        line(of("a1"), ChangedField::WondeId, Some("w1"), None),
    ];
    let left = person(inactive("a1"), |a1| a1.wonde_id = None);
    let plan = undo(&school([left.clone()]), &history).unwrap();
    let after = &plan.changed[0].after;
    assert_eq!((after.active, after.wonde_id.as_deref()), (true, Some("w1")));
    assert_eq!(plan.report.restored, 1);
    let mut successor = person(account("a2"), |a2| a2.wonde_id = Some("w1".into()));
    successor.email_key.clone_from(&left.email_key);
    successor.person.email.clone_from(&left.person.email);
    let expected =
        [(of("a1"), ChangedField::Active, None), (of("a1"), ChangedField::WondeId, None)];
    assert_eq!(conflicts(&school([left, successor]), &history), expected);
}

#[test]
fn what_was_changed_since_stands_in_the_way_of_everything() {
    let held = school([account("a1"), account("a2")]);
    let renamed = |name, surname: &str| StaffRecord { surname: surname.into(), ..record(name) };
    let mut history = history(&held, [renamed("a1", "Day"), renamed("a2", "Dee")], &RULES);
    let named = |name, surname: &str| person(account(name), |one| one.surname = surname.into());
    let as_left = school([named("a1", "Day"), named("a2", "Dee")]);
    assert_eq!(undo(&as_left, &history).unwrap().changed.len(), 2);
    let by_hand = school([named("a1", "Day"), named("a2", "Hand")]);
    let expected = [(of("a2"), ChangedField::Surname, None)];
    assert_eq!(conflicts(&by_hand, &history), expected);
    // A later job with the same result has changed it as well.
    let later = JobId::new();
    history[0].later = Some(later);
    let expected = [(of("a1"), ChangedField::Surname, Some(later))];
    assert_eq!(conflicts(&as_left, &history), expected);
}

#[test]
fn who_was_created_is_closed_and_who_is_gone_from_ip_is_left_out() {
    let history = [
        line(of("a1"), ChangedField::Created, None, None),
        line(of("a2"), ChangedField::Created, None, None),
        line(of("a3"), ChangedField::Surname, Some("A3"), Some("Day")),
        line(of("a1"), ChangedField::PasswordResetRequired, Some("false"), Some("true")),
    ];
    let plan = undo(&school([account("a1"), inactive("a2")]), &history).unwrap();
    let closed: Vec<_> = plan.changed.iter().map(|one| (one.id, one.after.active)).collect();
    assert_eq!(closed, [(id("a1"), false)]);
    assert_eq!((plan.report.deactivated, plan.report.updated), (1, 0));
}

#[test]
fn a_manager_who_is_not_in_ip_any_more_cannot_be_linked_again() {
    let [a1, boss] = ["a1", "a2"].map(|name| id(name).to_string());
    let history = [line(of("a1"), ChangedField::LineManagerId, Some(&boss), None)];
    let plan = undo(&school([account("a1"), account("a2")]), &history).unwrap();
    assert_eq!(plan.changed[0].after.line_manager, Some(Ref::Known(id("a2"))));
    let expected = [(of("a1"), ChangedField::LineManagerId, None)];
    assert_eq!(conflicts(&school([account("a1")]), &history), expected);
    assert_ne!(a1, boss);
}

#[test]
fn departments_are_entered_again_and_left_again() {
    let department = uuid::Uuid::from_u128(7);
    let text = department.to_string();
    let field = ChangedField::DepartmentId;
    for (old, new, leaves) in [(Some(&*text), None, false), (None, Some(&*text), true)] {
        let plan = undo(&school([account("a1")]), &[line(of("a1"), field, old, new)]).unwrap();
        let change = &plan.departments[0];
        assert_eq!(change.department.0, department);
        assert_eq!((change.staff_id, change.leaves), (id("a1"), leaves));
        assert_eq!((plan.changed.len(), plan.report.updated), (0, 1));
        let told = &plan.changes(&NewIds::default())[0];
        let text = |value: &Option<FieldValue>| value.as_ref().map(|one| one.as_str().to_owned());
        assert_eq!((text(&told.new).as_deref(), text(&told.old).as_deref()), (old, new));
    }
}

#[test]
fn a_class_is_as_it_was_with_its_teachers_in_their_order() {
    let people = || ["a1", "a2", "a3"].map(account);
    let class = |links: Vec<Link>| {
        let places = (0..).zip(&links).map(|(place, _)| place).collect();
        with(group("c1", ClassId, &[]), |class| (class.links, class.places) = (links, places))
    };
    let before = class(vec![link("a2", true), link("a1", false)]);
    let held = Held { classes: vec![before.clone()], ..school(people()) };
    let mut fetched = list(["a1", "a2", "a3"].map(record));
    fetched.classes = Some(vec![crate::TeachingRecord {
        name: Some("Other".into()),
        ..taught("c1", &["a3", "a1"])
    }]);
    let plan = compare(&held, &fetched, &teaching());
    let changed = &plan.classes.changed[0];
    let after = with(class(changed.links.clone().unwrap()), |class| {
        class.fields = changed.fields.clone();
    });
    let history: Vec<Past> = (plan.changes(&NewIds::default()).into_iter())
        .map(|change| Past { change, later: None })
        .collect();
    let held = Held { classes: vec![after.clone()], ..school(people()) };
    let plan = undo(&held, &history).unwrap();
    let back = &plan.classes.changed[0];
    assert!(back.fields == before.fields);
    assert_eq!(back.links.as_deref(), Some(before.links.as_slice()));
    assert_eq!(plan.report.classes.updated, 1);
    // A person who was linked by hand meanwhile stays linked by hand.
    let by_hand = with(after.clone(), |class| class.by_hand.extend([id("a2")]));
    let held = Held { classes: vec![by_hand], ..school(people()) };
    let plan = undo(&held, &history).unwrap();
    assert_eq!(plan.classes.changed[0].links, Some(vec![link("a1", false)]));
    // A person who is gone cannot be linked again.
    let held = Held { classes: vec![after], ..school(["a1", "a3"].map(account)) };
    let fields: Vec<_> = conflicts(&held, &history).iter().map(|one| one.1).collect();
    assert_eq!(fields, [ChangedField::Staff]);
}

#[test]
fn a_class_that_was_created_is_archived_and_its_lost_subject_is_told() {
    let class = group("c1", ClassId, &[]);
    let record = ChangedRecord::Class(Some(class.id));
    let held = Held { classes: vec![class], ..school([]) };
    let plan = undo(&held, &[line(record, ChangedField::Created, None, None)]).unwrap();
    assert!(!plan.classes.changed[0].fields.active);
    assert_eq!((plan.report.classes.archived, plan.report.classes.updated), (1, 0));
    let subject = uuid::Uuid::from_u128(7).to_string();
    let history = [line(record, ChangedField::SubjectId, Some(&subject), None)];
    assert_eq!(conflicts(&held, &history), [(record, ChangedField::SubjectId, None)]);
}

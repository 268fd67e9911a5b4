use uuid::Uuid;

use super::*;
use crate::ChangedRecord;

fn key(number: u128) -> PersonKey {
    PersonKey::StaffId(StaffId(Uuid::from_u128(number)))
}

fn change(number: u128, field: ChangedField, old: Option<&str>, new: Option<&str>) -> Change {
    let value = |text: Option<&str>| text.and_then(|text| field.value(text.to_owned()));
    let record = ChangedRecord::Staff(Some(StaffId(Uuid::from_u128(number))));
    let wonde_id = Some(format!("A{number}"));
    Change { record, wonde_id, field, old: value(old), new: value(new) }
}

fn leaves(number: u128) -> Change {
    change(number, ChangedField::Active, Some("true"), Some("false"))
}

fn affected(category: GuardCategory, records: u64) -> Affected {
    Affected { category, records, of: 40 }
}

#[test]
fn changes_are_grouped_by_person_and_counted_as_the_guard_counts_them() {
    let class = Change { record: ChangedRecord::Class(None), ..leaves(9) };
    let new = Change {
        record: ChangedRecord::Staff(None),
        ..change(7, ChangedField::Created, None, None)
    };
    let review = Review::of([
        leaves(1),
        change(1, ChangedField::Email, Some("a@oak.example"), Some("b@oak.example")),
        change(2, ChangedField::JobTitle, Some("Head"), None),
        change(3, ChangedField::JobTitle, None, Some("Head")),
        class,
        new,
    ]);
    let found: Vec<_> = review
        .people
        .iter()
        .map(|(key, one)| {
            (key.clone(), one.categories.iter().copied().collect::<Vec<_>>(), one.changes.len())
        })
        .collect();
    assert_eq!(
        found,
        [
            (key(1), vec![GuardCategory::Deactivated, GuardCategory::EmailsChanged], 2),
            (key(2), vec![GuardCategory::JobTitlesEmptied], 1),
            (key(3), vec![], 1),
            (PersonKey::WondeId("A7".into()), vec![], 1),
        ]
    );
    assert!(review.people[&PersonKey::WondeId("A7".into())].is_new);
}

#[test]
fn a_recount_says_how_many_of_the_shown_people_are_kept() {
    let review = Review::of((1..=13).map(leaves));
    let guard = [affected(GuardCategory::Deactivated, 13)];
    let keep: Vec<_> = [1, 2, 3, 4, 99].map(key).into();
    let recount = review.recount(&guard, &[], &keep);
    assert_eq!((recount[0].shown, recount[0].records, recount[0].kept), (13, 9, 4));
    assert_eq!(recount[0].reasons(), ["4 are left as they are"]);
    let none = review.recount(&guard, &[GuardCategory::Deactivated], &[]);
    assert_eq!((none[0].records, none[0].kept), (0, 0));
}

#[test]
fn what_is_done_is_compared_person_by_person_with_what_was_shown() {
    let shown = Review::of((1..=13).map(leaves));
    // Two are kept, one came back, and two more have left.
    let done = Review::of((4..=13).chain([20, 21]).map(leaves));
    let approved = [affected(GuardCategory::Deactivated, 13)];
    let now = [affected(GuardCategory::Deactivated, 12)];
    let compared = shown.compare(&approved, &[key(1), key(2)], &done, &now);
    let expected = Recount {
        category: GuardCategory::Deactivated,
        shown: 13,
        records: 12,
        kept: 2,
        more: 2,
        fewer: 1,
    };
    assert_eq!(compared, [expected]);
    assert_eq!(
        compared[0].reasons(),
        ["2 are left as they are", "2 more since the approval", "1 no longer applicable"]
    );
}

#[test]
fn a_key_survives_a_round_trip() {
    for key in [key(5), PersonKey::WondeId("A1".into())] {
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<PersonKey>(&json).unwrap(), key, "{json}");
    }
    assert!("wonde:".parse::<PersonKey>().is_err() && "x".parse::<PersonKey>().is_err());
}

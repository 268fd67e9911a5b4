use super::super::fixture::{
    NOTHING, RULES, account, compare, list, person, record, rules, school, with,
};
use super::super::{Account, Fetched, Plan, Rules, Said};
use crate::{Issue, IssueCode, PhotoCounts};

fn importing() -> Rules {
    rules(|rules| rules.imports.photos = true)
}

/// A person with a picture from the MIS.
fn pictured(name: &str, hash: &str) -> Account {
    person(account(name), |person| {
        person.photo_hash = Some(hash.into());
        person.mis.as_mut().unwrap().photo_hash = Some(Said(Some(hash.into())));
    })
}

/// A full list of these people with their photos.
fn photos(said: &[(&str, Option<&str>)]) -> Fetched {
    let photos = said.iter().map(|(name, hash)| ((*name).to_owned(), hash.map(str::to_owned)));
    Fetched { photos: Some(photos.collect()), ..list(said.iter().map(|(name, _)| record(name))) }
}

fn compared(people: &[Account], fetched: &Fetched) -> (Vec<String>, PhotoCounts) {
    let plan: Plan = compare(&school(people.to_vec()), fetched, &importing());
    (plan.told(), plan.report.photos)
}

#[test]
fn people_get_the_photos_of_the_mis_and_what_is_the_same_is_not_written() {
    let fetched = photos(&[("a1", Some("x")), ("a2", Some("y")), ("a3", Some("z"))]);
    let people = [account("a1"), pictured("a2", "y")];
    let (told, counts) = compared(&people, &fetched);
    assert_eq!(told, ["a3 created", "a1 photo_hash=x"]);
    let expected = PhotoCounts { fetched: 3, updated: 2, unchanged: 1, ..PhotoCounts::default() };
    assert_eq!(counts, expected);
    let plan = compare(&school(people), &fetched, &importing());
    assert_eq!(plan.created[0].photo_hash.as_deref(), Some("z"));
}

#[test]
fn only_a_picture_that_the_mis_gave_is_taken_away_and_only_by_a_full_list() {
    let others = pictured("a2", "y");
    let fetched = || photos(&[("a1", None), ("a2", Some("y"))]);
    let (told, counts) = compared(&[pictured("a1", "x"), others.clone()], &fetched());
    assert_eq!((told, counts.removed), (vec!["a1 photo_hash=".to_owned()], 1));
    // Another picture was put in its place by hand.
    let by_hand = person(pictured("a1", "x"), |a1| a1.photo_hash = Some("own".into()));
    let (told, counts) = compared(&[by_hand, others.clone()], &fetched());
    assert_eq!((told.len(), counts.removed), (0, 0));
    let by_hand = person(account("a1"), |a1| a1.photo_hash = Some("own".into()));
    assert_eq!(compared(&[by_hand, others.clone()], &fetched()).0, NOTHING);
    let delta = with(fetched(), |list| list.is_full = false);
    assert_eq!(compared(&[pictured("a1", "x"), others], &delta).0, NOTHING);
}

#[test]
fn a_picture_of_the_mis_takes_the_place_of_any_other() {
    let by_hand = person(pictured("a1", "x"), |a1| a1.photo_hash = Some("own".into()));
    let (told, counts) = compared(&[by_hand], &photos(&[("a1", Some("x"))]));
    assert_eq!((told, counts.updated), (vec!["a1 photo_hash=x".to_owned()], 1));
}

#[test]
fn a_full_list_without_any_photo_is_withheld_where_people_had_some() {
    let withheld = ["school photos_withheld"];
    let fetched = || photos(&[("a1", None)]);
    assert_eq!(compared(&[pictured("a1", "x")], &fetched()).0, withheld);
    assert_eq!(compared(&[account("a1")], &fetched()).0, NOTHING);
    let delta = with(fetched(), |list| list.is_full = false);
    assert_eq!(compared(&[pictured("a1", "x")], &delta).0, NOTHING);
    // A photo that cannot be read still counts as one.
    let issue = Issue { code: IssueCode::PhotoTooLarge, wonde_id: Some("a2".into()) };
    let unreadable = with(photos(&[("a1", None)]), |list| list.issues.push((1, issue)));
    let (told, counts) = compared(&[pictured("a1", "x")], &unreadable);
    assert_eq!(told, ["a1 photo_hash=", "a2 photo_too_large"]);
    assert_eq!((counts.skipped, counts.removed), (1, 1));
}

#[test]
fn whoever_is_left_out_keeps_their_picture() {
    let holder = person(account("a2"), |a2| a2.email = "a1@oak.example".into());
    let mover = person(pictured("a1", "x"), |a1| a1.email = "old@oak.example".into());
    let fetched = photos(&[("a1", Some("y"))]);
    let (told, counts) = compared(&[mover, holder], &fetched);
    assert_eq!((told, counts.fetched), (vec!["a1 work_email_in_use".to_owned()], 0));
}

#[test]
fn where_photos_are_not_imported_nothing_is_done() {
    let fetched = photos(&[("a1", Some("x"))]);
    let plan = compare(&school([account("a1")]), &fetched, &RULES);
    assert_eq!((plan.told().len(), plan.report.photos), (0, PhotoCounts::default()));
}

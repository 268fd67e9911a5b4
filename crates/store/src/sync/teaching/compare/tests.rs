use super::*;
use crate::sync::roster::LinkedStaff;

/// Who is in iP: A1 and A2 active, A9 inactive, and A5 would be created.
fn roster() -> Roster {
    let person = |wonde_id: &str, id: u128, active: bool| LinkedStaff {
        id: Uuid::from_u128(id),
        wonde_id: wonde_id.into(),
        active,
        line_manager_id: None,
        manager_said: None,
        read_later: id == 7,
        in_doubt: false,
    };
    let staff = vec![person("A1", 1, true), person("A2", 2, true), person("A9", 9, false)];
    Roster { coming: HashSet::from(["A5".to_owned()]), ..Roster::of(staff) }
}

fn full(kind: TeachingKind) -> Comparison {
    Comparison {
        kind,
        is_full: true,
        gone: HashSet::new(),
        subjects: HashMap::new(),
        links_staff: true,
        keeps: false,
    }
}

fn link(id: u128, is_main: bool) -> Link {
    Link { staff: Reference::Known(Uuid::from_u128(id)), is_main }
}

fn held(wonde_id: &str, links: &[Link]) -> Held {
    Held {
        id: Uuid::from_u128(100 + wonde_id.len() as u128),
        wonde_id: wonde_id.into(),
        fields: Fields {
            name: wonde_id.into(),
            code: Some("by hand".into()),
            description: None,
            subject: None,
        },
        active: true,
        links: links.to_vec(),
        by_hand: HashSet::new(),
    }
}

fn staged(wonde_id: &str, staff: Option<&[&str]>) -> Staged {
    Staged {
        wonde_id: wonde_id.into(),
        name: Some(wonde_id.into()),
        staff: staff.map(|staff| staff.iter().map(|id| (*id).to_owned()).collect()),
        main_teachers: 1,
        ..Staged::default()
    }
}

/// The same, with these gone.
fn full_without(kind: TeachingKind, gone: &[&str]) -> Comparison {
    let gone = gone.iter().map(|id| (*id).to_owned()).collect();
    Comparison { gone, ..full(kind) }
}

/// The difference, and the codes of the issues.
fn difference(by: &Comparison, held: Vec<Held>, staged: Vec<Staged>) -> (Difference, Vec<String>) {
    let mut issues = Issues::default();
    let difference = compare(by, held, staged, &roster(), &mut issues);
    (difference, issues.codes().to_vec())
}

#[test]
fn what_is_the_same_is_not_written_and_what_the_mis_leaves_empty_stays() {
    let links = [link(1, true), link(2, false)];
    let (found, issues) = difference(
        &full(TeachingKind::Class),
        vec![held("C", &links)],
        vec![staged("C", Some(&["A1", "A2"]))],
    );
    assert!(found.new.is_empty() && found.changed.is_empty() && issues.is_empty());
    assert_eq!(found.counts, TeachingCounts { fetched: 1, unchanged: 1, ..Default::default() });
}

#[test]
fn links_follow_the_mis_in_order_and_only_to_people_of_ip() {
    let (found, _) = difference(
        &full(TeachingKind::Class),
        vec![held("C", &[link(1, true)])],
        vec![staged("C", Some(&["A2", "A9", "A404", "A1", "A5", "A2"]))],
    );
    let links = found.changed[0].links.as_ref().unwrap();
    let coming = Link { staff: Reference::Coming("A5".into()), is_main: false };
    assert_eq!(*links, [link(2, true), link(1, false), coming]);
    assert_eq!(found.counts.updated, 1);
}

#[test]
fn links_made_by_hand_are_left_alone() {
    let by_hand =
        Held { by_hand: HashSet::from([Uuid::from_u128(2)]), ..held("C", &[link(1, true)]) };
    let both = vec![staged("C", Some(&["A1", "A2"]))];
    let (found, _) = difference(&full(TeachingKind::Class), vec![by_hand], both);
    assert_eq!(found.counts.unchanged, 1, "the person named twice is linked once");
}

#[test]
fn what_is_gone_is_archived_and_comes_back() {
    let all = || vec![held("C", &[]), held("CC", &[])];
    let gone = full_without(TeachingKind::Class, &["CC"]);
    let (found, _) = difference(&gone, all(), vec![staged("C", None)]);
    assert_eq!((found.counts.archived, found.changed[0].active), (1, false));

    let archived = Held { active: false, ..held("CC", &[]) };
    let (found, _) =
        difference(&full(TeachingKind::Class), vec![archived], vec![staged("CC", None)]);
    assert_eq!((found.counts.restored, found.changed[0].active), (1, true));
}

#[test]
fn nothing_is_archived_without_proof() {
    let both = || vec![held("C", &[]), held("CC", &[])];
    // Not in the list, which is all that is known.
    let (found, _) = difference(&full(TeachingKind::Class), both(), vec![staged("C", None)]);
    assert_eq!((found.counts.archived, found.counts.unchanged), (0, 1));
    // Empty.
    let gone = full_without(TeachingKind::Subject, &["C", "CC"]);
    let (found, issues) = difference(&gone, both(), Vec::new());
    assert_eq!((found.counts.archived, issues), (0, vec!["subjects_withheld".to_owned()]));
    // There, but without a name.
    let blank = Staged { name: None, ..staged("CC", None) };
    let (found, _) = difference(&full(TeachingKind::Class), both(), vec![staged("C", None), blank]);
    assert_eq!((found.counts.archived, found.counts.skipped), (0, 1));
    // A delta, but for what it says itself.
    let gone = HashSet::from(["CC".to_owned()]);
    let delta = Comparison { is_full: false, gone, ..full(TeachingKind::Class) };
    let three = [both(), vec![held("CCC", &[])]].into_iter().flatten().collect();
    let (found, _) = difference(&delta, three, Vec::new());
    assert_eq!((found.counts.archived, found.changed[0].before.wonde_id.as_str()), (1, "CC"));
}

#[test]
fn a_list_that_names_nobody_any_more_takes_nobody_away() {
    let taught = || vec![held("C", &[link(1, true)])];
    let none = |staff| vec![staged("C", staff), staged("CC", staff)];
    for staff in [None, Some(&[] as &[&str])] {
        let (found, issues) = difference(&full(TeachingKind::Class), taught(), none(staff));
        assert_eq!((found.counts.unchanged, issues), (1, vec!["class_staff_withheld".to_owned()]));
    }
    // One class alone may lose its teacher.
    let other = vec![staged("C", Some(&[])), staged("CC", Some(&["A2"]))];
    let (found, issues) = difference(&full(TeachingKind::Class), taught(), other);
    assert_eq!(found.changed[0].links.as_deref(), Some(&[] as &[Link]));
    assert!(issues.is_empty());
    // And where the MIS does not deliver it, nothing is said at all.
    let unsupported = Comparison { links_staff: false, ..full(TeachingKind::Class) };
    let (found, issues) = difference(&unsupported, taught(), none(None));
    assert_eq!((found.counts.unchanged, issues.len()), (1, 0));
}

#[test]
fn what_was_not_approved_to_be_emptied_stays() {
    let all = || vec![held("C", &[link(1, true)]), held("CC", &[]), held("CCC", &[link(1, true)])];
    let list = || vec![staged("C", Some(&[])), staged("CCC", Some(&["A2"]))];
    let gone = || full_without(TeachingKind::Class, &["CC"]);
    let (found, _) = difference(&gone(), all(), list());
    assert_eq!((found.counts.archived, found.counts.updated), (1, 2));
    let keeps = Comparison { keeps: true, ..gone() };
    let (found, _) = difference(&keeps, all(), list());
    assert_eq!((found.counts.archived, found.counts.updated), (0, 1));
    assert_eq!(found.changed[0].before.wonde_id, "CCC", "another teacher is no loss");
    assert_eq!(found.emptied().records, 0);
}

#[test]
fn a_class_of_whose_staff_nobody_is_in_ip_is_named() {
    let (found, issues) = difference(
        &full(TeachingKind::Class),
        Vec::new(),
        vec![staged("C", Some(&["A404"])), staged("CC", Some(&["A1"]))],
    );
    assert_eq!((found.counts.created, issues), (2, vec!["class_staff_missing".to_owned()]));
}

#[test]
fn the_subject_of_a_class_follows_where_subjects_are_imported() {
    let maths = Reference::Known(Uuid::from_u128(7));
    let by = Comparison {
        subjects: HashMap::from([("S1".to_owned(), maths.clone())]),
        ..full(TeachingKind::Class)
    };
    let of = |subject: Option<&str>, delivered| Staged {
        subject: subject.map(str::to_owned),
        subject_delivered: delivered,
        ..staged("C", None)
    };
    let after = |by: &Comparison, staged| {
        let mut before = held("C", &[]);
        before.fields.subject = Some(Reference::Known(Uuid::from_u128(8)));
        let (mut found, _) = difference(by, vec![before], vec![staged]);
        found.changed.pop().map(|changed| changed.fields.subject)
    };
    assert_eq!(after(&by, of(Some("S1"), true)), Some(Some(maths)));
    assert_eq!(after(&by, of(None, true)), Some(None), "a class without a subject");
    assert_eq!(after(&by, of(None, false)), None, "not delivered: as it was");
    let not_imported = full(TeachingKind::Class);
    assert_eq!(after(&not_imported, of(Some("S1"), true)), None);
}

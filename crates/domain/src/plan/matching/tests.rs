use super::super::fixture::{
    NOTHING, RULES, account, by_hand, compare, email, inactive, list, person, record, rules,
    school, stranger, told, with,
};
use super::super::{Account, Affected, Ref, Rules};
use crate::{GuardCategory, MatchedBy, StaffRecord};

fn with_upi(name: &str, upi: &str) -> StaffRecord {
    StaffRecord { upi: Some(upi.into()), ..record(name) }
}

fn known(name: &str, upi: &str) -> Account {
    person(account(name), |person| person.upi = Some(upi.into()))
}

/// The record of `old` under a new id.
fn renumbered(old: &str, new: &str) -> StaffRecord {
    StaffRecord { wonde_id: new.into(), ..record(old) }
}

#[test]
fn the_wonde_id_matches_before_everything_else() {
    let held = school([known("a1", "u1"), known("a2", "u2")]);
    // Their UPIs are exchanged: that changes a field, never who they are.
    let exchanged = list([with_upi("a1", "u2"), with_upi("a2", "u1")]);
    assert_eq!(told(&held, &exchanged, &RULES), ["a1 upi=u2", "a2 upi=u1"]);
    // An account made by hand with the same email is not considered.
    let held =
        school([account("a1"), person(by_hand("b1"), |b1| b1.email = "a1@oak.example".into())]);
    assert_eq!(told(&held, &list([record("a1")]), &RULES), NOTHING);
}

#[test]
fn a_readded_person_is_found_by_a_upi_that_is_theirs_alone() {
    let again = |upi: &str| StaffRecord { upi: Some(upi.into()), ..renumbered("a1", "a9") };
    let one = || school([known("a1", "u1"), account("a2")]);
    assert_eq!(told(&one(), &list([again("u1"), record("a2")]), &RULES), ["a1 wonde_id=a9"]);
    // Their own record is there as well.
    let list_with_both = list([with_upi("a1", "u1"), with_upi("a9", "u1"), record("a2")]);
    assert_eq!(told(&one(), &list_with_both, &RULES), ["a9 created"]);
    // It is there, but is not imported.
    let fetched = list([with_upi("a9", "u1"), record("a2")]).present("a1", None);
    assert_eq!(told(&one(), &fetched, &RULES), ["a9 created"]);
    // Two people have it, or two records.
    let two = school([known("a1", "u1"), known("a2", "u1")]);
    assert_eq!(told(&two, &list([with_upi("a9", "u1")]), &RULES), ["a9 created"]);
    let fetched = list([with_upi("a8", "u1"), with_upi("a9", "u1"), record("a2")]);
    assert_eq!(told(&one(), &fetched, &RULES), ["a8 created", "a9 created"]);
    // The other record with it is not imported.
    let fetched = list([with_upi("a9", "u1"), record("a2")]).present("a8", Some("u1"));
    assert_eq!(told(&one(), &fetched, &RULES), ["a9 created"]);
    // It is a placeholder.
    let placeholder = school([known("a1", "0000"), account("a2")]);
    let fetched = list([with_upi("a9", "0000"), record("a2")]);
    assert_eq!(told(&placeholder, &fetched, &RULES), ["a9 created"]);
}

#[test]
fn an_account_made_by_hand_is_linked_by_work_email_whatever_its_case_and_by_upi_before() {
    let ada = || person(by_hand("a1"), |ada| ada.email = "A1@Oak.example".into());
    let held = school([ada()]);
    let lines = ["a1 wonde_id=a1", "a1 email=a1@oak.example"];
    assert_eq!(told(&held, &list([record("a1")]), &RULES), lines);
    // The UPI says who it is, but the login belongs to another account, so the record is in doubt.
    let by_upi = person(by_hand("b1"), |b1| b1.upi = Some("u1".into()));
    let held = school([ada(), by_upi]);
    let fetched = list([with_upi("a1", "u1")]);
    assert_eq!(told(&held, &fetched, &RULES), ["a1 work_email_in_use"]);
}

#[test]
fn a_work_email_means_someone_linked_only_if_their_id_is_gone_and_the_surname_is_the_same() {
    let held = || school([account("a1")]);
    let lines = ["a1 wonde_id=a9"];
    let again = || renumbered("a1", "a9");
    assert_eq!(told(&held(), &list([again()]).gone(&["a1"]), &RULES), lines);
    // They are merely missing, so the login is still theirs.
    assert_eq!(told(&held(), &list([again()]), &RULES), ["a9 work_email_in_use"]);
    // An inactive person holds no login.
    let left = school([inactive("a1")]);
    assert_eq!(told(&left, &list([again()]), &RULES), ["a1 wonde_id=a9", "a1 active=true"]);
    // A successor has another surname.
    let successor = || stranger("a9", "Cy", "a1@oak.example");
    let lines = ["a9 created", "a1 active=false"];
    assert_eq!(told(&held(), &list([successor()]).gone(&["a1"]), &RULES), lines);
    // Their own record is there.
    let fetched = list([again()]).present("a1", None);
    assert_eq!(told(&held(), &fetched, &RULES), ["a9 work_email_in_use"]);
    // A record that could be anyone's, or a delta: neither shows who is gone.
    let nameless = with(list([again()]), |list| list.counts.nameless = 1).gone(&["a1"]);
    assert_eq!(told(&held(), &nameless, &RULES), ["a9 work_email_in_use"]);
    let delta = with(list([again()]), |list| list.is_full = false).gone(&["a1"]);
    assert_eq!(told(&held(), &delta, &RULES), ["a9 created", "a1 active=false"]);
    // Their UPI is in the list under yet another id, though that record cannot be imported.
    let held = school([known("a1", "u1")]);
    let fetched = list([again()]).gone(&["a1"]).present("a8", Some("u1"));
    assert_eq!(told(&held, &fetched, &RULES), ["a9 work_email_in_use"]);
}

#[test]
fn of_several_accounts_with_the_address_the_one_that_holds_it_comes_first_then_the_last_changed() {
    let left = |name, days| {
        with(inactive(name), |account| {
            account.person.email = "a1@oak.example".into();
            account.person.surname = "A1".into();
            account.updated_at += chrono::TimeDelta::days(days);
        })
    };
    let fetched = || list([renumbered("a1", "a9")]);
    let earlier_and_later = school([left("b1", 1), left("b2", 2), left("b3", 0)]);
    let lines = ["b2 wonde_id=a9", "b2 active=true"];
    assert_eq!(told(&earlier_and_later, &fetched(), &RULES), lines);
    let with_holder = school([left("b1", 1), account("a1"), left("b2", 2)]);
    assert_eq!(told(&with_holder, &fetched().gone(&["a1"]), &RULES), ["a1 wonde_id=a9"]);
}

#[test]
fn whom_several_records_may_mean_none_of_them_does() {
    let held = school([by_hand("a1")]);
    let twin = StaffRecord { first_name: "Robyn".into(), ..renumbered("a1", "a2") };
    let issues = ["a1 shared_work_email", "a2 shared_work_email"];
    assert_eq!(told(&held, &list([record("a1"), twin]), &RULES), issues);
}

#[test]
fn what_is_in_doubt_is_no_match_so_the_record_may_mean_someone_else() {
    // By UPI it is Ada, but nothing about her agrees; by work email it is Bea, and everything
    // agrees.
    let ada = person(known("a1", "u1"), |ada| ada.first_name = "Ada".into());
    let held = school([ada, by_hand("b1")]);
    let fetched = list([StaffRecord { upi: Some("u1".into()), ..renumbered("b1", "b9") }]);
    let lines = ["b1 wonde_id=b9", "b1 upi=u1"];
    assert_eq!(told(&held, &fetched, &RULES), lines);
}

#[test]
fn a_record_that_comes_twice_counts_as_it_came_last() {
    let named = |name: &str| StaffRecord { first_name: name.into(), ..record("a1") };
    let held = school([account("a1"), account("a2")]);
    let fetched = list([named("Old"), record("a2"), named("New")]);
    let plan = compare(&held, &fetched, &RULES);
    assert_eq!(plan.told(), ["a1 first_name=New"]);
    assert_eq!((plan.report.fetched, plan.report.current), (2, 2));
}

#[test]
fn where_new_ids_were_not_approved_known_people_are_left_as_they_are() {
    let new_ids = Affected { category: GuardCategory::NewIds, records: 1, of: 1 };
    let rules = Rules { left_out: vec![new_ids], ..RULES };
    let held = school([account("a1"), by_hand("b1")]);
    let fetched = list([renumbered("a1", "a9"), record("b1")]).gone(&["a1"]);
    // An account without an id still gets its first one.
    assert_eq!(told(&held, &fetched, &rules), ["b1 wonde_id=b1", "a9 new_id_not_approved"]);
}

#[test]
fn where_new_logins_were_not_approved_known_people_ask_for_what_they_have() {
    let logins = Affected { category: GuardCategory::EmailsChanged, records: 1, of: 1 };
    let rules = Rules { left_out: vec![logins], ..RULES };
    let held = school([account("a1"), account("a2")]);
    let moved =
        StaffRecord { email: email("new@oak.example"), surname: "New".into(), ..record("a1") };
    // So a person who is to get the login of one who would move has to wait.
    let next =
        StaffRecord { email: email("a1@oak.example"), ..stranger("a3", "Cy", "x@x.example") };
    let fetched = list([moved, record("a2"), next]);
    let lines = ["a1 surname=New", "a3 work_email_in_use", "school emails_not_approved"];
    assert_eq!(told(&held, &fetched, &rules), lines);
}

#[test]
fn whoever_stays_inactive_asks_for_no_login() {
    let keep = rules(|rules| rules.restores = false);
    let held =
        school([inactive("a1"), person(account("a2"), |a2| a2.email = "a1@oak.example".into())]);
    let fetched = || list([record("a1")]);
    assert_eq!(told(&held, &fetched(), &keep), ["a1 inactive_in_ip"]);
    assert_eq!(told(&held, &fetched(), &RULES), ["a1 work_email_in_use"]);
}

#[test]
fn the_evidence_says_how_the_two_were_brought_together() {
    let held = school([account("a1"), known("a2", "u2"), by_hand("a3"), account("a4")]);
    let by_upi = StaffRecord { upi: Some("u2".into()), ..renumbered("a2", "b2") };
    let staff =
        [record("a1"), by_upi, renumbered("a3", "b3"), renumbered("a4", "b4"), record("a5")];
    let plan = compare(&held, &list(staff).gone(&["a2", "a4"]), &RULES);
    let how: Vec<_> = plan
        .sightings
        .seen
        .iter()
        .map(|(wonde_id, seen)| (wonde_id.as_str(), seen.matched_by.unwrap()))
        .collect();
    let expected = [
        ("a1", MatchedBy::WondeId),
        ("a5", MatchedBy::New),
        ("b2", MatchedBy::Upi),
        ("b3", MatchedBy::WorkEmail),
        ("b4", MatchedBy::WorkEmail),
    ];
    assert_eq!(how, expected);
    assert_eq!(plan.sightings.seen[1].1.staff, Some(Ref::New(0)));
}

#[test]
fn work_emails_are_compared_composed_and_whatever_their_capitals() {
    let written = |address: &str| {
        let by_hand = person(by_hand("a1"), |person| person.email = address.into());
        told(
            &school([by_hand]),
            &list([StaffRecord { email: email("ZOË@oak.example"), ..record("a1") }]),
            &RULES,
        )
    };
    for same in ["zoë@oak.example", "zoe\u{308}@oak.example", "Zoe\u{308}@OAK.example"] {
        let lines = written(same);
        assert_eq!(lines[..2], ["a1 wonde_id=a1", "a1 email=ZOË@oak.example"], "{same}");
    }
    assert_eq!(written("zoe@oak.example"), ["a1 created"]);
    // Other letters are another mailbox.
    let strasse = person(by_hand("a1"), |person| person.email = "strasse@oak.example".into());
    let said = StaffRecord { email: email("straße@oak.example"), ..record("a1") };
    assert_eq!(told(&school([strasse]), &list([said]), &RULES), ["a1 created"]);
    // Two records with one address are reported, whatever their spelling.
    let twice = ["zoe\u{308}@oak.example", "ZOË@oak.example"];
    let [one, two] = twice.map(email);
    let records =
        [StaffRecord { email: one, ..record("a1") }, StaffRecord { email: two, ..record("a2") }];
    let lines = told(&school([]), &list(records), &RULES);
    assert_eq!(lines, ["a1 shared_work_email", "a2 shared_work_email"]);
}

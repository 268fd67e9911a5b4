use super::super::fixture::{
    NOTHING, RULES, account, compare, delta, email, id, inactive, list, record, school, stranger,
    with,
};
use super::super::{Fetched, Held, Plan, Ref};
use crate::{MatchedBy, RecordOutcome, StaffRecord, employment::Standing};

const LEFT: RecordOutcome = RecordOutcome::NotCurrent;

/// What the last run left: these people imported, and `a3` not current.
fn held() -> Held {
    let mut held = school([account("a1"), account("a2")]);
    let fetched = list([record("a1"), record("a2")]).left_out("a3", LEFT);
    held.evidence = compare(&held, &fetched, &RULES).sightings.seen.into_iter().collect();
    held
}

fn seen(plan: &Plan) -> Vec<(&str, &str)> {
    let seen = plan.sightings.seen.iter();
    seen.map(|(wonde_id, seen)| (wonde_id.as_str(), seen.outcome.as_str())).collect()
}

#[test]
fn everybody_in_the_list_is_noted_and_once_only() {
    let doubtful = StaffRecord { email: email("a1@oak.example"), ..record("a4") };
    let fetched = list([record("a1"), doubtful]).left_out("a3", LEFT);
    let fetched = with(fetched, |list| list.left_out[0].email = Some("A3@Oak.example".into()));
    let plan = compare(&school([account("a1")]), &fetched, &RULES);
    let expected = [("a1", "imported"), ("a3", "not_current"), ("a4", "shared_work_email")];
    assert_eq!(seen(&plan), expected);
    let of = |at: usize| &plan.sightings.seen[at].1;
    assert_eq!((of(0).standing, of(1).standing), (Standing::Current, Standing::Ended));
    assert_eq!(of(1).email_key.as_deref(), Some("a3@oak.example"));
    assert_eq!(
        (of(0).staff, of(0).matched_by),
        (Some(Ref::Known(id("a1"))), Some(MatchedBy::WondeId))
    );
    assert_eq!((of(2).staff, of(2).matched_by), (None, None));
    // The same again changes nothing.
    let known =
        Held { evidence: plan.sightings.seen.into_iter().collect(), ..school([account("a1")]) };
    assert!(compare(&known, &fetched, &RULES).sightings.seen.is_empty());
}

#[test]
fn whom_a_record_means_is_not_forgotten_and_how_they_were_matched_outlasts_the_first_run() {
    let by_email = |held: &mut Held| {
        held.evidence.get_mut("a1").unwrap().matched_by = Some(MatchedBy::WorkEmail);
    };
    let held = with(held(), by_email);
    let teaches = StaffRecord { non_teaching: Some(false), ..record("a1") };
    let plan = compare(&held, &delta([teaches]), &RULES);
    assert_eq!(plan.sightings.seen[0].1.matched_by, Some(MatchedBy::WorkEmail));
    assert_eq!(plan.sightings.seen[0].1.teaching, Some(true));
    let left = delta([]).left_out("a1", LEFT);
    let plan = compare(&held, &left, &RULES);
    let evidence = &plan.sightings.seen[0].1;
    assert_eq!(evidence.outcome, LEFT);
    assert_eq!(
        (evidence.staff, evidence.matched_by),
        (Some(Ref::Known(id("a1"))), Some(MatchedBy::WorkEmail))
    );
}

#[test]
fn whoever_is_not_in_the_list_any_more_is_gone_unless_the_list_proves_nothing() {
    let gone = |fetched: Fetched| compare(&held(), &fetched, &RULES).sightings.gone;
    let only_ada = || list([record("a1")]);
    assert_eq!(gone(only_ada().gone(&["a2"])), ["a2", "a3"]);
    assert_eq!(gone(only_ada()), ["a3"], "an active person is gone only if that is proved");
    assert_eq!(gone(list([])), NOTHING, "an empty list");
    let nameless = with(only_ada().gone(&["a2"]), |list| list.counts.nameless = 1);
    assert_eq!(gone(nameless), NOTHING, "may be the nameless one");
    assert_eq!(gone(delta([record("a1")])), NOTHING, "a delta");
    assert_eq!(gone(delta([]).gone(&["a3"])), ["a3"], "by the word of a delta");
    assert_eq!(gone(only_ada().left_out("a2", LEFT).left_out("a3", LEFT)), NOTHING, "there");
    // Once is enough.
    let known = with(held(), |held| {
        held.people[1] = inactive("a2");
        for evidence in held.evidence.values_mut() {
            evidence.outcome = RecordOutcome::Gone;
        }
    });
    let plan = compare(&known, &only_ada(), &RULES);
    assert_eq!((plan.sightings.gone.len(), seen(&plan)), (0, vec![("a1", "imported")]));
}

#[test]
fn a_further_record_leads_to_the_person_be_they_new_or_known() {
    let again = |name: &str| StaffRecord { wonde_id: name.into(), ..record("a1") };
    let fetched = list([again("a1"), again("b1")]);
    for (held, expected) in
        [(school([]), Ref::New(0)), (school([account("a1")]), Ref::Known(id("a1")))]
    {
        let plan = compare(&held, &fetched, &RULES);
        assert_eq!(seen(&plan)[1], ("b1", "two_records_of_one_person"));
        let evidence = &plan.sightings.seen[1].1;
        assert_eq!(
            (evidence.staff, evidence.matched_by),
            (Some(expected), Some(MatchedBy::WondeId))
        );
    }
}

#[test]
fn a_record_in_doubt_means_the_account_it_is_in_doubt_of() {
    let cy = stranger("a1", "Cy", "cy@oak.example");
    let plan = compare(&held(), &list([cy, record("a2")]), &RULES);
    assert_eq!(seen(&plan), [("a1", "possible_match")]);
    assert_eq!(plan.sightings.seen[0].1.staff, Some(Ref::Known(id("a1"))));
}

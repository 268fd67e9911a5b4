use chrono::{DateTime, NaiveDate};

use super::*;
use crate::{JobId, LeaverPolicy, MatchedBy, MisTable, SyncMode, employment::Standing};

fn reading() -> Reading {
    Reading {
        job_id: JobId::new(),
        mode: SyncMode::Full,
        dry_run: false,
        read_at: DateTime::UNIX_EPOCH,
        issues: Vec::new(),
    }
}

fn sighting(standing: Standing, outcome: RecordOutcome) -> Sighting {
    Sighting {
        wonde_id: "A1".into(),
        has_email: true,
        standing,
        starts_on: NaiveDate::from_ymd_opt(2026, 9, 1),
        ends_on: NaiveDate::from_ymd_opt(2026, 8, 31),
        teaching: Some(true),
        outcome,
        staff_id: None,
        matched_by: Some(MatchedBy::WondeId),
        job_id: JobId::new(),
        seen_at: DateTime::UNIX_EPOCH,
    }
}

fn account(active: bool) -> Account {
    Account { id: StaffId::new(), wonde_id: Some("A1".into()), active }
}

fn evidence(sighting: Option<Sighting>, account: Option<Account>) -> Evidence {
    let field = |field| FieldEvidence { field, mis_said: true, differs: false, pending: false };
    let fields = account.iter().flat_map(|_| SyncedField::ALL.iter().copied().map(field)).collect();
    Evidence {
        reading: Some(reading()),
        sighting,
        account,
        fields,
        issues: Vec::new(),
        has_login_elsewhere: false,
    }
}

fn of(evidence: &Evidence) -> Explanation {
    explain(evidence, &SchoolSettings::default(), None)
}

#[test]
fn every_outcome_of_a_record_has_a_verdict_and_one_sentence() {
    let standings = Standing::ALL.iter().copied();
    let outcomes = [
        RecordOutcome::Imported,
        RecordOutcome::NotCurrent,
        RecordOutcome::NotTeaching,
        RecordOutcome::Gone,
    ];
    let outcomes: Vec<_> = outcomes
        .into_iter()
        .chain(IssueCode::ALL.iter().copied().map(RecordOutcome::Issue))
        .collect();
    for standing in standings {
        for outcome in &outcomes {
            for account in [None, Some(account(true)), Some(account(false))] {
                let explanation = of(&evidence(Some(sighting(standing, *outcome)), account));
                let sentence = &explanation.sentence;
                assert!(sentence.ends_with('.'), "{sentence}");
                assert_eq!(sentence.matches(". ").count(), 0, "one sentence: {sentence}");
                let steps: Vec<_> = explanation.steps.iter().map(|step| step.step).collect();
                assert_eq!(steps, Step::ALL);
            }
        }
    }
}

#[test]
fn a_leaver_is_told_by_what_follows_in_ip() {
    let left = || Some(sighting(Standing::Ended, RecordOutcome::NotCurrent));
    let sentence = |account, settings: &SchoolSettings| {
        explain(&evidence(left(), account), settings, None).sentence
    };
    let settings = SchoolSettings::default();
    assert_eq!(
        sentence(None, &settings),
        "Wonde lists this person, but their employment ended on 31 August 2026, so they are not \
         imported."
    );
    assert!(sentence(Some(account(false)), &settings).ends_with("so they cannot log in to iP."));
    assert!(sentence(Some(account(true)), &settings).ends_with("will deactivate them in iP."));
    let keep = SchoolSettings { leaver_policy: LeaverPolicy::Keep, ..settings };
    assert!(sentence(Some(account(true)), &keep).ends_with("keeps leavers active in iP."));
}

#[test]
fn saying_nothing_of_the_employment_is_no_word_of_having_left() {
    let unsaid = sighting(Standing::Unsaid, RecordOutcome::NotCurrent);
    let mut known = evidence(Some(unsaid), Some(account(true)));
    let explanation = of(&known);
    assert_eq!(explanation.verdict, Verdict::EmploymentUnknown);
    assert!(explanation.sentence.ends_with("so they are left unchanged in iP."));
    known.reading.as_mut().unwrap().issues.push(IssueCode::EmploymentWithheld);
    assert_eq!(of(&known).verdict, Verdict::EmploymentWithheld);
}

#[test]
fn a_field_differs_by_ownership_by_issue_or_until_the_next_sync() {
    let imported = || Some(sighting(Standing::Current, RecordOutcome::Imported));
    let mut known = evidence(imported(), Some(account(true)));
    assert_eq!(of(&known).verdict, Verdict::AsInMis);
    for field in &mut known.fields {
        field.differs = matches!(
            field.field,
            SyncedField::JobTitle | SyncedField::Surname | SyncedField::LineManager
        );
    }
    known.issues.push(IssueCode::ManagerMissing);
    let settings = SchoolSettings { job_title_editable: true, ..SchoolSettings::default() };
    let explanation = explain(&known, &settings, None);
    assert_eq!(explanation.verdict, Verdict::Differs);
    assert_eq!(
        explanation.sentence,
        "This person is in iP and matches the MIS, except for Surname (the next sync will correct \
         it), Roles (the school keeps it in iP), Reports to (see its issue)."
    );
}

#[test]
fn what_a_mis_does_not_deliver_and_what_a_school_withholds_are_told_apart() {
    let imported = sighting(Standing::Current, RecordOutcome::Imported);
    let mut known = evidence(Some(imported), Some(account(true)));
    known.reading.as_mut().unwrap().issues.push(IssueCode::RolesWithheld);
    assert_eq!(of(&known).verdict, Verdict::Withheld);
    let table = MisTable::built_in();
    let explanation = explain(&known, &SchoolSettings::default(), table.find("WCBS"));
    assert_eq!(explanation.verdict, Verdict::AsInMis);
    let roles = explanation.fields.iter().find(|field| field.field == SyncedField::JobTitle);
    assert_eq!(roles.unwrap().outcome, Outcome::NotApplicable);
}

#[test]
fn a_dry_run_tells_what_the_next_sync_does() {
    let imported = || sighting(Standing::Current, RecordOutcome::Imported);
    assert_eq!(of(&evidence(Some(imported()), None)).verdict, Verdict::WouldBeCreated);
    let mut known = evidence(Some(imported()), Some(account(true)));
    known.fields[1].pending = true;
    let explanation = of(&known);
    assert_eq!(explanation.verdict, Verdict::WouldChange);
    assert!(explanation.sentence.ends_with("the next sync that is applied will change Surname."));
    let unlinked = Account { wonde_id: None, ..account(true) };
    let explanation = of(&evidence(Some(imported()), Some(unlinked)));
    assert!(explanation.sentence.ends_with("that is applied will link them to Wonde."));
}

#[test]
fn without_a_record_it_is_told_who_is_missing_where() {
    let by_hand = Account { wonde_id: None, ..account(true) };
    assert_eq!(of(&evidence(None, None)).verdict, Verdict::NotListed);
    assert_eq!(of(&evidence(None, Some(by_hand))).verdict, Verdict::OnlyInIp);
    assert_eq!(of(&evidence(None, Some(account(true)))).verdict, Verdict::Gone);
    let renumbered = Account { wonde_id: Some("A2".into()), ..account(true) };
    let gone = sighting(Standing::Current, RecordOutcome::Gone);
    assert_eq!(of(&evidence(Some(gone), Some(renumbered))).verdict, Verdict::NewWondeId);
    let unread = Evidence { reading: None, ..evidence(None, Some(account(true))) };
    assert_eq!(of(&unread).verdict, Verdict::NeverSynced);
}

#[test]
fn a_person_whom_ip_has_keeps_the_login_where_the_mis_has_none() {
    let mut imported = sighting(Standing::Current, RecordOutcome::Imported);
    imported.has_email = false;
    let mut known = evidence(Some(imported), Some(account(true)));
    for (code, verdict) in [
        (IssueCode::NoWorkEmail, Verdict::NoWorkEmail),
        (IssueCode::InvalidWorkEmail, Verdict::InvalidWorkEmail),
    ] {
        known.issues = vec![IssueCode::NameMissing, code];
        let explanation = of(&known);
        assert_eq!(explanation.verdict, verdict);
        assert!(explanation.sentence.ends_with("so they keep their present login in iP."));
        let step = explanation.steps.iter().find(|step| step.step == Step::WorkEmail).unwrap();
        assert_eq!(step.outcome, Outcome::Failed);
    }
    let left_out = sighting(Standing::Current, RecordOutcome::Issue(IssueCode::NoWorkEmail));
    let sentence = of(&evidence(Some(left_out), None)).sentence;
    assert!(sentence.ends_with("so they are not imported."), "{sentence}");
    let undecided = sighting(Standing::Unsaid, RecordOutcome::Issue(IssueCode::DateUnreadable));
    let explanation = of(&evidence(Some(undecided), Some(account(true))));
    assert_eq!(explanation.verdict, Verdict::DateUnreadable);
    assert!(explanation.sentence.ends_with("so they are left unchanged in iP."));
}

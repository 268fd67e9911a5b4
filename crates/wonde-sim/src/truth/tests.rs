use chrono::Days;

use super::*;
use crate::mis::Mis;
use crate::options::SimulatorOptions;
use crate::population;
use crate::school::{Role, Teacher};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 9, 7).unwrap()
}

fn school(mis: Mis) -> School {
    let options = SimulatorOptions {
        schools: 1,
        staff: 4,
        mis: Some(mis),
        today: today(),
        ..SimulatorOptions::default()
    };
    population::school(0, &options)
}

/// The verdict on the second person of a small regular school after `change`.
fn verdict(change: impl Fn(&mut Employee)) -> Option<Reason> {
    let mut school = school(Mis::Sims);
    change(&mut school.employees[1]);
    let id = school.employees[1].id.to_string();
    let truth = truth(&school, today());
    assert_eq!(truth.staff.len() + truth.not_imported.len(), 4);
    truth.not_imported.into_iter().find(|person| person.wonde_id == id).map(|person| person.reason)
}

#[test]
fn only_current_staff_are_imported() {
    let day = |offset: i64| Some(today() + chrono::TimeDelta::days(offset));
    let expected = [
        // (current, start, end) and whether the person counts.
        (Some(true), day(-9), None, true),
        (Some(true), None, None, true),
        (Some(true), day(0), day(0), true),
        (Some(true), day(1), None, true),
        (Some(true), day(-9), day(-1), true),
        (Some(true), day(-9), day(-50_000), true),
        (None, day(-9), day(-50_000), true),
        (None, day(-9), day(-10), true),
        (Some(true), day(-9), day(1), true),
        (Some(false), day(-9), None, false),
        (None, day(-9), None, true),
        (None, None, None, false),
        (None, day(1), None, false),
        (None, day(-9), day(-1), false),
    ];
    for (current, start, end, counts) in expected {
        let reason = verdict(|person| {
            let employment = person.employment.as_mut().unwrap();
            (employment.current, employment.start, employment.end) = (current, start, end);
        });
        let wanted = (!counts).then_some(Reason::NotCurrent);
        assert_eq!(reason, wanted, "current {current:?}, start {start:?}, end {end:?}");
    }
    assert_eq!(verdict(|person| person.employment = None), Some(Reason::NotCurrent));
}

#[test]
fn a_person_needs_a_work_email_and_a_name() {
    let email = |text: &'static str| {
        verdict(move |person| person.contact.work_email = Some(text.to_owned()))
    };
    assert_eq!(email(" a.b@oakfield.example "), None);
    assert_eq!(email(" "), Some(Reason::NoWorkEmail));
    for broken in ["a", "a@", "@b.c", "a@b@c.d", "a b@c.d", "a@b c.d", "a@localhost", "a@b..c"] {
        assert_eq!(email(broken), Some(Reason::InvalidWorkEmail), "{broken}");
    }
    assert_eq!(verdict(|person| person.contact.work_email = None), Some(Reason::NoWorkEmail));
    assert_eq!(verdict(|person| person.forename = None), None);
    assert_eq!(verdict(|person| person.surname = Some("  ".into())), None);
    let nameless = verdict(|person| {
        (person.forename, person.surname) = (None, Some("  ".into()));
    });
    assert_eq!(nameless, Some(Reason::NameMissing));
}

#[test]
fn neither_of_two_with_one_email_is_imported_and_a_leaver_does_not_count() {
    let mut school = school(Mis::Arbor);
    let first = school.employees[1].contact.work_email.clone().unwrap();
    school.employees[2].contact.work_email = Some(first.to_uppercase());
    let reasons: Vec<Reason> =
        truth(&school, today()).not_imported.iter().map(|person| person.reason).collect();
    assert_eq!(reasons, [Reason::SharedWorkEmail, Reason::SharedWorkEmail]);

    let employment = school.employees[2].employment.as_mut().unwrap();
    (employment.current, employment.end) = (Some(false), Some(today() - Days::new(1)));
    let reasons: Vec<Reason> =
        truth(&school, today()).not_imported.iter().map(|person| person.reason).collect();
    assert_eq!(reasons, [Reason::NotCurrent]);
}

#[test]
fn the_job_title_joins_the_roles_where_the_mis_has_them() {
    for mis in Mis::ALL {
        let mut school = school(mis);
        let id = school.employees[0].id;
        let role = |name| Role { id, name, code: None };
        school.employees[0].roles =
            [Some("Head, acting"), None, Some(" "), Some("Governor "), Some("Governor")]
                .map(role)
                .to_vec();
        let truth = truth(&school, today());
        let head = truth.staff.iter().find(|person| person.wonde_id == id.to_string()).unwrap();
        let wanted = mis.supports(Feature::Roles).then_some("Head, acting, Governor");
        assert_eq!(head.job_title.as_deref(), wanted, "{mis}");
    }
}

#[test]
fn a_line_manager_is_imported_and_not_in_a_circle() {
    let mut school = school(Mis::Sims);
    let ids: Vec<WondeId> = school.employees.iter().map(|person| person.id).collect();
    let managers = |school: &School| -> Vec<Option<String>> {
        let truth = truth(school, today());
        let manager = |id: &WondeId| {
            truth
                .staff
                .iter()
                .find(|person| person.wonde_id == id.to_string())?
                .line_manager_wonde_id
                .clone()
        };
        ids.iter().map(manager).collect()
    };
    // 1 and 2 manage each other, 3 is managed by 1, 0 by themselves.
    for (at, manager) in [(0, 0), (1, 2), (2, 1), (3, 1)] {
        school.employees[at].manager = Some(ids[manager]);
    }
    assert_eq!(managers(&school), [None, None, None, Some(ids[1].to_string())]);
    school.employees[1].contact.work_email = None;
    assert_eq!(managers(&school), [None, None, None, None]);
}

#[test]
fn links_put_the_main_teacher_first_and_leave_others_out() {
    let mut school = school(Mis::Wcbs);
    let ids: Vec<WondeId> = school.employees.iter().map(|person| person.id).collect();
    let teacher = |at: usize, main| Teacher { employee: ids[at], main };
    school.classes.truncate(1);
    school.classes[0].teachers = vec![teacher(3, false), teacher(0, false), teacher(2, true)];
    school.classes[0].subject = Some(school.subjects[0].id);
    school.employees[3].contact.work_email = None;
    school.relink();
    let truth_now = truth(&school, today());
    assert_eq!(truth_now.classes[0].staff, [ids[2].to_string(), ids[0].to_string()]);
    let subject = truth_now
        .subjects
        .iter()
        .find(|subject| subject.wonde_id == school.subjects[0].id.to_string())
        .unwrap();
    assert_eq!(subject.staff.len(), 2);

    school.mis = Mis::Bromcom;
    let truth_without = truth(&school, today());
    assert!(truth_without.classes[0].staff.is_empty());
    assert!(truth_without.subjects.iter().all(|subject| subject.staff.is_empty()));
}

#[test]
fn non_teaching_is_the_reverse_of_teaching() {
    for (teaching, wanted) in [(Some(true), false), (Some(false), true), (None, false)] {
        let mut school = school(Mis::Engage);
        for person in &mut school.employees {
            person.employment.as_mut().unwrap().teaching_staff = teaching;
        }
        assert!(truth(&school, today()).staff.iter().all(|person| person.non_teaching == wanted));
    }
}

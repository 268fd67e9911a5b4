//! What Wonde delivers for a school.

use std::collections::HashMap;

use mis_sync_domain::{
    Issue, IssueCode, RecordOutcome, StaffRecord, SubjectOfClass, Teacher, TeachingRecord,
    employment::Standing,
    line_manager::HierarchyLists,
    plan::{Alone, FetchCounts, Fetched, Held, LeftOut, Present},
};

use crate::school::{Entry, School, Shown};

/// A full list, in any order, with the records that were asked for and are gone.
pub(crate) fn full(school: &mut School) -> Fetched {
    let mut entries = school.mis.clone();
    entries.retain(|entry| entry.shown != Shown::Gone);
    school.random.shuffle(&mut entries);
    if school.random.percent(1) {
        entries.clear();
    }
    let is_proved = school.random.percent(85);
    let mut fetched = deliver(school, &entries, true);
    let known = school.held.people.iter().filter_map(|account| account.person.wonde_id.clone());
    let aliases = school.held.aliases.iter().map(|(alias, _)| alias.clone());
    let is_listed = |id: &String| entries.iter().any(|entry| entry.said.wonde_id == *id);
    let missing: Vec<String> = known.chain(aliases).filter(|id| !is_listed(id)).collect();
    fetched.gone.employees =
        missing.into_iter().filter(|_| is_proved || school.random.percent(50)).collect();
    if school.random.percent(1) {
        fetched.counts.employment_said = 0;
    }
    if school.rules.imports.photos {
        let none = school.random.percent(5);
        let whole = entries.iter().filter(|entry| entry.shown == Shown::Whole);
        let photo = |entry: &Entry| entry.photo.clone().filter(|_| !none);
        fetched.photos =
            Some(whole.map(|entry| (entry.said.wonde_id.clone(), photo(entry))).collect());
    }
    if school.random.percent(90) {
        fetched.subjects = Some(subjects(school));
        fetched.gone.subjects = school.held.subjects.iter().map(|s| s.wonde_id.clone()).collect();
        fetched.gone.subjects.retain(|id| school.subjects.iter().all(|(other, _)| other != id));
    }
    if school.random.percent(90) {
        fetched.classes = Some(classes(school));
        fetched.gone.classes = school.held.classes.iter().map(|c| c.wonde_id.clone()).collect();
        fetched.gone.classes.retain(|id| school.classes.iter().all(|other| other.wonde_id != *id));
    }
    fetched
}

/// A list of some people, as if they had changed.
pub(crate) fn delta(school: &mut School) -> Fetched {
    let mut entries = school.mis.clone();
    entries.retain(|entry| entry.shown != Shown::Gone && school.random.percent(40));
    school.random.shuffle(&mut entries);
    let mut fetched = deliver(school, &entries, false);
    let gone = school.mis.iter().filter(|entry| entry.shown == Shown::Gone);
    let gone: Vec<String> = gone.map(|entry| entry.said.wonde_id.clone()).collect();
    fetched.gone.employees.extend(gone.into_iter().filter(|_| school.random.percent(50)));
    if school.random.percent(50) {
        let mut all = classes(school);
        all.retain(|_| school.random.percent(50));
        fetched.classes = Some(all);
    }
    fetched
}

/// Fetches one person alone who is in iP, can log in, and has a record.
pub(crate) fn login(school: &mut School) -> Option<Fetched> {
    let linked: Vec<_> = school
        .held
        .people
        .iter()
        .filter_map(|account| Some((account.id, account.person.wonde_id.clone()?)))
        .collect();
    let (staff_id, wonde_id) = school.random.choose(&linked)?.clone();
    let entry = school.mis.iter().find(|entry| entry.said.wonde_id == wonde_id);
    let entries: Vec<Entry> =
        entry.filter(|entry| entry.shown != Shown::Gone).cloned().into_iter().collect();
    let mut fetched = deliver(school, &entries, false);
    if entries.is_empty() {
        fetched.gone.employees.insert(wonde_id.clone());
    }
    let taught = school.classes.iter().filter_map(|class| {
        let at = class.teachers.iter().position(|teacher| *teacher == wonde_id)?;
        Some((class.wonde_id.clone(), at < class.mains))
    });
    let teaches = Some(taught.collect()).filter(|_| school.rules.imports.class_staff);
    fetched.alone = Some(Alone { staff_id, wonde_id, teaches });
    Some(fetched)
}

/// How the database compares the emails of a list.
pub(crate) fn look_up(held: &mut Held, fetched: &Fetched) {
    let emails = fetched.staff.iter().filter_map(|(_, record)| record.email.as_ref());
    let staff = emails.map(mis_sync_domain::WorkEmail::as_str);
    held.logins.keys = staff.map(|email| (email.to_owned(), email.to_lowercase())).collect();
}

fn deliver(school: &mut School, entries: &[Entry], is_full: bool) -> Fetched {
    let started_at = school.tick();
    let hierarchies = hierarchies(school);
    let mut fetched = Fetched { is_full, started_at, ..Fetched::default() };
    let mut counts = FetchCounts { requests: 1, ..FetchCounts::default() };
    let mut staff: Vec<StaffRecord> = Vec::new();
    for entry in entries {
        let wonde_id = &entry.said.wonde_id;
        let hierarchy =
            hierarchies.as_ref().map(|all| all.get(wonde_id).cloned().unwrap_or_default());
        counts.records += 1;
        counts.current += u64::from(matches!(entry.shown, Shown::Whole | Shown::WithoutEmail));
        counts.employment_said +=
            u64::from(!matches!(entry.shown, Shown::Unreadable | Shown::Nameless));
        let issue = |code| Issue { code, wonde_id: Some(wonde_id.clone()) };
        match entry.shown {
            Shown::Gone => {}
            Shown::Whole => {
                let said = StaffRecord { hierarchy, ..entry.said.clone() };
                if school.random.percent(4) {
                    // The list changed while it was read, and the record changed in between.
                    let first_name = "Earlier".to_owned();
                    staff.push(StaffRecord { first_name, ..said.clone() });
                    counts.records += 1;
                    counts.current += 1;
                    counts.employment_said += 1;
                }
                staff.push(said);
            }
            Shown::WithoutEmail => {
                let code = IssueCode::NoWorkEmail;
                fetched.issues.push((0, issue(code)));
                staff.push(StaffRecord { email: None, hierarchy, ..entry.said.clone() });
                let outcome = RecordOutcome::Issue(code);
                fetched.left_out.push(left_out(&entry.said, Standing::Current, outcome));
            }
            Shown::Unreadable => {
                let code = IssueCode::UnreadableRecord;
                fetched.issues.push((0, issue(code)));
                let wonde_id = wonde_id.clone();
                fetched.present.push(Present { wonde_id, upi: None, hierarchy: None });
                let outcome = RecordOutcome::Issue(code);
                let said = StaffRecord { upi: None, ..entry.said.clone() };
                fetched.left_out.push(left_out(&said, Standing::Unsaid, outcome));
            }
            Shown::Nameless => counts.nameless += 1,
            Shown::Left => {
                let outcome = RecordOutcome::NotCurrent;
                fetched.left_out.push(left_out(&entry.said, Standing::Ended, outcome));
                if !is_full {
                    fetched.gone.employees.insert(wonde_id.clone());
                }
            }
        }
    }
    fetched.staff = (0..).zip(staff).collect();
    fetched.counts = counts;
    fetched
}

fn left_out(said: &StaffRecord, standing: Standing, outcome: RecordOutcome) -> LeftOut {
    LeftOut {
        wonde_id: said.wonde_id.clone(),
        upi: said.upi.clone(),
        email: None,
        standing,
        starts_on: None,
        ends_on: None,
        teaching: None,
        outcome,
    }
}

/// The people that each list names; `None` if the MIS does not say this time.
fn hierarchies(school: &mut School) -> Option<HashMap<String, Vec<String>>> {
    let mut lists: HashMap<String, Vec<String>> = HashMap::new();
    for entry in &school.mis {
        let Some(manager) = &entry.manager else { continue };
        let (of, named) = match school.lists {
            HierarchyLists::Managers => (&entry.said.wonde_id, manager),
            HierarchyLists::Reports => (manager, &entry.said.wonde_id),
        };
        lists.entry(of.clone()).or_default().push(named.clone());
    }
    school.random.percent(90).then_some(lists)
}

fn classes(school: &mut School) -> Vec<TeachingRecord> {
    let says_staff = school.random.percent(95);
    let teachers = |teachers: &[String], mains: usize| {
        let teacher =
            |(at, id): (usize, &String)| Teacher { wonde_id: id.clone(), is_main: at < mains };
        teachers.iter().enumerate().map(teacher).collect()
    };
    let class = |class: &crate::school::Class| TeachingRecord {
        wonde_id: class.wonde_id.clone(),
        name: class.name.clone(),
        code: None,
        description: None,
        subject: class.subject.clone().map_or(SubjectOfClass::Without, SubjectOfClass::Of),
        staff: says_staff.then(|| teachers(&class.teachers, class.mains)),
    };
    school.classes.iter().map(class).collect()
}

fn subjects(school: &School) -> Vec<TeachingRecord> {
    let subject = |(wonde_id, name): &(String, String)| TeachingRecord {
        wonde_id: wonde_id.clone(),
        name: Some(name.clone()),
        code: None,
        description: None,
        subject: SubjectOfClass::NotDelivered,
        staff: None,
    };
    school.subjects.iter().map(subject).collect()
}

//! Schools in few words, for the tests of the rules.
//!
//! Everyone has one name: `a1` is Robin A1 of `a1@oak.example`, whose record has the Wonde id `a1`.
//! The lines of a plan look like `a1 active=false`, `a2 created` or `a3 possible_match`.

use chrono::DateTime;
use uuid::Uuid;

use super::{
    Account, FetchCounts, Fetched, Group, GroupFields, Held, LeftOut, Link, MisValues, Person,
    Plan, Present, Ref, Rules, plan,
};
use crate::{
    ChangedRecord, Imports, JobTitle, OwnedFields, RecordOutcome, StaffId, StaffRecord,
    SubjectOfClass, SyncRules, Teacher, TeachingRecord, WorkEmail, employment::Standing,
};

/// The MIS owns what it delivers, leavers are deactivated, returning people are restored, and only
/// people are imported.
pub(super) const RULES: Rules = Rules {
    sync: SyncRules {
        owned: OwnedFields { initials: true, job_title: true, line_manager: true },
        hierarchy_lists: None,
        restores: true,
        deactivates: true,
        imports: Imports {
            classes: false,
            subjects: false,
            class_staff: false,
            subject_staff: false,
            photos: false,
        },
        clears_departments: false,
    },
    left_out: Vec::new(),
    leave_people: Vec::new(),
    has_many_recent_leavers: false,
};

pub(super) fn rules(change: impl FnOnce(&mut SyncRules)) -> Rules {
    with(RULES, |rules| change(&mut rules.sync))
}

/// The rules with classes, subjects and their teachers.
pub(super) fn teaching() -> Rules {
    let all = Imports {
        photos: false,
        classes: true,
        subjects: true,
        class_staff: true,
        subject_staff: true,
    };
    rules(|rules| rules.imports = all)
}

/// Returns the value with this change.
pub(super) fn with<T>(mut one: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut one);
    one
}

fn uuid(name: &str) -> Uuid {
    Uuid::from_u128(name.bytes().fold(0, |number, byte| number << 8 | u128::from(byte)))
}

/// The id of a person, class or subject with this name.
pub(super) fn id(name: &str) -> StaffId {
    StaffId(uuid(name))
}

/// Replaces the ids in a text by names.
fn named(text: &str) -> String {
    let name = |part: &str| match part.parse::<Uuid>() {
        Ok(id) => {
            id.as_bytes().iter().filter(|byte| **byte > 0).map(|byte| *byte as char).collect()
        }
        Err(_) => part.to_owned(),
    };
    text.split(',').map(name).collect::<Vec<_>>().join(",")
}

pub(super) fn email(address: &str) -> Option<WorkEmail> {
    let email = WorkEmail::parse(address).ok();
    assert!(email.is_some(), "{address}");
    email
}

/// The record of a person.
pub(super) fn record(name: &str) -> StaffRecord {
    StaffRecord {
        wonde_id: name.into(),
        upi: None,
        email: email(&format!("{name}@oak.example")),
        first_name: "Robin".into(),
        surname: name.to_uppercase(),
        initials: None,
        job_title: JobTitle::NotDelivered,
        non_teaching: None,
        hierarchy: None,
    }
}

/// A record of another person with other names.
pub(super) fn stranger(wonde_id: &str, first_name: &str, address: &str) -> StaffRecord {
    StaffRecord {
        email: email(address),
        first_name: first_name.into(),
        surname: format!("Of {first_name}"),
        ..record(wonde_id)
    }
}

/// The account of a person as a sync leaves it, after they have logged in.
pub(super) fn account(name: &str) -> Account {
    let record = record(name);
    let address = String::from(record.email.unwrap());
    Account {
        id: id(name),
        version: 1,
        person: Person {
            wonde_id: Some(name.into()),
            email: address.clone(),
            first_name: record.first_name.clone(),
            surname: record.surname.clone(),
            active: true,
            mis: Some(MisValues {
                email: Some(address.clone()),
                first_name: Some(record.first_name),
                surname: Some(record.surname),
                ..MisValues::default()
            }),
            ..Person::default()
        },
        email_key: address,
        password_reset_required: false,
        read_at: None,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

/// An account that was made by hand and is not linked.
pub(super) fn by_hand(name: &str) -> Account {
    with(account(name), |account| {
        account.person.wonde_id = None;
        account.person.mis = None;
    })
}

pub(super) fn inactive(name: &str) -> Account {
    with(account(name), |account| account.person.active = false)
}

/// An account with a change to its person.
pub(super) fn person(mut account: Account, change: impl FnOnce(&mut Person)) -> Account {
    change(&mut account.person);
    account
}

pub(super) fn school(people: impl IntoIterator<Item = Account>) -> Held {
    Held { people: people.into_iter().collect(), ..Held::default() }
}

/// A full list.
pub(super) fn list(staff: impl IntoIterator<Item = StaffRecord>) -> Fetched {
    let staff: Vec<(i64, StaffRecord)> = (0..).zip(staff).collect();
    let count = staff.len() as u64;
    Fetched {
        is_full: true,
        started_at: DateTime::from_timestamp(1_000_000_000, 0).unwrap(),
        counts: FetchCounts {
            records: count,
            current: count,
            employment_said: count,
            ..FetchCounts::default()
        },
        staff,
        present: Vec::new(),
        left_out: Vec::new(),
        gone: super::Gone::default(),
        issues: Vec::new(),
        subjects: None,
        classes: None,
        alone: None,
        photos: None,
        labels: Vec::new(),
    }
}

pub(super) fn delta(staff: impl IntoIterator<Item = StaffRecord>) -> Fetched {
    Fetched { is_full: false, ..list(staff) }
}

impl Fetched {
    /// These people were asked for, and Wonde does not have them.
    pub(super) fn gone(mut self, names: &[&str]) -> Self {
        self.gone.employees.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// A person is in the list and cannot be imported.
    pub(super) fn present(mut self, name: &str, upi: Option<&str>) -> Self {
        let upi = upi.map(str::to_owned);
        self.present.push(Present { wonde_id: name.into(), upi, hierarchy: None });
        self.left_out(name, RecordOutcome::NotTeaching)
    }

    /// A record is in the list and is not imported.
    pub(super) fn left_out(mut self, name: &str, outcome: RecordOutcome) -> Self {
        self.counts.records += 1;
        self.counts.employment_said += 1;
        let is_current = outcome != RecordOutcome::NotCurrent;
        self.left_out.push(LeftOut {
            wonde_id: name.into(),
            upi: None,
            email: None,
            standing: if is_current { Standing::Current } else { Standing::Ended },
            starts_on: None,
            ends_on: None,
            teaching: None,
            outcome,
        });
        self
    }
}

/// A class or subject in iP with these teachers from the MIS, the first one as main teacher.
pub(super) fn group<Id>(name: &str, new_id: fn(Uuid) -> Id, teachers: &[&str]) -> Group<Id> {
    Group {
        id: new_id(uuid(name)),
        version: 1,
        wonde_id: name.into(),
        fields: GroupFields { name: name.into(), active: true, ..GroupFields::default() },
        links: (0..).zip(teachers).map(|(at, name)| link(name, at == 0)).collect(),
        places: (0..).zip(teachers).map(|(at, _)| at).collect(),
        by_hand: std::collections::HashSet::default(),
    }
}

pub(super) fn link(name: &str, is_main: bool) -> Link {
    Link { staff: Ref::Known(id(name)), is_main }
}

/// A class or subject in the MIS with these teachers, the first one as main teacher.
pub(super) fn taught(name: &str, teachers: &[&str]) -> TeachingRecord {
    let teacher = |(at, name): (u32, &&str)| Teacher { wonde_id: (*name).into(), is_main: at == 0 };
    TeachingRecord {
        wonde_id: name.into(),
        name: Some(name.into()),
        code: None,
        description: None,
        subject: SubjectOfClass::NotDelivered,
        staff: Some((0..).zip(teachers).map(teacher).collect()),
    }
}

/// Compares, with emails compared as in the database.
pub(super) fn compare(held: &Held, fetched: &Fetched, rules: &Rules) -> Plan {
    let mut held = held.clone();
    for account in &mut held.people {
        account.email_key = account.person.email.to_lowercase();
    }
    let staff =
        fetched.staff.iter().filter_map(|(_, record)| Some(record.email.as_ref()?.as_str()));
    let emails = staff.chain(fetched.left_out.iter().filter_map(|one| one.email.as_deref()));
    held.logins.keys = emails.map(|email| (email.to_owned(), email.to_lowercase())).collect();
    plan(&held, fetched, rules)
}

/// The lines of a comparison.
pub(super) fn told(held: &Held, fetched: &Fetched, rules: &Rules) -> Vec<String> {
    compare(held, fetched, rules).told()
}

impl Plan {
    /// Every change, then every issue.
    pub(super) fn told(&self) -> Vec<String> {
        let changes = self.changes(&super::NewIds::default());
        let lines = changes.iter().map(|change| {
            let id = match change.record {
                ChangedRecord::Staff(id) => id.map(|id| id.0),
                ChangedRecord::Class(id) => id.map(|id| id.0),
                ChangedRecord::Subject(id) => id.map(|id| id.0),
            };
            let wonde_id = change.wonde_id.as_deref().unwrap_or_default();
            let who = id.map_or_else(|| wonde_id.to_owned(), |id| named(&id.to_string()));
            let new = change.new.as_ref().map_or(String::new(), |new| named(new.as_str()));
            match change.field {
                crate::ChangedField::Created => format!("{who} created"),
                field => format!("{who} {}={new}", field.as_str()),
            }
        });
        let issues = self.issues.iter().map(|issue| {
            let who = issue.wonde_id.as_deref().unwrap_or("school");
            format!("{who} {}", issue.code.as_str())
        });
        lines.chain(issues).collect()
    }

    /// The possible matches.
    pub(super) fn candidates(&self) -> Vec<String> {
        let line = |one: &super::Candidate| {
            let reasons: Vec<&str> = one.reasons.iter().map(|reason| reason.as_str()).collect();
            let reasons = reasons.join("+");
            format!("{}?{} {} {reasons}", one.wonde_id, named(&one.staff_id.to_string()), one.score)
        };
        self.candidates.iter().map(line).collect()
    }
}

pub(super) const NOTHING: [&str; 0] = [];

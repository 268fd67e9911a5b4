//! A school: what its MIS says, and iP's record.

use chrono::{DateTime, TimeDelta, Utc};
use mis_sync_domain::{
    Imports, JobTitle, OwnedFields, StaffRecord, SyncRules, WorkEmail,
    line_manager::HierarchyLists,
    plan::{Account, Candidate, Held, Person},
};

use crate::{apply, random::Random};

/// A school has few people, so that they interact.
pub(crate) const MOST: usize = 7;
const FIRST_NAMES: [&str; 6] = ["Ada", "Bea", "Cy", "Dan", "ada", ""];
const SURNAMES: [&str; 5] = ["Ash", "Elm", "Oak", "Yew", ""];

/// A person in the MIS, including leavers.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) said: StaffRecord,
    pub(crate) manager: Option<String>,
    pub(crate) photo: Option<String>,
    pub(crate) shown: Shown,
}

/// How Wonde's list shows a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Current, with everything that iP needs.
    Whole,
    /// Current, without the work email.
    WithoutEmail,
    /// Only the id of the record can be read.
    Unreadable,
    /// Not even the id can be read.
    Nameless,
    /// No longer current.
    Left,
    /// Not in the list.
    Gone,
}

impl Entry {
    pub(crate) fn is_here(&self) -> bool {
        !matches!(self.shown, Shown::Left | Shown::Gone)
    }
}

/// A class of the MIS.
#[derive(Clone)]
pub(crate) struct Class {
    pub(crate) wonde_id: String,
    pub(crate) name: Option<String>,
    pub(crate) subject: Option<String>,
    /// Wonde ids of its teachers, main teachers first.
    pub(crate) teachers: Vec<String>,
    pub(crate) mains: usize,
}

pub(crate) struct School {
    pub(crate) random: Random,
    pub(crate) rules: SyncRules,
    pub(crate) mis: Vec<Entry>,
    pub(crate) classes: Vec<Class>,
    /// Wonde ids and names.
    pub(crate) subjects: Vec<(String, String)>,
    pub(crate) lists: HierarchyLists,
    pub(crate) held: Held,
    /// Possible matches, from the last sync with these records.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) now: DateTime<Utc>,
    numbers: u32,
}

impl School {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut school = Self {
            rules: draw_rules(&mut random),
            lists: if random.percent(80) {
                HierarchyLists::Managers
            } else {
                HierarchyLists::Reports
            },
            random,
            mis: Vec::new(),
            classes: Vec::new(),
            subjects: Vec::new(),
            held: Held::default(),
            candidates: Vec::new(),
            now: DateTime::from_timestamp(1_000_000_000, 0).unwrap(),
            numbers: 0,
        };
        for _ in 0..4 {
            school.joiner();
        }
        school
    }

    /// Moves the clock on.
    pub(crate) fn tick(&mut self) -> DateTime<Utc> {
        self.now += TimeDelta::minutes(1);
        self.now
    }

    /// A number that the school has not used yet.
    pub(crate) fn fresh(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn fresh_address(&mut self) -> Option<WorkEmail> {
        email(&format!("p{}@oak.example", self.fresh()))
    }

    pub(crate) fn first_name(&mut self) -> String {
        (*self.random.choose(&FIRST_NAMES).unwrap()).to_owned()
    }

    pub(crate) fn surname(&mut self) -> String {
        (*self.random.choose(&SURNAMES).unwrap()).to_owned()
    }

    pub(crate) fn joiner(&mut self) {
        let (number, email) = (self.fresh(), self.fresh_address());
        let upi = self.random.percent(70).then(|| format!("u{number}"));
        let mut first_name = self.first_name();
        let surname = self.surname();
        if first_name.is_empty() && surname.is_empty() {
            first_name = "Eve".into();
        }
        let said = StaffRecord {
            wonde_id: format!("w{number}"),
            upi,
            email,
            first_name,
            surname,
            initials: self.random.percent(50).then(|| format!("I{}", number % 3)),
            job_title: JobTitle::NotDelivered,
            non_teaching: None,
            hierarchy: None,
        };
        self.mis.push(Entry { said, manager: None, photo: None, shown: Shown::Whole });
    }

    /// A person makes an account in iP.
    pub(crate) fn make_account(&mut self, person: Person) {
        let id = apply::id(&format!("hand{}", self.fresh()));
        let updated_at = self.tick();
        self.held.people.push(Account {
            id,
            version: 1,
            email_key: person.email.to_lowercase(),
            person,
            password_reset_required: self.random.percent(50),
            read_at: None,
            updated_at,
        });
    }

    /// Whether a person in iP can log in with this.
    pub(crate) fn is_held(&self, address: &str) -> bool {
        let key = address.to_lowercase();
        let mut active = self.held.people.iter().filter(|account| account.person.active);
        active.any(|account| account.email_key == key) || self.held.logins.elsewhere.contains(&key)
    }
}

pub(crate) fn email(address: &str) -> Option<WorkEmail> {
    let email = WorkEmail::parse(address).ok();
    assert!(email.is_some(), "{address}");
    email
}

/// Most schools deactivate leavers and restore people who come back.
fn draw_rules(random: &mut Random) -> SyncRules {
    let mut mostly = || random.percent(80);
    let rules = SyncRules {
        owned: OwnedFields { initials: mostly(), job_title: mostly(), line_manager: mostly() },
        hierarchy_lists: None,
        restores: mostly(),
        deactivates: mostly(),
        imports: Imports {
            classes: mostly(),
            subjects: mostly(),
            class_staff: mostly(),
            subject_staff: mostly(),
            photos: mostly(),
        },
        clears_departments: !mostly(),
    };
    let imports = Imports {
        class_staff: rules.imports.classes && rules.imports.class_staff,
        subject_staff: rules.imports.subjects && rules.imports.subject_staff,
        ..rules.imports
    };
    SyncRules { imports, ..rules }
}

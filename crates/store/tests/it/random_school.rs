//! A small school lives through random years, and after every sync iP is what a model says.
//!
//! The model knows nothing of how the store decides. Whose login is in doubt it finds by
//! trying: of all sets of people who could move, the largest after which no two hold one login.

use std::collections::{BTreeMap, BTreeSet};

use mis_sync_domain::{SchoolId, StaffRecord};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    fixture::{TestStore, email, person},
    rows,
};

const SEEDS: u64 = 12;
const YEARS: usize = 12;

/// A person of the MIS.
#[derive(Debug, Clone, PartialEq)]
struct Record {
    wonde_id: String,
    upi: Option<String>,
    /// `None`: the address got lost, and the mapping leaves the person out.
    email: Option<String>,
    first_name: String,
}

/// An account of iP.
#[derive(Debug, Clone, PartialEq)]
struct Account {
    wonde_id: Option<String>,
    upi: Option<String>,
    email: String,
    first_name: String,
}

struct World {
    random: StdRng,
    seed: u64,
    next: u32,
    records: Vec<Record>,
    /// In the order of their creation; nobody ever goes.
    accounts: Vec<Account>,
}

#[tokio::test]
async fn ip_is_the_mapped_list_after_whatever_happens() {
    let store = TestStore::start().await;
    for seed in 0..SEEDS {
        let school = store.school(&format!("school-{seed}")).await;
        let mut world = World::new(seed);
        for account in &world.accounts {
            let upi = account.upi.as_deref();
            rows::make_account(&store.pool, &school, &account.email, upi).await;
        }
        for year in 0..YEARS {
            let mut events = Vec::new();
            for _ in 0..world.random.random_range(1..=4) {
                events.push(world.something_happens());
            }
            let issues = sync(&store, &school, &world).await;
            let expected = world.sync();
            let place = format!("seed {seed}, year {year}, after {events:?}");
            assert_eq!(issues, expected, "issues: {place}");
            assert_eq!(held(&store, &school).await, world.held(), "people: {place}");
        }
    }
}

/// Syncs what the MIS delivers; returns the Wonde ids of those left out.
async fn sync(store: &TestStore, school: &SchoolId, world: &World) -> BTreeSet<String> {
    let list: Vec<StaffRecord> = world.delivered().map(Record::mapped).collect();
    let (job, report) = store.sync(school, &list).await;
    let issues: BTreeSet<String> =
        store.issues(job).await.into_iter().map(|(_, wonde_id)| wonde_id).collect();
    assert_eq!(report.skipped, issues.len() as u64, "seed {}", world.seed);
    let counted = report.created + report.updated + report.unchanged + report.skipped;
    assert_eq!(counted, list.len() as u64, "seed {}", world.seed);
    issues
}

/// Every account by its login.
async fn held(store: &TestStore, school: &SchoolId) -> BTreeMap<String, Account> {
    let people = rows::people(&store.pool, school).await;
    let count = people.len();
    let held: BTreeMap<_, _> = people
        .into_iter()
        .map(|p| {
            let account = Account {
                wonde_id: p.wonde_id,
                upi: p.upi,
                email: p.email,
                first_name: p.first_name,
            };
            (account.email.to_lowercase(), account)
        })
        .collect();
    assert_eq!(held.len(), count, "a login is held twice");
    held
}

impl Record {
    fn mapped(&self) -> StaffRecord {
        let address = self.email.as_deref().expect("people without an address are not delivered");
        StaffRecord {
            upi: self.upi.clone(),
            email: email(address),
            first_name: self.first_name.clone(),
            ..person(&self.wonde_id)
        }
    }

    fn login(&self) -> String {
        self.email.as_deref().unwrap_or_default().to_lowercase()
    }
}

impl World {
    /// Five people, and two accounts made by hand that may mean two of them.
    fn new(seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        let mut world = Self { random, seed, next: 0, records: Vec::new(), accounts: Vec::new() };
        for _ in 0..5 {
            world.joiner();
        }
        let by_hand = |upi: Option<String>, email: String| Account {
            wonde_id: None,
            upi,
            email,
            first_name: "By".into(),
        };
        world.accounts = vec![
            by_hand(None, world.records[0].login().to_uppercase()),
            by_hand(world.records[1].upi.clone(), format!("private-{seed}@home.example")),
        ];
        world
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn joiner(&mut self) {
        let n = self.fresh();
        let upi = self.random.random_bool(0.8).then(|| format!("upi-{n}"));
        let record = Record {
            wonde_id: format!("w{n}"),
            upi,
            email: Some(format!("P{n}-{}@oak.example", self.seed)),
            first_name: format!("Name{n}"),
        };
        self.records.push(record);
    }

    fn somebody(&mut self) -> usize {
        self.random.random_range(0..self.records.len())
    }

    /// One change in the MIS; returns what it was.
    fn something_happens(&mut self) -> String {
        let (one, two, n) = (self.somebody(), self.somebody(), self.fresh());
        let event = self.random.random_range(0..9);
        let (first, second) = (self.records[one].clone(), self.records[two].clone());
        match event {
            0 if self.records.len() < 9 => self.joiner(),
            1 => self.records[one].first_name = format!("Renamed{n}"),
            2 => self.records[one].email = Some(format!("new{n}-{}@oak.example", self.seed)),
            // The address of somebody else, who may or may not keep it.
            3 => self.records[one].email.clone_from(&second.email),
            4 => {
                self.records[one].email.clone_from(&second.email);
                self.records[two].email.clone_from(&first.email);
            }
            5 => self.records[one].wonde_id = format!("w{n}"),
            6 => self.records[one].email = None,
            // An address that iP knows, perhaps of somebody who left.
            7 => {
                let known = self.random.random_range(0..self.accounts.len());
                self.records[one].email = Some(self.accounts[known].email.to_lowercase());
            }
            _ if self.records.len() > 3 => drop(self.records.remove(one)),
            _ => {}
        }
        format!("{event} to {} (and {})", first.wonde_id, second.wonde_id)
    }

    /// Who is in the list: those with an address.
    fn delivered(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.email.is_some())
    }

    /// What the rules make of the list; returns the Wonde ids of those left out.
    fn sync(&mut self) -> BTreeSet<String> {
        let list: Vec<Record> = self.delivered().cloned().collect();
        let means = self.means(&list);
        let asks = |n: usize| {
            let holds = means[n].map(|account| self.accounts[account].email.to_lowercase());
            holds != Some(list[n].login())
        };
        let twin = |n: usize| list.iter().filter(|r| r.login() == list[n].login()).count() > 1;
        let askers: Vec<usize> = (0..list.len()).filter(|n| asks(*n) && !twin(*n)).collect();
        let still: Vec<usize> = (0..list.len()).filter(|n| !asks(*n)).collect();
        let movers = self.largest_set_without_clash(&list, &means, &askers);
        for n in still.iter().chain(&movers) {
            self.apply(&list[*n], means[*n]);
        }
        let applied: BTreeSet<usize> = still.into_iter().chain(movers).collect();
        let left_out = (0..list.len()).filter(|n| !applied.contains(n));
        left_out.map(|n| list[n].wonde_id.clone()).collect()
    }

    /// Which account each record means: by Wonde id, then UPI, then address.
    fn means(&self, list: &[Record]) -> Vec<Option<usize>> {
        let find = |test: &dyn Fn(&Account) -> bool| -> Vec<usize> {
            (0..self.accounts.len()).filter(|at| test(&self.accounts[*at])).collect()
        };
        let mut means: Vec<Option<usize>> = Vec::new();
        for record in list {
            let id = Some(&record.wonde_id);
            means.push(find(&|account| account.wonde_id.as_ref() == id).first().copied());
        }
        let listed = |account: &Account| {
            list.iter().any(|record| Some(&record.wonde_id) == account.wonde_id.as_ref())
        };
        let by_upi =
            |record: &Record| find(&|a| a.upi.is_some() && a.upi == record.upi && !listed(a));
        let by_email = |record: &Record| {
            find(&|a| a.wonde_id.is_none() && a.email.to_lowercase() == record.login())
        };
        for step in [&by_upi as &dyn Fn(&Record) -> Vec<usize>, &by_email] {
            let open: Vec<usize> = (0..list.len()).filter(|n| means[*n].is_none()).collect();
            let taken: BTreeSet<usize> = means.iter().flatten().copied().collect();
            let candidates: Vec<Vec<usize>> = open.iter().map(|n| step(&list[*n])).collect();
            for (n, mine) in open.iter().zip(&candidates) {
                let [account] = mine[..] else { continue };
                let rivals = candidates.iter().filter(|c| c.contains(&account)).count();
                if rivals == 1 && !taken.contains(&account) {
                    means[*n] = Some(account);
                }
            }
        }
        means
    }

    fn largest_set_without_clash(
        &self,
        list: &[Record],
        means: &[Option<usize>],
        askers: &[usize],
    ) -> Vec<usize> {
        let chosen = |set: u32| -> Vec<usize> {
            (0..).zip(askers).filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, n)| *n).collect()
        };
        let works = |movers: &[usize]| {
            let mut logins: Vec<String> =
                self.accounts.iter().map(|account| account.email.to_lowercase()).collect();
            for n in movers {
                match means[*n] {
                    Some(account) => logins[account] = list[*n].login(),
                    None => logins.push(list[*n].login()),
                }
            }
            let distinct: BTreeSet<&String> = logins.iter().collect();
            distinct.len() == logins.len()
        };
        let sets = 0..1_u32 << askers.len();
        sets.map(chosen).filter(|movers| works(movers)).max_by_key(Vec::len).unwrap()
    }

    fn apply(&mut self, record: &Record, means: Option<usize>) {
        let held = means.map(|account| self.accounts[account].clone());
        let account = Account {
            wonde_id: Some(record.wonde_id.clone()),
            upi: record.upi.clone().or(held.and_then(|account| account.upi)),
            email: record.email.clone().unwrap(),
            first_name: record.first_name.clone(),
        };
        match means {
            Some(at) => self.accounts[at] = account,
            None => self.accounts.push(account),
        }
    }

    fn held(&self) -> BTreeMap<String, Account> {
        self.accounts.iter().map(|a| (a.email.to_lowercase(), a.clone())).collect()
    }
}

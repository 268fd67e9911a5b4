//! One sync, in iP and in the model, and the comparison of the two.

use mis_sync_domain::plan::MappedPage;
use std::{collections::BTreeMap, mem};

use mis_sync_domain::{JobId, Lease, Report};
use mis_sync_store::{
    jobs::{self, Actor},
    sync::Finished,
};

use super::{
    account::Account,
    events::Turn,
    list::List,
    school::{ByHand, School},
};
use crate::{
    fixture::{self, TestStore},
    rows::{self, Person},
};

impl Turn<'_> {
    /// Syncs what the MIS delivers, and panics if iP differs from the model.
    pub(super) async fn sync(self, store: &TestStore) {
        let Self { random, school, other } = self;
        let before = school.edit_by_hand(store).await;
        let list = List::draw(random, school);
        let pages = list.pages(random);
        if school.is_held(&list) {
            school.hold_pages(store, &pages).await;
            assert_eq!(school.look(store, "after a held sync").await, before, "held");
            return;
        }
        let mut expected = school.sync(&list, other);
        expected.report.requests = pages.len() as u64;

        let (job, report) = school.sync_pages(store, &pages).await;
        let mut issues = store.issues(job).await;
        issues.sort_by_key(|(code, wonde_id)| (code.as_str(), wonde_id.clone()));
        assert_eq!(issues, expected.issues, "issues");
        let after = school.look(store, "after the sync").await;
        assert_eq!(report, expected.report, "report");
        let written = after.iter().filter(|person| !before.contains(person)).count();
        assert_eq!(written as u64, expected.written, "rows that were written");
    }
}

impl School {
    /// Makes the model's manual changes in iP, and returns everyone in iP.
    pub(super) async fn edit_by_hand(&mut self, store: &TestStore) -> Vec<Person> {
        for edit in mem::take(&mut self.by_hand) {
            match edit {
                ByHand::Made { email, upi, first_name } => {
                    let upi = upi.as_deref();
                    rows::make_named_account(&store.pool, &self.id, &email, upi, &first_name).await;
                }
                ByHand::Edited(statement) => {
                    assert_eq!(rows::change(&store.pool, &statement).await, 1, "edited by hand");
                }
            }
        }
        self.look(store, "before the sync").await
    }

    /// A sync whose list says that everyone left: it is held and then cancelled.
    async fn hold_pages(&self, store: &TestStore, pages: &[MappedPage]) {
        let lease = self.stage(store, pages).await;
        let plan = fixture::plan(lease, &self.id, self.rules);
        let finished = fixture::try_finish(&store.pool, plan).await.unwrap();
        assert!(matches!(finished, Finished::Held(_)), "{finished:?}");
        let actor = Actor::command("test", None);
        jobs::reject(&store.pool, lease.job_id, &actor).await.unwrap().unwrap();
    }

    async fn stage(&self, store: &TestStore, pages: &[MappedPage]) -> Lease {
        let job = store.enqueue(&self.id).await;
        let lease = store.claim(job).await;
        let (last, before) = pages.split_last().unwrap();
        for page in before {
            store.add_before(lease, page, "next").await.unwrap();
        }
        store.add(lease, last).await.unwrap();
        lease
    }

    async fn sync_pages(&self, store: &TestStore, pages: &[MappedPage]) -> (JobId, Report) {
        let lease = self.stage(store, pages).await;
        let plan = fixture::plan(lease, &self.id, self.rules);
        let report = fixture::finish(&store.pool, plan).await.unwrap();
        (lease.job_id, report)
    }

    /// Everyone in iP, who must match the model, including people who were there before.
    async fn look(&mut self, store: &TestStore, when: &str) -> Vec<Person> {
        let people = rows::people(&store.pool, &self.id).await;
        self.learn_ids(&people);
        let held = Account::by_login(people.iter().map(Account::from));
        assert_eq!(held.len(), people.len(), "a login is held twice {when}");
        let expected = Account::by_login(self.accounts.iter().cloned());
        // Only people who differ, so that it can be read.
        assert_eq!(without(&held, &expected), without(&expected, &held), "people {when}");
        let passwords: BTreeMap<_, _> =
            people.iter().map(|person| (person.id, person.password_hash.clone())).collect();
        for (id, password) in &self.passwords {
            assert_eq!(passwords.get(id), Some(password), "account {id} was lost {when}");
        }
        self.passwords = passwords;
        people
    }
}

/// The entries of `some` that differ in `others`.
fn without<'a>(
    some: &'a BTreeMap<String, Account>,
    others: &BTreeMap<String, Account>,
) -> Vec<&'a Account> {
    let differs = |login: &String, account: &Account| others.get(login) != Some(account);
    some.iter().filter(|(login, account)| differs(login, account)).map(|(_, a)| a).collect()
}

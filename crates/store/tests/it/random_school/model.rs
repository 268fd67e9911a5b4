//! What the rules say about a list.

use std::{cmp::Reverse, collections::BTreeSet};

use mis_sync_domain::{IssueCode, JobTitle, Report};

use super::{
    account::Account,
    list::List,
    record::{Record, Shown},
    school::School,
};

/// What a sync must report.
pub(super) struct Outcome {
    pub(super) report: Report,
    /// Code and Wonde id, in the order of both; the id is empty for a record without one.
    pub(super) issues: Vec<(IssueCode, String)>,
    /// Number of rows written, without people who are unchanged or left out.
    pub(super) written: u64,
}

/// An account that a record matches.
#[derive(Clone, Copy)]
struct Means {
    account: usize,
    /// Whether it was not matched by address.
    by_upi: bool,
}

/// What the records of a list match.
struct Meaning {
    means: Vec<Option<usize>>,
    /// Records and accounts of which a person has to decide whether they are the same.
    doubtful: Vec<(usize, usize)>,
}

impl School {
    /// Applies to the accounts what a sync of this list must do.
    pub(super) fn sync(&mut self, list: &List, other: &School) -> Outcome {
        let mut staff: Vec<Record> =
            list.latest().filter(|record| record.shown == Shown::Whole).cloned().collect();
        let Meaning { means, doubtful } = self.means(&staff.iter().collect::<Vec<_>>(), list);
        let roles_withheld = self.roles_are_withheld(&means, list);
        if roles_withheld {
            // As if nothing had been said.
            for record in &mut staff {
                record.job_title = JobTitle::NotDelivered;
            }
        }
        let staff: Vec<&Record> = staff.iter().collect();
        let mut possible = self.possible_matches(&staff, &means, list);
        possible.extend(doubtful);
        let leavers = if self.rules.deactivates && list.is_telling() {
            let mut absent = self.absent(&means, list);
            absent.retain(|account| possible.iter().all(|(_, other)| other != account));
            absent
        } else {
            Vec::new()
        };
        let doubts = self.doubts(&staff, &means, &possible, &leavers, other);
        let mut outcome = Outcome::of_list(list);
        if roles_withheld {
            outcome.issues.push((IssueCode::RolesWithheld, String::new()));
        }
        for ((record, means), doubt) in staff.iter().zip(means).zip(doubts) {
            match doubt {
                Some(code) => outcome.leaves_out(record, code),
                None => self.apply(record, means, &mut outcome),
            }
        }
        outcome.report.deactivated = leavers.len() as u64;
        outcome.written += outcome.report.deactivated;
        for leaver in leavers {
            self.accounts[leaver].active = false;
        }
        outcome.report.issues = outcome.issues.len() as u64;
        outcome.issues.sort_by_key(|(code, wonde_id)| (code.as_str(), wonde_id.clone()));
        outcome
    }

    /// Whether no one has a role although someone in the list had one before.
    fn roles_are_withheld(&self, means: &[Option<usize>], list: &List) -> bool {
        let had_role = |account: &usize| self.accounts[*account].had_role();
        list.is_without_roles() && means.iter().flatten().any(had_role)
    }

    /// The account of each record: by Wonde id, then UPI, then address. A match with nothing else
    /// in common is rejected, and another one is looked for.
    fn means(&self, staff: &[&Record], list: &List) -> Meaning {
        let mut refuted: Vec<(usize, usize)> = Vec::new();
        let mut may_wait = Vec::new();
        loop {
            let found = self.means_without(staff, list, &refuted);
            let unlike: Vec<(usize, Means)> = (0..staff.len())
                .filter_map(|n| Some((n, found[n]?)))
                .filter(|(n, means)| self.is_unlike(staff[*n], *means))
                .collect();
            if unlike.is_empty() {
                let means: Vec<Option<usize>> =
                    found.iter().map(|means| means.map(|means| means.account)).collect();
                may_wait.retain(|(n, account): &(usize, usize)| {
                    means[*n].is_none() && !means.contains(&Some(*account))
                });
                return Meaning { means, doubtful: may_wait };
            }
            for (n, means) in unlike {
                refuted.push((n, means.account));
                // An inactive person holds no address, so it was handed on.
                if means.by_upi || self.accounts[means.account].active {
                    may_wait.push((n, means.account));
                }
            }
        }
    }

    /// Without the same id surnames never match here, because the fixture makes them from the ids.
    fn is_unlike(&self, record: &Record, means: Means) -> bool {
        let account = &self.accounts[means.account];
        let initials = record.initials.is_some() && record.initials == account.initials;
        let same = if means.by_upi { record.login() == account.login() } else { initials };
        account.wonde_id.as_ref() != Some(&record.wonde_id)
            && record.first_name != account.first_name
            && !same
    }

    fn means_without(
        &self,
        staff: &[&Record],
        list: &List,
        refuted: &[(usize, usize)],
    ) -> Vec<Option<Means>> {
        let find = |test: &dyn Fn(&Account) -> bool| -> Vec<usize> {
            (0..self.accounts.len()).filter(|at| test(&self.accounts[*at])).collect()
        };
        let by_id = |record: &Record| find(&|a| a.wonde_id.as_ref() == Some(&record.wonde_id));
        let known = |account: usize, by_upi: bool| Means { account, by_upi };
        let mut means: Vec<Option<Means>> = staff
            .iter()
            .map(|record| by_id(record).first().map(|account| known(*account, true)))
            .collect();
        let by_upi = |record: &Record| {
            find(&|a| {
                a.upi == record.upi
                    && self.is_key(a.upi.as_ref(), list)
                    && !list.has(a.wonde_id.as_ref())
            })
        };
        let by_email =
            |record: &Record| find(&|a| a.wonde_id.is_none() && a.login() == record.login());
        for is_upi in [true, false] {
            let step = |record| if is_upi { by_upi(record) } else { by_email(record) };
            let open: Vec<usize> = (0..staff.len()).filter(|n| means[*n].is_none()).collect();
            let taken: BTreeSet<usize> = means.iter().flatten().map(|m| m.account).collect();
            let candidates: Vec<Vec<usize>> = open
                .iter()
                .map(|n| {
                    let is_free = |account: &usize| {
                        !taken.contains(account) && !refuted.contains(&(*n, *account))
                    };
                    step(staff[*n]).into_iter().filter(is_free).collect()
                })
                .collect();
            for (n, mine) in open.iter().zip(&candidates) {
                let [account] = mine[..] else { continue };
                if candidates.iter().filter(|c| c.contains(&account)).count() == 1 {
                    means[*n] = Some(known(account, is_upi));
                }
            }
        }
        means
    }

    /// Whether exactly one record of the list and one account have the UPI.
    fn is_key(&self, upi: Option<&String>, list: &List) -> bool {
        let people = self.accounts.iter().filter(|account| account.upi.as_ref() == upi).count();
        upi.is_some_and(|upi| people == 1 && list.records_with(upi) == 1)
    }

    /// Whether a sync of this list would be held, because everyone seems to have left.
    pub(super) fn is_held(&self, list: &List) -> bool {
        list.is_empty() && self.rules.deactivates && !self.absent(&[], list).is_empty()
    }

    /// Unmatched records, each with an account whose own record is gone and that shares the login
    /// and the forename or initials. Surnames never match here, because the fixture makes them from
    /// the ids.
    fn possible_matches(
        &self,
        staff: &[&Record],
        means: &[Option<usize>],
        list: &List,
    ) -> Vec<(usize, usize)> {
        if list.latest().any(|record| record.shown == Shown::Nameless) {
            return Vec::new();
        }
        let mut gone = self.absent(means, list);
        gone.retain(|account| !list.has(self.accounts[*account].wonde_id.as_ref()));
        let have_much_in_common = |record: &Record, account: &Account| {
            let initials = record.initials.is_some() && record.initials == account.initials;
            record.login() == account.login()
                && (record.first_name == account.first_name || initials)
        };
        let open = (0..staff.len()).filter(|n| means[*n].is_none() && !is_twin(staff, *n));
        open.flat_map(|n| gone.iter().map(move |account| (n, *account)))
            .filter(|(n, account)| have_much_in_common(staff[*n], &self.accounts[*account]))
            .collect()
    }

    /// Why each record is left out; `None` if it is not.
    fn doubts(
        &self,
        staff: &[&Record],
        means: &[Option<usize>],
        possible: &[(usize, usize)],
        leavers: &[usize],
        other: &School,
    ) -> Vec<Option<IssueCode>> {
        let asks = |n: usize| {
            means[n].is_none_or(|account| {
                let account = &self.accounts[account];
                // An inactive person holds no login, and one who stays inactive asks for none.
                if account.active {
                    account.login() != staff[n].login()
                } else {
                    self.rules.restores
                }
            })
        };
        let twin = |n: usize| is_twin(staff, n);
        let is_possible = |n: usize| possible.iter().any(|(other, _)| *other == n);
        let askers: Vec<usize> =
            (0..staff.len()).filter(|n| asks(*n) && !twin(*n) && !is_possible(*n)).collect();
        let movers = self.largest_set_without_clash(staff, means, &askers, leavers, other);
        let doubt = |n: usize| match (asks(n), twin(n)) {
            (true, true) => Some(IssueCode::SharedWorkEmail),
            (true, false) if is_possible(n) => Some(IssueCode::PossibleMatch),
            (true, false) if !movers.contains(&n) => Some(IssueCode::WorkEmailInUse),
            _ => None,
        };
        (0..staff.len()).map(doubt).collect()
    }

    fn largest_set_without_clash(
        &self,
        staff: &[&Record],
        means: &[Option<usize>],
        askers: &[usize],
        leavers: &[usize],
        other: &School,
    ) -> Vec<usize> {
        let chosen = |set: u32| -> Vec<usize> {
            (0..).zip(askers).filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, n)| *n).collect()
        };
        let mut held: Vec<Option<String>> = self
            .accounts
            .iter()
            .chain(&other.accounts)
            .map(|account| account.active.then(|| account.login()))
            .collect();
        for leaver in leavers {
            held[*leaver] = None;
        }
        let works = |movers: &[usize]| {
            let mut logins = held.clone();
            for n in movers {
                match means[*n] {
                    Some(account) => logins[account] = Some(staff[*n].login()),
                    None => logins.push(Some(staff[*n].login())),
                }
            }
            let held = || logins.iter().flatten();
            held().collect::<BTreeSet<_>>().len() == held().count()
        };
        let mut sets: Vec<u32> = (0..1 << askers.len()).collect();
        sets.sort_by_key(|set| Reverse(set.count_ones()));
        sets.into_iter().map(chosen).find(|movers| works(movers)).unwrap()
    }

    /// Linked and active accounts without a record in the list.
    fn absent(&self, means: &[Option<usize>], list: &List) -> Vec<usize> {
        let present: Vec<_> = list.latest().filter_map(Record::present).collect();
        let is_present = |account: &Account| {
            present.iter().any(|person| {
                account.wonde_id.as_ref() == Some(&person.wonde_id)
                    || (person.upi == account.upi && self.is_key(person.upi.as_ref(), list))
            })
        };
        let is_absent = |at: usize| {
            let account = &self.accounts[at];
            let is_linked = account.wonde_id.is_some();
            is_linked && account.active && !means.contains(&Some(at)) && !is_present(account)
        };
        (0..self.accounts.len()).filter(|at| is_absent(*at)).collect()
    }

    fn apply(&mut self, record: &Record, means: Option<usize>, outcome: &mut Outcome) {
        let Some(at) = means else {
            self.accounts.push(Account::new(record));
            outcome.report.created += 1;
            outcome.written += 1;
            return;
        };
        let held = &self.accounts[at];
        let account = held.after(record, self.rules);
        outcome.counts(held, &account);
        if !account.active {
            outcome.issues.push((IssueCode::InactiveInIp, record.wonde_id.clone()));
        }
        self.accounts[at] = account;
    }
}

/// Whether another record of the list has the same login.
fn is_twin(staff: &[&Record], n: usize) -> bool {
    staff.iter().filter(|record| record.login() == staff[n].login()).count() > 1
}

impl Outcome {
    fn of_list(list: &List) -> Self {
        let count = |kind: fn(&Record) -> bool| list.latest().filter(|r| kind(r)).count() as u64;
        let report = Report {
            fetched: count(|_| true),
            current: count(Record::is_current),
            skipped: count(Record::is_skipped),
            ..Report::default()
        };
        let issues = list.latest().filter_map(Record::issue);
        let issues = issues.map(|issue| (issue.code, issue.wonde_id.unwrap_or_default()));
        let mut issues: Vec<_> = issues.collect();
        if list.hides_employment() {
            issues.push((IssueCode::EmploymentWithheld, String::new()));
        }
        Self { report, issues, written: 0 }
    }

    fn leaves_out(&mut self, record: &Record, code: IssueCode) {
        self.report.skipped += 1;
        self.issues.push((code, record.wonde_id.clone()));
    }

    fn counts(&mut self, before: &Account, after: &Account) {
        let report = &mut self.report;
        report.restored += u64::from(before.active != after.active);
        let said = after.said.clone();
        let is_updated = *after != Account { active: after.active, said, ..before.clone() };
        report.updated += u64::from(is_updated);
        report.unchanged += u64::from(!is_updated && before.active == after.active);
        self.written += u64::from(before != after);
    }
}

//! Wonde's list of a school, in pages.

use mis_sync_domain::plan::MappedPage;
use std::{collections::BTreeSet, mem};

use mis_sync_domain::JobTitle;
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};

use super::{
    record::{Record, Shown},
    school::School,
};

/// What Wonde delivers for one sync, in order.
pub(super) struct List(Vec<Record>);

impl List {
    /// Draws the order, and applies what is odd about this list.
    pub(super) fn draw(random: &mut StdRng, school: &mut School) -> Self {
        let listed = school.records.iter().filter(|record| record.shown != Shown::Gone);
        let mut records: Vec<Record> = listed.cloned().collect();
        records.shuffle(random);
        for earlier in school.earlier.drain(..) {
            let later = records.iter().rposition(|record| {
                record.wonde_id == earlier.wonde_id && record.shown == Shown::Whole
            });
            if let Some(later) = later {
                records.insert(random.random_range(0..=later), earlier);
            }
        }
        // What Wonde cannot deliver now it can deliver the next time.
        let nameless = |record: &&mut Record| record.shown == Shown::Nameless;
        school.records.iter_mut().filter(nameless).for_each(|record| record.shown = Shown::Whole);
        if mem::take(&mut school.list_is_empty) {
            records.clear();
        }
        Self(records)
    }

    /// Every record once: of two deliveries the later one counts.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Record> {
        let comes_again =
            |at: usize| self.0[at + 1..].iter().any(|r| r.wonde_id == self.0[at].wonde_id);
        (0..self.0.len()).filter(move |at| !comes_again(*at)).map(|at| &self.0[at])
    }

    /// Whether the list has this record, imported or not.
    pub(super) fn has(&self, wonde_id: Option<&String>) -> bool {
        let is_told = |record: &&Record| record.shown != Shown::Nameless;
        self.0.iter().filter(is_told).any(|record| Some(&record.wonde_id) == wonde_id)
    }

    /// How many records have this UPI.
    pub(super) fn records_with(&self, upi: &str) -> usize {
        let has_it = |record: &&Record| {
            !matches!(record.shown, Shown::Nameless | Shown::Unreadable)
                && record.upi.as_deref() == Some(upi)
        };
        let ids: BTreeSet<&String> = self.0.iter().filter(has_it).map(|r| &r.wonde_id).collect();
        ids.len()
    }

    /// Whether the list is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are records, and none says anything about the employment.
    pub(super) fn hides_employment(&self) -> bool {
        !self.0.is_empty() && !self.0.iter().any(Record::says_employment)
    }

    /// Whether no one has a role.
    pub(super) fn is_without_roles(&self) -> bool {
        let has_role = |record: &Record| matches!(record.job_title, JobTitle::Roles(_));
        !self.0.iter().any(|record| record.shown == Shown::Whole && has_role(record))
    }

    /// Whether the list can show who is absent.
    pub(super) fn is_telling(&self) -> bool {
        !self.0.is_empty()
            && !self.hides_employment()
            && self.0.iter().all(|record| record.shown != Shown::Nameless)
    }

    /// Cuts the list into pages at random places.
    pub(super) fn pages(&self, random: &mut StdRng) -> Vec<MappedPage> {
        let cuts = (1..self.0.len()).filter(|_| random.random_bool(0.3));
        let mut ends: Vec<usize> = cuts.collect();
        ends.push(self.0.len());
        let mut start = 0;
        let mut pages = Vec::new();
        for end in ends {
            pages.push(mapped(&self.0[start..end]));
            start = end;
        }
        pages
    }
}

/// A page as the worker maps it.
fn mapped(records: &[Record]) -> MappedPage {
    let count = |kind: fn(&Record) -> bool| records.iter().filter(|r| kind(r)).count() as u64;
    let placed = || (0..).zip(records);
    MappedPage {
        staff: placed().filter_map(|(place, r)| Some((place, r.mapped()?))).collect(),
        issues: placed().filter_map(|(place, r)| Some((place, r.issue()?))).collect(),
        left_out: records.iter().filter_map(Record::left_out).collect(),
        present: records.iter().filter_map(Record::present).collect(),
        nameless: count(|record| record.shown == Shown::Nameless),
        fetched: records.len() as u64,
        current: count(Record::is_current),
        skipped: count(Record::is_skipped),
        employment_said: count(Record::says_employment),
        requests: 1,
        ..MappedPage::default()
    }
}

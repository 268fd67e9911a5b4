//! What a process runs at the same time: one suspect, and for each school no more logins than its
//! share.
//!
//! A job that kills its worker takes down everything that runs beside it. Each of those jobs then
//! has a crash and is a suspect. Suspects run one at a time, so each of them can meet the culprit
//! only once, before it is a suspect. The culprit dies as often as it may and then fails alone.
//!
//! Logins of a school wait for its row while a sync writes it. Each holds a slot and a connection
//! meanwhile, so a school can have at most half of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use mis_sync_domain::{Lane, SchoolId};
use mis_sync_store::jobs::Leaves;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Claimed;

/// The one suspect that a process runs, over all its lanes.
#[derive(Debug, Clone)]
pub(crate) struct Suspects(Arc<Semaphore>);

impl Default for Suspects {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// What runs in one lane of a process. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    suspects: Suspects,
    share: usize,
    by_school: Arc<Mutex<HashMap<Option<SchoolId>, usize>>>,
}

/// What may be claimed now. While it exists, no one else in this process claims a suspect.
#[derive(Debug)]
pub(crate) struct Offer {
    suspect: Option<OwnedSemaphorePermit>,
    full: Vec<String>,
}

/// A claimed job with its right to run here.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) claimed: Claimed,
    _suspect: Option<Arc<OwnedSemaphorePermit>>,
    _place: Arc<Place>,
}

#[derive(Debug)]
struct Place {
    admission: Admission,
    school: Option<SchoolId>,
}

impl Admission {
    pub(crate) fn new(suspects: Suspects, lane: Lane, slots: usize) -> Self {
        let share = match lane {
            // A school has only one sync.
            Lane::Bulk | Lane::Internal => usize::MAX,
            Lane::Interactive => (slots / 2).max(1),
        };
        Self { suspects, share, by_school: Arc::default() }
    }

    pub(crate) fn offer(&self) -> Offer {
        let by_school = self.lock();
        let full = by_school.iter().filter(|(_, running)| **running >= self.share);
        Offer {
            suspect: Arc::clone(&self.suspects.0).try_acquire_owned().ok(),
            full: full.filter_map(|(school, _)| school.as_ref().map(ToString::to_string)).collect(),
        }
    }

    /// Admits a job that an offer claimed. Returns the job if its school's last place was taken
    /// meanwhile.
    pub(crate) fn admit(&self, offer: Offer, claimed: Claimed) -> Result<Admitted, Box<Claimed>> {
        let school = claimed.job.school_id.clone();
        let mut by_school = self.lock();
        let running = by_school.entry(school.clone()).or_default();
        if *running >= self.share {
            return Err(Box::new(claimed));
        }
        *running += 1;
        let suspect = offer.suspect.filter(|_| claimed.job.crashes > 0).map(Arc::new);
        let place = Place { admission: self.clone(), school };
        Ok(Admitted { claimed, _suspect: suspect, _place: Arc::new(place) })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<SchoolId>, usize>> {
        self.by_school.lock().expect("no code panics while it is locked")
    }
}

impl Offer {
    pub(crate) fn leaves(&self) -> Leaves<'_> {
        Leaves { suspects: self.suspect.is_none(), schools: &self.full }
    }

    /// Whether a due job may have been left.
    pub(crate) fn leaves_some(&self) -> bool {
        self.suspect.is_none() || !self.full.is_empty()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_school = self.admission.lock();
        if let Some(running) = by_school.get_mut(&self.school) {
            *running -= 1;
            if *running == 0 {
                by_school.remove(&self.school);
            }
        }
    }
}

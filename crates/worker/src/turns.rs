//! Logins of a school take turns at its row, so connections are only for those whose turn is near:
//! while a sync writes the school, the others would wait with one each, and no other school's
//! login would get any.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use mis_sync_domain::SchoolId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// One writes, and the next one is there when it is done.
const AT_ONCE: usize = 2;

/// As long as one with a connection waits for the row.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who may write a login into which school, in this process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<SchoolId, Arc<Semaphore>>>>);

impl Turns {
    /// Waits for a turn; `None`: it takes too long.
    pub(crate) async fn take(&self, school: &SchoolId) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut schools = self.0.lock().expect("nobody panics with this lock");
            let turns = schools.entry(school.clone());
            Arc::clone(turns.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        timeout(PATIENCE, turns.acquire_owned()).await.ok()?.ok()
    }
}

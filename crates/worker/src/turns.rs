//! Logins of a school take turns at its row. Only a login whose turn is near has a connection.
//! Otherwise, while a sync writes the school, each would wait with one, and other schools' logins
//! would get none.

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

/// One writes, and the next one is ready when it is done.
const AT_ONCE: usize = 2;

/// As long as a login with a connection waits for the row.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which logins may write into which school, in this process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<SchoolId, Arc<Semaphore>>>>);

impl Turns {
    /// Waits for a turn; `None` if that takes too long.
    pub(crate) async fn take(&self, school: &SchoolId) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut schools = self.0.lock().expect("no code panics while it is locked");
            let turns = schools.entry(school.clone());
            Arc::clone(turns.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        timeout(PATIENCE, turns.acquire_owned()).await.ok()?.ok()
    }
}

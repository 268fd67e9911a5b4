use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Job, JobKind, Lane, SyncOptions};
use crate::{SchoolId, StaffId};

/// A kind of job: what it carries, and its whole policy. The worker has the code that runs it.
pub trait BackgroundJob: Serialize + DeserializeOwned + Send + Sync {
    /// The kind in the ledger.
    const KIND: JobKind;
    /// The lane it runs in.
    const LANE: Lane;
    /// How many attempts it has.
    const MAX_ATTEMPTS: u16;
    /// No attempt starts later than this after the request.
    const DEADLINE: Duration;

    /// Only one unfinished job may have this key: a second request gets the first job.
    fn unique_key(&self) -> String;

    /// The school, if there is one.
    fn school_id(&self) -> Option<&SchoolId> {
        None
    }

    /// The person, if the job is about one.
    fn staff_id(&self) -> Option<StaffId> {
        None
    }

    /// What the ledger stores besides the school and the person: ids and options, never records.
    fn options(&self) -> Value {
        serde_json::to_value(self).expect("a job is plain JSON")
    }

    /// Reads it back from its row; `None` if the row is not of this kind.
    fn of_row(_job: &Job, options: &Value) -> Option<Self> {
        serde_json::from_value(options.clone()).ok()
    }
}

pub(super) fn plain(options: SyncOptions) -> Value {
    serde_json::to_value(options).expect("options are plain JSON")
}

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Job, JobKind, Lane, SyncOptions};
use crate::{SchoolId, StaffId};

/// A sort of job: what it carries, and its whole policy. What runs it is the worker's.
pub trait BackgroundJob: Serialize + DeserializeOwned + Send + Sync {
    /// Its name in the ledger.
    const KIND: JobKind;
    /// The slots it runs in.
    const LANE: Lane;
    /// How often it is tried before it fails.
    const MAX_ATTEMPTS: u16;
    /// No attempt starts later than this after it was asked for.
    const DEADLINE: Duration;

    /// Of the unfinished jobs only one may have it: who asks for another one is given the first.
    fn unique_key(&self) -> String;

    /// The school it is for.
    fn school_id(&self) -> Option<&SchoolId> {
        None
    }

    /// The person it is for.
    fn staff_id(&self) -> Option<StaffId> {
        None
    }

    /// What the ledger keeps of it beside the school and the person: ids and choices, never records.
    fn options(&self) -> Value {
        serde_json::to_value(self).expect("a job is plain JSON")
    }

    /// Reads it back from its row; `None`: the row is not one of this kind.
    fn of_row(_job: &Job, options: &Value) -> Option<Self> {
        serde_json::from_value(options.clone()).ok()
    }
}

pub(super) fn plain(options: SyncOptions) -> Value {
    serde_json::to_value(options).expect("options are plain JSON")
}

//! The ledger of jobs: the only truth for status, uniqueness, retries and history.
//!
//! ```text
//! queued -> running -> succeeded | retrying | held | failed | cancelled
//!             ^            |          |
//!             +- retrying -+          |   running -> queued only when a worker stops in order
//!             +- held, once approved -+   every unfinished state -> cancelled by a person
//! ```
//!
//! A claim ([`claim`]) is one guarded `UPDATE` that draws a new fence; every later write of
//! the run ([`transitions`](self)) names the fence and does nothing once another claim drew
//! a newer one. The times are Postgres' own.

mod actions;
mod change_groups;
mod claim;
mod enqueue;
mod filter;
mod history;
mod list;
mod of_person;
mod pulse;
mod query;
mod row;
mod session;
mod sweep;
mod transitions;

pub use crate::audit::Actor;
pub use actions::{Approve, Approved, approve, cancel, reject, retry_finished, retry_now};
pub use change_groups::{ChangeGroup, ChangeKind, change_groups};
pub use claim::{Claimed, Leaves, claim, claim_next, heartbeat};
pub use enqueue::{Enqueued, Idempotency, NewJob, answered, enqueue};
pub use filter::{IdPrefix, InvalidIdPrefix, JobFilter};
pub use history::{Attempt, attempts, lineage};
pub use list::{Count, count, count_by_state, counts, error_codes, list, with_short_id};
pub use of_person::{JobOfPerson, of_person};
pub use pulse::{pulse, pulse_of};
pub use query::{changes, changes_of_field, get, issues, last_sync, records_of_last_sync};
pub use session::{Session, end_silent_session};
pub use sweep::{Due, fail_exhausted, take_due};
pub use transitions::{fail, finish, progress, release, retry, snooze, succeed};

pub(crate) use enqueue::{insert_or_find, interval};
pub(crate) use query::{fetch as get_in, later_changes};
pub(crate) use transitions::{hold, require_one};

use std::time::Duration;

use tokio::time::{Instant, interval};

/// How long a test waits for something that should come soon. Far more than it takes, because
/// machines are shared; a test that passes never waits this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Asks `condition` again and again until it gives a value.
///
/// # Panics
///
/// With `what`, when [`PATIENCE`] is over.
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut tick = interval(Duration::from_millis(5));
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        tick.tick().await;
    }
}

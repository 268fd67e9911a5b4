use std::time::Duration;

use tokio::time::{Instant, interval};

/// How long a test waits for something that should happen soon. This is far more than it takes,
/// because machines are shared; a passing test never waits this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Checks `condition` again and again until it returns a value.
///
/// # Panics
///
/// With `what`, after [`PATIENCE`].
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

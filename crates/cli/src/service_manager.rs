//! What a service manager is told (`Type=notify` of systemd): that the process is ready, that it is
//! alive, and that it stops. Without one nothing is sent.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// Says that the process is ready, and from then on that it is alive. The task is one of the
/// runtime, so a runtime that hangs says nothing, and the process is started again.
pub(crate) fn ready(status: &str, stop: CancellationToken) {
    say(&[NotifyState::Ready, NotifyState::Status(status)]);
    if let Some(patience) = sd_notify::watchdog_enabled() {
        tokio::spawn(keep_saying(patience, || say(&[NotifyState::Watchdog])));
    }
    tokio::spawn(async move {
        stop.cancelled().await;
        say(&[NotifyState::Stopping, NotifyState::Status("finishing what runs")]);
    });
}

/// Twice in the time that the manager waits.
async fn keep_saying(patience: Duration, say: impl Fn()) {
    let mut tick = tokio::time::interval(patience / 2);
    loop {
        tick.tick().await;
        say();
    }
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_runtime_that_hangs_says_nothing() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (says, said) = mpsc::channel();
        let patience = Duration::from_millis(20);
        runtime.spawn(keep_saying(patience, move || says.send(()).unwrap()));
        let soon = Duration::from_secs(10);
        said.recv_timeout(soon).unwrap();
        said.recv_timeout(soon).unwrap();

        let (hangs, hung) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        runtime.spawn(async move {
            hangs.send(()).unwrap();
            let _ends_with_the_test = released.recv();
        });
        hung.recv_timeout(soon).unwrap();
        let _before_it_hung: Vec<()> = said.try_iter().collect();
        assert!(said.recv_timeout(patience * 10).is_err());
        drop(release);
        said.recv_timeout(soon).unwrap();
    }
}

use std::sync::Arc;

use tokio::sync::watch;

/// Whether a worker takes jobs. Clones are one switch, which all its lanes read.
#[derive(Debug, Clone)]
pub struct Intake(Arc<watch::Sender<bool>>);

impl Default for Intake {
    /// Open: jobs are taken.
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }
}

impl Intake {
    /// Opens or closes it. Running jobs continue.
    pub fn set_open(&self, open: bool) {
        self.0.send_replace(open);
    }

    /// Whether jobs are taken.
    pub fn is_open(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until jobs are taken.
    pub(crate) async fn opened(&self) {
        let open = self.0.subscribe().wait_for(|open| *open).await.map(drop);
        open.expect("the sender lives as long as this one");
    }
}

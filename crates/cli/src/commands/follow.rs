//! Following a job in the ledger until it ends.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mis_sync_domain::{Job, JobId, JobState};
use mis_sync_store::{Pool, jobs};
use tokio::time::{MissedTickBehavior, interval};

use crate::{commands::print, exit::Failure};

/// Between two looks at the job.
const POLL: Duration = Duration::from_millis(100);

/// How the way to the end is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A bar on a terminal, a line for each stage elsewhere.
    Progress,
    /// Nothing, for programs.
    Nothing,
}

/// Follows a job until nothing will happen to it by itself any more: it ended, or it waits for a
/// person. Says nothing but how far it is.
pub async fn follow(pool: &Pool, id: JobId, shown: Shown) -> Result<Job, Failure> {
    let mut progress = Progress::begin(shown);
    let mut tick = interval(POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let job = jobs::get(pool, id)
            .await?
            .ok_or_else(|| Failure::work("the job is not in the ledger any more"))?;
        progress.show(&job)?;
        if job.state.is_finished() || job.state == JobState::Held {
            progress.end();
            return Ok(job);
        }
    }
}

struct Progress {
    shown: Shown,
    bar: ProgressBar,
    last: String,
}

impl Progress {
    fn begin(shown: Shown) -> Self {
        let style = ProgressStyle::with_template("  {bar:40.green} {percent:>3}%  {msg}")
            .expect("the template is fixed and a test run shows it");
        let target = if shown == Shown::Progress && std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            shown,
            bar: ProgressBar::with_draw_target(Some(100), target).with_style(style),
            last: String::new(),
        }
    }

    fn show(&mut self, job: &Job) -> Result<(), Failure> {
        let progress = job.progress.filter(|_| job.state == JobState::Running);
        let stage = progress.map_or(job.state.as_str(), |progress| progress.stage.as_str());
        let percent = match job.state {
            JobState::Succeeded => 100,
            _ => job.progress.map_or(0, |progress| progress.percent()),
        };
        self.bar.set_position(u64::from(percent));
        self.bar.set_message(match job.progress.map_or(0, |progress| progress.done) {
            0 => stage.to_owned(),
            done => format!("{stage}, {done} records"),
        });
        if self.shown == Shown::Progress && self.bar.is_hidden() && stage != self.last {
            print(&format!("  {stage}{}", if job.state.is_finished() { "" } else { " …" }))?;
        }
        stage.clone_into(&mut self.last);
        Ok(())
    }

    fn end(&self) {
        // Abandoned and not finished: the bar of a job that failed stops where it was.
        self.bar.abandon();
    }
}

//! The problems of a page. No one reads the console in a test, so this does.

use std::{fmt::Write, sync::Arc};

use chromiumoxide::{
    Page as Target,
    cdp::{
        browser_protocol::log::{EventEntryAdded, LogEntryLevel},
        js_protocol::runtime::{ConsoleApiCalledType, EventConsoleApiCalled, EventExceptionThrown},
    },
    error::Result,
    listeners::EventStream,
};
use futures::{FutureExt, StreamExt};

use crate::page::in_words;

/// Listens to one page.
pub(crate) struct Watch {
    /// Failed requests, policy violations and browser warnings.
    log: EventStream<EventEntryAdded>,
    console: EventStream<EventConsoleApiCalled>,
    exceptions: EventStream<EventExceptionThrown>,
    problems: Vec<String>,
}

impl Watch {
    pub(crate) async fn of(target: &Target) -> Result<Self> {
        Ok(Self {
            log: target.event_listener().await?,
            console: target.event_listener().await?,
            exceptions: target.event_listener().await?,
            problems: Vec::new(),
        })
    }

    /// The problems that were not removed.
    pub(crate) fn problems(&mut self) -> &[String] {
        let log = arrived(&mut self.log).into_iter().filter_map(|event| from_log(&event));
        self.problems.extend(log);
        let console = arrived(&mut self.console).into_iter();
        self.problems.extend(console.filter_map(|event| from_console(&event)));
        let exceptions = arrived(&mut self.exceptions).into_iter();
        self.problems.extend(exceptions.map(|event| in_words(&event.exception_details)));
        &self.problems
    }

    /// Removes the problems that contain `part`, and returns whether there was one.
    pub(crate) fn take(&mut self, part: &str) -> bool {
        let before = self.problems().len();
        self.problems.retain(|problem| !problem.contains(part));
        self.problems.len() < before
    }
}

fn arrived<T: chromiumoxide::cdp::IntoEventKind + Unpin>(
    events: &mut EventStream<T>,
) -> Vec<Arc<T>> {
    std::iter::from_fn(|| events.next().now_or_never().flatten()).collect()
}

fn from_log(event: &EventEntryAdded) -> Option<String> {
    let entry = &event.entry;
    matches!(entry.level, LogEntryLevel::Warning | LogEntryLevel::Error).then(|| {
        let mut problem = format!("{}: {}", entry.source.as_ref(), entry.text);
        if let Some(url) = &entry.url {
            write!(problem, " ({url})").expect("a string takes all");
        }
        problem
    })
}

fn from_console(event: &EventConsoleApiCalled) -> Option<String> {
    use ConsoleApiCalledType::{Assert, Error, Warning};
    matches!(event.r#type, Assert | Error | Warning).then(|| {
        let words = event.args.iter().map(|argument| {
            let value = argument.value.as_ref().map(ToString::to_string);
            argument.description.clone().or(value).unwrap_or_default()
        });
        format!("console.{}: {}", event.r#type.as_ref(), words.collect::<Vec<_>>().join(" "))
    })
}

//! Warnings and errors that come again and again: the first is written at once, the same ones after it
//! once a minute with their number.

use std::{
    collections::HashMap,
    fmt::{Debug, Write},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{
    Event, Level, Metadata, Subscriber,
    callsite::Identifier,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Filter};

use crate::metrics;

/// After this time the number is written.
const WINDOW: Duration = Duration::from_mins(1);

/// How often to look whose time is over.
const LOOK: Duration = Duration::from_secs(5);

/// The most different lines that are remembered. Any others are written each time.
const MOST: usize = 1000;

/// The one line of each request, which is never a repeat of another.
const REQUESTS: &str = "mis_sync_api::edge";

/// Lets warnings and errors of our crates through once a minute. Clones share what they have seen.
#[derive(Debug, Clone, Default)]
pub struct Repeats(Arc<Mutex<HashMap<Line, Seen>>>);

/// Lines are the same if they come from the same place with the same values. The spans around them,
/// such as that of a job, make no difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Line {
    place: Identifier,
    text: String,
}

#[derive(Debug)]
struct Seen {
    level: Level,
    /// When it was written last.
    at: Instant,
    /// How often it has come since.
    more: u64,
}

impl Repeats {
    /// Writes the numbers when their time is over, for ever.
    pub async fn tell(self) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.tell_since(WINDOW);
        }
    }

    /// Writes the numbers now, at the end of the process.
    pub fn tell_all(&self) {
        self.tell_since(Duration::ZERO);
    }

    fn tell_since(&self, window: Duration) {
        for (level, line, count) in self.take(Instant::now(), window) {
            if level == Level::ERROR {
                tracing::error!(count, line, "came again");
            } else {
                tracing::warn!(count, line, "came again");
            }
        }
    }

    /// Counts the line if it came before, and returns whether it has to be written.
    fn is_first(&self, now: Instant, level: Level, line: Line) -> bool {
        let mut seen = self.lock();
        if let Some(before) = seen.get_mut(&line) {
            before.more += 1;
            return false;
        }
        if seen.len() < MOST {
            seen.insert(line, Seen { level, at: now, more: 0 });
        }
        true
    }

    /// The lines whose time is over and how often they came again. A line that did not is forgotten.
    fn take(&self, now: Instant, window: Duration) -> Vec<(Level, String, u64)> {
        let mut again = Vec::new();
        self.lock().retain(|line, seen| {
            if now.duration_since(seen.at) < window {
                return true;
            }
            if seen.more == 0 {
                return false;
            }
            again.push((seen.level, line.text.clone(), seen.more));
            (seen.at, seen.more) = (now, 0);
            true
        });
        again
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Line, Seen>> {
        self.0.lock().expect("no code panics while it is locked")
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || metadata.target() == module_path!() {
            return true;
        }
        let level = if *metadata.level() == Level::ERROR { "error" } else { "warn" };
        metrics::LOG_LINES.add([level], 1);
        if metadata.target() == REQUESTS {
            return true;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let line = Line { place: metadata.callsite(), text: text.message + &text.fields };
        self.is_first(Instant::now(), *metadata.level(), line)
    }
}

/// The message of an event, and its fields behind it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, registry};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    fn warn(cause: &str) {
        tracing::warn!(cause, "it failed");
    }

    #[test]
    fn the_first_is_written_at_once_and_the_others_are_counted() {
        let (written, repeats) = (Written::default(), Repeats::default());
        let writer = written.clone();
        let lines = fmt::layer()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(repeats.clone());
        tracing::subscriber::with_default(registry().with(lines), || {
            for _ in 0..3 {
                warn("one");
                warn("another");
                tracing::info!("always");
            }
            let first = [r#" WARN it failed cause="one""#, r#" WARN it failed cause="another""#];
            let always = "  INFO always";
            let expected = [&first[..], &[&always[1..]; 3]].concat();
            assert_eq!(written.lines(), expected[..]);

            repeats.tell_all();
            let mut told = written.lines();
            told.sort();
            let line = |cause: &str| {
                format!(r#" WARN came again count=2 line="it failed cause=\"{cause}\"""#)
            };
            assert_eq!(told, [line("another"), line("one")]);

            warn("one");
            assert!(written.lines().is_empty(), "it is not first again within the next minute");
        });
    }

    #[test]
    fn what_stopped_is_forgotten_and_too_much_is_written_each_time() {
        let repeats = Repeats::default();
        let start = Instant::now();
        let place = tracing::callsite::Identifier(&CALLSITE);
        let is_first = |at, text: &str| {
            let line = Line { place: place.clone(), text: text.to_owned() };
            repeats.is_first(at, Level::ERROR, line)
        };
        assert!(is_first(start, "a"));
        assert!(!is_first(start, "a"));
        assert_eq!(repeats.take(start, WINDOW), []);
        let later = start + WINDOW;
        assert_eq!(repeats.take(later, WINDOW), [(Level::ERROR, "a".to_owned(), 1)]);
        assert!(!is_first(later, "a"));
        let even_later = later + WINDOW;
        assert_eq!(repeats.take(even_later, WINDOW), [(Level::ERROR, "a".to_owned(), 1)]);
        assert_eq!(repeats.take(even_later + WINDOW, WINDOW), []);
        assert!(is_first(even_later + WINDOW, "a"), "it had stopped");

        for n in 0..2 * MOST {
            assert!(is_first(start, &n.to_string()));
        }
        assert_eq!(repeats.lock().len(), MOST);
    }

    static CALLSITE: tracing::callsite::DefaultCallsite =
        tracing::callsite::DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = tracing::metadata! {
        name: "test",
        target: "test",
        level: Level::ERROR,
        fields: &[],
        callsite: &CALLSITE,
        kind: tracing::metadata::Kind::EVENT,
    };
}

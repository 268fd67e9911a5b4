//! A whole sync beside the least program that could do it and the usual one, a sync through a network,
//! and how long a job waits on an idle system. What is measured is in the words below; what is wanted
//! stands beside each figure.

use std::time::Duration;

use mis_sync_cli::{Failure, print, telemetry};
use serde_json::{Value, json};

use super::{
    figures::{Verdict, median, milliseconds, percentile, ratio},
    idle,
    network::CASES,
    rounds::{self, Measured, Times},
};
use crate::private::Transport;

/// Ninety-nine of a hundred jobs start so soon on an idle system.
const LONGEST_WAIT: Duration = Duration::from_millis(10);
/// A sync of a school in which nothing changed writes so much to the log of Postgres at most.
const MOST_WAL: u64 = 32 * 1024;
/// A school of this size or a smaller one is a small one.
const SMALL: u32 = 500;

const WHAT: &str = "\
  whole job        POST /v1/schools/{id}/sync until GET of the job says `succeeded`
  minimal program  fetch, parse, one upsert for each page; one transaction; no job, no status
  row by row       the same with one prepared upsert for each person, still one transaction
  … committed      the same with a commit for each person
  Each round takes a school that is new to all of them, then the same once more, unchanged.
  Same simulator, same page size, same durable Postgres, tables of the same shape, indexes and
  foreign keys. A missed target is said below and is no failure: machines are noisy.";

/// What is measured.
pub(crate) struct Options {
    /// Staff of the schools.
    pub(crate) staff: Vec<u32>,
    /// Rounds; the median counts.
    pub(crate) rounds: u32,
    pub(crate) transport: Transport,
    /// Print the figures as JSON, and nothing else.
    pub(crate) json: bool,
}

pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::usage(
            "figures of a debug build say nothing. Run: cargo run --release -p mis-sync-lab -- \
             bench sync",
        ));
    }
    telemetry::start_plain("warn")?;
    let Options { staff, rounds, transport, json } = options;
    let say = |text: &str| if json { Ok(()) } else { print(text) };
    say(&format!("\n{WHAT}"))?;
    say(match transport {
        Transport::Tcp => "  Postgres and Redis are reached by TCP.",
        Transport::Socket => "  Postgres and Redis are reached by unix sockets.",
    })?;
    let mut figures = Vec::new();
    for staff in staff {
        let measured = rounds::measure(staff, rounds, transport).await?;
        say(&format!("\n  A school of {staff} people, median of {rounds} rounds\n"))?;
        figures.extend(of_rounds(staff, &measured));
        show(&figures, staff, say)?;
    }
    say("\n  Every answer of Wonde takes 150 ms; with classes and subjects\n")?;
    for case in &CASES {
        let times = case.measure(rounds, transport).await?;
        let name = format!("{} people, {}", case.staff, case.of);
        figures.push(Figure::of_times(case.staff, &name, &times).at_most(case.wanted));
        show(&figures[figures.len() - 1..], case.staff, say)?;
    }
    let waits = idle::measure(transport).await?;
    say(&format!("\n  Enqueued one at a time on an idle system, {} times\n", waits.len()))?;
    let [middle, nearly_all, longest] = [50, 99, 100].map(|percent| percentile(&waits, percent));
    let waits = [
        Figure::of_wait("enqueue to start, p50", middle),
        Figure::of_wait("p99", nearly_all).at_most(LONGEST_WAIT),
        Figure::of_wait("longest", longest),
    ];
    show(&waits, 0, say)?;
    figures.extend(waits);
    if json {
        print(&figures.iter().map(Figure::json).collect::<Value>().to_string())
    } else {
        Ok(())
    }
}

/// A figure of a first sync, and of one in which nothing changed; with what is wanted of each.
struct Figure {
    /// Staff of the school; 0: of none.
    staff: u32,
    name: String,
    values: [Option<f64>; 2],
    unit: Unit,
    wanted: [Option<Wanted>; 2],
}

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Times,
    Kibibytes,
    Rows,
}

#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    fn of_times(staff: u32, name: &str, times: &Times) -> Self {
        let values = [&times.first, &times.again].map(|times| Some(in_milliseconds(median(times))));
        Self { staff, name: name.to_owned(), values, unit: Unit::Milliseconds, wanted: [None; 2] }
    }

    fn of_ratio(staff: u32, name: &str, of: &Times, to: &Times) -> Self {
        let first = ratio(median(&of.first), median(&to.first));
        let again = ratio(median(&of.again), median(&to.again));
        let values = [Some(first), Some(again)];
        Self { staff, name: name.to_owned(), values, unit: Unit::Times, wanted: [None; 2] }
    }

    fn of_unchanged(staff: u32, name: &str, value: f64, unit: Unit, most: f64) -> Self {
        let wanted = [None, Some(Wanted::AtMost(most))];
        Self { staff, name: name.to_owned(), values: [None, Some(value)], unit, wanted }
    }

    fn of_wait(name: &str, wait: Duration) -> Self {
        let values = [Some(in_milliseconds(wait)), None];
        Self {
            staff: 0,
            name: name.to_owned(),
            values,
            unit: Unit::Milliseconds,
            wanted: [None; 2],
        }
    }

    fn at_most(self, time: Duration) -> Self {
        self.wanting([Wanted::AtMost(in_milliseconds(time)); 2])
    }

    fn wanting(self, wanted: [Wanted; 2]) -> Self {
        Self { wanted: wanted.map(Some), ..self }
    }

    fn cell(&self, at: usize) -> String {
        let Some(value) = self.values[at] else { return String::new() };
        let text = self.unit.show(value);
        match self.wanted[at] {
            Some(wanted) => format!("{text} {}", Verdict::of(wanted.is_met(value))),
            None => text,
        }
    }

    fn wish(&self) -> String {
        let wish = |wanted: Wanted| match wanted {
            Wanted::AtMost(most) => format!("at most {}", self.unit.show(most)),
            Wanted::AtLeast(least) => format!("at least {}", self.unit.show(least)),
        };
        let mut wishes: Vec<String> = self.wanted.iter().flatten().map(|one| wish(*one)).collect();
        wishes.dedup();
        if wishes.is_empty() { String::new() } else { format!("wanted: {}", wishes.join(" / ")) }
    }

    fn json(&self) -> Value {
        let met = |at: usize| Some(self.wanted[at]?.is_met(self.values[at]?));
        json!({
            "staff": self.staff,
            "name": self.name,
            "unit": self.unit.name(),
            "first": self.values[0],
            "unchanged": self.values[1],
            "met": [met(0), met(1)],
        })
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Milliseconds => milliseconds(Duration::from_secs_f64(value / 1000.0)),
            Self::Times => format!("{value:.2}"),
            Self::Kibibytes => format!("{value:.1} KiB"),
            Self::Rows => format!("{value}"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Times => "ratio",
            Self::Kibibytes => "KiB",
            Self::Rows => "rows",
        }
    }
}

impl Wanted {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

/// The figures of schools of one size.
fn of_rounds(staff: u32, measured: &Measured) -> Vec<Figure> {
    let Measured { whole_job, minimal, row_by_row, row_by_row_committed, .. } = measured;
    let whole = Figure::of_times(staff, "whole job", whole_job);
    let is_small = staff <= SMALL;
    let most_times_minimal = if is_small { 3.0 } else { 2.0 };
    let at_least = |least| [Wanted::AtLeast(least); 2];
    #[expect(clippy::cast_precision_loss, reason = "small numbers, to be shown")]
    let (rows, wal) = (measured.rows_written as f64, measured.wal() as f64 / 1024.0);
    #[expect(clippy::cast_precision_loss, reason = "a small number, to be shown")]
    let most_wal = MOST_WAL as f64 / 1024.0;
    vec![
        if is_small { whole.wanting([35.0, 20.0].map(Wanted::AtMost)) } else { whole },
        Figure::of_times(staff, "minimal program", minimal),
        Figure::of_times(staff, "row by row", row_by_row),
        Figure::of_times(staff, "row by row, committed", row_by_row_committed),
        Figure::of_ratio(staff, "whole job / minimal program", whole_job, minimal)
            .wanting([Wanted::AtMost(most_times_minimal); 2]),
        Figure::of_ratio(staff, "row by row / whole job", row_by_row, whole_job)
            .wanting(at_least(3.0)),
        Figure::of_ratio(staff, "committed / whole job", row_by_row_committed, whole_job)
            .wanting(at_least(8.0)),
        Figure::of_unchanged(staff, "rows of staff written", rows, Unit::Rows, 0.0),
        Figure::of_unchanged(staff, "log of Postgres written", wal, Unit::Kibibytes, most_wal),
    ]
}

/// Shows those of this school.
fn show(
    figures: &[Figure],
    staff: u32,
    say: impl Fn(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if staff > 0 {
        say(&format!("  {:<36}{:>18}{:>18}", "", "first sync", "unchanged"))?;
    }
    for figure in figures.iter().filter(|figure| figure.staff == staff) {
        let (name, first, again) = (&figure.name, figure.cell(0), figure.cell(1));
        let line = format!("  {name:<36}{first:>18}{again:>18}    {}", figure.wish());
        say(line.trim_end())?;
    }
    Ok(())
}

fn in_milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

//! A whole sync beside the least program that could do it and the usual one, and how long a
//! job waits on an idle system. What is measured, and what is wanted, is in the words below.

use std::time::Duration;

use super::{
    figures::{Verdict, median, milliseconds, percentile, ratio},
    idle,
    rounds::{self, Measured, Times},
};
use crate::{
    commands::print,
    config::{Log, LogFormat},
    exit::Failure,
    telemetry,
};

/// A whole job may take so many times the minimal program …
const MOST_TIMES_MINIMAL: f64 = 3.0;
/// … and has to be so many times as fast as the row-by-row one.
const LEAST_TIMES_FASTER: f64 = 5.0;
/// Ninety-nine of a hundred jobs start so soon on an idle system.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

const WHAT: &str = "\
  whole job        POST /v1/schools/{id}/sync until GET of the job says `succeeded`
  minimal program  fetch, parse, one upsert for each page; one transaction; no job, no staging
  row by row       the same with one prepared upsert for each person, still one transaction
  … committed      the same with a commit for each person
  Each round takes a school that is new to all of them, then the same once more, unchanged.
  Same simulator, same page size, same durable Postgres, tables of the same shape, indexes and
  foreign keys. A missed target is said below and is no failure: machines are noisy.";

pub(in crate::commands) async fn run(staff: &[u32], rounds: u32) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::usage(
            "figures of a debug build say nothing. Run: cargo run --release -p mis-sync-cli -- \
             bench sync",
        ));
    }
    telemetry::start(&Log { level: "warn".into(), format: LogFormat::Text })?;
    print(&format!("\n{WHAT}"))?;
    for &staff in staff {
        let measured = rounds::measure(staff, rounds).await?;
        print(&format!("\n  A school of {staff} people, median of {rounds} rounds\n"))?;
        show_rounds(&measured)?;
    }
    show_waits(&idle::measure().await?)
}

fn show_rounds(measured: &Measured) -> Result<(), Failure> {
    let Measured { whole_job, minimal, row_by_row, row_by_row_committed, rows_written } = measured;
    show("", "first sync", "unchanged", "")?;
    let programs = [
        ("whole job", whole_job),
        ("minimal program", minimal),
        ("row by row", row_by_row),
        ("row by row, committed", row_by_row_committed),
    ];
    for (name, times) in programs {
        let (first, again) = (median(&times.first), median(&times.again));
        show(name, &milliseconds(first), &milliseconds(again), "")?;
    }
    let at_most = |ratio| Verdict::of(ratio <= MOST_TIMES_MINIMAL);
    show_ratios("whole job / minimal program", [whole_job, minimal], at_most, "at most 3")?;
    let at_least = |ratio| Verdict::of(ratio >= LEAST_TIMES_FASTER);
    show_ratios("row by row / whole job", [row_by_row, whole_job], at_least, "at least 5")?;
    show_ratios(
        "committed / whole job",
        [row_by_row_committed, whole_job],
        at_least,
        "at least 5",
    )?;
    let written = format!("{rows_written} {}", Verdict::of(*rows_written == 0));
    show("rows of staff written", "", &written, "wanted: 0")
}

fn show_ratios(
    name: &str,
    [of, to]: [&Times; 2],
    judge: impl Fn(f64) -> Verdict,
    wanted: &str,
) -> Result<(), Failure> {
    let cell = |of: &[Duration], to: &[Duration]| {
        let ratio = ratio(median(of), median(to));
        format!("{ratio:.2} {}", judge(ratio))
    };
    let (first, again) = (cell(&of.first, &to.first), cell(&of.again, &to.again));
    show(name, &first, &again, &format!("wanted: {wanted}"))
}

fn show_waits(waits: &[Duration]) -> Result<(), Failure> {
    let [middle, nearly_all, longest] = [50, 99, 100].map(|percent| percentile(waits, percent));
    print(&format!("\n  Enqueued one at a time on an idle system, {} times\n", waits.len()))?;
    show("", "enqueue to start", "", "")?;
    show("p50", &milliseconds(middle), "", "")?;
    let verdict = Verdict::of(nearly_all <= LONGEST_WAIT);
    let wanted = format!("wanted: at most {}", milliseconds(LONGEST_WAIT));
    show("p99", &format!("{} {verdict}", milliseconds(nearly_all)), "", &wanted)?;
    show("longest", &milliseconds(longest), "", "")
}

fn show(name: &str, first: &str, again: &str, wanted: &str) -> Result<(), Failure> {
    let line = format!("  {name:<28}{first:>16}{again:>16}    {wanted}");
    print(line.trim_end())
}

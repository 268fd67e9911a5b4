//! `docs/metrics.md`.

use std::fmt::Write;

use super::{kinds::Scope, list::ALL};

/// The metrics as tables in Markdown.
pub fn table() -> String {
    let mut text = String::new();
    for (scope, heading) in [
        (Scope::Ledger, "From the ledger, shown by the API"),
        (Scope::Process, "Of every process"),
        (Scope::Api, "Of each API process"),
        (Scope::Worker, "Of each worker process"),
    ] {
        let _ = writeln!(text, "\n## {heading}\n");
        text.push_str("| name | type | labels | meaning |\n|---|---|---|---|\n");
        for metric in ALL.iter().filter(|metric| metric.scope == scope) {
            let labels: Vec<String> =
                metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                metric.name,
                metric.kind,
                labels.join(", "),
                metric.help
            );
        }
    }
    text
}

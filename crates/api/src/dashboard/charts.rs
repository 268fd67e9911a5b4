//! Charts, drawn here: they need no script, follow the colours of the page, and each has a table
//! behind it.

use maud::{Markup, html};

/// A bar: its parts from the bottom to the top, each with the name of its colour, and what it
/// says on a hover.
pub(super) struct Bar<'a> {
    pub(super) parts: Vec<(&'a str, i64)>,
    pub(super) title: String,
}

const HEIGHT: f64 = 100.0;
/// One bar and the gap after it.
const STEP: f64 = 10.0;
const GAP: f64 = 2.0;
/// There is room for so many bars, so that two do not look like walls.
const FEWEST: usize = 24;

/// A bar chart.
#[expect(clippy::cast_precision_loss, reason = "heights in a drawing")]
pub(super) fn bars(label: &str, bars: &[Bar<'_>]) -> Markup {
    let height_of = |bar: &Bar<'_>| bar.parts.iter().map(|(_, value)| value).sum::<i64>();
    let highest = bars.iter().map(height_of).max().unwrap_or_default().max(1) as f64;
    let width = STEP * bars.len().max(FEWEST) as f64;
    html! {
        svg.chart viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (place, bar) in bars.iter().enumerate() {
                @let x = STEP * place as f64;
                g {
                    title { (bar.title) }
                    rect.hover x=(x) width=(STEP) height=(HEIGHT) {}
                    @for (kind, y, height) in stacked(&bar.parts, highest) {
                        rect data-kind=(kind) x=(x + GAP / 2.0) y=(y) width=(STEP - GAP) height=(height) {}
                    }
                }
            }
        }
    }
}

/// Each part with its top and its height.
#[expect(clippy::cast_precision_loss, reason = "heights in a drawing")]
fn stacked<'a>(parts: &[(&'a str, i64)], highest: f64) -> Vec<(&'a str, f64, f64)> {
    let mut top = HEIGHT;
    let drawn = parts.iter().filter(|(_, value)| *value > 0).map(|(kind, value)| {
        // What is there can be seen.
        let height = (*value as f64 / highest * HEIGHT).max(1.5);
        top = (top - height).max(0.0);
        (*kind, round(top), round(height))
    });
    drawn.collect()
}

/// A line of values from left to right; where there is none the line breaks off.
pub(super) struct Line<'a> {
    pub(super) kind: &'a str,
    pub(super) values: Vec<Option<f64>>,
}

/// A line chart.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(super) fn lines(label: &str, lines: &[Line<'_>]) -> Markup {
    let all = lines.iter().flat_map(|line| line.values.iter().flatten());
    let highest = all.fold(1.0_f64, |highest, value| highest.max(*value));
    let steps = lines.iter().map(|line| line.values.len()).max().unwrap_or(1).max(2);
    let width = STEP * (steps - 1) as f64;
    html! {
        svg.chart viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for line in lines { path.line data-kind=(line.kind) d=(path(&line.values, highest)) {} }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
fn path(values: &[Option<f64>], highest: f64) -> String {
    let mut path = String::new();
    let mut is_down = false;
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_down = false;
            continue;
        };
        let (x, y) = (STEP * place as f64, HEIGHT - value / highest * (HEIGHT - 4.0) - 2.0);
        // A value alone is a dot.
        let command =
            if is_down { format!("L{x} {}", round(y)) } else { format!("M{x} {}h.1", round(y)) };
        path.push_str(&command);
        is_down = true;
    }
    path
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_on_each_other_and_small_ones_are_seen() {
        let parts = stacked(&[("succeeded", 3), ("failed", 1), ("cancelled", 0)], 4.0);
        assert_eq!(parts, [("succeeded", 25.0, 75.0), ("failed", 0.0, 25.0)]);
        assert_eq!(stacked(&[("failed", 1)], 100_000.0), [("failed", 98.5, 1.5)]);
    }

    #[test]
    fn a_line_breaks_off_where_there_is_no_value() {
        assert_eq!(path(&[Some(1.0), None, Some(0.0), Some(1.0)], 1.0), "M0 2h.1M20 98h.1L30 2");
    }
}

//! Charts, drawn here: they need no script, follow the page's colours, and each has a table behind
//! it.

use std::fmt::Write;

use maud::{Markup, html};

/// A bar: its parts from bottom to top, each with the name of its colour, and the text that appears
/// on hover.
pub(super) struct Bar<'a> {
    pub(super) parts: Vec<(&'a str, i64)>,
    pub(super) title: String,
    /// Whether it stands for one event, which is seen even if its height is 0.
    pub(super) is_event: bool,
}

const HEIGHT: f64 = 100.0;
/// One bar and the gap after it.
const STEP: f64 = 10.0;
const GAP: f64 = 2.0;
/// There is room for at least this many bars, so that two do not look like walls.
const FEWEST: usize = 24;

/// A bar chart with the newest bar at the right end; `words` says what a height means.
#[expect(clippy::cast_precision_loss, reason = "heights in a drawing")]
pub(super) fn bars(label: &str, bars: &[Bar<'_>], words: impl FnOnce(i64) -> String) -> Markup {
    let height_of = |bar: &Bar<'_>| bar.parts.iter().map(|(_, value)| value).sum::<i64>();
    let highest = bars.iter().map(height_of).max().unwrap_or_default().max(1);
    let places = bars.len().max(FEWEST);
    let width = STEP * places as f64;
    let drawing = html! {
        @for (place, bar) in (places - bars.len()..).zip(bars) {
            @let x = STEP * place as f64;
            g {
                title { (bar.title) }
                rect.hover x=(x) width=(STEP) height=(HEIGHT) {}
                @for (kind, y, height) in stacked(bar, highest as f64) {
                    rect data-kind=(kind) x=(x + GAP / 2.0) y=(y) width=(STEP - GAP) height=(height) {}
                }
            }
        }
    };
    chart(label, width, &words(highest), &drawing)
}

/// Each part with its top and its height.
#[expect(clippy::cast_precision_loss, reason = "heights in a drawing")]
fn stacked<'a>(bar: &Bar<'a>, highest: f64) -> Vec<(&'a str, f64, f64)> {
    let mut top = HEIGHT;
    let seen = bar.parts.iter().filter(|(_, value)| *value > 0 || bar.is_event);
    let drawn = seen.map(|(kind, value)| {
        // Even small values must be visible.
        let height = (*value as f64 / highest * HEIGHT).max(3.0);
        top = (top - height).max(0.0);
        (*kind, round(top), round(height))
    });
    drawn.collect()
}

/// A line of values from left to right. It breaks off where there is no value.
pub(super) struct Line<'a> {
    pub(super) kind: &'a str,
    pub(super) values: Vec<Option<f64>>,
}

/// A line chart whose steps are below those of a bar chart; `words` says what a height means.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(super) fn lines(label: &str, lines: &[Line<'_>], words: impl FnOnce(f64) -> String) -> Markup {
    let all = lines.iter().flat_map(|line| line.values.iter().flatten());
    let highest = all.fold(1.0_f64, |highest, value| highest.max(*value));
    let steps = lines.iter().map(|line| line.values.len()).max().unwrap_or_default().max(FEWEST);
    let drawing = html! {
        @for line in lines {
            @let places = places(&line.values, highest);
            path.line data-kind=(line.kind) d=(path(&places)) {}
            path.dots data-kind=(line.kind) d=(dots(&places)) {}
        }
    };
    chart(label, STEP * steps as f64, &words(highest), &drawing)
}

/// The frame of a chart: the meaning of its top, and grid lines.
fn chart(label: &str, width: f64, top: &str, drawing: &Markup) -> Markup {
    html! {
        div.graph {
            p.scale aria-hidden="true" {
                span { (top) }
                span { "0" }
            }
            svg .chart
                viewBox={ "0 0 " (width) " " (HEIGHT) }
                preserveAspectRatio="none"
                role="img"
                aria-label=(label)
            {
                @for y in [0.0, HEIGHT / 2.0, HEIGHT] {
                    path.rule d={ "M0 " (y) "H" (width) } {}
                }
                (drawing)
            }
        }
    }
}

/// The points of the values.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
fn places(values: &[Option<f64>], highest: f64) -> Vec<Option<(f64, f64)>> {
    let place = |(place, value): (usize, &Option<f64>)| {
        value.map(|value| {
            let y = HEIGHT - value / highest * (HEIGHT - 4.0) - 2.0;
            (STEP * (place as f64 + 0.5), round(y))
        })
    };
    values.iter().enumerate().map(place).collect()
}

fn path(places: &[Option<(f64, f64)>]) -> String {
    let mut path = String::new();
    let mut command = 'M';
    for place in places {
        if let Some((x, y)) = place {
            write!(path, "{command}{x} {y}").expect("a string takes all");
        }
        command = if place.is_some() { 'L' } else { 'M' };
    }
    path
}

/// A value without neighbours would not be a line.
fn dots(places: &[Option<(f64, f64)>]) -> String {
    places.iter().flatten().fold(String::new(), |mut path, (x, y)| {
        write!(path, "M{x} {y}h.1").expect("a string takes all");
        path
    })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(parts: &[(&'static str, i64)], is_event: bool) -> Bar<'static> {
        Bar { parts: parts.to_vec(), title: String::new(), is_event }
    }

    #[test]
    fn parts_stand_on_each_other_and_small_ones_are_seen() {
        let bar = |parts: &[(&'static str, i64)]| bar(parts, false);
        let parts = stacked(&bar(&[("succeeded", 3), ("failed", 1), ("cancelled", 0)]), 4.0);
        assert_eq!(parts, [("succeeded", 25.0, 75.0), ("failed", 0.0, 25.0)]);
        assert_eq!(stacked(&bar(&[("failed", 1)]), 100_000.0), [("failed", 97.0, 3.0)]);
        assert_eq!(stacked(&bar(&[("failed", 0)]), 4.0), []);
    }

    #[test]
    fn an_event_that_changed_nothing_is_seen() {
        assert_eq!(stacked(&bar(&[("failed", 0)], true), 4.0), [("failed", 97.0, 3.0)]);
    }

    #[test]
    fn a_line_breaks_off_where_there_is_no_value() {
        let places = places(&[Some(1.0), None, Some(0.0), Some(1.0)], 1.0);
        assert_eq!(path(&places), "M5 2M25 98L35 2");
        assert_eq!(dots(&places), "M5 2h.1M25 98h.1M35 2h.1");
    }

    #[test]
    fn the_newest_bar_is_at_the_right_end_and_the_scale_says_the_highest() {
        let bar = |value| bar(&[("succeeded", value)], false);
        let drawn = bars("Syncs", &[bar(3), bar(4)], |highest| format!("{highest} s")).0;
        assert!(drawn.contains(r#"viewBox="0 0 240 100""#), "{drawn}");
        assert!(drawn.contains(r#"x="231" y="0" width="8" height="100""#), "{drawn}");
        assert!(drawn.contains("<span>4 s</span><span>0</span>"), "{drawn}");
    }
}

//! The form that filters the list of jobs. For each state it shows how many jobs it would leave.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_domain::{JobKind, JobState};
use mis_sync_store::jobs::Count;

use super::filter::{self, Filter};
use crate::{dashboard::parts::number, state::Operator};

/// Parts that are loaded with the list but are outside of it.
pub(super) const BESIDE: &str = "#states:outerMorph,#views:outerMorph,#tabs:outerMorph";

/// The form. Without `states` it shows no numbers. `errors` are the types to choose from.
pub(super) fn show(
    operator: &Operator,
    filter: &Filter,
    states: &[(JobState, Count)],
    errors: &[String],
) -> Markup {
    html! {
        form
            #filters
            .filters
            action="/dashboard/jobs"
            hx-get="/dashboard/jobs"
            hx-trigger="input delay:250ms, change"
            hx-target="#jobs"
            hx-select="#jobs"
            hx-swap="outerMorph"
            hx-select-oob=(BESIDE)
            hx-push-url="true"
        {
            label {
                "Search"
                input
                    name="q"
                    type="search"
                    value=[filter.q.as_deref()]
                    autocomplete="off"
                    placeholder="id, school or user";
            }
            fieldset #states.states {
                legend { "State" }
                @for state in JobState::ALL {
                    label.chip {
                        input
                            type="checkbox"
                            name={ "state." (state) }
                            checked[filter.states.contains(state)];
                        span { (state) }
                        " "
                        (amount(states, *state))
                    }
                }
            }
            (more(operator, filter, errors))
            @for id in &filter.ids {
                input type="hidden" name={ "id." (id) } value="on";
            }
            button.no-script { "Filter" }
        }
    }
}

/// The filters that are seldom used.
fn more(operator: &Operator, filter: &Filter, errors: &[String]) -> Markup {
    let field = |at: Option<DateTime<Utc>>| at.map(|at| operator.preferences().field(at));
    html! {
        details .more open[filter.has_more()] {
            summary { "More filters" }
            div.filters {
                label {
                    "Kind"
                    select name="kind" {
                        option value="" { "any" }
                        @for kind in JobKind::KNOWN {
                            option value=(kind) selected[filter.kind == Some(*kind)] { (kind) }
                        }
                    }
                }
                label {
                    "School"
                    input
                        name="school"
                        value=[filter.school.as_deref()]
                        autocomplete="off"
                        placeholder="id or name";
                }
                label {
                    "User"
                    input
                        name="user"
                        value=[filter.user.map(|id| id.to_string())]
                        autocomplete="off"
                        placeholder="staff id";
                }
                label {
                    "Error"
                    input
                        name="error"
                        value=[filter.error.as_deref()]
                        autocomplete="off"
                        list="errors"
                        placeholder="its type";
                }
                datalist #errors {
                    @for error in errors {
                        option value=(error) {}
                    }
                }
                label {
                    "Requested"
                    select name="age" {
                        @for (value, text) in filter::AGES {
                            option value=(value) selected[filter.age == *value] { (text) }
                        }
                    }
                }
                label {
                    "From"
                    input name="from" type="datetime-local" value=[field(filter.from)];
                }
                label {
                    "Until"
                    input name="until" type="datetime-local" value=[field(filter.until)];
                }
                label.chip {
                    input type="checkbox" name="retried" checked[filter.retried];
                    "with retried failures"
                }
            }
        }
    }
}

/// How many jobs this state would leave. Its place is always there.
fn amount(states: &[(JobState, Count)], state: JobState) -> Markup {
    let count = states.iter().find(|(other, _)| *other == state).map(|(_, count)| count);
    html! {
        span.amount.zero[count.is_some_and(|count| count.number == 0)] {
            @if let Some(count) = count {
                (number(count.number))
                @if !count.is_exact { "+" }
            }
        }
    }
}

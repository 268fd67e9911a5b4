//! What Wonde delivers for a school: which kinds of data, and how much of the rate is used.

use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::{Capability, GrantState, IssueCode, Mis, SchoolSettings, TokenState};
use mis_sync_queue::{KeyTraffic, WondeTraffic};
use mis_sync_store::schools::Standing;

use super::{View, verdict};
use crate::dashboard::parts::{badge, length, number, panel, scroll, time, time_or_dash};

/// A kind of data: its name, the issue if it is withheld, what the MIS has to deliver, and the
/// setting without which it is not requested.
struct Kind {
    name: &'static str,
    withheld: IssueCode,
    needs: Option<Capability>,
    is_wanted: fn(&SchoolSettings) -> bool,
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "Employment (who is current)",
        withheld: IssueCode::EmploymentWithheld,
        needs: None,
        is_wanted: |_| true,
    },
    Kind {
        name: "Contact details (work email)",
        withheld: IssueCode::ContactDetailsWithheld,
        needs: None,
        is_wanted: |_| true,
    },
    Kind {
        name: "Roles (job title)",
        withheld: IssueCode::RolesWithheld,
        needs: Some(Capability::Roles),
        is_wanted: |_| true,
    },
    Kind {
        name: "Reports to (line manager)",
        withheld: IssueCode::LineManagersWithheld,
        needs: Some(Capability::ReportsTo),
        is_wanted: |_| true,
    },
    Kind {
        name: "Photos",
        withheld: IssueCode::PhotosWithheld,
        needs: Some(Capability::Photo),
        is_wanted: |settings| settings.import_photos,
    },
    Kind {
        name: "Classes",
        withheld: IssueCode::ClassesWithheld,
        needs: None,
        is_wanted: |settings| settings.import_classes,
    },
    Kind {
        name: "Staff of classes",
        withheld: IssueCode::ClassStaffWithheld,
        needs: Some(Capability::ClassStaff),
        is_wanted: |settings| settings.import_classes,
    },
    Kind {
        name: "Subjects",
        withheld: IssueCode::SubjectsWithheld,
        needs: None,
        is_wanted: |settings| settings.import_subjects,
    },
];

pub(super) fn show(of: &View<'_>, traffic: &Result<Option<WondeTraffic>, String>) -> Markup {
    html! {
        div #delivers.grid {
            (panel("What Wonde delivers", "Live", &of.standing, |standing| html! {
                @if let Some(at) = standing.read_at {
                    p.quiet { "As read " (time(of.operator, at)) "." }
                }
                (kinds(of, standing))
                @if let Some(check) = &of.school.last_check {
                    details.data {
                        summary { "The last test of the connection" }
                        (verdict(check))
                    }
                }
            }))
            (panel(
                "Requests to Wonde",
                "The last 15 minutes",
                traffic,
                |traffic| {
                    let used = traffic.iter().flat_map(|traffic| &traffic.keys);
                    used_rate(
                        traffic.is_some(),
                        &used
                            .filter(|key| key.school.as_ref() == Some(&of.school.id))
                            .collect::<Vec<_>>(),
                    )
                },
            ))
        }
    }
}

fn kinds(of: &View<'_>, standing: &Standing) -> Markup {
    let mis = of.operator.access().mis_of(of.school);
    html! {
        (scroll("What Wonde delivers", &html! {
            table.rows.tight.cards {
                thead {
                    tr {
                        th { "Data" }
                        th { "State" }
                        th { "What it means" }
                    }
                }
                tbody {
                    @for kind in &KINDS {
                        @let (badge, means) = state_of(of, standing, kind, mis);
                        tr {
                            td { (kind.name) }
                            td { (badge) }
                            td.wide.quiet { (means) }
                        }
                    }
                }
            }
        }))
    }
}

/// The state of one kind of data, and what follows. What an older run read says nothing about a
/// school that refuses since.
fn state_of(
    of: &View<'_>,
    standing: &Standing,
    kind: &Kind,
    mis: Option<&Mis>,
) -> (Markup, Markup) {
    let school = of.school;
    let is_supported = kind.needs.is_none_or(|needed| Mis::supports(mis, needed));
    if let Some(mis) = mis.filter(|_| !is_supported) {
        let means = html! { (mis.name) " does not deliver this; iP's values stay." };
        return (badge("cancelled", "–", "not from this MIS"), means);
    }
    if !(kind.is_wanted)(&school.settings) {
        let means = html! { "Off in the school's settings." };
        return (badge("cancelled", "–", "not imported"), means);
    }
    if school.token != TokenState::Held {
        let means = html! {
            "No access since " (time_or_dash(of.operator, standing.token_rejected_at)) "."
        };
        return (badge("failed", "?", "unknown"), means);
    }
    // A test that is newer than what a run read knows better.
    let check = school.last_check.as_ref();
    let check = check.filter(|check| standing.read_at.is_none_or(|read| check.checked_at > read));
    let mut grants = check.iter().flat_map(|check| &check.grants);
    let grant = grants.find(|grant| grant.part.withheld() == Some(kind.withheld));
    match grant.map(|grant| grant.state) {
        Some(GrantState::Granted) => (badge("succeeded", "✓", "delivered"), html! {}),
        Some(GrantState::NotGranted) => withheld(of, standing, kind),
        _ if standing.withheld.contains(&kind.withheld) => withheld(of, standing, kind),
        _ => last_read(of),
    }
}

/// A kind of data that the school withholds, and since when.
fn withheld(of: &View<'_>, standing: &Standing, kind: &Kind) -> (Markup, Markup) {
    let means = html! {
        (kind.withheld.sentence())
        @if let Some(since) = standing.since(kind.withheld) {
            " Withheld since "
            (time(of.operator, since))
            "."
        }
    };
    (badge("failed", "✕", "withheld"), means)
}

/// What the last complete run says, unless Wonde has refused the school since.
fn last_read(of: &View<'_>) -> (Markup, Markup) {
    match (of.forbidden_at(), of.school.last_full_sync_at) {
        (Some(at), _) => {
            let means = html! {
                "Wonde refused access " (time(of.operator, at)) ". Test the connection to see."
            };
            (badge("failed", "?", "unknown"), means)
        }
        (None, Some(_)) => (badge("succeeded", "✓", "delivered"), html! {}),
        (None, None) => {
            let means = html! { "The first full sync will show." };
            (badge("cancelled", "–", "not known yet"), means)
        }
    }
}

/// A school whose token was changed lately has a row for each token.
fn used_rate(is_limited: bool, keys: &[&KeyTraffic]) -> Markup {
    if !is_limited {
        return html! { p.quiet { "This process was started without the workers' rate limit." } };
    }
    let Some(current) = keys.first() else {
        return html! { p.quiet { "No requests for this school in the last 15 minutes. Its whole rate is available." } };
    };
    let sum = |of: fn(&KeyTraffic) -> u64| {
        number(i128::from(keys.iter().map(|key| of(key)).sum::<u64>()))
    };
    html! {
        dl.facts {
            div {
                dt { "Requests" }
                dd { (sum(|key| key.sent)) }
            }
            div {
                dt { "Answered 429 (too many)" }
                dd { (sum(|key| key.limited)) }
            }
            div {
                dt { "Can be sent immediately" }
                dd { (number(i128::from(current.left))) }
            }
            div {
                dt { "The next one waits" }
                dd { (length(TimeDelta::from_std(current.wait).unwrap_or_default())) }
            }
        }
    }
}

//! What Wonde delivers for a school: which kinds of data, and how much of the rate is used.

use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::{Capability, IssueCode, Mis, School, SchoolSettings};
use mis_sync_queue::{KeyTraffic, WondeTraffic};

use crate::{
    dashboard::parts::{badge, length, number, panel, scroll},
    state::Operator,
};

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

pub(super) fn show(
    operator: &Operator,
    school: &School,
    withheld: &Result<Vec<IssueCode>, String>,
    traffic: &Result<Option<WondeTraffic>, String>,
) -> Markup {
    let mis = operator.access().mis_of(school);
    html! {
        div.grid {
            (panel(
                "What Wonde delivers",
                "As of the last complete run",
                withheld,
                |withheld| kinds(school, mis, withheld),
            ))
            (panel(
                "Requests to Wonde",
                "The last 15 minutes",
                traffic,
                |traffic| {
                    let used = traffic.iter().flat_map(|traffic| &traffic.keys);
                    used_rate(
                        traffic.is_some(),
                        &used
                            .filter(|key| key.school.as_ref() == Some(&school.id))
                            .collect::<Vec<_>>(),
                    )
                },
            ))
        }
    }
}

fn kinds(school: &School, mis: Option<&Mis>, withheld: &[IssueCode]) -> Markup {
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
                        @let (badge, means) = standing(kind, school, mis, withheld);
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

/// The state of one kind of data, and what follows.
fn standing(
    kind: &Kind,
    school: &School,
    mis: Option<&Mis>,
    withheld: &[IssueCode],
) -> (Markup, String) {
    let is_supported = kind.needs.is_none_or(|needed| Mis::supports(mis, needed));
    if let Some(mis) = mis.filter(|_| !is_supported) {
        let means = format!("{} does not deliver this; iP's values stay.", mis.name);
        return (badge("cancelled", "–", "not from this MIS"), means);
    }
    if withheld.contains(&kind.withheld) {
        return (badge("failed", "✕", "withheld"), kind.withheld.sentence().to_owned());
    }
    if !(kind.is_wanted)(&school.settings) {
        return (badge("cancelled", "–", "not imported"), "Off in the school's settings.".into());
    }
    match school.last_full_sync_at {
        Some(_) => (badge("succeeded", "✓", "delivered"), String::new()),
        None => (badge("cancelled", "–", "not known yet"), "The first full sync will show.".into()),
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

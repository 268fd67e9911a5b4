//! Each field in iP and in the MIS, and who owns it.

use maud::{Markup, html};
use mis_sync_domain::{
    FieldValue, Mis, School, SyncedField,
    explain::{Explanation, Outcome},
};
use mis_sync_store::staff::{Person, Provenance};

use super::{DOTS, Wanted, outcome};
use crate::dashboard::{
    job::changes::Shown,
    parts::{person as link, scroll},
};

pub(super) fn show(
    school: &School,
    mis: Option<&Mis>,
    person: &Person,
    explanation: &Explanation,
    wanted: &Wanted,
) -> Markup {
    html! {
        section.panel {
            header { h2 { "Fields" } }
            (scroll("Fields", &html! {
                table.rows.cards {
                    thead {
                        tr { th { "Field" } th { "In iP" } th { "In the MIS" } th { "Same?" } th { "Who owns it" } }
                    }
                    tbody {
                        @for (known, result) in person.fields.iter().zip(&explanation.fields) {
                            @let owner = owner(school, mis, person, known.field);
                            @let why = result.sentence.replace(&owner, "").trim().to_owned();
                            tr {
                                td { (known.field.mis_name()) }
                                td.value data-label="In iP" { (value(school, known, known.ip_value.as_ref(), wanted)) }
                                td.value data-label="In the MIS" {
                                    (value(school, known, known.mis_value.as_ref(), wanted))
                                }
                                td data-label="Same?" { (outcome(result.outcome)) }
                                td.wide {
                                    (owner)
                                    @if result.outcome != Outcome::Passed && !why.is_empty() {
                                        " "
                                        span.quiet { (why) }
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn owner(school: &School, mis: Option<&Mis>, person: &Person, field: SyncedField) -> String {
    if person.wonde_id.is_none() {
        return "iP keeps it: the person is not linked to the MIS.".to_owned();
    }
    field.ownership(mis, &school.settings).rule.sentence()
}

fn value(
    school: &School,
    known: &Provenance,
    value: Option<&FieldValue>,
    wanted: &Wanted,
) -> Markup {
    let Some(value) = value else { return html! { span.quiet { "–" } } };
    if known.field.is_personal() && wanted.shown == Shown::Hidden {
        return html! { (DOTS) };
    }
    match (known.field, value.as_str()) {
        (SyncedField::NonTeaching, "true") => html! { "does not teach" },
        (SyncedField::NonTeaching, _) => html! { "teaches" },
        (SyncedField::LineManager, id) => link(Some(&school.id), id),
        (SyncedField::Photo, _) => html! { "a picture" },
        (_, text) => html! { (text) },
    }
}

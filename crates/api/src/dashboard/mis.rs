//! The MIS that are known.

use axum::response::Response;
use maud::html;
use mis_sync_domain::MisTable;

use super::page::{Page, Tab};
use crate::state::Operator;

pub(super) async fn show(operator: Operator) -> Response {
    let table = MisTable::built_in();
    let content = html! {
        h1 { "Known MIS" }
        ul {
            @for mis in table.iter() {
                li { (mis.name) }
            }
        }
    };
    Page { operator: &operator, tab: Tab::Schools, title: "Known MIS", watch: None }.show(&content)
}

//! The box that leads to the page of one person of the school.

use maud::{Markup, html};
use mis_sync_domain::{Action, School};

use crate::{dashboard::page::form_token, state::Operator};

pub(super) fn panel(operator: &Operator, school: &School) -> Markup {
    html! {
        section #explain.panel {
            header {
                h2 { "Why is this person here, missing or different?" }
                p.source { "What the last runs saw, and what iP holds" }
            }
            form.inline method="post" action="/dashboard/find" {
                (form_token(operator))
                input type="hidden" name="school" value=(school.id);
                label {
                    @if operator.is_allowed(Action::SeePersonalData) {
                        "Name, work email or any id"
                    } @else {
                        "Staff id or Wonde id"
                    }
                    input name="q" required autocomplete="off" spellcheck="false";
                }
                button { "Explain" }
            }
        }
    }
}

//! The part of the form that says who the school is, and where callbacks go.

use maud::{Markup, html};
use mis_sync_domain::School;
use serde_json::{Map, Value};

use super::{
    Seen, Tried,
    form::{typed, wrong},
};
use crate::dashboard::form::Fields;

/// A field of the connection: its name, its label, and what it means.
type Field = (&'static str, &'static str, &'static str);

const FIELDS: [Field; 4] = [
    ("name", "Name", "What people call the school."),
    (
        "wonde_school_id",
        "Wonde id",
        "Like A1930499544. Change it only if Wonde has given the school another one.",
    ),
    ("mis", "MIS", "If it is empty, the next sync asks Wonde."),
    (
        "callback_url",
        "Callback address",
        "Where the iP app is told that a sync has ended or is held. If it is empty, nowhere.",
    ),
];

pub(super) fn fields(school: &School, tried: Option<&Tried>) -> Markup {
    html! {
        div.fields {
            @for one in &FIELDS { (field(school, tried, one)) }
            (callback_secret(tried))
        }
    }
}

fn field(school: &School, tried: Option<&Tried>, (name, label, note): &Field) -> Markup {
    let now = match *name {
        "name" => Some(&school.name),
        "wonde_school_id" => Some(&school.wonde_school_id),
        "mis" => school.mis.as_ref(),
        _ => school.callback_url.as_ref(),
    };
    let value = typed(tried, name).unwrap_or_else(|| now.cloned().unwrap_or_default());
    html! {
        label {
            (label)
            input name=(name) value=(value) autocomplete="off" spellcheck="false";
            (wrong(tried, name))
            span.quiet { (note) }
        }
    }
}

/// No page shows the secret, not even as it was typed.
fn callback_secret(tried: Option<&Tried>) -> Markup {
    html! {
        label {
            "Callback secret"
            input name="callback_secret" type="password" autocomplete="new-password";
            (wrong(tried, "callback_secret"))
            span.quiet {
                "Signs the callbacks: whsec_ and the base64 of 24 to 64 random bytes. If it is empty, the \
                 present one stays."
            }
        }
    }
}

/// Adds what was typed to the request. A MIS and an address that the person did not change are left out:
/// a sync may have noted the MIS since, and the host may have been taken off the list of allowed ones.
pub(super) fn read(school: &School, fields: &Fields, body: &mut Map<String, Value>) {
    for name in ["name", "wonde_school_id"] {
        if fields.is_set(name) {
            body.insert(name.into(), fields.text(name).unwrap_or_default().into());
        }
    }
    let seen = Seen::read(fields).unwrap_or_else(|| Seen::of(school));
    for (name, seen) in [("mis", &seen.mis), ("callback_url", &seen.callback_url)] {
        let typed = fields.text(name);
        if fields.is_set(name) && typed != seen.as_deref() {
            body.insert(name.into(), typed.map_or(Value::Null, Value::from));
        }
    }
    if let Some(secret) = fields.text("callback_secret") {
        body.insert("callback_secret".into(), secret.into());
    }
}

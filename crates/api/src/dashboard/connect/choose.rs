//! The second step: which of the schools that the token opens, and what iP calls it.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{Action, ApprovedSchool, ConnectionDraftId, SchoolId};
use mis_sync_store::{
    connection_drafts::{self, Draft},
    schools::{self, OnlyIf, Secrets},
};
use serde_json::json;

use super::{PATH, PATIENCE, again, draft_path, field, page};
use crate::{
    ApiError,
    body::JsonObject,
    dashboard::{
        form::{Fields, Posted},
        login::go,
        page::form_token,
        parts::school_path,
    },
    parameters::PathId,
    schools::{check, connection},
    state::{Access, Operator},
    views::FieldError,
};

pub(in crate::dashboard) async fn show(
    operator: Operator,
    PathId(id): PathId,
) -> Result<Response, ApiError> {
    let access = operator.may(Action::ManageSchools)?;
    match read(access, &id).await? {
        Some((id, draft)) => Ok(render(&operator, id, &draft, &Fields::default(), &[])),
        None => Ok(over(&operator)),
    }
}

/// The draft of this operator.
async fn read(access: &Access, id: &str) -> Result<Option<(ConnectionDraftId, Draft)>, ApiError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let key = access.key().id;
    let draft = connection_drafts::get(access.pool(), access.cipher(), id, key).await?;
    Ok(draft.map(|draft| (id, draft)))
}

/// The token is no longer kept.
fn over(operator: &Operator) -> Response {
    page(
        operator,
        1,
        &html! {
            p {
                "A token is kept for an hour, and until its school is connected. This one is no longer \
                 kept."
            }
            p {
                a.button.primary href=(PATH) { "Start again" }
            }
        },
    )
}

fn render(
    operator: &Operator,
    id: ConnectionDraftId,
    draft: &Draft,
    typed: &Fields,
    wrong: &[FieldError],
) -> Response {
    if draft.schools.is_none() && draft.problem.is_none() {
        return waiting(operator, id);
    }
    let schools = draft.schools.as_deref().unwrap_or_default();
    page(
        operator,
        2,
        &html! {
            @if let Some(problem) = &draft.problem {
                p.warning {
                (problem)
                " You can type the school's Wonde id instead, or "
                a href=(PATH) { "start again" }
                "."
            }
            } @else if schools.is_empty() {
                p.warning {
                    "Wonde lists no schools for this token: none has approved the access. You can type the \
                     school's Wonde id instead, or "
                    a href=(PATH) { "start again" }
                    "."
                }
            }
            form.connect method="post" action=(draft_path(id)) {
                (form_token(operator))
                (which(schools, typed, wrong))
                (field("iP's id of the school", "school_id", wrong, &html! {
                    input
                        #school_id
                        name="school_id"
                        required
                        maxlength="64"
                        autocomplete="off"
                        spellcheck="false"
                        value=[typed.text("school_id")]
                        aria-describedby="school_id-note";
                }, "The key by which iP knows the school, in its database and in its addresses: letters, \
                    digits, _ and -. It cannot be changed later."))
                (field("Name", "name", wrong, &html! {
                    input
                        #name
                        name="name"
                        maxlength="200"
                        autocomplete="off"
                        value=[typed.text("name")]
                        aria-describedby="name-note";
                }, "What people call the school. If it is empty, the school has the name that it has in \
                    Wonde."))
                div.buttons {
                    button.primary { "Connect and test" }
                    a.button href=(PATH) { "Back" }
                }
            }
        },
    )
}

/// Wonde has not answered yet. The page asks again by itself, and without scripts by the link.
fn waiting(operator: &Operator, id: ConnectionDraftId) -> Response {
    page(
        operator,
        2,
        &html! {
            div role="status"
                hx-get=(draft_path(id))
                hx-trigger="every 1s"
                hx-select="#step"
                hx-target="#step"
                hx-swap="outerHTML"
            {
                p { "Wonde is being asked which schools the token opens …" }
                p {
                    a.button href=(draft_path(id)) { "Look again" }
                }
            }
        },
    )
}

/// The school: one of a list, or typed where there is none.
fn which(schools: &[ApprovedSchool], typed: &Fields, wrong: &[FieldError]) -> Markup {
    let chosen = typed.text("wonde_school_id");
    if schools.is_empty() {
        return field(
            "Wonde id",
            "wonde_school_id",
            wrong,
            &html! {
                input
                    #wonde_school_id
                    name="wonde_school_id"
                    required
                    maxlength="32"
                    autocomplete="off"
                    spellcheck="false"
                    value=[chosen]
                    aria-describedby="wonde_school_id-note";
            },
            "Wonde's id of the school, like A1930499544.",
        );
    }
    field(
        "School",
        "wonde_school_id",
        wrong,
        &html! {
            select #wonde_school_id name="wonde_school_id" required aria-describedby="wonde_school_id-note" {
                @if schools.len() > 1 { option value="" { "Choose a school" } }
                @for school in schools {
                    option value=(school.id) selected[chosen == Some(school.id.as_str())] {
                        (school.label())
                    }
                }
            }
        },
        "The schools that have approved the access for this token, as Wonde lists them.",
    )
}

/// Connects the school as `PUT` does, tests it, and leads to its page.
pub(in crate::dashboard) async fn choose(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageSchools)?;
    let Some((draft_id, draft)) = read(access, &id).await? else {
        return Ok(over(&posted.operator));
    };
    let school = match connect(access, &posted, &draft).await {
        Ok(school) => school,
        Err(Refused::Fields(wrong)) => {
            let typed = posted.fields();
            return Ok(again(render(&posted.operator, draft_id, &draft, typed, &wrong)));
        }
        Err(Refused::Other(error)) => return Err(error),
    };
    connection_drafts::remove(access.pool(), draft_id).await?;
    let path = school_path(&school.id);
    check::run(access, school, PATIENCE).await?;
    Ok(go(&path, None))
}

/// Why the school was not connected.
enum Refused {
    /// What was typed is wrong.
    Fields(Vec<FieldError>),
    Other(ApiError),
}

impl Refused {
    fn at(field: &str, message: impl Into<String>) -> Self {
        Self::Fields(vec![FieldError { field: field.into(), message: message.into() }])
    }
}

async fn connect(
    access: &Access,
    posted: &Posted,
    draft: &Draft,
) -> Result<mis_sync_domain::School, Refused> {
    let fields = posted.fields();
    let id = fields.text("school_id").unwrap_or_default();
    let id: SchoolId = match id.parse::<SchoolId>() {
        Ok(id) => id,
        Err(_) => {
            return Err(Refused::at("school_id", "has to be 1 to 64 letters, digits, _ or -"));
        }
    };
    let wonde_id = fields.text("wonde_school_id").unwrap_or_default();
    let schools = draft.schools.as_deref().unwrap_or_default();
    let chosen = schools.iter().find(|school| school.id == wonde_id);
    let name = fields.text("name").or(chosen.map(|school| school.name.as_str()));
    let mut body = json!({ "name": name.unwrap_or(wonde_id), "wonde_school_id": wonde_id });
    if let Some(mis) = chosen.and_then(|school| school.mis.as_ref()) {
        body["mis"] = json!(mis);
    }
    if let Some(address) = &draft.wonde_base_url {
        body["wonde_base_url"] = json!(address);
    }
    let serde_json::Value::Object(body) = body else { unreachable!("it is written as an object") };
    let read = connection::read(id, JsonObject::from(body), access.address_rules());
    let (school, _) = read.map_err(|error| match error {
        ApiError::InvalidSchool { errors } => Refused::Fields(errors),
        error => Refused::Other(error),
    })?;
    let actor = posted.actor().map_err(Refused::Other)?;
    let by = access.connector(&actor, &OnlyIf::Missing);
    let secrets = Secrets::from(Some(&draft.token));
    match schools::connect(access.pool(), by, &school, secrets).await.map_err(ApiError::from) {
        Ok(Some(school)) => Ok(school),
        Ok(None) => Err(Refused::Other(ApiError::TokenMissing)),
        Err(ApiError::ChangedMeanwhile) => {
            Err(Refused::at("school_id", "is the id of a school that exists already"))
        }
        Err(ApiError::WondeSchoolTaken) => Err(Refused::Fields(vec![connection::wonde_id_taken()])),
        Err(error) => Err(Refused::Other(error)),
    }
}

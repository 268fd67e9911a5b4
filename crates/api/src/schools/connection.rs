//! Reads what connects a school. Everything that is wrong is told at once, field by field, and
//! no message quotes a value.

use mis_sync_domain::{ConnectSchool, RefusedAddress, SchoolId, SchoolSettings, WondeHosts};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::schedule;
use crate::{
    ApiError,
    body::{Fields, JsonObject, quotable},
    state::Access,
    views::FieldError,
};

const KNOWN: &str = "`name`, `wonde_school_id`, `token`, `mis`, `wonde_base_url` and `settings`";
/// Longest name of a school or a MIS, in characters.
const MAX_NAME: usize = 200;
const MAX_TOKEN: usize = 512;
const MAX_WONDE_ID: usize = 32;
const MAX_URL: usize = 500;

/// The id in the path. Unlike elsewhere one that cannot be an id is no unknown school but a
/// school that cannot be made; a key that is bound to a school sees no difference.
pub(super) fn read_id(access: &Access, text: &str) -> Result<SchoolId, ApiError> {
    match text.parse::<SchoolId>() {
        Err(invalid) if access.only_school().is_none() => {
            let error = FieldError { field: "school_id".into(), message: invalid.to_string() };
            Err(ApiError::InvalidSchool { errors: vec![error] })
        }
        _ => access.school_id(text),
    }
}

/// The connection in the body, and its token apart.
pub(crate) fn read(
    id: SchoolId,
    body: JsonObject,
    hosts: &WondeHosts,
) -> Result<(ConnectSchool, Option<SecretString>), ApiError> {
    let mut fields = body.into_fields();
    let name = read_name(&mut fields);
    let wonde_school_id = read_wonde_id(&mut fields);
    let token = read_token(&mut fields);
    let mis = read_mis(&mut fields);
    let wonde_base_url = read_base_url(&mut fields, hosts);
    let settings = read_settings(&mut fields);
    let errors = fields.finish(KNOWN);
    if !errors.is_empty() {
        return Err(ApiError::InvalidSchool { errors });
    }
    Ok((ConnectSchool { id, name, wonde_school_id, wonde_base_url, mis, settings }, token))
}

fn read_name(fields: &mut Fields) -> String {
    let name = fields.text("name").unwrap_or_default().trim().to_owned();
    if !is_name(&name) {
        fields.refuse("name", format!("has to be 1 to {MAX_NAME} characters"));
    }
    name
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count()) && !text.contains(char::is_control)
}

fn read_wonde_id(fields: &mut Fields) -> String {
    let id = fields.text("wonde_school_id").unwrap_or_default();
    let right_length = (1..=MAX_WONDE_ID).contains(&id.len());
    if !(right_length && id.bytes().all(|b| b.is_ascii_alphanumeric())) {
        fields.refuse(
            "wonde_school_id",
            format!("has to be 1 to {MAX_WONDE_ID} letters and digits, like A1930499544"),
        );
    }
    id
}

fn read_token(fields: &mut Fields) -> Option<SecretString> {
    let token = fields.text("token")?;
    let right_length = (1..=MAX_TOKEN).contains(&token.len());
    if !(right_length && token.bytes().all(|b| b.is_ascii_graphic())) {
        fields.refuse(
            "token",
            format!("has to be 1 to {MAX_TOKEN} printable ASCII characters without spaces"),
        );
    }
    Some(token.into())
}

fn read_mis(fields: &mut Fields) -> Option<String> {
    let mis = fields.text("mis")?.trim().to_owned();
    if !is_name(&mis) {
        fields.refuse("mis", format!("has to be 1 to {MAX_NAME} characters, or left out"));
    }
    Some(mis)
}

fn read_base_url(fields: &mut Fields, hosts: &WondeHosts) -> Option<String> {
    let text = fields.text("wonde_base_url")?;
    let checked =
        if text.len() <= MAX_URL { hosts.check(&text) } else { Err(RefusedAddress::NotPlain) };
    match checked {
        Ok(url) => Some(url.as_str().trim_end_matches('/').to_owned()),
        Err(refused) => {
            fields.refuse("wonde_base_url", refused.to_string());
            None
        }
    }
}

/// The domain decides what settings there are. They are tried one by one, because its message
/// would quote the value and not always name the field.
fn read_settings(fields: &mut Fields) -> Option<SchoolSettings> {
    let settings = fields.object("settings")?;
    let defaults = serde_json::to_value(SchoolSettings::default()).expect("they are plain JSON");
    for (name, value) in &settings {
        if name == "schedule" {
            schedule::check(fields, value);
            continue;
        }
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if serde_json::from_value::<SchoolSettings>(alone.into()).is_err() {
            let message = match defaults.get(name) {
                None => "is not known".to_owned(),
                Some(Value::Bool(_)) => "has to be true or false".to_owned(),
                Some(default) => format!("has a value that is not allowed; default: {default}"),
            };
            fields.refuse(format!("settings.{}", quotable(name)), message);
        }
    }
    serde_json::from_value(settings.into()).ok()
}

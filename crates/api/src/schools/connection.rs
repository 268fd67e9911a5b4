//! Reads what connects a school. Everything that is wrong is told at once, field by field, and
//! no message quotes a value.

use mis_sync_domain::{AllowedHosts, ConnectSchool, RefusedAddress, SchoolId, Update, WondeHosts};
use mis_sync_store::{SigningSecret, schools::Secrets};
use secrecy::SecretString;
use url::Url;

use crate::{
    ApiError,
    body::{Body, FieldErrors, JsonObject},
    state::Access,
    views::{FieldError, SchoolRequest},
};

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

/// Which addresses a school may have.
#[derive(Debug, Clone, Copy)]
pub struct AddressRules<'a> {
    pub wonde: &'a WondeHosts,
    /// The hosts of receivers of callbacks.
    pub callbacks: &'a AllowedHosts,
}

/// The connection in the body, and its secrets apart.
pub(crate) fn read(
    id: SchoolId,
    body: JsonObject,
    rules: AddressRules<'_>,
) -> Result<(ConnectSchool, Secrets), ApiError> {
    let (request, mut wrong) = body.read_all::<SchoolRequest>();
    let SchoolRequest {
        name,
        wonde_school_id,
        token,
        mis,
        wonde_base_url,
        settings,
        callback_url,
        callback_secret,
    } = request;
    let name = name.unwrap_or_default().trim().to_owned();
    let wonde_school_id = wonde_school_id.unwrap_or_default();
    let mis = match mis {
        Update::Set(mis) => Update::Set(mis.trim().to_owned()),
        other => other,
    };
    if !is_name(&name) {
        wrong.refuse("name", format!("has to be 1 to {MAX_NAME} characters"));
    }
    check_wonde_id(&wonde_school_id, &mut wrong);
    if let Some(Err(wanted)) = token.as_deref().map(check_token) {
        wrong.refuse("token", wanted);
    }
    if mis.set().is_some_and(|mis| !is_name(mis)) {
        wrong.refuse("mis", format!("has to be 1 to {MAX_NAME} characters, null or left out"));
    }
    let wonde_base_url = wonde_base_url.and_then(|text| {
        read_address("wonde_base_url", &text, |text| rules.wonde.check(text), &mut wrong)
    });
    let callback_url = match callback_url {
        Update::Set(text) => {
            let check = |text: &str| rules.callbacks.check_receiver(text);
            read_address("callback_url", &text, check, &mut wrong).map_or(Update::Keep, Update::Set)
        }
        other => other,
    };
    let callback = callback_secret.map(SecretString::from);
    if let Some(Err(error)) = callback.as_ref().map(SigningSecret::parse) {
        wrong.refuse("callback_secret", format!("has to be one that can sign: {error}"));
    }
    for (field, message) in settings.iter().flat_map(|settings| settings.schedule.problems()) {
        wrong.refuse(format!("settings.schedule.{field}"), message);
    }
    let errors = wrong.finish();
    if !errors.is_empty() {
        return Err(ApiError::InvalidSchool { errors });
    }
    let secrets = Secrets { token: token.map(SecretString::from), callback };
    let school =
        ConnectSchool { id, name, wonde_school_id, wonde_base_url, mis, settings, callback_url };
    Ok((school, secrets))
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count()) && !text.contains(char::is_control)
}

/// What is wrong with a token, as the end of a sentence.
pub(crate) fn check_token(text: &str) -> Result<(), String> {
    let is_token =
        (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let wanted = || format!("has to be 1 to {MAX_TOKEN} printable ASCII characters without spaces");
    is_token.then_some(()).ok_or_else(wanted)
}

fn check_wonde_id(id: &str, wrong: &mut FieldErrors) {
    let right_length = (1..=MAX_WONDE_ID).contains(&id.len());
    if !(right_length && id.bytes().all(|b| b.is_ascii_alphanumeric())) {
        let wanted = format!("has to be 1 to {MAX_WONDE_ID} letters and digits, like A1930499544");
        wrong.refuse("wonde_school_id", wanted);
    }
}

/// What is wrong with the Wonde id of another connected school.
pub(crate) fn wonde_id_taken() -> FieldError {
    let message = "is connected already, as another school in iP".to_owned();
    FieldError { field: "wonde_school_id".to_owned(), message }
}

fn read_address(
    field: &str,
    text: &str,
    check: impl Fn(&str) -> Result<Url, RefusedAddress>,
    wrong: &mut FieldErrors,
) -> Option<String> {
    let checked = if text.len() <= MAX_URL { check(text) } else { Err(RefusedAddress::NotPlain) };
    match checked {
        Ok(url) => Some(url.as_str().trim_end_matches('/').to_owned()),
        Err(refused) => {
            wrong.refuse(field, refused.to_string());
            None
        }
    }
}

impl Body for SchoolRequest {
    const OBJECTS: &[&str] = &["settings", "settings.schedule"];

    fn wanted(field: &str) -> Option<String> {
        let wanted = match field.strip_prefix("settings.")? {
            "schedule.time_zone" => "has to be an IANA name like Europe/London",
            "schedule.nightly_from" | "schedule.nightly_until" => {
                "has to be a time of day like 01:00"
            }
            "schedule.blackout_dates" => {
                "has to be a list of ranges like {\"from\": \"2026-12-21\", \"until\": \"2027-01-03\"}"
            }
            "schedule.blackout_hours" => {
                "has to be a list of ranges like {\"from\": \"08:00\", \"until\": \"17:30\"}"
            }
            limit if limit.ends_with(".percent") => "has to be a whole number from 0 to 100",
            _ => return None,
        };
        Some(wanted.to_owned())
    }
}

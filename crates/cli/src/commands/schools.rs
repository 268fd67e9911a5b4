mod checking;
mod matching;

use std::{
    io::{IsTerminal, Read},
    path::Path,
};

use mis_sync_api::json::AddressRules;
use mis_sync_domain::{Clock, School, SchoolId, TokenState};
use mis_sync_store::{
    Error as StoreError, Pool, reseal,
    schools::{self, Connector, OnlyIf},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::{
    arguments::{Connect, Schools},
    commands::{actor, print, sync::find_school, table::table},
    config::Config,
    exit::Failure,
    wiring,
};

/// Schools read at a time.
const PAGE: i64 = 500;

pub(super) async fn run(config: &Config, command: Schools) -> Result<(), Failure> {
    let pool = wiring::database(config).await?;
    match command {
        Schools::List { json } => list(config, &pool, json).await,
        Schools::Show { id, json } => show(config, &find_school(&pool, &id).await?, json),
        Schools::Check { id, json } => checking::run(config, pool, &id, json).await,
        Schools::Connect(connect) => connect_school(config, &pool, &connect).await,
        Schools::Matches { id, json } => matching::list(&pool, &id, json).await,
        Schools::Match { id, wonde_id, staff_id } => {
            matching::decide(&pool, &id, &wonde_id, staff_id).await
        }
        Schools::Reseal => reseal(config, &pool).await,
        Schools::Disconnect { id } => disconnect(&pool, &id).await,
        Schools::Settings { id, changes, json } => {
            settings(config, &pool, &id, &changes, json).await
        }
    }
}

async fn list(config: &Config, pool: &Pool, json: bool) -> Result<(), Failure> {
    let mut all: Vec<School> = Vec::new();
    loop {
        let page = schools::list(pool, all.last().map(|school| &school.id), PAGE).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if json {
        let all: Value = all.into_iter().map(|school| as_json(config, school)).collect();
        return print(&all.to_string());
    }
    let row = |school: &School| {
        [
            school.id.to_string(),
            school.mis.clone().unwrap_or_default(),
            token(school).to_owned(),
            synced(school),
            school.name.clone(),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let empty = "No schools yet. Connect one: mis-sync schools connect ID --name N \
                 --wonde-school-id A… < token";
    table(["ID", "MIS", "TOKEN", "LAST SYNCED", "NAME"], &rows, empty)
}

fn token(school: &School) -> &'static str {
    match school.token {
        TokenState::Held => "held",
        TokenState::Missing => "missing",
        TokenState::Rejected => "REJECTED",
    }
}

fn synced(school: &School) -> String {
    school
        .last_synced_at
        .map_or_else(|| "never".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string())
}

async fn reseal(config: &Config, pool: &Pool) -> Result<(), Failure> {
    let done = reseal::reseal(pool, &config.encryption.cipher()?, &actor(None)).await?;
    print(&format!(
        "{} secrets are encrypted with the first key of encryption.key; {} of them were not before.",
        done.held, done.changed
    ))?;
    if done.unreadable.is_empty() {
        return print("The older keys can be removed.");
    }
    Err(Failure::usage(format!(
        "no key opens {}. Add the key that encrypted them, or connect these schools again",
        done.unreadable.join(", ")
    )))
}

/// As the API shows it.
fn as_json(config: &Config, school: School) -> Value {
    let now = config.scheduler.enabled.then(|| Clock::system().now());
    mis_sync_api::json::school(school, now)
}

fn show(config: &Config, school: &School, json: bool) -> Result<(), Failure> {
    if json {
        return print(&as_json(config, school.clone()).to_string());
    }
    let or = |text: &Option<String>, empty: &str| text.clone().unwrap_or_else(|| empty.to_owned());
    let lines = [
        ("id", school.id.to_string()),
        ("name", school.name.clone()),
        ("Wonde id", school.wonde_school_id.clone()),
        ("Wonde at", or(&school.wonde_base_url, "the configured address")),
        ("MIS", or(&school.mis, "not known yet; the first sync asks Wonde")),
        ("token", token(school).to_owned()),
        ("synced", synced(school)),
        ("checked", checking::when(school)),
    ];
    for (name, value) in lines {
        print(&format!("{name:<10} {value}"))?;
    }
    checking::print_missing(school)?;
    print("settings")?;
    print_settings(school)
}

fn print_settings(school: &School) -> Result<(), Failure> {
    for (name, value) in settings_of(school) {
        print(&format!("  {name}={}", plain(&value)))?;
    }
    Ok(())
}

fn settings_of(school: &School) -> Map<String, Value> {
    match serde_json::to_value(&school.settings) {
        Ok(Value::Object(settings)) => settings,
        _ => unreachable!("settings are a JSON object"),
    }
}

/// A value in the form `name=value` accepts.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn connect_school(config: &Config, pool: &Pool, connect: &Connect) -> Result<(), Failure> {
    let token = read_token(connect.token_file.as_deref())?;
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    };
    put("name", Some(connect.name.clone()));
    put("wonde_school_id", Some(connect.wonde_school_id.clone()));
    put("mis", connect.mis.clone());
    put("wonde_base_url", connect.wonde_base_url.clone());
    put("token", token.map(|token| token.expose_secret().to_owned()));
    if connect.forget_mis {
        body.insert("mis".to_owned(), Value::Null);
    }
    let school = write(config, pool, &connect.id, body).await?;
    print(&format!(
        "{} is connected. Its first sync: mis-sync sync {} --follow",
        school.name, school.id
    ))
}

/// The token in a file, or on standard input if that is no terminal; an argument would be visible
/// in the list of processes.
fn read_token(file: Option<&Path>) -> Result<Option<SecretString>, Failure> {
    let text = match file {
        Some(path) if path != Path::new("-") => std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("--token-file {}: {error}", path.display())))?,
        None if std::io::stdin().is_terminal() => return Ok(None),
        _ => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text)?;
            text
        }
    };
    Ok(Some(text.trim()).filter(|token| !token.is_empty()).map(SecretString::from))
}

async fn disconnect(pool: &Pool, id: &SchoolId) -> Result<(), Failure> {
    find_school(pool, id).await?;
    schools::disconnect(pool, id, &OnlyIf::Always, &actor(None)).await?;
    print("Disconnected. The token is destroyed and the people stay.")
}

async fn settings(
    config: &Config,
    pool: &Pool,
    id: &SchoolId,
    changes: &[String],
    json: bool,
) -> Result<(), Failure> {
    let mut school = find_school(pool, id).await?;
    if !changes.is_empty() {
        let mut settings = settings_of(&school);
        for change in changes {
            let (name, value) = change.split_once('=').ok_or_else(|| {
                Failure::usage(format!(
                    "found `{change}`, wanted name=value, like teachers_only=true"
                ))
            })?;
            // A value that is not JSON is a text.
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            settings.insert(name.to_owned(), value);
        }
        let mut body = Map::new();
        body.insert("name".to_owned(), school.name.clone().into());
        body.insert("wonde_school_id".to_owned(), school.wonde_school_id.clone().into());
        if let Some(url) = &school.wonde_base_url {
            body.insert("wonde_base_url".to_owned(), url.clone().into());
        }
        body.insert("settings".to_owned(), settings.into());
        school = write(config, pool, id, body).await?;
    }
    if json { print(&json!(settings_of(&school)).to_string()) } else { print_settings(&school) }
}

/// Connects or changes a school by the rules of the API.
async fn write(
    config: &Config,
    pool: &Pool,
    id: &SchoolId,
    body: Map<String, Value>,
) -> Result<School, Failure> {
    let (cipher, hosts) = (config.encryption.cipher()?, config.wonde.hosts()?);
    let callbacks = config.callbacks.hosts()?;
    let rules = AddressRules { wonde: &hosts, callbacks: &callbacks };
    let (school, secrets) =
        mis_sync_api::json::read_connection(id.clone(), body, rules).map_err(Failure::usage)?;
    let by = Connector {
        cipher: &cipher,
        hosts: &hosts,
        actor: &actor(None),
        keeps_wonde_id: false,
        only_if: &OnlyIf::Always,
    };
    let connected = match schools::connect(pool, by, &school, secrets).await {
        Err(StoreError::TokenWouldMove) => {
            return Err(Failure::usage(format!(
                "the token of {id} is for another Wonde address. Give a new token on standard \
                 input or with --token-file"
            )));
        }
        Err(StoreError::WondeSchoolTaken) => {
            return Err(Failure::usage(format!(
                "another connected school has the Wonde id {}",
                school.wonde_school_id
            )));
        }
        connected => connected?,
    };
    connected.ok_or_else(|| {
        Failure::usage(format!(
            "the school {id} has no token yet. Give one on standard input or with --token-file"
        ))
    })
}

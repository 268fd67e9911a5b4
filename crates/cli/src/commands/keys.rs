use chrono::TimeDelta;
use mis_sync_domain::Clock;
use mis_sync_store::{
    Pool,
    api_keys::{self, ApiKey, NewApiKey},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    arguments::Keys,
    commands::{actor, print},
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn run(config: &Config, keys: Keys) -> Result<(), Failure> {
    let pool = wiring::database(config).await?;
    match keys {
        Keys::Create { name, role, school, expires_in_days, json } => {
            let expires_at =
                expires_in_days.map(|days| Clock::system().now() + TimeDelta::days(days.into()));
            let new = NewApiKey { name: name.trim(), role, school_id: school.as_ref(), expires_at };
            create(&pool, &new, json).await
        }
        Keys::List { json } => list(&pool, json).await,
        Keys::Revoke { id } => {
            if api_keys::revoke(&pool, id, &actor(None)).await? {
                print("Revoked.")
            } else {
                Err(Failure::work("there is no such key, or it was revoked before"))
            }
        }
    }
}

async fn create(pool: &Pool, new: &NewApiKey<'_>, json: bool) -> Result<(), Failure> {
    if new.name.is_empty() {
        return Err(Failure::usage("--name: found an empty name, wanted what or who uses the key"));
    }
    let (key, secret) = api_keys::create(pool, new, &actor(None)).await?;
    if json {
        let mut shown = describe(&key);
        shown["key"] = secret.expose_secret().into();
        return print(&shown.to_string());
    }
    print(secret.expose_secret())
}

async fn list(pool: &Pool, json: bool) -> Result<(), Failure> {
    let keys = api_keys::list(pool).await?;
    if json {
        return print(&keys.iter().map(describe).collect::<Value>().to_string());
    }
    if keys.is_empty() {
        return print("No keys yet. Create one: mis-sync keys create --name iP --role app");
    }
    print(&format!("{:36}  {:8}  {:20}  {:16}  {}", "ID", "ROLE", "SCHOOL", "CREATED", "NAME"))?;
    for key in keys {
        let school = key.school_id.map_or_else(|| "all".to_owned(), |id| id.to_string());
        let created = key.created_at.format("%Y-%m-%d %H:%M");
        let ending = match (key.revoked_at, key.expires_at) {
            (Some(_), _) => " (revoked)".to_owned(),
            (None, Some(at)) if at <= Clock::system().now() => " (expired)".to_owned(),
            (None, Some(at)) => format!(" (until {})", at.format("%Y-%m-%d")),
            (None, None) => String::new(),
        };
        print(&format!(
            "{:36}  {:8}  {school:20}  {created:16}  {}{ending}",
            key.id.to_string(),
            key.role,
            key.name
        ))?;
    }
    Ok(())
}

fn describe(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "school_id": key.school_id,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "expires_at": key.expires_at,
    })
}

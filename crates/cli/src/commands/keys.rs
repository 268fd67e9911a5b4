use mis_sync_domain::{Role, SchoolId};
use mis_sync_store::{Pool, api_keys, api_keys::ApiKey};
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
        Keys::Create { name, role, school, json } => {
            create(&pool, &name, role, school.as_ref(), json).await
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

async fn create(
    pool: &Pool,
    name: &str,
    role: Role,
    school: Option<&SchoolId>,
    json: bool,
) -> Result<(), Failure> {
    if name.trim().is_empty() {
        return Err(Failure::usage("--name: found an empty name, wanted what or who uses the key"));
    }
    let (key, secret) = api_keys::create(pool, name.trim(), role, school, &actor(None)).await?;
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
        let revoked = if key.revoked_at.is_some() { " (revoked)" } else { "" };
        print(&format!(
            "{:36}  {:8}  {school:20}  {created:16}  {}{revoked}",
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
    })
}

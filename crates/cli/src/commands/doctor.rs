use std::time::Duration;

use mis_sync_store::api_keys;

use crate::{commands::print, config::Config, exit::Failure, wiring};

/// Checks every part, so that one run shows everything that is wrong. Ends with the worst finding:
/// configuration before dependencies.
pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let findings = [
        (
            "encryption key",
            config.encryption.cipher().map(|_| "can encrypt and decrypt tokens".into()),
        ),
        ("Postgres", check_database(config).await),
        ("API keys", check_api_keys(config).await),
        ("Redis", check_redis(config).await),
        ("Wonde", check_wonde(config).await),
    ];
    let mut worst = None;
    for (part, finding) in findings {
        match finding {
            Ok(text) => print(&format!("ok     {part}: {text}"))?,
            Err(failure) => {
                print(&format!("FAILS  {part}: {failure}"))?;
                if !matches!(worst, Some(Failure::Usage(_))) {
                    worst = Some(failure);
                }
            }
        }
    }
    match worst {
        None => Ok(()),
        Some(Failure::Usage(_)) => Err(Failure::usage("the configuration needs a change")),
        Some(_) => Err(Failure::dependency("a dependency of mis-sync is not working")),
    }
}

async fn check_database(config: &Config) -> Result<String, Failure> {
    wiring::database(config).await?;
    Ok("answers and has the schema of this release".into())
}

async fn check_api_keys(config: &Config) -> Result<String, Failure> {
    let pool = wiring::database(config).await?;
    if api_keys::any_active(&pool).await? {
        Ok("at least one is active".into())
    } else {
        Err(Failure::usage("there is none. Create one: mis-sync keys create --name iP --role app"))
    }
}

async fn check_redis(config: &Config) -> Result<String, Failure> {
    let redis = wiring::open_redis(config)?;
    match redis.check(Duration::from_secs(3)).await {
        Ok(()) => Ok("answers and accepts writes".into()),
        Err(error) => Err(Failure::dependency(format!(
            "degraded, {}: {error}. meanwhile mis-sync works without it",
            error.trouble().as_str()
        ))),
    }
}

/// Any answer shows that Wonde is there: without a token it says 401.
async fn check_wonde(config: &Config) -> Result<String, Failure> {
    let base_url = config.wonde.client().base_url;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    match client.get(base_url.clone()).send().await {
        Ok(_) => Ok(format!("{base_url} answers")),
        Err(error) => Err(Failure::dependency(format!("{base_url}: {}", error.without_url()))),
    }
}

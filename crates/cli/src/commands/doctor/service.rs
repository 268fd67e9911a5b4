use std::{error::Error, time::Duration};

use mis_sync_store::{
    Pool, TokenCipher, api_keys,
    reseal::{self, SecretCheck},
    workers::{self, WorkerState},
};

use super::finding::Finding;
use crate::{config::Config, exit::Failure};

pub(super) async fn check_api_keys(pool: &Pool) -> Finding {
    match api_keys::any_active(pool).await {
        Ok(true) => Finding::ok("api_keys", "at least one is active"),
        Ok(false) => Finding::wrong(
            "api_keys",
            "there is none, so `mis-sync serve` does not start",
            "Create one: mis-sync keys create --name iP --role app",
        ),
        Err(error) => Finding::failed("api_keys", &error.into()),
    }
}

/// Opens every secret. A lost key is noticed here, and not at the next sync or callback.
pub(super) async fn check_secrets(pool: &Pool, cipher: &TokenCipher) -> Finding {
    const CHECK: &str = "secrets";
    match reseal::check(pool, cipher).await {
        Ok(SecretCheck { unreadable, held, .. }) if !unreadable.is_empty() => Finding::wrong(
            CHECK,
            format!(
                "encryption.key opens {} of {held} secrets. It does not open {}",
                held - unreadable.len(),
                unreadable.join(", ")
            ),
            "Put the key that encrypted them back, after a comma; if it is lost, give these schools \
             their tokens (`mis-sync schools connect`) and callback secrets again.",
        ),
        Ok(SecretCheck { older_key, held, .. }) if older_key > 0 => Finding::ok(
            CHECK,
            format!(
                "{held} open, of which {older_key} with an older key; `mis-sync schools reseal` \
                 encrypts them with the first one"
            ),
        ),
        Ok(SecretCheck { held, .. }) => Finding::ok(CHECK, format!("{held} open")),
        Err(error) => Finding::failed(CHECK, &error.into()),
    }
}

pub(super) async fn check_workers(pool: &Pool) -> Finding {
    let all = match workers::list(pool).await {
        Ok(all) => all,
        Err(error) => return Finding::failed("workers", &Failure::from(error)),
    };
    let count = |state| all.iter().filter(|worker| worker.state == state).count();
    let (alive, draining) = (count(WorkerState::Alive), count(WorkerState::Draining));
    let resting = draining + count(WorkerState::Drained);
    let dead = count(WorkerState::Dead);
    let detail = format!("{alive} alive, {resting} draining or drained, {dead} dead");
    if alive > 0 {
        return Finding::ok("workers", detail);
    }
    let what_to_do = if resting > 0 {
        "Let one take jobs: mis-sync workers undrain NAME"
    } else {
        "Start `mis-sync worker` (or `mis-sync serve --with-worker`); its log says why it stopped."
    };
    Finding::warn("workers", format!("none takes jobs, so they wait: {detail}"), what_to_do)
}

/// Any answer shows that Wonde is there: without a token it says 401.
pub(super) async fn check_wonde(config: &Config) -> Finding {
    let base_url = config.wonde.client().base_url;
    let asked = async {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        client.get(base_url.clone()).send().await
    };
    match asked.await {
        Ok(_) => Finding::ok("wonde", format!("{base_url} answers")),
        Err(error) => {
            let error = error.without_url();
            let cause = innermost(&error);
            let what_to_do = "Check wonde.base_url, the network, a proxy, and the system's roots.";
            Finding::broken("wonde", format!("{base_url}: {cause}"), what_to_do)
        }
    }
}

/// The error that caused all the others: the client's own only says that a request failed.
fn innermost<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

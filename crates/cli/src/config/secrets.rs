//! Secrets: keys whose values are shown nowhere, and that can be in files of their own.
//!
//! A secret comes from a variable (`MIS_SYNC__ENCRYPTION__KEY`), from a file that a variable names
//! (`MIS_SYNC__ENCRYPTION__KEY_FILE`), or from a credential of systemd: a file in
//! `CREDENTIALS_DIRECTORY` with the name of the key (`encryption.key`).

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::exit::Failure;

/// The secret keys.
pub(super) const KEYS: [&str; 10] = [
    "database.url",
    "database.direct_url",
    "redis.url",
    "encryption.key",
    "webhooks.wonde_secret",
    "alerts.url",
    "alerts.secret",
    "callbacks.url",
    "callbacks.secret",
    "traces.endpoint",
];

/// Short names of variables that many tools know.
const SHORT: [(&str, &str); 2] = [("database.url", "DATABASE_URL"), ("redis.url", "REDIS_URL")];

/// Where a secret was found.
enum Source {
    Variable(String, String),
    /// What names the file, and the file.
    File(String, PathBuf),
}

/// Whether a variable, without its prefix, belongs to a secret.
pub(super) fn has(name: &str) -> bool {
    let name = name.to_uppercase();
    let name = name.strip_suffix("_FILE").unwrap_or(&name);
    KEYS.iter().any(|key| variable(key) == format!("MIS_SYNC__{name}"))
}

/// The secrets that the environment sets, each with its key. Two places for one secret are refused
/// if one of them is a file: which one counts would be a guess.
pub(super) fn read() -> Result<Vec<(&'static str, String)>, Failure> {
    let credentials = set("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let mut found = Vec::new();
    for key in KEYS {
        let sources = sources(key, credentials.as_deref())?;
        let is_file = |source: &Source| matches!(source, Source::File(..));
        if let [first, second, ..] = &sources[..]
            && sources.iter().any(is_file)
        {
            return Err(Failure::usage(format!(
                "{key} is set twice: by {} and by {}. Keep one of them",
                first.name(),
                second.name()
            )));
        }
        match sources.into_iter().next() {
            None => {}
            Some(Source::Variable(_, value)) => found.push((key, value)),
            Some(Source::File(name, path)) => found.push((key, read_file(key, &name, &path)?)),
        }
    }
    Ok(found)
}

fn sources(key: &str, credentials: Option<&Path>) -> Result<Vec<Source>, Failure> {
    let short = SHORT.iter().filter(|(of, _)| *of == key).map(|(_, name)| (*name).to_owned());
    let mut sources = Vec::new();
    for name in std::iter::once(variable(key)).chain(short) {
        if let Some(value) = set(&name) {
            let value = value.into_string().map_err(|_| {
                Failure::usage(format!("{key}: the variable {name} is no UTF-8 text"))
            })?;
            sources.push(Source::Variable(name.clone(), value));
        }
        let name = format!("{name}_FILE");
        if let Some(path) = set(&name) {
            sources.push(Source::File(name, path.into()));
        }
    }
    if let Some(path) = credentials.map(|folder| folder.join(key))
        && path.exists()
    {
        sources.push(Source::File(format!("the credential {key}"), path));
    }
    Ok(sources)
}

/// The last line break belongs to the file and not to the secret.
fn read_file(key: &str, name: &str, path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("{key}: cannot read {} ({name}): {error}", path.display()))
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

impl Source {
    fn name(&self) -> &str {
        let (Self::Variable(name, _) | Self::File(name, _)) = self;
        name
    }
}

/// A variable that is there and not empty: a line without a value sets nothing.
fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn variable(key: &str) -> String {
    format!("MIS_SYNC__{}", key.replace('.', "__").to_uppercase())
}

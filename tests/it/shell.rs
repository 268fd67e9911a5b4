//! Commands as a shell runs them.

use std::process::Output;

use mis_sync_testing::TestApp;
use serde_json::Value;

use crate::process::{run, run_with_input};

/// Runs a command on the servers of `app`; returns exit code, standard output and standard error.
pub(crate) async fn command(
    app: &TestApp,
    arguments: &[&str],
    input: Option<&str>,
) -> (i32, String, String) {
    let environment = app.environment();
    let variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output: Output = match input {
        Some(input) => run_with_input(arguments, &variables, input).await,
        None => run(arguments, &variables).await,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Runs a command that has to succeed; returns what it prints.
pub(crate) async fn done(app: &TestApp, arguments: &[&str]) -> String {
    let (code, printed, said) = command(app, arguments, None).await;
    assert_eq!(code, 0, "{arguments:?}: {printed}{said}");
    printed
}

/// The same with JSON.
pub(crate) async fn json_of(app: &TestApp, arguments: &[&str]) -> Value {
    let printed = done(app, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&printed).unwrap()
}

/// Asserts that the text contains each part.
#[track_caller]
pub(crate) fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

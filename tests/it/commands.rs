//! The commands as a shell sees them: output, exit codes, and messages when something is wrong.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use mis_sync_testing::{TestApp, TestAppOptions, http_client};
use serde_json::Value;

use crate::process::{MIS_SYNC, command, run};

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

async fn app_without_worker() -> TestApp {
    TestApp::start_with(TestAppOptions { worker: false, ..TestAppOptions::default() }).await
}

#[tokio::test]
async fn wrong_configuration_is_named_before_a_port_is_opened() {
    let table: [(Variables<'_>, &[&str]); 6] = [
        (&[], &["encryption.key is not set", "openssl rand -hex 32"]),
        (&[("MIS_SYNC__ENCRYPTION__KEY", "short")], &["encryption.key", "64 hexadecimal digits"]),
        (&[("MIS_SYNC__API__LISTEN", "nowhere")], &["api.listen", "\"nowhere\"", "wanted"]),
        (&[("MIS_SYNC__WORKER__CONCURENCY", "3")], &["worker.concurency", "no such key"]),
        (&[("MIS_SYNC__ENCRYPTION__KEY", KEY)], &["redis.url is not set", "REDIS_URL"]),
        (
            &[
                ("MIS_SYNC__ENCRYPTION__KEY", KEY),
                ("REDIS_URL", "redis://x"),
                ("DATABASE_URL", "x"),
            ],
            &["database.url", "postgres://"],
        ),
    ];
    for (variables, parts) in table {
        let output = run(&["serve"], variables).await;
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{variables:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{variables:?}: `{part}` is missing in {text}");
        }
        assert!(!text.contains("panicked"), "{text}");
    }
}

type Variables<'a> = &'a [(&'a str, &'a str)];

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[tokio::test]
async fn a_dependency_that_is_away_is_exit_code_3() {
    let away = [
        ("MIS_SYNC__ENCRYPTION__KEY", KEY),
        ("DATABASE_URL", "postgres://postgres@127.0.0.1:1/none"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
    ];
    let commands = [
        &["serve"][..],
        &["worker"],
        &["migrate"],
        &["keys", "list"],
        &["doctor"],
        &["schools", "list"],
        &["sync", "oak"],
        &["jobs", "list"],
        &["explain", "oak", "--wonde-id", "A1"],
    ];
    // Each waits a while for the database, so they run at the same time.
    let outputs = futures::future::join_all(commands.map(|command| run(command, &away))).await;
    for (command, output) in commands.iter().zip(outputs) {
        assert_eq!(output.status.code(), Some(3), "{command:?}: {}", said(&output));
    }
}

#[tokio::test]
async fn serving_needs_a_schema_and_a_key() {
    let app = app_without_worker().await;
    let environment = app.environment();
    let mut variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let empty = app.servers.postgres.url("postgres");
    variables.push(("DATABASE_URL", &empty));
    variables.push(("MIS_SYNC__API__LISTEN", "127.0.0.1:0"));

    let unmigrated = run(&["serve"], &variables).await;
    assert_eq!(unmigrated.status.code(), Some(2));
    assert!(said(&unmigrated).contains("run `mis-sync migrate`"), "{}", said(&unmigrated));

    assert_eq!(run(&["migrate"], &variables).await.status.code(), Some(0));
    assert_eq!(run(&["migrate"], &variables).await.status.code(), Some(0), "twice is once");
    variables.push(("MIS_SYNC__LOGINS__UNIQUE_WITHIN", "school"));
    let other_scope = run(&["serve"], &variables).await;
    assert_eq!(other_scope.status.code(), Some(2));
    let said_so = said(&other_scope);
    assert!(
        said_so.contains("logins.unique_within is school: run `mis-sync migrate`"),
        "{said_so}"
    );
    let changed = run(&["migrate"], &variables).await;
    assert!(said(&changed).contains("Logins are now unique within the school."));
    let keyless = run(&["serve"], &variables).await;
    assert_eq!(keyless.status.code(), Some(2));
    assert!(said(&keyless).contains("keys create"), "{}", said(&keyless));
}

#[tokio::test]
async fn keys_are_made_shown_once_and_revoked() {
    let app = app_without_worker().await;
    // A key needs only the database.
    let database = app.servers.database_url();
    let variables = [("DATABASE_URL", database.as_str())];
    let made =
        run(&["keys", "create", "--name", "iP", "--role", "app", "--json"], &variables).await;
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let key = made["key"].as_str().unwrap();
    let ask = async || {
        let http = http_client();
        let url = format!("{}/v1/jobs", app.api_url);
        http.get(url).bearer_auth(key).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 200);

    let listed = said(&run(&["keys", "list"], &variables).await);
    assert!(listed.contains(made["id"].as_str().unwrap()) && !listed.contains(key), "{listed}");
    let revoked = run(&["keys", "revoke", made["id"].as_str().unwrap()], &variables).await;
    assert_eq!(revoked.status.code(), Some(0));
    assert_eq!(ask().await, 401);

    let plain = run(&["keys", "create", "--name", "x", "--role", "viewer"], &variables).await;
    assert!(String::from_utf8(plain.stdout).unwrap().starts_with("misk_"));
    let wrong = run(&["keys", "create", "--name", "x", "--role", "root"], &variables).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("app, viewer, operator or admin"), "{}", said(&wrong));
}

/// The health check of a container, which has no other program to ask with.
#[tokio::test]
async fn health_asks_a_running_process() {
    let app = app_without_worker().await;
    let address = app.api_url.trim_start_matches("http://");
    let own = run(&["health"], &[("MIS_SYNC__API__LISTEN", address)]).await;
    assert_eq!(own.status.code(), Some(0), "{}", said(&own));
    let named = run(&["health", "--url", &format!("{}/healthz", app.api_url)], &[]).await;
    assert_eq!(named.status.code(), Some(0), "{}", said(&named));

    let unwell = run(&["health", "--url", &format!("{}/v1/jobs", app.api_url)], &[]).await;
    assert_eq!(unwell.status.code(), Some(3));
    assert!(said(&unwell).contains("answers 401"), "{}", said(&unwell));
    let away = run(&["health", "--url", "http://127.0.0.1:1/readyz"], &[]).await;
    assert_eq!(away.status.code(), Some(3));
    assert!(said(&away).contains("http://127.0.0.1:1/readyz"), "{}", said(&away));
}

#[tokio::test]
async fn openapi_and_help_are_printed_without_any_server() {
    let document = run(&["openapi"], &[]).await;
    let document: Value = serde_json::from_slice(&document.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let help = said(&run(&["--help"], &[]).await);
    for name in [
        "demo", "serve", "worker", "migrate", "simulate", "doctor", "keys", "bench", "schools",
        "sync", "explain", "jobs",
    ] {
        assert!(help.contains(name), "`{name}` is missing in {help}");
    }
    assert_eq!(command(&["nonsense"]).output().unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn completions_and_man_pages_are_made_from_the_commands() {
    for (shell, part) in
        [("bash", "_mis__sync()"), ("zsh", "#compdef mis-sync"), ("fish", "complete -c mis-sync")]
    {
        let output = run(&["completions", shell], &[]).await;
        let script = said(&output);
        assert!(output.status.success() && script.contains(part), "{shell}: {script}");
        assert!(script.contains("undrain"), "{shell} knows the commands below a command");
    }
    assert!(said(&run(&["man"], &[]).await).contains(".TH mis-sync 1"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert!(run(&["man", "--out", out], &[]).await.status.success());
    let page = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(page("mis-sync.1").contains("mis\\-sync\\-doctor(1)"));
    assert!(page("mis-sync-jobs-approve.1").contains("mis\\-sync jobs approve"), "each command");
}

/// Scripts call `mis-sync simulate …`; the program beside `mis-sync` is what runs.
#[test]
fn the_words_of_the_laboratory_run_the_program_beside() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("mis-sync");
    std::fs::copy(MIS_SYNC.0, &program).unwrap();
    let run = |arguments: &[&str]| Command::new(&program).args(arguments).output().unwrap();

    for word in ["demo", "simulate", "bench"] {
        let alone = run(&[word]);
        assert_eq!(alone.status.code(), Some(2), "{}", said(&alone));
        assert!(said(&alone).contains("cargo build --package mis-sync-lab"), "{}", said(&alone));
    }
    let laboratory = folder.path().join("mis-sync-lab");
    std::fs::write(&laboratory, "#!/bin/sh\necho \"$@\"; exit 3\n").unwrap();
    std::fs::set_permissions(&laboratory, Permissions::from_mode(0o755)).unwrap();
    for arguments in [
        &["demo", "--exit", "--config", "a.toml", "-h"][..],
        &["simulate", "--listen", "127.0.0.1:0", "--help"],
        &["bench", "sync", "--staff=5", "--", "x"],
        &["--config", "a.toml", "simulate"],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.status.code(), Some(3), "{}", said(&ran));
        assert_eq!(said(&ran).trim(), arguments.join(" "));
    }
}

//! The commands as a shell sees them: output, exit codes, and messages when something is wrong.

use std::process::Output;

use mis_sync_testing::{TestApp, TestAppOptions, eventually, http_client};
use rustix::process::Signal;
use serde_json::Value;

use crate::process::{Process, command, run};

fn said(output: &Output) -> String {
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
async fn demo_syncs_a_school_and_proves_it() {
    let output = run(&["demo", "--exit", "--size", "40", "--school", "Arbor"], &[]).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for part in ["Pressing Sync Data", "(Arbor)", "people are the same"] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    for part in ["misk_", "curl", "/dashboard", "WARN"] {
        assert!(!text.contains(part), "`{part}` is gone when the command ends:\n{text}");
    }
}

#[tokio::test]
async fn a_killed_demo_is_not_in_the_way_of_the_next() {
    let app = app_without_worker().await;
    let demo = Process::start_alone(&["demo", "--size", "20"]);
    eventually("the demo is up", async || {
        demo.printed().contains("Running until Ctrl-C").then_some(())
    })
    .await;
    demo.signal(Signal::KILL);
    let output = run(&["demo", "--exit", "--size", "20"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    drop(app);
}

#[tokio::test]
async fn demo_ends_on_ctrl_c() {
    let mut demo = Process::start_alone(&["demo", "--size", "20"]);
    eventually("the demo is up", async || {
        demo.printed().contains("Running until Ctrl-C").then_some(())
    })
    .await;
    for part in ["misk_", "curl", "/dashboard"] {
        assert!(demo.printed().contains(part), "`{part}` is missing in:\n{}", demo.printed());
    }
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await.code(), Some(0), "{}", demo.printed());
}

#[tokio::test]
async fn demo_hears_ctrl_c_while_the_first_sync_runs() {
    // A school so large that the signal comes long before the end of the sync.
    let mut demo = Process::start_alone(&["demo", "--size", "20000"]);
    eventually("the button is pressed", async || {
        demo.printed().contains("Pressing Sync Data").then_some(())
    })
    .await;
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await.code(), Some(1), "{}", demo.printed());
    assert!(demo.printed().contains("interrupted"), "{}", demo.printed());
    assert!(!demo.printed().contains("people are the same"), "{}", demo.printed());
}

#[tokio::test]
async fn demo_says_at_once_what_is_wrong_with_how_it_was_started() {
    let one = |name| vec![(name, "redis://127.0.0.1:1")];
    let table: [(&[&str], Variables<'_>, &[&str]); 5] = [
        (&["demo"], &one("DATABASE_URL"), &["DATABASE_URL is set and REDIS_URL is not"]),
        (&["demo"], &one("REDIS_URL"), &["REDIS_URL is set and DATABASE_URL is not"]),
        (&["demo", "--config", "none.toml"], &[], &["there is no file none.toml"]),
        (&["demo", "--config", "Cargo.toml"], &[], &["takes no configuration file"]),
        (&["demo", "--school", "Hogwarts"], &[], &["Hogwarts", "scholarpack"]),
    ];
    for (arguments, variables, parts) in table {
        let output = run(arguments, variables).await;
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{arguments:?}: `{part}` is missing in {text}");
        }
        assert!(!text.contains("Starting"), "it started servers first: {text}");
    }
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

#[tokio::test]
async fn doctor_says_what_is_well() {
    let app = app_without_worker().await;
    let environment = app.environment();
    let variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = run(&["doctor"], &variables).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{text}");
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
    for wrong in [&["nonsense"][..], &["simulate", "--staff", "0"], &["demo", "--size", "200000"]] {
        assert_eq!(command(wrong).output().unwrap().status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_simulator_serves_wonde_and_its_own_list() {
    let simulator = Process::start_alone(&["simulate", "--listen", "127.0.0.1:0", "--staff", "20"]);
    let url = eventually("the simulator is up", async || {
        let printed = simulator.printed();
        let (_, rest) = printed.split_once("schools: ")?;
        Some(rest.split(')').next()?.to_owned())
    })
    .await;
    let http = http_client();
    let schools: Value = http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(schools.as_array().unwrap().len(), 11);
    for field in ["id", "name", "mis", "token", "staff", "classes", "subjects"] {
        assert!(!schools[0][field].is_null(), "{field}");
    }
}

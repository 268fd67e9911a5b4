use mis_sync_testing::TestApp;

use super::{app_without_worker, doctor};
use crate::{
    process::run,
    rows::{execute, texts},
};

/// A connection to the database of `app` with another login, database or option.
fn url(app: &TestApp, login: &str, database: &str, option: &str) -> String {
    let url = app.servers.database_url();
    let (_, folder) = url.split_once("?host=").unwrap();
    format!("postgres://{login}@localhost/{database}?host={folder}{option}")
}

/// Who may log in, and how.
async fn admit(app: &TestApp) {
    execute(app, "CREATE ROLE careful LOGIN PASSWORD 'right'").await;
    execute(app, "CREATE ROLE banned LOGIN").await;
    let file = texts(app, "SHOW hba_file").await.remove(0);
    let rules = "local all careful scram-sha-256\nlocal all banned reject\nlocal all all trust\n";
    std::fs::write(file, rules).unwrap();
    execute(app, "SELECT pg_reload_conf()").await;
}

/// Each cause is said with the place, by every command that needs the database.
#[tokio::test]
async fn why_the_database_cannot_be_reached_is_said() {
    let app = app_without_worker().await;
    admit(&app).await;
    let name = "mis_sync";
    let port = mis_sync_testing::free_port();
    let cases = [
        (url(&app, "careful:wrong", name, ""), 2, ["password authentication failed", "percent"]),
        (url(&app, "banned", name, ""), 2, ["pg_hba.conf", "banned"]),
        (url(&app, "stranger", name, ""), 2, ["role \"stranger\" does not exist", "log in"]),
        (url(&app, "postgres", "none", ""), 2, ["database \"none\" does not exist", "Create"]),
        (url(&app, "postgres", name, "&sslmode=require"), 2, ["does not support TLS", "sslmode"]),
        ("postgres://a@nowhere.invalid/x".to_owned(), 3, ["nowhere.invalid:5432", "lookup"]),
        (format!("postgres://a@127.0.0.1:{port}/x"), 3, ["refused", "Check that Postgres runs"]),
        (format!("postgres://a@[::1]:{port}/x"), 3, ["[::1]:", "refused"]),
        (
            format!("postgres://a@{}/x", app.api_url.strip_prefix("http://").unwrap()),
            3,
            ["127.0.0.1:", "Postgres"],
        ),
    ];
    for (url, wanted, parts) in cases {
        let (code, findings) = doctor(&app, &[("DATABASE_URL", &url)]).await;
        assert_eq!(code, wanted, "{url}: {findings:?}");
        let said = findings.expect("database", "fail")["detail"].as_str().unwrap().to_owned();
        findings.expect_texts(
            "database",
            "fail",
            &parts.map(|part| {
                // JSON escapes quotes.
                part.split('"').next().unwrap()
            }),
        );

        let environment = app.environment();
        let mut variables: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        variables.push(("DATABASE_URL", &url));
        for command in ["serve", "worker", "migrate"] {
            let output = run(&[command], &variables).await;
            let printed = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(wanted), "{command} {url}: {printed}");
            assert!(printed.contains(&said), "{command} {url}: {printed} has no {said}");
        }
    }
}

#[tokio::test]
async fn a_database_without_our_schema_and_with_another_scope_is_found() {
    let app = app_without_worker().await;
    let empty = app.servers.postgres.url("postgres");
    let (code, findings) = doctor(&app, &[("DATABASE_URL", &empty)]).await;
    assert_eq!(code, 2);
    findings.expect_texts("database.schema", "fail", &["version 0", "run `mis-sync migrate`"]);

    let scope = ("MIS_SYNC__LOGINS__UNIQUE_WITHIN", "school");
    let (code, findings) = doctor(&app, &[scope]).await;
    assert_eq!(code, 2);
    findings.expect_texts("database.logins", "fail", &["unique within the installation"]);
}

#[tokio::test]
async fn a_database_that_accepts_no_writes_is_found() {
    let app = app_without_worker().await;
    execute(&app, "ALTER DATABASE mis_sync SET default_transaction_read_only = on").await;
    let (code, findings) = doctor(&app, &[]).await;
    assert_eq!(code, 3);
    findings.expect_texts("database.writes", "fail", &["default_transaction_read_only"]);
}

#[tokio::test]
async fn a_role_without_rights_is_found() {
    let app = app_without_worker().await;
    execute(&app, "CREATE ROLE app LOGIN").await;
    execute(&app, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO app").await;
    let app_url = url(&app, "app", "mis_sync", "");
    let (code, findings) = doctor(&app, &[("DATABASE_URL", &app_url)]).await;
    assert_eq!(code, 2);
    findings.expect_texts("database.rights", "fail", &["INSERT on alert", "more", "GRANT"]);
    findings.expect_texts("database.owner", "warn", &["does not own", "mis-sync migrate"]);

    // What the finding advises is enough, though not to migrate.
    let all = "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app";
    execute(&app, all).await;
    execute(&app, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app").await;
    let (code, findings) = doctor(&app, &[("DATABASE_URL", &app_url)]).await;
    assert_eq!(code, 0, "{findings:?}");
    findings.expect("database.rights", "ok");
}

#[tokio::test]
async fn a_clock_that_is_off_is_found() {
    let app = app_without_worker().await;
    let off = async |seconds: i32| {
        execute(
            &app,
            &format!(
                "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE \
                 sql AS 'SELECT pg_catalog.clock_timestamp() + interval ''{seconds} s'''"
            ),
        )
        .await;
    };
    off(3).await;
    execute(&app, "ALTER DATABASE mis_sync SET search_path = public, pg_catalog").await;
    let (code, findings) = doctor(&app, &[]).await;
    assert_eq!(code, 0);
    findings.expect_texts("database.clock", "warn", &["3.0 s ahead of", "NTP"]);
    off(-60).await;
    let (code, findings) = doctor(&app, &[]).await;
    assert_eq!(code, 3);
    findings.expect_texts("database.clock", "fail", &["s behind"]);
}

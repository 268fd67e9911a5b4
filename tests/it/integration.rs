//! `docs/integration.md`: the contract between iP and the database, and the samples on the page.

use std::{path::Path, process::Command};

use mis_sync_testing::{TestApp, TestAppOptions};
use sqlx::{AssertSqlSafe, Row, postgres::PgRow};

use crate::examples::{EXAMPLES, has_php};

const IP_ROLE: &str = include_str!("../../examples/ip_role.sql");
const FIND_LOGIN: &str = include_str!("../../examples/find_login.sql");
pub(crate) const SET_PASSWORD: &str = include_str!("../../examples/set_password.sql");

/// Two schools, and the role of the app.
async fn with_role() -> TestApp {
    let options = TestAppOptions { worker: false, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    app.connect_school(0).await;
    app.connect_school(1).await;
    for _ in 0..2 {
        sql(&app, IP_ROLE).await;
    }
    app
}

/// Runs SQL as the owner of the tables.
pub(crate) async fn sql(app: &TestApp, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&app.pool).await.unwrap();
}

/// Runs SQL as the role of the app.
async fn as_app(app: &TestApp, sql: &str) -> Result<Vec<PgRow>, sqlx::Error> {
    let mut transaction = app.pool.begin().await.unwrap();
    sqlx::raw_sql("SET LOCAL ROLE ip_app").execute(&mut *transaction).await.unwrap();
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut *transaction).await?;
    sqlx::raw_sql("RESET ROLE").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    Ok(rows)
}

/// Runs a sample of the page with its parameters.
pub(crate) async fn execute(app: &TestApp, sample: &str, types: &str, values: &str) -> Vec<PgRow> {
    let sql = format!("PREPARE sample ({types}) AS {sample}; EXECUTE sample ({values})");
    let mut connection = app.pool.acquire().await.unwrap();
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.unwrap();
    sqlx::raw_sql("DEALLOCATE sample").execute(&mut *connection).await.unwrap();
    rows
}

/// An insert of a person made by hand, as the app writes it.
fn person(id: u8, school: &str, email: &str, active: bool) -> String {
    format!(
        "INSERT INTO staff (id, school_id, email, first_name, surname, active, password_hash)
         VALUES ('01980000-0000-7000-8000-0000000000{id:02}', '{school}', '{email}', 'Ada', 'Day',
             {active}, 'x');"
    )
}

#[tokio::test]
async fn the_role_of_the_app_does_its_part_and_no_more() {
    let app = with_role().await;
    let oak = app.simulated_school(0).id;
    let schools = as_app(&app, "SELECT id FROM school ORDER BY id").await.unwrap();
    let school: String = schools[0].get(0);
    for allowed in [
        person(1, &school, "ada@oak.example", true),
        "UPDATE staff SET email = 'ida@oak.example', job_title = 'Head', active = false".into(),
        format!("INSERT INTO class (school_id, name) VALUES ('{school}', '7A') RETURNING id"),
        "UPDATE class SET name = '7B'".into(),
        "INSERT INTO class_staff (class_id, staff_id) SELECT c.id, s.id FROM class c, staff s".into(),
        "DELETE FROM class_staff".into(),
        format!("INSERT INTO subject (school_id, name) VALUES ('{school}', 'Maths')"),
        "INSERT INTO subject_staff (subject_id, staff_id) SELECT b.id, s.id FROM subject b, staff s".into(),
        format!("INSERT INTO department (school_id, name) VALUES ('{school}', 'Science')"),
        "DELETE FROM department".into(),
        "SELECT * FROM staff, login_scope, staff_photo".into(),
        "SELECT name, mis, settings FROM school".into(),
    ] {
        as_app(&app, &allowed).await.unwrap_or_else(|error| panic!("{allowed}: {error}"));
    }
    for refused in [
        "SELECT wonde_token FROM school",
        "UPDATE school SET name = 'x'",
        "UPDATE staff SET wonde_id = 'A1'",
        "UPDATE staff SET mis_values = '{}'",
        "UPDATE staff SET school_id = 'x'",
        "DELETE FROM staff",
        "INSERT INTO class_staff (class_id, staff_id, from_mis) SELECT c.id, s.id, true
             FROM class c, staff s",
        "SELECT * FROM api_key",
        "SELECT * FROM job",
        "SELECT * FROM mis_person",
    ] {
        let error = as_app(&app, refused).await.expect_err(refused);
        let code = error.as_database_error().and_then(|error| error.code().map(Into::into));
        assert_eq!(code, Some("42501".to_owned()), "{refused} of {oak}: insufficient_privilege");
    }
}

#[tokio::test]
async fn an_email_becomes_a_person_in_both_scopes() {
    let app = with_role().await;
    let rows = as_app(&app, "SELECT id FROM school ORDER BY id").await.unwrap();
    let [first, second] = [0, 1].map(|at: usize| rows[at].get::<String, _>(0));
    // As for a trust whose staff log in at each of their schools.
    let scope = "ALTER TABLE staff DROP CONSTRAINT staff_login;
        ALTER TABLE staff ADD CONSTRAINT staff_login UNIQUE (school_id, login)";
    sql(&app, scope).await;
    for row in [
        person(1, &first, "Zoe\u{301}@oak.example", false),
        person(2, &second, "zoe\u{301}@oak.example", true),
        person(3, &first, "ida@oak.example", false),
    ] {
        as_app(&app, &row.replace("e\u{301}", "\u{e9}")).await.unwrap();
    }
    let find = async |email: &str, school: &str| -> Option<String> {
        let values = format!("'{email}', {school}");
        let rows = execute(&app, FIND_LOGIN, "text, text", &values).await;
        rows.first().map(|row| row.get::<sqlx::types::Uuid, _>("id").to_string())
    };
    let id = |last: u8| Some(format!("01980000-0000-7000-8000-0000000000{last:02}"));
    let typed = " ZO\u{c9}@oak.example ";
    assert_eq!(find(typed, "NULL").await, id(2), "the active one");
    assert_eq!(find("zoe\u{301}@oak.example", "NULL").await, id(2), "composed");
    assert_eq!(find(typed, &format!("'{first}'")).await, id(1), "of the school");
    assert_eq!(find("ida@oak.example", "NULL").await, id(3), "a refresh may restore them");
    assert_eq!(find("nobody@oak.example", "NULL").await, None);
}

#[tokio::test]
async fn no_password_opens_a_new_account_until_the_person_sets_one() {
    if !has_php() {
        return;
    }
    let options = TestAppOptions { worker: true, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    app.wait_until_finished(&job).await;
    let php = |code: &str, arguments: &[&str]| {
        let output = Command::new("php").args(["-r", code, "--"]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let verify = "echo var_export(password_verify($argv[1], $argv[2]), true);";
    let read = "SELECT id, password_hash, password_reset_required FROM staff ORDER BY id LIMIT 1";
    let row = || async { sqlx::raw_sql(read).fetch_one(&app.pool).await.unwrap() };
    let new = row().await;
    let hash: String = new.get("password_hash");
    assert!(hash.starts_with("$pbkdf2-sha256$i=1,l=32$") && new.get::<bool, _>(2), "{hash}");
    for password in ["", "password", &hash] {
        assert_eq!(php(verify, &[password, &hash]), "false", "{password}");
    }
    let own = php("echo password_hash($argv[1], PASSWORD_DEFAULT);", &["Correct horse"]);
    let id: sqlx::types::Uuid = new.get("id");
    execute(&app, SET_PASSWORD, "uuid, text", &format!("'{id}', '{own}'")).await;
    let again = app.press_sync(&school).await;
    app.wait_until_finished(&again).await;
    let set = row().await;
    assert!(!set.get::<bool, _>("password_reset_required"));
    assert_eq!(php(verify, &["Correct horse", &set.get::<String, _>("password_hash")]), "true");
}

/// The page, with each sample as it is in its file.
fn filled(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("[examples/") {
        let (file, _) = after.split_once(']').unwrap();
        let (link, block) = after.split_once("\n\n").unwrap();
        text.extend([before, "[examples/", link, "\n\n"]);
        rest = block;
        if let Some(block) = block.strip_prefix("```") {
            let (language, block) = block.split_once('\n').unwrap();
            let (_, after) = block.split_once("```").unwrap();
            let sample = std::fs::read_to_string(Path::new(EXAMPLES).join(file)).unwrap();
            text.extend(["```", language, "\n", &sample, "```"]);
            rest = after;
        }
    }
    text + rest
}

#[test]
fn the_samples_of_the_page_are_the_files_that_are_tested() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let text = filled(&page);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(page == text, "docs/integration.md is out of date: run again with UPDATE_EXPECT=1");
    for file in std::fs::read_dir(EXAMPLES).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_sample = [".php", ".ts", ".sql"].iter().any(|end| name.ends_with(end));
        let block = format!("](../examples/{name})\n\n```");
        assert!(!is_sample || page.contains(&block), "{name} is not on the page");
    }
}

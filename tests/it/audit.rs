//! The audit log as an operator reads and verifies it.

use mis_sync_testing::TestApp;
use serde_json::{Value, json};

use crate::{
    press::{one_school, sync},
    rows::execute,
    shell::{assert_has, command, done, json_of},
};

async fn tamper(app: &TestApp, sql: &str) {
    execute(app, "ALTER TABLE audit_log DISABLE TRIGGER ALL").await;
    execute(app, sql).await;
    execute(app, "ALTER TABLE audit_log ENABLE TRIGGER ALL").await;
}

/// What a verification that finds something prints, and what it says on standard error.
async fn broken(app: &TestApp, more: &[&str]) -> (Value, String) {
    let arguments = [&["audit", "verify", "--json"], more].concat();
    let (code, printed, said) = command(app, &arguments, None).await;
    assert_eq!(code, 1, "{printed}{said}");
    (serde_json::from_str(&printed).unwrap(), said)
}

#[tokio::test]
async fn what_people_did_is_listed_and_proved() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    done(&app, &["schools", "settings", school.as_str(), "teachers_only=true"]).await;
    let key = json_of(&app, &["keys", "create", "--name", "iP", "--role", "app"]).await;
    let id = key["id"].as_str().unwrap();
    done(&app, &["keys", "revoke", id]).await;

    let lines = json_of(&app, &["audit", "list"]).await;
    let said: Vec<_> = lines
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|line| (line["actor"].as_str().unwrap(), line["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("a test", "create_key"),
            ("test", "connect_school"),
            ("command line", "change_school"),
            ("command line", "create_key"),
            ("command line", "revoke_key"),
        ]
    );
    assert_eq!(lines[0]["subject"], id);
    let listed = done(&app, &["audit", "list", "--school", school.as_str()]).await;
    assert_has(&listed, &["WHO", "connect_school", school.as_str(), "test"]);
    assert!(!listed.contains("revoke_key"), "{listed}");
    let one = json_of(&app, &["audit", "list", "--action", "create_key", "--limit", "1"]).await;
    assert_eq!(one[0]["position"], 4);
    let none = ["audit", "list", "--job", "01890000-0000-7000-8000-000000000000"];
    assert_has(&done(&app, &none).await, &["There are no such lines yet."]);
    let (code, _, said) = command(&app, &["audit", "list", "--action", "undone"], None).await;
    assert_eq!(code, 2);
    assert_has(&said, &["`undone` is not a valid audited action"]);
}

#[tokio::test]
async fn a_log_that_was_touched_is_a_failure() {
    let (app, school) = one_school(json!({})).await;
    for setting in ["teachers_only=true", "teachers_only=false", "import_photos=true"] {
        done(&app, &["schools", "settings", school.as_str(), setting]).await;
    }
    let whole = json_of(&app, &["audit", "verify"]).await;
    assert_eq!((&whole["whole"], &whole["lines"]), (&json!(true), &json!(5)));
    let head = whole["head_hash"].as_str().unwrap();
    let text = done(&app, &["audit", "verify", "--head", head]).await;
    assert_has(&text, &["5 lines, none changed", head, "--head"]);

    tamper(&app, "DELETE FROM audit_log WHERE position = 5").await;
    assert_has(&done(&app, &["audit", "verify"]).await, &["4 lines"]);
    let (found, said) = broken(&app, &["--head", head]).await;
    assert_eq!(found["position"], 5);
    assert_has(&said, &["no line has the hash", head, "from position 5"]);

    tamper(&app, "UPDATE audit_log SET actor = 'nobody' WHERE position = 3").await;
    let (found, said) = broken(&app, &[]).await;
    assert_eq!(found, json!({"whole": false, "position": 3, "why": "the line was changed"}));
    assert_has(&said, &["the audit log is broken at position 3: the line was changed"]);
    let (code, _, said) = command(&app, &["audit", "verify", "--head", "x"], None).await;
    assert_eq!(code, 2);
    assert_has(&said, &["64 hexadecimal digits"]);
}

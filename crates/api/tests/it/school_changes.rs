//! Changes of a school: single settings, and only as the caller saw it.

use mis_sync_domain::Role;
use serde_json::{Value, json};

use crate::support::{Answer, App, Ask};

fn patch(body: &Value) -> Ask {
    Ask::new("PATCH", "/v1/schools/oak").text("application/merge-patch+json", body.to_string())
}

fn whole() -> Value {
    json!({"name": "Oakfield", "wonde_school_id": "A1930499544"})
}

fn tag(answer: &Answer) -> String {
    assert!(answer.status < 300, "{}", answer.text);
    answer.header("etag").to_owned()
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let app = App::start().await;
    app.school("oak").await;
    let before = app.admin(Ask::get("/v1/schools/oak")).await.json();
    let changes = json!({"settings": {"teachers_only": true, "schedule": {"enabled": false}}});
    let answer = app.admin(patch(&changes)).await;
    let after = answer.json();
    assert_eq!((&after["name"], &after["token_state"]), (&before["name"], &json!("held")));
    let mut expected = before["settings"].clone();
    expected["teachers_only"] = true.into();
    expected["schedule"]["enabled"] = false.into();
    assert_eq!(after["settings"], expected);
    // Null brings back the default.
    let back = app.admin(patch(&json!({"settings": {"schedule": null}}))).await.json();
    assert_eq!(back["settings"]["schedule"], before["settings"]["schedule"]);
    assert_eq!(back["settings"]["teachers_only"], true);
    let back = app.admin(patch(&json!({"settings": null, "name": "Oakfield"}))).await.json();
    assert_eq!((&back["settings"], &back["name"]), (&before["settings"], &json!("Oakfield")));
}

#[tokio::test]
async fn a_patch_with_null_removes_the_mis_and_whatever_else_keeps_it() {
    let app = App::start().await;
    app.school("oak").await;
    let put = |body: &Value| Ask::put("/v1/schools/oak").json(body);
    let with_mis = |mis: Value| json!({"name": "Oak", "wonde_school_id": "A1", "mis": mis});
    for keep in
        [put(&with_mis("SIMS".into())), put(&with_mis(Value::Null)), patch(&json!({"name": "Oak"}))]
    {
        assert_eq!(app.admin(keep).await.json()["mis"], "SIMS");
    }
    let school = app.admin(patch(&json!({"mis": null}))).await.json();
    assert_eq!((&school["mis"], &school["name"]), (&Value::Null, &json!("Oak")));
}

#[tokio::test]
async fn a_patch_is_checked_like_a_whole_request() {
    let app = App::start().await;
    app.admin(patch(&json!({"name": "x"}))).await.problem(404, "unknown-school");
    app.school("oak").await;
    for (body, field) in [
        (json!({"name": null}), "name"),
        (json!({"mis": ""}), "mis"),
        (json!({"token": null}), "token"),
        (json!({"token": "a b"}), "token"),
        (json!({"nonsense": 1}), "nonsense"),
        (
            json!({"settings": {"guard": {"deactivated": {"percent": 101}}}}),
            "settings.guard.deactivated.percent",
        ),
        (json!({"callback_url": "https://ip.example/"}), "callback_url"),
    ] {
        let problem = app.admin(patch(&body)).await.problem(422, "invalid-school");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let moved = json!({"wonde_base_url": "https://api-other.wonde.com/v1.0"});
    app.admin(patch(&moved)).await.problem(422, "token-would-move");
    // A key that is bound to the school may change it, but not its Wonde id.
    let key = app.key(Role::App, Some("oak")).await;
    let other = patch(&json!({"wonde_school_id": "A7"})).key(&key);
    app.send(other).await.problem(403, "wonde-id-fixed");
    let named = app.send(patch(&json!({"name": "Oak"})).key(&key)).await.json();
    assert_eq!(named["name"], "Oak");
}

#[tokio::test]
async fn a_change_of_what_was_changed_meanwhile_is_refused() {
    let app = App::start().await;
    app.school("oak").await;
    let get = async || app.admin(Ask::get("/v1/schools/oak")).await;
    let old = tag(&get().await);
    assert_eq!(tag(&get().await), old, "reading changes nothing");
    app.sql("UPDATE school SET last_synced_at = now()".to_owned()).await;
    assert_eq!(tag(&get().await), old, "and neither does a sync");

    let put = |tag: &str| Ask::put("/v1/schools/oak").json(&whole()).header("if-match", tag);
    let new = tag(&app.admin(put(&old)).await);
    assert_ne!(new, old);
    let change = json!({"settings": {"teachers_only": true}});
    app.admin(put(&old)).await.problem(412, "changed-meanwhile");
    app.admin(patch(&change).header("if-match", &old)).await.problem(412, "changed-meanwhile");
    let delete = |tag: &str| Ask::delete("/v1/schools/oak").header("if-match", tag);
    app.admin(delete(&old)).await.problem(412, "changed-meanwhile");
    assert_eq!(tag(&get().await), new, "nothing was changed");

    let weak = format!("W/{new}");
    app.admin(patch(&change).header("if-match", &weak)).await.problem(412, "changed-meanwhile");
    let newer = tag(&app.admin(patch(&change).header("if-match", &new)).await);
    assert_eq!(app.admin(delete(&newer)).await.status, 204);
    // `*` is for a school that exists.
    let none = Ask::put("/v1/schools/elm").json(&whole()).header("if-match", "*");
    app.admin(none).await.problem(412, "changed-meanwhile");
}

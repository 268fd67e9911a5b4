//! What people do to jobs, over HTTP.

use mis_sync_domain::Role;
use serde_json::json;

use crate::support::{App, Ask};

const ACTIONS: &[&str] = &["cancel", "retry", "approve", "reject", "undo"];
const STATES: &[&str] =
    &["queued", "running", "retrying", "held", "succeeded", "failed", "cancelled"];

/// Whether a job may be acted on, and the result.
fn outcome(action: &str, state: &str) -> Option<&'static str> {
    match (action, state) {
        ("cancel", "queued" | "running" | "retrying" | "held") | ("reject", "held") => {
            Some("cancelled")
        }
        ("approve", "held") => Some("held"),
        ("retry", "retrying") => Some("retrying"),
        ("retry", "failed" | "cancelled") => Some("queued"),
        _ => None,
    }
}

#[tokio::test]
async fn every_action_in_every_state() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    for action in ACTIONS {
        for state in STATES {
            let job = app.job(&oak).await.id.to_string();
            app.put_in_state(&job, state).await;
            let answer = app.admin(Ask::post(&format!("/v1/jobs/{job}/{action}"))).await;
            match outcome(action, state) {
                // This job changed nothing.
                None if (*action, *state) == ("undo", "succeeded") => {
                    answer.problem(409, "nothing-to-undo");
                }
                Some(then) => {
                    assert!(answer.status < 300, "{action} {state}: {}", answer.text);
                    assert_eq!(answer.json()["state"], then, "{action} {state}");
                }
                None => {
                    let problem = answer.problem(409, "wrong-job-state");
                    assert_eq!(problem["state"], *state, "{action}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_retry_is_a_new_job_that_leads_back() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let first = app.job(&oak).await.id.to_string();
    app.put_in_state(&first, "failed").await;
    let retry = || Ask::post(&format!("/v1/jobs/{first}/retry"));
    let answer = app.admin(retry()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let job = answer.json();
    assert_eq!(job["links"]["retry_of"], format!("/v1/jobs/{first}"));
    assert_eq!(answer.header("location"), job["links"]["self"]);
    let again = app.admin(retry()).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &job["id"]), "one is enough");

    app.admin(Ask::delete("/v1/schools/oak")).await;
    app.admin(retry()).await.problem(409, "school-not-connected");
}

#[tokio::test]
async fn a_reason_is_kept_and_nonsense_is_refused() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id;
    let cancel = || Ask::post(&format!("/v1/jobs/{job}/cancel"));
    for bad in [json!({"reason": 5}), json!({"why": "x"}), json!({"reason": "x".repeat(501)})] {
        app.admin(cancel().json(&bad)).await.problem(400, "malformed-body");
    }
    let answer = app.admin(cancel().json(&json!({"reason": "  asked by the school  "}))).await;
    let error = &answer.json()["error"];
    assert_eq!(error["type"], "cancelled");
    assert_eq!(error["detail"], "By admin: asked by the school");
}

#[tokio::test]
async fn a_job_of_another_school_does_not_exist() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    app.school("elm").await;
    let job = app.job(&oak).await.id;
    let key = app.key(Role::Operator, Some("elm")).await;
    for action in ACTIONS {
        for id in [job.to_string(), "nonsense".to_owned()] {
            let ask = Ask::post(&format!("/v1/jobs/{id}/{action}"));
            app.send(ask.key(&key)).await.problem(404, "unknown-job");
        }
    }
    assert_eq!(app.all_jobs().await[0].state.as_str(), "queued");
}

#[tokio::test]
async fn an_undo_answers_with_a_job_of_its_own_or_with_what_stands_in_the_way() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await.to_string();
    let job = app.job(&oak).await.id.to_string();
    app.put_in_state(&job, "succeeded").await;
    app.only_change(&job, &person).await;
    let undo = |job: &str| Ask::post(&format!("/v1/jobs/{job}/undo"));

    app.sql("UPDATE staff SET first_name = 'By hand'".to_owned()).await;
    let problem = app.admin(undo(&job)).await.problem(409, "undo-conflict");
    let conflict = json!({"record": "staff", "id": person, "field": "first_name", "job_id": null});
    assert_eq!(problem["conflicts"], json!([conflict]));

    app.only_change(&job, &person).await;
    let answer = app.admin(undo(&job)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let undone = answer.json();
    assert_eq!((&undone["state"], &undone["report"]["updated"]), (&json!("succeeded"), &json!(1)));
    assert_eq!(undone["links"]["undo_of"], format!("/v1/jobs/{job}"));
    app.admin(undo(&job)).await.problem(409, "nothing-to-undo");
    // The undo can be undone.
    let again = app.admin(undo(undone["id"].as_str().unwrap())).await;
    assert_eq!(again.status, 200, "{}", again.text);
}

#[tokio::test]
async fn people_can_be_left_out_of_an_approval() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id.to_string();
    app.put_in_state(&job, "held").await;
    app.sql(format!(
        r#"UPDATE job SET report = '{{"guard":[{{"category":"deactivated","records":5,"of":8}}]}}'
           WHERE id = '{job}'"#
    ))
    .await;
    app.sql(format!(
        "INSERT INTO job_change (job_id, record, wonde_id, field) VALUES ('{job}', 'staff', 'A1', 'created')"
    ))
    .await;
    let approve = |leave: serde_json::Value| {
        Ask::post(&format!("/v1/jobs/{job}/approve")).json(&json!({ "leave_people": leave }))
    };
    for bad in [json!(["A1"]), json!([{ "staff_id": "A1" }]), json!([{ "name": "Ada" }])] {
        let problem = app.admin(approve(bad)).await.problem(400, "malformed-body");
        assert!(problem["detail"].as_str().unwrap().contains("leave_people"), "{problem}");
    }
    let stranger = json!([{ "wonde_id": "A1" }, { "wonde_id": "A2" }]);
    let problem = app.admin(approve(stranger)).await.problem(409, "not-held-for");
    assert!(problem["detail"].as_str().unwrap().contains("nothing about 1 of"), "{problem}");
    let answer = app.admin(approve(json!([{ "wonde_id": "A1" }]))).await;
    assert_eq!(answer.json()["approval"]["leave_people"], json!([{ "wonde_id": "A1" }]));
}

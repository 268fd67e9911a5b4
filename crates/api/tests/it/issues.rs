//! The records that a job did not import in full.

use mis_sync_domain::IssueCode;
use serde_json::{Value, json};

use crate::support::{App, Ask};

#[tokio::test]
async fn issues_are_listed_page_by_page() {
    let app = App::start().await;
    let id = app.job(&app.school("oak").await).await.id;
    let other = app.job(&app.school("elm").await).await.id;
    for code in IssueCode::ALL {
        app.sql(format!(
            "INSERT INTO job_issue (job_id, code, wonde_id)
             VALUES ('{id}', '{0}', nullif('A-{0}', 'A-unreadable_record')), ('{other}', '{0}', 'X')",
            code.as_str()
        ))
        .await;
    }
    let path = format!("/v1/jobs/{id}/issues");
    let all = app.admin(Ask::get(&path)).await.json();
    let wanted: Vec<Value> = IssueCode::ALL
        .iter()
        .map(|code| {
            let wonde_id = Some(format!("A-{}", code.as_str()))
                .filter(|_| *code != IssueCode::UnreadableRecord);
            json!({
                "code": code.as_str(),
                "sentence": code.sentence(),
                "mis_field": code.mis_field(),
                "login_used_at_school": null,
                "wonde_id": wonde_id,
            })
        })
        .collect();
    assert_eq!(all, json!({"issues": wanted, "next_cursor": null}));

    let mut seen = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = app.admin(Ask::get(&format!("{path}{query}"))).await.json();
        seen.extend(page["issues"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=4&cursor={cursor}");
    }
    assert_eq!(seen, wanted);
}

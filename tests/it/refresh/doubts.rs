//! A record that now belongs to someone else.

use super::*;

/// Makes the person in iP another one than in the MIS.
async fn is_someone_else(app: &TestApp, person: &str) -> String {
    let edit = format!(
        "UPDATE staff SET first_name = 'Imogen', surname = 'Elsewhere',
             email = 'imogen@elsewhere.example', password_reset_required = false
         WHERE id = '{person}'"
    );
    execute(app, &edit).await;
    row(app, person).await
}

async fn row(app: &TestApp, person: &str) -> String {
    texts(app, &format!("SELECT s::text FROM staff s WHERE id = '{person}'")).await.remove(0)
}

#[tokio::test]
async fn a_login_does_not_turn_the_account_into_someone_elses() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    let before = is_someone_else(&app, &person).await;
    let (outcome, job) = refreshed(&app, &school, &person).await;
    assert_eq!(outcome, "unchanged");
    assert_eq!(row(&app, &person).await, before);
    assert_eq!(changed_fields(&app, &job).await, Vec::<String>::new());
    let codes = texts(&app, &format!("SELECT code FROM job_issue WHERE job_id = '{job}'")).await;
    assert_eq!(codes, ["possible_match"]);
    let waiting = format!(
        "SELECT count(*) FROM match_candidate WHERE staff_id = '{person}' AND in_doubt
             AND wonde_id = (SELECT wonde_id FROM staff WHERE id = '{person}')"
    );
    assert_eq!(number(&app, &waiting).await, 1);
    // They were not read, so the next login asks again.
    let (outcome, _) = refreshed(&app, &school, &person).await;
    assert_eq!(outcome, "unchanged");
}

#[tokio::test]
async fn the_school_is_told_and_a_person_decides() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    let before = is_someone_else(&app, &person).await;
    sync(&app, &school).await;
    assert_eq!(row(&app, &person).await, before);
    let explained = app.get(&format!("/v1/schools/{school}/explain?staff_id={person}"));
    let explained: Value = explained.send().await.unwrap().json().await.unwrap();
    assert_eq!(explained["verdict"], "possible_match", "{explained}");
    let matched = explained["steps"].as_array().unwrap().iter().find(|s| s["step"] == "matched");
    assert_eq!(matched.unwrap()["outcome"], "unknown", "{explained}");

    let path = format!("/v1/schools/{school}/matches");
    let list: Value = app.get(&path).send().await.unwrap().json().await.unwrap();
    let found = &list["matches"][0];
    assert_eq!((&found["staff_id"], &found["in_doubt"]), (&json!(person), &json!(true)), "{list}");
    let decision = json!({ "wonde_id": found["wonde_id"], "staff_id": person });
    let answer = app.post(&path).json(&decision).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 204);
    sync(&app, &school).await;
    let passed_on = format!(
        "SELECT count(*) FROM staff WHERE id = '{person}' AND password_reset_required
             AND first_name <> 'Imogen' AND surname <> 'Elsewhere'"
    );
    assert_eq!(number(&app, &passed_on).await, 1);
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_further_record_of_the_person_is_not_forgotten_at_the_login() {
    let (app, school) = synced_school().await;
    for scenario in [ScenarioName::RoleChange, ScenarioName::Leaver] {
        let wonde_id = apply(&app, &school, scenario).remove(0);
        let person = staff_id(&app, &wonde_id).await;
        let further = format!(
            "INSERT INTO staff_alias (school_id, wonde_id, staff_id)
             VALUES ('{school}', 'further-{wonde_id}', '{person}')"
        );
        execute(&app, &further).await;
        // The other record may differ: roles, classes and leaving are left to a sync, which reads
        // both.
        let (_, job) = refreshed(&app, &school, &person).await;
        let changed = changed_fields(&app, &job).await;
        assert!(!changed.contains(&"job_title".to_owned()), "{changed:?}");
        assert!(!changed.contains(&"active".to_owned()), "{changed:?}");
    }
}

//! What pages contain, and what they hide.

use mis_sync_domain::Role;
use mis_sync_store::audit::{self, AuditFilter};

use super::{SignedIn, between, place};
use crate::support::{App, Ask};

/// A job of the school `oak` that changed the email of one person, and that person.
async fn changed(app: &App) -> (String, String) {
    let oak = app.school("oak").await;
    let person = app.person(&oak).await.to_string();
    let job = app.job(&oak).await.id.to_string();
    app.put_in_state(&job, "succeeded").await;
    app.sql(format!(
        "INSERT INTO job_change (job_id, record, staff_id, wonde_id, field, old_value, new_value)
         VALUES ('{job}', 'staff', '{person}', 'A1', 'email', 'old@oak.example', 'new@oak.example'),
             ('{job}', 'staff', '{person}', 'A1', 'job_title', 'Head', NULL),
             ('{job}', 'staff', '{person}', 'A1', 'active', 'true', 'false')"
    ))
    .await;
    (job, person)
}

/// Holds a job because five of eight people would be deactivated.
async fn hold(app: &App, job: &str) {
    let guard = r#"{"guard":[{"category":"deactivated","records":5,"of":8}]}"#;
    app.put_in_state(job, "held").await;
    app.sql(format!("UPDATE job SET report = '{guard}' WHERE id = '{job}'")).await;
}

async fn last_action(app: &App) -> String {
    let lines = audit::list(&app.pool, &AuditFilter::default(), 1).await.unwrap();
    let job = lines[0].job_id.map(|id| id.to_string()).unwrap_or_default();
    format!("{} {job}", lines[0].action)
}

#[tokio::test]
async fn personal_data_is_hidden_until_someone_who_may_asks_and_that_is_noted() {
    let app = App::start().await;
    let (job, _) = changed(&app).await;
    let path = format!("/dashboard/jobs/{job}");
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    for page in ["/dashboard", "/dashboard/jobs", "/dashboard/schools/oak", &path] {
        let text = operator.get(&app, page).await.text;
        for hidden in ["old@oak.example", "new@oak.example", "Head", "Ada"] {
            assert!(!text.contains(hidden), "{hidden} on {page}");
        }
    }
    let page = operator.get(&app, &path).await.text;
    assert!(page.contains("1 person can no longer log in"), "{page}");
    assert!(page.contains("1 person lost their job title"), "{page}");
    let revealed = operator.post(&app, &format!("{path}/changes?field=email"), &[]).await;
    assert_eq!(revealed.header("location"), format!("{path}?field=email"));
    assert_eq!(last_action(&app).await, format!("reveal {job}"));
    let shown = operator.get(&app, &path).await.text;
    assert!(shown.contains("old@oak.example") && shown.contains("Head"));
    let only = operator.get(&app, &format!("{path}?field=email")).await.text;
    assert!(only.contains("old@oak.example") && !only.contains("Head"));
    let colleague = SignedIn::of_role(&app, Role::Operator).await;
    let other = colleague.get(&app, &path).await.text;
    assert!(!other.contains("old@oak.example"), "another session");
    let ends = "UPDATE dashboard_reveal SET until = now() - interval '1 second'";
    app.sql(ends.into()).await;
    let later = operator.get(&app, &path).await.text;
    assert!(!later.contains("old@oak.example"), "it ends by itself");

    let viewer = SignedIn::of_role(&app, Role::Viewer).await;
    let page = viewer.get(&app, &path).await.text;
    assert!(!page.contains("Show personal data") && !page.contains("/cancel"), "{page}");
}

#[tokio::test]
async fn a_person_is_explained_to_those_who_may_and_that_is_noted() {
    let app = App::start().await;
    let (_, person) = changed(&app).await;
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    let fields = [("school", "oak"), ("q", person.as_str())];
    let path = place(&operator.post(&app, "/dashboard/find", &fields).await);
    assert_eq!(path, format!("/dashboard/schools/oak/people/{person}"));
    let hidden = operator.get(&app, &path).await.text;
    assert!(hidden.contains("class=\"verdict\"") && !hidden.contains("Ada"), "{hidden}");
    let page = operator.post(&app, &path, &[]).await.text;
    assert!(page.contains("class=\"verdict\"") && page.contains("Ada"), "{page}");
    let lines = audit::list(&app.pool, &AuditFilter::default(), 1).await.unwrap();
    assert_eq!(lines[0].action.as_str(), "reveal");
    assert_eq!(lines[0].staff_id.unwrap().to_string(), person);
    let nobody = "01985bb3-d16d-7a13-92dd-9b0131ca3f1d";
    let page = operator.post(&app, "/dashboard/find", &[("q", nobody)]).await.text;
    assert!(page.contains("Nothing in iP or in the last syncs matches"), "{page}");
    let unknown = operator.get(&app, &format!("/dashboard/schools/oak/people/{nobody}")).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn names_are_found_and_shown_only_by_roles_that_may_and_that_is_noted() {
    let app = App::start().await;
    let (_, person) = changed(&app).await;
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    let viewer = SignedIn::of_role(&app, Role::Viewer).await;
    let page = operator.post(&app, "/dashboard/find", &[("q", "ada")]).await.text;
    assert!(page.contains(&person) && page.contains("Ada Day"), "{page}");
    assert_eq!(last_action(&app).await, "reveal ");
    let page = viewer.post(&app, "/dashboard/find", &[("q", "ada")]).await.text;
    assert!(page.contains("Your role finds people by their staff id"), "{page}");
    assert!(!page.contains("Ada Day") && !page.contains(&person), "{page}");
    let path = place(&viewer.post(&app, "/dashboard/find", &[("q", &person)]).await);
    let page = viewer.get(&app, &path).await.text;
    assert!(page.contains("class=\"verdict\"") && !page.contains("Ada"), "{page}");
    let page = operator.post(&app, "/dashboard/find", &[("q", "a")]).await.text;
    assert!(page.contains("Type at least two letters"), "{page}");
}

#[tokio::test]
async fn what_is_typed_as_pages_show_it_or_pasted_from_a_mail_leads_to_the_page() {
    let app = App::start().await;
    let (job, person) = changed(&app).await;
    app.sql("UPDATE staff SET email = 'ada@oak.example'".into()).await;
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    let short = &person[28..];
    for typed in [
        short,
        &short.to_uppercase(),
        &format!("person {short}"),
        "Ada Day <Ada@oak.example>,",
        "ada@oak.example; ",
        "(ada@oak.example)",
    ] {
        let path = place(&operator.post(&app, "/dashboard/find", &[("q", typed)]).await);
        assert_eq!(path, format!("/dashboard/schools/oak/people/{person}"), "{typed}");
    }
    for typed in [&job[28..], &format!("job {}", &job[28..]), &job.to_uppercase()] {
        let path = place(&operator.post(&app, "/dashboard/find", &[("q", typed)]).await);
        assert_eq!(path, format!("/dashboard/jobs/{job}"), "{typed}");
    }
}

#[tokio::test]
async fn the_clerk_gets_a_file_of_what_to_mend() {
    let app = App::start().await;
    let (job, _) = changed(&app).await;
    app.sql(format!(
        "INSERT INTO job_issue (job_id, code, wonde_id, record, name, mis_id) VALUES
            ('{job}', 'no_work_email', 'A7', 'staff', 'Jörg Müller', '41'),
            ('{job}', 'manager_missing', 'A1', 'staff', '=1+1 Day', NULL),
            ('{job}', 'class_staff_missing', 'A9', 'class', '7x/Ma1', '311');
         INSERT INTO mis_reading (school_id, job_id, mode, dry_run, read_at, full_job_id, issues)
         VALUES ('oak', '{job}', 'full', false, now(), '{job}', '{{}}');
         UPDATE staff SET wonde_id = 'A1', first_name = '=1+1'"
    ))
    .await;
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    let page = operator.get(&app, "/dashboard/schools/oak").await.text;
    assert!(page.contains("no_work_email") && !page.contains("=1+1"), "{page}");
    let file = operator.post(&app, "/dashboard/schools/oak/quality", &[]).await;
    assert!(file.header("content-disposition").contains("issues-oak.csv"));
    assert!(file.text.starts_with('\u{feff}'), "{}", file.text);
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(lines.len(), 4, "{}", file.text);
    assert!(
        lines[1].starts_with("Jörg Müller,41,A7,Person,,") && lines[1].ends_with(",no_work_email"),
        "{}",
        lines[1]
    );
    assert!(lines[3].starts_with(",311,A9,Class,7x/Ma1,"), "{}", lines[3]);
    assert!(lines[2].starts_with("'=1+1 Day,"), "{}", lines[2]);
    assert_eq!(last_action(&app).await, "export ");
}

#[tokio::test]
async fn a_held_change_is_downloaded_with_names_and_that_is_noted() {
    let app = App::start().await;
    let (job, person) = changed(&app).await;
    hold(&app, &job).await;
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    let path = format!("/dashboard/jobs/{job}/download");
    let file = operator.post(&app, &path, &[]).await;
    let lines: Vec<&str> = file.text.lines().collect();
    assert!(lines[0].ends_with("Name,Work email,Id,Group,Field,Old,New"), "{}", file.text);
    assert_eq!(lines.len(), 4, "{}", file.text);
    assert!(lines.iter().skip(1).all(|line| line.starts_with("Ada ") && line.contains(&person)));
    assert!(file.text.contains("can no longer log in"), "{}", file.text);
    assert_eq!(last_action(&app).await, format!("export {job}"));
}

#[tokio::test]
async fn a_panel_that_cannot_be_read_says_so_and_the_rest_is_there() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    app.sql("ALTER TABLE worker RENAME TO worker_away".into()).await;
    for path in ["/dashboard", "/dashboard/queues"] {
        let page = who.get(&app, path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.text.matches("This cannot be shown now.").count(), 1, "{}", page.text);
        assert!(page.text.contains("Lanes"), "{}", page.text);
    }
}

#[tokio::test]
async fn a_key_is_shown_once() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    let page = who.post(&app, "/dashboard/keys", &[("name", "Ops"), ("role", "viewer")]).await.text;
    let key = between(&page, "id=\"new-key\">", "<");
    SignedIn::with(&app, &key).await;
    let page = who.get(&app, "/dashboard/keys").await.text;
    assert!(page.contains("Ops") && !page.contains(&key));
    for wrong in [[("name", ""), ("role", "viewer")], [("name", "x"), ("role", "king")]] {
        assert_eq!(who.post(&app, "/dashboard/keys", &wrong).await.status, 400);
    }
}

#[tokio::test]
async fn an_administrator_sets_a_schools_rules() {
    let app = App::start().await;
    app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let fields = [
        ("teachers_only", "on"),
        ("freshness", "30"),
        ("keep_leavers", "on"),
        ("hierarchy_lists", "reports"),
    ];
    let answer = who.post(&app, "/dashboard/schools/oak/settings", &fields).await;
    assert_eq!(place(&answer), "/dashboard/schools/oak");
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    let settings = &school["settings"];
    assert_eq!(settings["teachers_only"], true);
    assert_eq!(settings["import_classes"], false, "what is not ticked is off");
    assert_eq!(settings["leaver_policy"], "keep");
    assert_eq!(settings["refresh_freshness_minutes"], 30);
    assert_eq!(settings["guard"]["deactivated"]["count"], 3, "what the form lacks stays");
    assert_eq!(settings["hierarchy_lists"], "reports");
    let page = who.get(&app, "/dashboard/schools/oak").await.text;
    assert!(page.contains("<dd>the people who report to a person</dd>"), "{page}");
    let sideways = [("freshness", "30"), ("hierarchy_lists", "sideways")];
    assert_eq!(who.post(&app, "/dashboard/schools/oak/settings", &sideways).await.status, 422);
    let unsaid = [("freshness", "30"), ("hierarchy_lists", "")];
    who.post(&app, "/dashboard/schools/oak/settings", &unsaid).await;
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    assert!(school["settings"]["hierarchy_lists"].is_null());
    for wrong in ["", "soon", "1441", "-1"] {
        let answer =
            who.post(&app, "/dashboard/schools/oak/settings", &[("freshness", wrong)]).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.text.contains("Nothing was saved"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_people_typed_is_text_and_never_markup() {
    let app = App::start().await;
    app.school("oak").await;
    app.sql("UPDATE school SET name = '<script>x</script>', mis = '\"><b>'".into()).await;
    let who = SignedIn::with(&app, &app.admin).await;
    for path in [
        "/dashboard/schools",
        "/dashboard/schools/oak",
        "/dashboard/palette?q=script",
        "/dashboard/jobs?q=%3Cscript%3Ex",
        "/dashboard/schools?q=%22%3E%3Cb%3E",
        "/dashboard/audit?actor=%3Cscript%3Ex",
    ] {
        let text = who.get(&app, path).await.text;
        assert!(!text.contains("<script>x") && !text.contains("\"><b>"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_school_says_what_wonde_gives_and_what_is_kept_back() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let path = "/dashboard/schools/oak";
    let page = who.get(&app, path).await.text;
    assert!(page.contains("not known yet") && !page.contains("withheld"), "{page}");
    let job = app.job(&oak).await.id;
    app.sql(format!(
        "INSERT INTO mis_reading (school_id, job_id, mode, dry_run, read_at, issues)
         VALUES ('oak', '{job}', 'full', false, now(), '{{roles_withheld,unknown_mis}}')"
    ))
    .await;
    app.sql("UPDATE school SET last_full_sync_at = now(), mis = 'Bromcom'".into()).await;
    let page = who.get(&app, path).await.text;
    let states = ["delivered", "withheld", "not from this MIS", "not imported"];
    let wonde = between(&page, "What Wonde delivers", "</table>");
    for state in states {
        assert!(wonde.contains(state), "{state}: {wonde}");
    }
    assert!(wonde.contains("Bromcom does not deliver this"), "{wonde}");
    let roles = between(&wonde, "Roles (job title)", "</tr>");
    assert!(roles.contains("withheld") && roles.contains("so job titles"), "{roles}");
    assert!(!page.contains("Withheld since"), "no time was kept: {page}");
    app.sql(
        "INSERT INTO withheld_data VALUES ('oak', 'roles_withheld', '2026-09-14T08:30:00Z')".into(),
    )
    .await;
    let page = who.get(&app, path).await.text;
    let roles = between(&page, "Roles (job title)", "</tr>");
    assert!(roles.contains("Withheld since") && roles.contains("2026-09-14T08:30"), "{roles}");
    assert!(page.contains("1 kind of data</strong>, since "), "{page}");
    let list = who.get(&app, "/dashboard/schools").await.text;
    assert!(list.contains("1 withheld"), "{list}");
}

#[tokio::test]
async fn a_job_that_is_somewhere_else_by_now_is_a_page_that_says_so() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id.to_string();
    app.put_in_state(&job, "succeeded").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let answer = who.post(&app, &format!("/dashboard/jobs/{job}/cancel"), &[]).await;
    assert_eq!(answer.status, 409);
    let sentence = "By now the job has succeeded, so nothing was done.";
    assert!(answer.text.contains(sentence), "{}", answer.text);
    assert!(answer.text.contains("Full sync of"), "it is the page of the job");
    let again = who.get(&app, &format!("/dashboard/jobs/{job}/cancel")).await;
    assert_eq!((again.status, again.header("location")), (303, &*format!("/dashboard/jobs/{job}")));
    for path in ["/dashboard/jobs/nothing", "/dashboard/schools/nowhere", "/dashboard/what/ever"] {
        let answer = who.get(&app, path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, "text/html; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn the_first_load_is_small_and_what_it_loads_is_kept() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    let gzip = |path: &str| Ask::get(path).cookie(&who.cookie).header("accept-encoding", "gzip");
    let page = who.get(&app, "/dashboard").await.text;
    let mut bytes = app.bytes(gzip("/dashboard")).await;
    let parts = page.split(['"']).filter(|part| part.starts_with("/dashboard/assets/"));
    let mut loaded = 0;
    for path in parts {
        let answer = app.begin(gzip(path)).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        bytes += app.bytes(gzip(path)).await;
        loaded += 1;
    }
    assert_eq!(loaded, 5);
    assert!(bytes <= 100 * 1024, "{bytes} bytes");
    assert_eq!(
        who.get(&app, "/dashboard/assets/dashboard.css").await.status,
        404,
        "only by its hash"
    );
}

#[tokio::test]
async fn the_second_of_two_tabs_is_told_who_was_first() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id.to_string();
    hold(&app, &job).await;
    let first = SignedIn::of_role(&app, Role::Operator).await;
    let second = SignedIn::with(&app, &app.admin).await;
    let path = format!("/dashboard/jobs/{job}");
    let reject = format!("{path}/reject");
    assert_eq!(first.post(&app, &reject, &[]).await.status, 303);
    let ticked = [("category.deactivated", "on")];
    for (what, fields) in [("approve", &ticked[..]), ("reject", &[]), ("review", &ticked)] {
        let answer = second.post(&app, &format!("{path}/{what}"), fields).await;
        assert_eq!(answer.status, 409, "{what}");
        assert!(answer.text.contains(" rejected it "), "{what}: {}", answer.text);
        assert!(answer.text.contains("so nothing was done"), "{what}");
    }

    // An approval that differs from one that was first is not dropped without a word.
    app.put_in_state(&job, "held").await;
    assert_eq!(first.post(&app, &format!("{path}/approve"), &ticked).await.status, 303);
    let answer = second.post(&app, &format!("{path}/approve"), &ticked).await;
    assert!(answer.text.contains(" approved it "), "{}", answer.text);
}

#[tokio::test]
async fn an_approval_without_a_tick_shows_the_review_again() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id.to_string();
    hold(&app, &job).await;
    let who = SignedIn::with(&app, &app.admin).await;
    let answer = who.post(&app, &format!("/dashboard/jobs/{job}/approve"), &[]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("Tick a category, or reject the job."), "{}", answer.text);
    assert!(answer.text.contains("id=\"review\""));
}

//! The list of jobs: finding them, and acting on many.

use mis_sync_domain::Role;

use super::{SignedIn, place};
use crate::support::App;

#[tokio::test]
async fn jobs_are_found_by_their_id_their_school_and_their_person() {
    let app = App::start().await;
    let (oak, elm) = (app.school("oak").await, app.school("elm").await);
    app.sql("UPDATE school SET name = 'Elmbridge' WHERE id = 'elm'".into()).await;
    let (first, second) = (app.job(&oak).await.id.to_string(), app.job(&elm).await.id.to_string());
    let person = app.person(&elm).await.to_string();
    app.sql(format!("UPDATE job SET staff_id = '{person}' WHERE id = '{second}'")).await;
    app.put_in_state(&first, "failed").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let row = |id: &str| format!("id=\"job-{id}\"");
    for (query, has_first, has_second) in [
        (String::new(), true, true),
        (format!("?q={first}"), true, false),
        (format!("?q={}", &second[..30]), false, true),
        // As pages show it.
        (format!("?q={}", &second[28..]), false, true),
        (format!("?q={}&state.failed=on", second[28..].to_uppercase()), false, false),
        ("?q=elmbri".into(), false, true),
        ("?school=oak".into(), true, false),
        (format!("?q={person}"), false, true),
        (format!("?user={person}"), false, true),
        ("?state.failed=on".into(), true, false),
        ("?state=failed".into(), true, false),
        ("?kind=refresh-user".into(), false, false),
        ("?q=nowhere".into(), false, false),
        ("?age=1h&q=&kind=".into(), true, true),
    ] {
        let text = who.get(&app, &format!("/dashboard/jobs{query}")).await.text;
        assert_eq!(text.contains(&row(&first)), has_first, "{query}");
        assert_eq!(text.contains(&row(&second)), has_second, "{query}");
    }
    let wrong = who.get(&app, "/dashboard/jobs?colour=red").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("only the fields of the filter"), "{}", wrong.text);
}

#[tokio::test]
async fn a_view_is_kept_for_everybody_and_forgotten() {
    let app = App::start().await;
    let (admin, viewer) =
        (SignedIn::with(&app, &app.admin).await, SignedIn::of_role(&app, Role::Viewer).await);
    let fields = [("name", "Monday <morning>"), ("query", "?state.failed=on&age=24h")];
    let answer = admin.post(&app, "/dashboard/jobs/views", &fields).await;
    assert_eq!(place(&answer), "/dashboard/jobs?state.failed=on&age=24h");
    let page = viewer.get(&app, "/dashboard/jobs").await.text;
    assert!(page.contains("Monday &lt;morning&gt;"), "{page}");
    viewer.post(&app, "/dashboard/jobs/views/forget", &fields[..1]).await;
    assert!(!admin.get(&app, "/dashboard/jobs").await.text.contains("Monday"));
    for (name, query) in [("", "?a=b"), ("x", "https://evil.example"), (&"x".repeat(61), "?a=b")] {
        let fields = [("name", name), ("query", query)];
        assert_eq!(admin.post(&app, "/dashboard/jobs/views", &fields).await.status, 400, "{name}");
    }
}

#[tokio::test]
async fn many_jobs_are_counted_before_and_followed_after() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let mut jobs = Vec::new();
    for state in ["failed", "failed", "cancelled", "queued"] {
        let job = app.job(&oak).await.id.to_string();
        app.put_in_state(&job, state).await;
        jobs.push(job);
    }
    let who = SignedIn::of_role(&app, Role::Operator).await;
    let page = who.get(&app, "/dashboard/jobs?state.failed=on").await.text;
    assert!(page.contains("Retry all") && !page.contains("Cancel all"), "{page}");
    let review = "/dashboard/bulk/review?state.failed=on&state.queued=on&action=retry";
    let page = who.get(&app, review).await.text;
    assert!(page.contains("<strong>2 jobs</strong> of this filter can be retried now"), "{page}");
    let fields = [("action", "retry"), ("query", "?state.failed=on"), ("reason", "Wonde is back")];
    let place = place(&who.post(&app, "/dashboard/bulk", &fields).await);
    let page = who.get(&app, &place).await.text;
    assert!(page.contains("0 of 2") && page.contains("Wonde is back"), "{page}");
    let log = who.get(&app, "/dashboard/audit").await.text;
    assert!(log.contains(&format!("href=\"{place}\"")), "the audit log leads there: {log}");
    let ids: Vec<_> = jobs.iter().map(|job| format!("id.{job}=on")).collect();
    let review = format!("/dashboard/bulk/review?{}&action=retry", ids.join("&"));
    let page = who.get(&app, &review).await.text;
    assert!(page.contains("<strong>3 jobs</strong> of the 4 ticked can be retried"), "{page}");
    let gone = [("action", "retry"), ("query", "?school=nowhere")];
    let again = who.post(&app, "/dashboard/bulk", &gone).await;
    let review = "/dashboard/bulk/review?school=nowhere&action=retry";
    assert_eq!(again.header("location"), review, "the page says that there are none");
    let nothing = who.get(&app, "/dashboard/bulk/review?action=cancel").await;
    assert_eq!(self::place(&nothing), "/dashboard/jobs", "nothing is ticked: nothing is meant");
    let everything = [("action", "cancel"), ("query", "")];
    let again = who.post(&app, "/dashboard/bulk", &everything).await;
    assert_eq!(again.header("location"), "/dashboard/bulk/review?action=cancel");
    assert_eq!(who.get(&app, "/dashboard/bulk/nothing").await.status, 404);
}

#[tokio::test]
async fn each_state_says_what_it_would_leave_of_the_filter() {
    let app = App::start().await;
    let (oak, elm) = (app.school("oak").await, app.school("elm").await);
    app.sql("UPDATE school SET name = 'Elmbridge' WHERE id = 'elm'".into()).await;
    for (school, state) in [(&oak, "failed"), (&oak, "failed"), (&elm, "failed"), (&oak, "held")] {
        let job = app.job(school).await.id.to_string();
        app.put_in_state(&job, state).await;
    }
    let (viewer, operator) = (
        SignedIn::of_role(&app, Role::Viewer).await,
        SignedIn::of_role(&app, Role::Operator).await,
    );
    for (query, failed, held) in [
        ("", 3, 1),
        ("?school=oak", 2, 1),
        ("?school=elm&state.held=on", 1, 0),
        ("?q=nowhere", 0, 0),
    ] {
        let page = viewer.get(&app, &format!("/dashboard/jobs{query}")).await.text;
        for (state, number) in [("failed", failed), ("held", held)] {
            let zero = if number == 0 { " zero" } else { "" };
            let says = format!("<span>{state}</span> <span class=\"amount{zero}\">{number}</span>");
            assert!(page.contains(&says), "{query}: {says} is not in {page}");
        }
        assert!(!page.contains("class=\"tick\""), "a viewer ticks nothing");
    }
    let page = operator.get(&app, "/dashboard/jobs").await.text;
    assert_eq!(page.matches("<input class=\"tick\"").count(), 4, "{page}");
}

#[tokio::test]
async fn jobs_are_found_by_when_they_were_asked_for() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    app.job(&oak).await;
    let who = SignedIn::with(&app, &app.admin).await;
    for (query, says) in [
        ("from=2020-01-01T08:30", "1 job<"),
        ("from=2020-01-01T08:30&until=2020-01-02T08:30", "No job matches"),
        ("until=2999-12-31T23:59:59Z&age=1h", "1 job<"),
    ] {
        let page = who.get(&app, &format!("/dashboard/jobs?{query}")).await.text;
        assert!(page.contains(says), "{query}: {page}");
    }
    let page = who.get(&app, "/dashboard/jobs?from=2020-01-01T08:30").await.text;
    assert!(page.contains(r#"value="2020-01-01T08:30""#), "{page}");
    assert_eq!(who.get(&app, "/dashboard/jobs?from=Monday").await.status, 400);
}

#[tokio::test]
async fn the_types_of_errors_that_there_are_can_be_chosen() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let who = SignedIn::of_role(&app, Role::Viewer).await;
    let none = who.get(&app, "/dashboard/jobs").await.text;
    assert!(none.contains(r#"<datalist id="errors"></datalist>"#), "{none}");
    for _ in 0..2 {
        let job = app.job(&oak).await.id.to_string();
        app.put_in_state(&job, "failed").await;
    }
    let error = r#"{"type": "database", "title": "", "detail": ""}"#;
    app.sql(format!("UPDATE job SET error = '{error}'")).await;
    let page = who.get(&app, "/dashboard/jobs?error=database").await.text;
    let list = r#"list="errors""#;
    let choice = r#"<datalist id="errors"><option value="database"></option></datalist>"#;
    assert!(page.contains(list) && page.contains(choice), "{page}");
    assert!(page.contains("2 jobs<"), "{page}");
}

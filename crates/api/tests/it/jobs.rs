//! Following jobs.

use mis_sync_testing::a_person;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    Affected, GuardCategory, JobFailure, JobId, PhotoCounts, Progress, Report, Role, Stage,
    SyncMode, TeachingCounts,
};
use mis_sync_store::{jobs, schools};
use serde_json::{Value, json};

use crate::{
    dashboard::SignedIn,
    support::{App, Ask},
};

fn job_path(id: JobId) -> String {
    format!("/v1/jobs/{id}")
}

fn is_timestamp(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.ends_with('Z') && text.parse::<DateTime<Utc>>().is_ok()
}

#[tokio::test]
async fn a_job_shows_exactly_the_fields_of_the_contract() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let id = app.job(&oak).await.id;
    let mut shown = app.admin(Ask::get(&job_path(id))).await.json();
    assert!(is_timestamp(&shown["created_at"].take()));
    assert_eq!(
        shown,
        json!({
            "id": id.to_string(),
            "kind": "sync-school",
            "school_id": "oak",
            "state": "queued",
            "created_at": null,
            "started_at": null,
            "finished_at": null,
            "attempt": 0,
            "max_attempts": 5,
            "progress": {"stage": null, "done": 0, "total": null, "percent": 0},
            "requested_by": "test",
            "links": {
                "self": format!("/v1/jobs/{id}"),
                "school": "/v1/schools/oak",
                "changes": format!("/v1/jobs/{id}/changes"),
                "issues": format!("/v1/jobs/{id}/issues"),
            },
        })
    );
}

#[tokio::test]
async fn a_job_is_followed_to_a_good_end() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let id = app.job(&oak).await.id;
    let lease = app.claim(id).await;
    let progress = Progress { stage: Stage::Fetching, done: 50, total: Some(100) };
    jobs::progress(&app.pool, lease, progress).await.unwrap();
    let running = app.admin(Ask::get(&job_path(id))).await;
    assert_eq!(running.header("retry-after"), "1");
    let running = running.json();
    assert_eq!((&running["state"], &running["attempt"]), (&json!("running"), &json!(1)));
    let progress = json!({"stage": "fetching", "done": 50, "total": 100, "percent": 45});
    assert_eq!(running["progress"], progress);
    assert!(is_timestamp(&running["started_at"]));

    let report = Report {
        mode: SyncMode::Delta,
        fetched: 3,
        current: 2,
        created: 2,
        classes: TeachingCounts { fetched: 4, archived: 1, ..TeachingCounts::default() },
        photos: PhotoCounts { updated: 5, ..PhotoCounts::default() },
        guard: vec![Affected { category: GuardCategory::NewIds, records: 5, of: 8 }],
        requests: 1,
        ..Report::default()
    };
    app.succeed(lease, &report).await;
    let ended = app.admin(Ask::get(&job_path(id))).await;
    assert_eq!(ended.header("retry-after"), "");
    let ended = ended.json();
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(ended["progress"]["percent"], 100);
    assert!(is_timestamp(&ended["finished_at"]));
    let report = json!({
        "left_out": [], "mode": "delta", "fetched": 3, "current": 2, "created": 2, "updated": 0, "unchanged": 0,
        "deactivated": 0, "restored": 0, "skipped": 0, "issues": 0, "requests": 1,
        "guard": [{
            "category": "new_ids", "records": 5, "of": 8,
            "sentence": "5 of 8 people would get a new Wonde id",
        }],
        "classes": {
            "fetched": 4, "created": 0, "updated": 0, "unchanged": 0, "archived": 1,
            "restored": 0, "skipped": 0,
        },
        "subjects": {
            "fetched": 0, "created": 0, "updated": 0, "unchanged": 0, "archived": 0,
            "restored": 0, "skipped": 0,
        },
        "photos": {"fetched": 0, "updated": 5, "unchanged": 0, "removed": 0, "skipped": 0},
        "duration_ms": ended["report"]["duration_ms"],
    });
    assert_eq!(ended["report"], report);
}

#[tokio::test]
async fn a_school_without_staff_ends_at_a_hundred_percent_too() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let id = app.job(&oak).await.id;
    let lease = app.claim(id).await;
    app.succeed(lease, &Report::default()).await;
    assert_eq!(app.admin(Ask::get(&job_path(id))).await.json()["progress"]["percent"], 100);
}

#[tokio::test]
async fn a_failing_job_says_why_and_when_it_goes_on() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let id = app.job(&oak).await.id;
    let failure = JobFailure {
        code: "wonde_unavailable".into(),
        title: "Wonde is away".into(),
        detail: "It answered 503.".into(),
    };
    let shown = json!({
        "type": "wonde_unavailable", "title": "Wonde is away", "detail": "It answered 503.",
    });
    let lease = app.claim(id).await;
    jobs::retry(&app.pool, lease, &failure, Duration::from_mins(1)).await.unwrap();
    let answer = app.admin(Ask::get(&job_path(id))).await;
    assert_eq!(answer.header("retry-after"), "1");
    let retrying = answer.json();
    assert_eq!((&retrying["state"], &retrying["error"]), (&json!("retrying"), &shown));
    assert!(is_timestamp(&retrying["next_attempt_at"]));

    let other = app.job(&oak).await.id;
    let lease = app.claim(other).await;
    jobs::fail(&app.pool, lease, &failure).await.unwrap();
    let failed = app.admin(Ask::get(&job_path(other))).await.json();
    assert_eq!((&failed["state"], &failed["error"]), (&json!("failed"), &shown));
    assert!(is_timestamp(&failed["finished_at"]));
}

#[tokio::test]
async fn an_unchanged_job_is_not_sent_again() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let id = app.job(&oak).await.id;
    let ask = |etag: &str| Ask::get(&job_path(id)).header("if-none-match", etag);
    let first = app.admin(Ask::get(&job_path(id))).await;
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong tag: {etag}");

    let unchanged = app.admin(ask(&etag)).await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    for header in ["etag", "cache-control", "retry-after"] {
        assert_eq!(unchanged.header(header), first.header(header), "{header}");
    }
    assert_eq!(app.admin(ask("\"another\"")).await.text, first.text);

    app.claim(id).await;
    let changed = app.admin(ask(&etag)).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn an_unknown_job_is_a_problem() {
    let app = App::start().await;
    let unknown = job_path(JobId::new());
    let lists = ["/changes", "/issues"].map(|list| format!("{unknown}{list}"));
    for path in lists.into_iter().chain([unknown, "/v1/jobs/x".to_owned()]) {
        let problem = app.admin(Ask::get(&path)).await.problem(404, "unknown-job");
        assert_eq!(problem["instance"], path);
    }
}

async fn listed(app: &App, query: &str) -> (Vec<String>, Option<String>) {
    let list = app.admin(Ask::get(&format!("/v1/jobs{query}"))).await.json();
    let ids = list["jobs"].as_array().unwrap().iter();
    let ids = ids.map(|job| job["id"].as_str().unwrap().to_owned()).collect();
    (ids, list["next_cursor"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        newest_first.insert(0, app.job(&oak).await.id.to_string());
    }
    assert_eq!(listed(&app, "").await, (newest_first.clone(), None));
    assert_eq!(listed(&app, "?limit=5").await, (newest_first.clone(), None));

    let (mut seen, mut cursor) = listed(&app, "?limit=2").await;
    // A job that arrives while a person turns pages moves nothing.
    app.job(&oak).await;
    while let Some(after) = cursor {
        let (page, next) = listed(&app, &format!("?limit=2&cursor={after}")).await;
        assert!((1..=2).contains(&page.len()));
        seen.extend(page);
        cursor = next;
    }
    assert_eq!(seen, newest_first);
}

#[tokio::test]
async fn jobs_are_filtered() {
    let app = App::start().await;
    let (oak, elm) = (app.school("oak").await, app.school("elm").await);
    let old = app.job(&oak).await.id;
    app.sql(format!("UPDATE job SET created_at = '2026-01-01T00:00:00Z' WHERE id = '{old}'")).await;
    let running = app.job(&oak).await.id;
    app.claim(running).await;
    let other = app.job(&elm).await.id;
    let person = "01985bb3-d16d-7a13-92dd-9b0131ca3f1d";
    let (error, failed) = (r#"{"type": "a_type", "title": "", "detail": ""}"#, running);
    app.sql(format!("UPDATE job SET error = '{error}' WHERE id = '{failed}'")).await;
    app.sql(format!("UPDATE job SET staff_id = '{person}' WHERE id = '{other}'")).await;
    for (query, wanted) in [
        ("?error=a_type", vec![failed]),
        ("?error=another", vec![]),
        ("?staff_id=01985bb3-d16d-7a13-92dd-9b0131ca3f1d", vec![other]),
        ("?staff_id=01985bb3-d16d-7a13-92dd-9b0131ca3f1e", vec![]),
        ("?until=2100-01-01T00:00:00Z", vec![other, running, old]),
        ("?until=2026-01-01T00:00:00Z", vec![]),
        ("?school_id=oak", vec![running, old]),
        ("?school_id=nowhere", vec![]),
        ("?kind=sync-school", vec![other, running, old]),
        ("?state=running", vec![running]),
        ("?state=queued&school_id=elm", vec![other]),
        ("?state=queued,running", vec![other, running, old]),
        ("?state=queued&state=running", vec![other, running, old]),
        ("?state=running,failed&kind=sync-school,refresh-user", vec![running]),
        ("?kind=refresh-user&kind=sync-school", vec![other, running, old]),
        ("?kind=refresh-user", vec![]),
        ("?since=2026-01-01T00:00:00Z", vec![other, running, old]),
        ("?since=2026-01-01T00:00:01Z", vec![other, running]),
        ("?since=2026-01-01T01:00:00%2B00:30", vec![other, running]),
    ] {
        let wanted: Vec<_> = wanted.iter().map(JobId::to_string).collect();
        assert_eq!(listed(&app, query).await, (wanted, None), "{query}");
    }
}

#[tokio::test]
async fn parameters_that_are_not_valid_are_named() {
    let app = App::start().await;
    let job = app.job(&app.school("oak").await).await.id;
    let issues = format!("/v1/jobs/{job}/issues");
    let changes = format!("/v1/jobs/{job}/changes");
    for (path, query, parameter, found) in [
        ("/v1/jobs", "limit=0", "limit", "0"),
        ("/v1/jobs", "limit=201", "limit", "201"),
        ("/v1/jobs", "limit=ten", "limit", "ten"),
        ("/v1/jobs", "state=done", "state", "done"),
        ("/v1/jobs", "kind=sync", "kind", "sync"),
        ("/v1/jobs", "since=yesterday", "since", "yesterday"),
        ("/v1/jobs", "until=tomorrow", "until", "tomorrow"),
        ("/v1/jobs", "staff_id=7", "staff_id", "7"),
        ("/v1/jobs", "error=+", "error", " "),
        ("/v1/jobs", "school_id=a+b", "school_id", "a b"),
        ("/v1/jobs", "cursor=1", "cursor", "1"),
        ("/v1/jobs", "staet=queued", "staet", "queued"),
        ("/v1/jobs", "state=queued&state=done", "state", "queued,done"),
        ("/v1/jobs", "kind=sync-school,", "kind", "sync-school,"),
        ("/v1/jobs", "error=a&error=b", "error", "a"),
        ("/v1/schools", "limit=0", "limit", "0"),
        ("/v1/schools", "cursor=%20", "cursor", " "),
        ("/v1/schools", "name=x", "name", "x"),
        (&issues, "limit=-1", "limit", "-1"),
        (&issues, "cursor=x", "cursor", "x"),
        (&issues, "code=x", "code", "x"),
        (&changes, "limit=201", "limit", "201"),
        (&changes, "cursor=x", "cursor", "x"),
        (&changes, "field=x", "field", "x"),
    ] {
        let answer = app.admin(Ask::get(&format!("{path}?{query}"))).await;
        let problem = answer.problem(400, "invalid-parameter");
        assert_eq!((&problem["parameter"], &problem["found"]), (&parameter.into(), &found.into()));
        assert!(!problem["wanted"].as_str().unwrap().is_empty());
        assert_eq!(problem["instance"], path);
    }
    let problem =
        app.admin(Ask::get("/v1/jobs?state=done")).await.problem(400, "invalid-parameter");
    let wanted = "some of queued, running, retrying, held, succeeded, failed, cancelled";
    assert_eq!(problem["wanted"], wanted);
}

#[tokio::test]
async fn links_lead_somewhere() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.admin(Ask::get(&job_path(app.job(&oak).await.id))).await.json();
    schools::disconnect(&app.pool, &oak, &schools::OnlyIf::Always, &a_person()).await.unwrap();
    for (name, link) in job["links"].as_object().unwrap() {
        let answer = app.admin(Ask::get(link.as_str().unwrap())).await;
        assert_eq!(answer.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_job_of_a_newer_release_is_listed_and_in_the_way_of_nothing() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id.to_string();
    app.sql(
        "UPDATE job SET kind = 'archive-school', lane = 'archive', stage = 'packing'".to_owned(),
    )
    .await;
    let list = app.admin(Ask::get("/v1/jobs")).await.json();
    assert_eq!(list["jobs"][0]["kind"], "unknown", "{list}");
    let shown = app.admin(Ask::get(&format!("/v1/jobs/{job}"))).await.json();
    assert_eq!((&shown["kind"], &shown["state"]), (&json!("unknown"), &json!("queued")));
    assert_eq!(app.send(Ask::get("/metrics")).await.status, 200);
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    for path in ["/dashboard", "/dashboard/jobs", &format!("/dashboard/jobs/{job}")] {
        let page = operator.get(&app, path).await;
        assert_eq!(page.status, 200, "{path}");
    }
}

//! Every path of the dashboard with every role, and without a session.

use std::collections::BTreeSet;

use mis_sync_domain::Role::{self, Admin, Operator, Viewer};

use mis_sync_store::{
    bulk::{self, BulkAction},
    jobs::JobFilter,
};
use mis_sync_testing::a_person;

use super::{SignedIn, place};
use crate::support::{Answer, App, Ask};

const EVERYBODY: &[Role] = &[Viewer, Operator, Admin];
const ACTORS: &[Role] = &[Operator, Admin];

/// What needs a session, and who may.
pub(crate) const ROUTES: &[(&str, &str, &[Role])] = &[
    ("GET", "/dashboard", EVERYBODY),
    ("POST", "/dashboard/logout", EVERYBODY),
    ("GET", "/dashboard/events", EVERYBODY),
    ("GET", "/dashboard/palette", EVERYBODY),
    ("GET", "/dashboard/find", EVERYBODY),
    ("POST", "/dashboard/find", EVERYBODY),
    ("POST", "/dashboard/find/ask", ACTORS),
    ("GET", "/dashboard/find/{job_id}", EVERYBODY),
    ("GET", "/dashboard/jobs", EVERYBODY),
    ("POST", "/dashboard/jobs/views", EVERYBODY),
    ("POST", "/dashboard/jobs/views/forget", EVERYBODY),
    ("GET", "/dashboard/jobs/{job_id}", EVERYBODY),
    ("POST", "/dashboard/jobs/{job_id}/changes", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/cancel", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/retry", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/approve", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/reject", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/undo", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/review", ACTORS),
    ("POST", "/dashboard/jobs/{job_id}/download", ACTORS),
    ("POST", "/dashboard/bulk", ACTORS),
    ("GET", "/dashboard/bulk/review", ACTORS),
    ("GET", "/dashboard/bulk/{bulk_id}", EVERYBODY),
    ("GET", "/dashboard/schools", EVERYBODY),
    ("GET", "/dashboard/connect", &[Admin]),
    ("POST", "/dashboard/connect", &[Admin]),
    ("GET", "/dashboard/connect/{draft_id}", &[Admin]),
    ("POST", "/dashboard/connect/{draft_id}", &[Admin]),
    ("GET", "/dashboard/schools/{school_id}", EVERYBODY),
    ("GET", "/dashboard/schools/{school_id}/matches", EVERYBODY),
    ("POST", "/dashboard/schools/{school_id}/matches", ACTORS),
    ("POST", "/dashboard/schools/{school_id}/settings", &[Admin]),
    ("POST", "/dashboard/schools/{school_id}/sync", ACTORS),
    ("GET", "/dashboard/schools/{school_id}/people/{person}", EVERYBODY),
    ("POST", "/dashboard/schools/{school_id}/people/{person}", ACTORS),
    ("POST", "/dashboard/schools/{school_id}/token", &[Admin]),
    ("POST", "/dashboard/schools/{school_id}/check", ACTORS),
    ("POST", "/dashboard/schools/{school_id}/resume", ACTORS),
    ("POST", "/dashboard/schools/{school_id}/quality", ACTORS),
    ("GET", "/dashboard/held", EVERYBODY),
    ("GET", "/dashboard/audit", EVERYBODY),
    ("POST", "/dashboard/audit/verify", EVERYBODY),
    ("POST", "/dashboard/preferences", EVERYBODY),
    ("GET", "/dashboard/queues", EVERYBODY),
    ("POST", "/dashboard/queues/pause", ACTORS),
    ("POST", "/dashboard/queues/resume", ACTORS),
    ("POST", "/dashboard/queues/drain", ACTORS),
    ("POST", "/dashboard/queues/undrain", ACTORS),
    ("GET", "/dashboard/keys", &[Admin]),
    ("POST", "/dashboard/keys", &[Admin]),
    ("POST", "/dashboard/keys/{key_id}/revoke", &[Admin]),
];

/// What needs none, and what is at no other path.
const OPEN: &[(&str, &str)] = &[
    ("GET", "/dashboard/login"),
    ("POST", "/dashboard/login"),
    ("GET", "/dashboard/assets/{name}"),
    ("GET", "/dashboard/"),
    ("POST", "/dashboard/"),
    ("GET", "/dashboard/{*rest}"),
    ("POST", "/dashboard/{*rest}"),
];

#[tokio::test]
async fn no_route_is_missing_here() {
    let app = App::start().await;
    let mut served = BTreeSet::new();
    for path in mis_sync_api::dashboard_paths() {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = app.send(Ask::new(method, &path.replace(['{', '}', '*'], ""))).await;
            let status = answer.status;
            if method == "GET" && leads_back(&answer, path) {
                continue;
            }
            // The two catch-alls take every method.
            let is_catch_all = path.ends_with('/') || path.contains('*');
            if status != 405 && (!is_catch_all || matches!(method, "GET" | "POST")) {
                served.insert((method, path));
            }
        }
    }
    let here: BTreeSet<_> = ROUTES
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .chain(OPEN.iter().copied())
        .collect();
    assert_eq!(here, served);
}

/// Whether an address that a form posts to leads a person who opens it to a page.
fn leads_back(answer: &Answer, path: &str) -> bool {
    answer.status == 303 && !path.ends_with('/') && !answer.header("location").contains("login")
}

#[tokio::test]
async fn an_action_that_is_opened_as_a_page_leads_to_the_page_that_has_it() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id.to_string();
    let who = SignedIn::of_role(&app, Role::Admin).await;
    for (_, path, _) in ROUTES.iter().filter(|(method, ..)| *method == "POST") {
        let path = path.replace("{school_id}", "oak").replace("{job_id}", &job);
        let mut answer = who.get(&app, &path).await;
        while answer.status == 303 {
            answer = who.get(&app, &place(&answer)).await;
        }
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn each_role_can_do_what_it_should_and_no_more() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await.to_string();
    app.possible_match("oak", "A1", &person).await;
    let filter = JobFilter::default();
    let bulk = bulk::start(&app.pool, BulkAction::Retry, &filter, &a_person()).await.unwrap();
    let bulk = bulk.0.to_string();
    for (method, path, allowed) in ROUTES {
        let job = app.job(&oak).await.id.to_string();
        let state = match path.rsplit('/').next() {
            Some("approve" | "reject" | "review") => "held",
            Some("retry") => "failed",
            Some("undo") => "succeeded",
            _ => "queued",
        };
        for role in Role::ALL.iter().copied().filter(|role| *role != Role::App) {
            app.sql(format!(
                r#"UPDATE job SET approved = NULL, approved_at = NULL,
                       report = '{{"guard":[{{"category":"deactivated","records":5,"of":8}}]}}'
                   WHERE id = '{job}'"#
            ))
            .await;
            app.put_in_state(&job, state).await;
            let who = SignedIn::of_role(&app, role).await;
            let keys = mis_sync_store::api_keys::list(&app.pool).await.unwrap();
            let ids = [
                ("{school_id}", "oak"),
                ("{job_id}", &job),
                ("{person}", "A1"),
                ("{key_id}", &keys[0].id.to_string()),
                ("{bulk_id}", &bulk),
                ("/review", "/review?action=cancel"),
            ];
            let path = ids.iter().fold((*path).to_owned(), |path, (id, is)| path.replace(id, is));
            let is_allowed = allowed.contains(&role);
            let status = if *method == "GET" {
                let ask = Ask::new("GET", &path).cookie(&who.cookie);
                app.begin(ask).await.status().as_u16()
            } else {
                let answer = who.post(&app, &path, FIELDS).await;
                let says_why = answer.text.contains("may do this, and you are signed in with");
                let has_frame = answer.text.contains("id=\"tabs\"");
                assert!(is_allowed || (says_why && has_frame), "{role} {path}: {}", answer.text);
                answer.status
            };
            assert_eq!(status == 403, !is_allowed, "{role} {method} {path}: {status}");
            // What is allowed works, but for an undo that has nothing to undo.
            let works = status < 400 || path.ends_with("/undo");
            assert_eq!(
                works,
                is_allowed || path.ends_with("/undo"),
                "{role} {method} {path}: {status}"
            );
        }
        let nobody = app.send(Ask::new(method, &path.replace(['{', '}'], "")).form(FIELDS)).await;
        assert_eq!(nobody.status, 303, "{method} {path}");
        assert!(nobody.header("location").starts_with("/dashboard/login"), "{method} {path}");
    }
}

/// What one or other form wants; the rest do not mind.
const FIELDS: &[(&str, &str)] = &[
    ("name", "A name"),
    ("query", "?state=failed"),
    ("what", "dry-run"),
    ("q", "A1"),
    ("token", "a-token"),
    ("decide", "new.A1"),
    ("school", "oak"),
    ("worker", "w1"),
    ("role", "viewer"),
    ("category.deactivated", "on"),
    ("freshness", "15"),
    ("action", "cancel"),
];

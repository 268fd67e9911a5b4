//! Following a job by server-sent events, with a real client over a real connection.

use std::time::Duration;

use mis_sync_domain::{JobFailure, JobId, Progress, Report, Role, Stage};
use mis_sync_store::{api_keys, jobs};
use mis_sync_testing::{PATIENCE, a_person, http_client};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{App, Ask};

const PROGRESS: Progress = Progress { stage: Stage::Fetching, done: 30, total: Some(60) };

/// The API on a port of its own.
struct Served {
    url: String,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

async fn serve(app: &App) -> Served {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let server = tokio::spawn(mis_sync_api::serve(listener, app.state.clone(), stop.clone()));
    Served { url, stop, server }
}

/// An open stream of events.
struct Events {
    response: reqwest::Response,
    text: String,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Events {
    async fn open(served: &Served, key: &str, job: JobId, last_id: Option<&str>) -> Self {
        let url = format!("{}/v1/jobs/{job}/events", served.url);
        let mut request = http_client().get(url).bearer_auth(key);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        Self { response: request.send().await.unwrap(), text: String::new() }
    }

    /// The next event; `None`: the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event.starts_with(':') {
                    continue;
                }
                return Some(read(&event));
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    /// The next event, which has to be of this name.
    async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.unwrap();
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

fn read(text: &str) -> Event {
    let field = |name: &str| {
        let prefix = format!("{name}: ");
        text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    };
    Event {
        name: field("event"),
        id: field("id"),
        data: serde_json::from_str(&field("data")).unwrap(),
    }
}

#[tokio::test]
async fn a_job_is_followed_from_the_press_to_its_report() {
    let app = App::start().await;
    let served = serve(&app).await;
    let job = app.job(&app.school("oak").await).await.id;
    let mut events = Events::open(&served, &app.admin, job, None).await;
    assert_eq!(events.response.headers()["content-type"], "text/event-stream");
    let queued = events.expect("state").await;
    assert_eq!(
        (&queued.data["state"], &queued.data["id"]),
        (&"queued".into(), &job.to_string().into())
    );

    let lease = app.claim(job).await;
    assert_eq!(events.expect("state").await.data["state"], "running");
    jobs::progress(&app.pool, lease, PROGRESS).await.unwrap();
    let progress = loop {
        // The claim itself may have been seen with a stage.
        let progress = events.expect("progress").await.data;
        if progress["done"] == 30 {
            break progress;
        }
    };
    assert_eq!((&progress["stage"], &progress["percent"]), (&"fetching".into(), &45.into()));
    app.succeed(lease, &Report { created: 7, ..Report::default() }).await;
    assert_eq!(events.expect("state").await.data["state"], "succeeded");
    assert_eq!(events.expect("report").await.data["created"], 7);
    assert!(events.next().await.is_none(), "the stream ends");
}

#[tokio::test]
async fn whoever_resumes_gets_what_changed_since() {
    let app = App::start().await;
    let served = serve(&app).await;
    let job = app.job(&app.school("oak").await).await.id;
    let queued = Events::open(&served, &app.admin, job, None).await.expect("state").await;
    let lease = app.claim(job).await;
    jobs::progress(&app.pool, lease, PROGRESS).await.unwrap();

    let mut events = Events::open(&served, &app.admin, job, Some(&queued.id)).await;
    assert_eq!(events.expect("state").await.data["state"], "running");
    let progress = events.expect("progress").await;
    let mut events = Events::open(&served, &app.admin, job, Some(&progress.id)).await;
    app.succeed(lease, &Report::default()).await;
    let ended = events.expect("state").await;
    assert_eq!(ended.data["state"], "succeeded", "nothing that was seen comes again");

    // Interrupted between the last two.
    let mut events = Events::open(&served, &app.admin, job, Some(&ended.id)).await;
    let report = events.expect("report").await;
    assert!(events.next().await.is_none());
    let events = Events::open(&served, &app.admin, job, Some(&report.id)).await;
    assert_eq!(events.response.status(), 204, "there is nothing to come back for");
}

#[tokio::test]
async fn a_job_that_has_ended_is_told_at_once() {
    let app = App::start().await;
    let served = serve(&app).await;
    let school = app.school("oak").await;
    let (good, bad) = (app.job(&school).await.id, app.job(&school).await.id);
    let lease = app.claim(good).await;
    app.succeed(lease, &Report::default()).await;
    let why =
        JobFailure { code: "wonde_unauthorized".into(), title: "T".into(), detail: "D".into() };
    let lease = app.claim(bad).await;
    jobs::fail(&app.pool, lease, &why).await.unwrap();

    let mut events = Events::open(&served, &app.admin, good, Some("nonsense")).await;
    events.expect("state").await;
    events.expect("report").await;
    assert!(events.next().await.is_none());
    let mut events = Events::open(&served, &app.admin, bad, None).await;
    let state = events.expect("state").await;
    assert_eq!(state.data["error"]["type"], "wonde_unauthorized");
    assert!(events.next().await.is_none(), "a job that failed has no report");
    let events = Events::open(&served, &app.admin, bad, Some(&state.id)).await;
    assert_eq!(events.response.status(), 204);
}

#[tokio::test]
async fn a_viewer_follows_and_a_key_of_another_school_knows_no_such_job() {
    let app = App::start().await;
    let served = serve(&app).await;
    let job = app.job(&app.school("oak").await).await.id;
    let viewer = app.key(Role::Viewer, Some("oak")).await;
    Events::open(&served, &viewer, job, None).await.expect("state").await;
    let elm = app.key(Role::Admin, Some("elm")).await;
    for (ask, key) in [
        (Ask::get(&format!("/v1/jobs/{job}/events")), &elm),
        (Ask::get("/v1/jobs/nonsense/events"), &app.admin),
    ] {
        app.send(ask.key(key)).await.problem(404, "unknown-job");
    }
    let keyless = Ask::get(&format!("/v1/jobs/{job}/events"));
    app.send(keyless).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn neither_redis_nor_postgres_being_away_ends_a_stream() {
    let mut app = App::start().await;
    let served = serve(&app).await;
    let job = app.job(&app.school("oak").await).await.id;
    app.servers.redis.kill().unwrap();
    let mut events = Events::open(&served, &app.admin, job, None).await;
    events.expect("state").await;
    app.servers.postgres.kill().unwrap();
    // Long enough for a check that finds nothing.
    assert!(timeout(Duration::from_secs(2), events.response.chunk()).await.is_err());
    app.servers.postgres.restart().unwrap();
    app.claim(job).await;
    assert_eq!(events.expect("state").await.data["state"], "running");
}

#[tokio::test]
async fn a_server_that_stops_closes_its_streams() {
    let app = App::start().await;
    let served = serve(&app).await;
    let job = app.job(&app.school("oak").await).await.id;
    let mut events = Events::open(&served, &app.admin, job, None).await;
    events.expect("state").await;
    served.stop.cancel();
    assert!(events.next().await.is_none());
    timeout(PATIENCE / 4, served.server).await.expect("it does not wait").unwrap().unwrap();
}

#[tokio::test]
async fn a_key_that_is_revoked_hears_no_more() {
    let app = App::start().await;
    let served = serve(&app).await;
    let job = app.job(&app.school("oak").await).await.id;
    let key = app.key(Role::Viewer, None).await;
    let id = api_keys::list(&app.pool).await.unwrap().remove(0).id;
    let mut events = Events::open(&served, &key, job, None).await;
    assert_eq!(events.next().await.unwrap().name, "state");
    assert!(api_keys::revoke(&app.pool, id, &a_person()).await.unwrap());
    assert!(timeout(PATIENCE, events.next()).await.unwrap().is_none());
    // Other streams are not cut off.
    let mut others = Events::open(&served, &app.admin, job, None).await;
    assert_eq!(others.next().await.unwrap().name, "state");
    app.claim(job).await;
    assert_eq!(timeout(PATIENCE, others.next()).await.unwrap().unwrap().name, "state");
}

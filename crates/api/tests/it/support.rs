use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Request, header::AUTHORIZATION, header::CONTENT_TYPE},
    response::Response,
};
use mis_sync_api::{ApiState, WebhookSecrets, router};
use mis_sync_domain::{
    AllowedHosts, ConnectSchool, Job, JobId, Lease, Report, Role, SchoolId, StaffId, SyncOptions,
    SyncSchool, Update,
};
use mis_sync_queue::Queue;
use mis_sync_store::{
    Pool, TokenCipher, api_keys,
    jobs::{self, JobFilter, NewJob},
    schools,
};
use mis_sync_testing::{Servers, WEBHOOK_SECRET, a_person, connector, wonde_id_of};
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tower::ServiceExt;

/// The token that every school here has; no answer may hold it.
pub(crate) const TOKEN: &str = "s3cret-t0ken-of-the-sch00l";
const LEASE: Duration = Duration::from_mins(1);

/// The API and its servers.
pub(crate) struct App {
    pub(crate) servers: Servers,
    pub(crate) pool: Pool,
    pub(crate) state: ApiState,
    pub(crate) router: Router,
    pub(crate) admin: String,
    cipher: Arc<TokenCipher>,
}

impl App {
    pub(crate) async fn start() -> Self {
        let servers = Servers::start().await;
        let pool = servers.pool();
        let queue = Queue::new(pool.clone(), servers.open_redis());
        let cipher = Arc::new(TokenCipher::from_hex(&"0a".repeat(32).into()).unwrap());
        let secrets = WebhookSecrets::parse(&WEBHOOK_SECRET.into()).unwrap();
        let callback_hosts = AllowedHosts::new(&["*.ip.example"], false).unwrap();
        let state = ApiState::new(queue, Arc::clone(&cipher))
            .with_webhook_secrets(secrets)
            .with_callback_hosts(Arc::new(callback_hosts));
        let router = router(state.clone());
        let admin = new_key(&pool, Role::Admin, None).await;
        Self { servers, pool, state, router, admin, cipher }
    }

    pub(crate) async fn key(&self, role: Role, school: Option<&str>) -> String {
        new_key(&self.pool, role, school).await
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, ask: Ask) -> Answer {
        send(&self.router, ask).await
    }

    /// Sends a request whose answer is read by the test itself.
    pub(crate) async fn begin(&self, ask: Ask) -> Response {
        self.router.clone().oneshot(ask.0).await.unwrap()
    }

    /// Sends a request and counts the bytes of its answer.
    pub(crate) async fn bytes(&self, ask: Ask) -> usize {
        to_bytes(self.begin(ask).await.into_body(), usize::MAX).await.unwrap().len()
    }

    /// Sends a request with the admin's key.
    pub(crate) async fn admin(&self, ask: Ask) -> Answer {
        self.send(ask.key(&self.admin)).await
    }

    /// A connected school.
    pub(crate) async fn school(&self, id: &str) -> SchoolId {
        let school = ConnectSchool {
            id: id.parse().unwrap(),
            name: "Oakfield School".into(),
            wonde_school_id: wonde_id_of(id),
            wonde_base_url: None,
            mis: Update::Keep,
            settings: None,
            callback_url: Update::Keep,
        };
        schools::connect(
            &self.pool,
            connector(&self.cipher, &a_person()),
            &school,
            Some(&TOKEN.into()),
        )
        .await
        .unwrap()
        .unwrap();
        school.id
    }

    /// A queued job. The school's other jobs may be unfinished.
    pub(crate) async fn job(&self, school: &SchoolId) -> Job {
        let sync = SyncSchool { school_id: school.clone(), options: SyncOptions::default() };
        let new = NewJob { unique_key: JobId::new().to_string(), ..NewJob::of(&sync, "test") };
        jobs::enqueue(&self.pool, &new, None).await.unwrap().job().clone()
    }

    /// Lets a worker take a job.
    pub(crate) async fn claim(&self, job: JobId) -> Lease {
        jobs::claim(&self.pool, job, "worker", LEASE, jobs::Leaves::NOTHING)
            .await
            .unwrap()
            .unwrap()
            .lease
    }

    /// Lets a running job end well.
    pub(crate) async fn succeed(&self, lease: Lease, report: &Report) {
        let mut connection = self.pool.acquire().await.unwrap();
        jobs::succeed(&mut connection, lease, report).await.unwrap();
    }

    /// A person of a school, made by hand.
    pub(crate) async fn person(&self, school: &SchoolId) -> StaffId {
        let id = StaffId::new();
        self.sql(format!(
            "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
             VALUES ('{id}', '{school}', '{id}@oak.example', 'Ada', 'Day', 'x')"
        ))
        .await;
        id
    }

    /// Stores an image and gives it to a person.
    pub(crate) async fn photo(&self, person: StaffId, content_type: &str, content: &[u8]) {
        let hex = hex::encode(content);
        self.sql(format!(
            "WITH image AS (
                 INSERT INTO staff_photo (hash, content_type, content)
                 SELECT encode(sha256(file), 'hex'), '{content_type}', file
                 FROM (SELECT '\\x{hex}'::bytea AS file) f RETURNING hash)
             UPDATE staff SET photo_hash = image.hash FROM image WHERE id = '{person}'"
        ))
        .await;
    }

    /// Puts a job in a state, whatever state it is in.
    pub(crate) async fn put_in_state(&self, job: &str, state: &str) {
        let is_finished = ["succeeded", "failed", "cancelled"].contains(&state);
        let finished_at = if is_finished { "now()" } else { "NULL" };
        self.sql(format!(
            "UPDATE job SET state = '{state}', finished_at = {finished_at}, lease_until = now(),
                 fence = 1, worker = 'w', next_attempt_at = now(), approved_at = NULL,
                 unique_key = gen_random_uuid()
             WHERE id = '{job}'"
        ))
        .await;
    }

    /// Makes the job one that has given a person her first name, and nothing else.
    pub(crate) async fn only_change(&self, job: &str, person: &str) {
        self.sql(format!(
            "DELETE FROM job WHERE undo_of = '{job}';
             DELETE FROM job_change WHERE staff_id = '{person}';
             UPDATE staff SET first_name = 'Ada' WHERE id = '{person}';
             INSERT INTO job_change (job_id, staff_id, field, old_value, new_value)
             VALUES ('{job}', '{person}', 'first_name', 'Ida', 'Ada')"
        ))
        .await;
    }

    /// A record that may mean a person.
    pub(crate) async fn possible_match(&self, school: &str, wonde_id: &str, person: &str) {
        self.sql(format!(
            "INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons,
                 mis_first_name, mis_surname, mis_email, mis_initials, mis_job_title, job_id)
             VALUES ('{school}', '{wonde_id}', '{person}', 45, '{{surname,first_name}}', 'Ada',
                 'Day', 'ada@new.example', 'ADY', 'Teacher, SENCO', gen_random_uuid())"
        ))
        .await;
    }

    /// Every job there is.
    /// Where a job stands.
    pub(crate) async fn state_of(&self, job: JobId) -> String {
        jobs::get(&self.pool, job).await.unwrap().unwrap().state.to_string()
    }

    pub(crate) async fn all_jobs(&self) -> Vec<Job> {
        jobs::list(&self.pool, &JobFilter::default(), 1000).await.unwrap()
    }

    /// Arranges what no function of ours does.
    pub(crate) async fn sql(&self, statement: String) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.pool).await.unwrap();
    }
}

async fn new_key(pool: &Pool, role: Role, school: Option<&str>) -> String {
    let school = school.map(|id| id.parse().unwrap());
    let (_, text) = api_keys::create(
        pool,
        &api_keys::NewApiKey {
            school_id: school.as_ref(),
            ..api_keys::NewApiKey::new(role.as_str(), role)
        },
        &a_person(),
    )
    .await
    .unwrap();
    text.expose_secret().to_owned()
}

/// Sends a request, and checks what holds for every answer.
pub(crate) async fn send(router: &Router, ask: Ask) -> Answer {
    let (head, body) = router.clone().oneshot(ask.0).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains(TOKEN), "an answer holds the token: {text}");
    assert!(head.headers.contains_key("x-request-id"));
    assert!(head.headers.contains_key("cache-control"));
    Answer { status: head.status.as_u16(), headers: head.headers, text }
}

/// A request.
pub(crate) struct Ask(Request<Body>);

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self(Request::builder().method(method).uri(path).body(Body::empty()).unwrap())
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn put(path: &str) -> Self {
        Self::new("PUT", path)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.headers_mut().insert(AUTHORIZATION, format!("Bearer {key}").parse().unwrap());
        self
    }

    pub(crate) fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie)
    }

    /// The fields of a form, as a browser posts them.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.text("application/x-www-form-urlencoded", body)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    pub(crate) fn text(mut self, content_type: &str, body: impl Into<String>) -> Self {
        self.0.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        *self.0.body_mut() = Body::from(body.into());
        self
    }
}

/// An answer, read to its end.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer that is no problem.
    pub(crate) fn json(&self) -> Value {
        assert!(self.status < 400, "{}: {}", self.status, self.text);
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.text).unwrap()
    }

    /// The problem in the body, if it has this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        let problem: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], status);
        for member in ["title", "detail", "instance"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem
    }
}

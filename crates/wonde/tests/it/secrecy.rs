use std::error::Error as _;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use futures::StreamExt as _;
use mis_sync_wonde::{ClientConfig, EmployeeInclude, EmployeeQuery, Unlimited};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Instrument as _};

use crate::fake::{Fake, Reply, TOKEN, config, including, json, school_with};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// With only one subscriber, `tracing` lets the thread that reaches a line first decide whether it
/// is ever of interest, and that thread may belong to another test.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// Captures everything that is logged on this thread at every level, including the HTTP crates.
fn capture() -> (Captured, tracing::subscriber::DefaultGuard) {
    LazyLock::force(&SECOND);
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (captured, tracing::subscriber::set_default(subscriber))
}

/// Everything that an error can say, including its sources.
fn told(error: &mis_sync_wonde::Error) -> String {
    let mut told = vec![format!("{error} {error:?}")];
    let mut source = error.source();
    while let Some(cause) = source {
        told.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    told.join(" ")
}

fn assert_silent(text: &str) {
    let image = "UXVpbGxmZWF0aGVy";
    let query = ["per_page", "s3cretcursor", "2001-02-03"];
    for private in [TOKEN, "Quillfeather", "quill@school.example", image].iter().chain(&query) {
        assert!(!text.contains(private), "{private} in {text}");
    }
}

#[tokio::test]
async fn nothing_private_is_logged_or_told() {
    let (captured, _guard) = capture();
    let private = r#"{"message":"Quillfeather quill@school.example","token":"TOKEN"}"#;
    let private = private.replace("TOKEN", TOKEN);
    let next = "{base}/schools/A100/employees?cursor=s3cretcursor";
    let record = format!(
        r#"{{"data":[{{"id":"A1","surname":"Quillfeather","roles":["quill@school.example"]}},
                {{"id":"A2","photo":{{"data":{{"content":"UXVpbGxmZWF0aGVy!"}}}}}}],
            "meta":{{"pagination":{{"next":"{next}","more":true}}}}}}"#
    );
    let unread = r#"{"data":"Quillfeather"}"#;
    let mut failures: Vec<Reply> =
        [400, 401, 403, 404, 429, 500].map(|status| json(status, private.clone())).into();
    failures.extend([Reply::Hang, Reply::Truncated, json(200, private), json(200, unread)]);

    for failure in failures {
        let fake = Fake::start(vec![json(200, record.clone()), failure]).await;
        let quick = ClientConfig { request_timeout_ms: 200, max_tries: 2, ..config() };
        let school = school_with(&fake, quick, Arc::new(Unlimited));
        let query = EmployeeQuery {
            updated_after: Some("2001-02-03T00:00:00Z".parse().unwrap()),
            ..including(&[EmployeeInclude::Roles, EmployeeInclude::Photo])
        };
        let mut pages = Box::pin(school.employees(&query, None));
        let page = pages.next().await.unwrap().unwrap();
        assert_silent(&format!("{page:?} {school:?}"));
        assert!(page.records[0].is_err());
        let photo = page.records[1].as_ref().unwrap().photo.delivered().unwrap().as_ref().unwrap();
        assert_silent(&format!("{photo:?} {:?}", photo.bytes(100).unwrap_err()));
        let error = pages.next().await.unwrap().unwrap_err();
        assert_silent(&told(&error));
    }

    let log = captured.text();
    assert!(log.contains("wonde.request"), "{log}");
    assert_silent(&log);
}

#[tokio::test]
async fn each_request_leaves_one_wide_line() {
    let (captured, _guard) = capture();
    let fake = Fake::start(vec![json(503, ""), json(200, r#"{"data":[]}"#)]).await;
    let school = school_with(&fake, config(), Arc::new(Unlimited));
    async {
        let mut pages = Box::pin(school.employees(&EmployeeQuery::default(), None));
        pages.next().await.unwrap().unwrap();
    }
    .instrument(tracing::info_span!("job.run"))
    .await;

    let log = captured.text();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["target"] == "mis_sync_wonde::client")
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(lines[0]["span"]["name"], "wonde.request");
    assert_eq!(lines[0]["span"]["http.status"], 503);
    assert_eq!(lines[0]["span"]["attempt"], 1);
    assert!(lines[0]["fields"]["problem"].is_string());
    assert_eq!(lines[1]["span"]["http.status"], 200);
    assert_eq!(lines[1]["span"]["attempt"], 2);
    assert_eq!(lines[1]["span"]["wonde.resource"], "employees");
    assert_eq!(lines[1]["span"]["bytes"], 11);
    assert!(lines[1]["span"]["elapsed_ms"].is_u64());
    assert_eq!(lines[1]["spans"][0]["name"], "job.run", "the task keeps the caller's span");
}

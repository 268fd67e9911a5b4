//! The files of `examples/` do what they say, against the program as it is released.

use std::{
    net::SocketAddr,
    process::{Command, Output, Stdio},
};

use mis_sync_domain::SchoolId;
use mis_sync_store::SigningSecret;
use mis_sync_testing::{Process, TestApp, TestAppOptions, eventually, free_port};
use mis_sync_worker::Receiver;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::{
    connections::serving,
    integration::{SET_PASSWORD, execute, sql},
    press::sync,
    process::MIS_SYNC,
    receiver::secret,
    rows::{number, texts},
};

pub(crate) const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
const RUST: &str = env!("CARGO_BIN_EXE_example-press");

/// A service with one school, for programs that know only its address and a key.
struct Service {
    app: TestApp,
    school: SchoolId,
    address: SocketAddr,
    _processes: [Process; 2],
}

impl Service {
    async fn start() -> Self {
        let options = TestAppOptions { worker: false, ..TestAppOptions::default() };
        let app = TestApp::start_with(options).await;
        let school = app.connect_school(0).await;
        let (server, address) = serving(&app, &[]).await;
        let worker = MIS_SYNC.start(&app, &["worker"], &[]);
        Self { app, school, address, _processes: [server, worker] }
    }

    async fn run_with(&self, key: &str, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        command.env("MIS_SYNC_URL", format!("http://{}", self.address)).env("MIS_SYNC_KEY", key);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What an example prints that does what it should.
    async fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run_with(self.app.admin_key.expose_secret(), program, arguments).await;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}{errors}");
        said
    }

    async fn get(&self, path: &str) -> Value {
        self.app.get(path).send().await.unwrap().json().await.unwrap()
    }
}

/// Runs an example for one school of a service of its own, and compares what it says with the job.
async fn presses_and_waits(program: &str, arguments: &[&str]) {
    let service = Service::start().await;
    let with = |school| [arguments, &[school]].concat();
    let said = service.run(program, &with(service.school.as_str())).await;
    let jobs = service.get("/v1/jobs").await;
    let report = &jobs["jobs"][0]["report"];
    assert_eq!(said, format!("succeeded: {} new, 0 changed", report["created"]));
    assert!(report["created"].as_u64() > Some(20), "{report}");

    let key = service.app.admin_key.expose_secret();
    for (school, key) in [("no-such-school", key), ("oak", "wrong")] {
        let refused = service.run_with(key, program, &with(school)).await;
        assert!(!refused.status.success(), "{school}");
        let said = String::from_utf8_lossy(&refused.stdout);
        assert!(!said.contains("succeeded"), "{said}");
    }
}

/// Runs the examples that show what a sync found, and that decide a login.
async fn reports_and_lets_in(program: &str, before: &[&str], extension: &str) {
    let service = Service::start().await;
    let file = |name: &str| format!("{EXAMPLES}/{name}.{extension}");
    let school = service.school.as_str();
    service.run(program, &[before, &[&file("press"), school]].concat()).await;

    let said = service.run(program, &[before, &[&file("report"), school]].concat()).await;
    let issues = service.get(&format!("/v1/schools/{school}/issues?limit=200")).await;
    let issues = issues["issues"].as_array().unwrap();
    let named = issues.iter().find(|issue| issue["name"].is_string()).unwrap();
    let line = format!(
        "{}: {} {}",
        named["name"].as_str().unwrap(),
        named["sentence"].as_str().unwrap(),
        named["what_to_do"].as_str().unwrap()
    );
    assert!(said.lines().any(|said| said == line), "{line} is not in {said}");
    assert!(said.ends_with(&format!("{} issues", issues.len())), "{said}");

    let staff = service.get(&format!("/v1/schools/{school}/staff?limit=1&active=true")).await;
    let (id, email) = (&staff["staff"][0]["id"], staff["staff"][0]["email"].as_str().unwrap());
    let login = async |email: &str| {
        service.run(program, &[before, &[&file("login"), school, email]].concat()).await
    };
    assert_eq!(login(&email.to_uppercase()).await, "forgot_password");
    let id = id.as_str().unwrap();
    execute(&service.app, SET_PASSWORD, "uuid, text", &format!("'{id}', 'a hash of iP'")).await;
    assert_eq!(login(email).await, "in");
    assert_eq!(login("nobody@oak.example").await, "refused");
    // Inactive, and no sync knows the person who could restore them.
    let made_by_hand =
        format!("UPDATE staff SET active = false, wonde_id = NULL WHERE id = '{id}'");
    sql(&service.app, &made_by_hand).await;
    assert_eq!(login(email).await, "refused");
}

/// Whether PHP 8 is there.
pub(crate) fn has_php() -> bool {
    has("php", "8", |text| version(text) >= Some((8, 0)))
}

/// Whether there is a Node that runs TypeScript.
fn has_node() -> bool {
    has("node", "22.6", |text| version(text) >= Some((22, 6)))
}

/// Whether a program is there and prints one of these beginnings; says why a test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn has(program: &str, version: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let output = Command::new(program).arg("--version").output();
    let found = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let is_there = found.as_deref().is_ok_and(&wanted);
    if !is_there {
        let found = found.unwrap_or_else(|_| "none".into());
        eprintln!("skipped: this needs {program} {version}, and there is {}", found.trim());
    }
    is_there
}

/// Major and minor version in a text like `v22.6.0` or `PHP 8.2.1 (cli)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[tokio::test]
async fn press_sh() {
    presses_and_waits("sh", &[&format!("{EXAMPLES}/press.sh")]).await;
}

#[tokio::test]
async fn press_rs() {
    presses_and_waits(RUST, &[]).await;
}

#[tokio::test]
async fn php() {
    if has_php() {
        presses_and_waits("php", &[&format!("{EXAMPLES}/press.php")]).await;
        reports_and_lets_in("php", &[], "php").await;
    }
}

#[tokio::test]
async fn typescript() {
    if has_node() {
        let (strip, file) = ("--experimental-strip-types", format!("{EXAMPLES}/press.ts"));
        presses_and_waits("node", &[strip, &file]).await;
        reports_and_lets_in("node", &[strip], "ts").await;
    }
}

#[test]
fn examples_are_short() {
    for file in std::fs::read_dir(EXAMPLES).unwrap() {
        let path = file.unwrap().path();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 60, "{} has {lines} lines", path.display());
    }
}

/// Runs an example that receives messages, and sends it one with its secret and one with another.
async fn accepts_what_is_signed(start: impl Fn(u16) -> Command) {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    let mut command = start(port);
    command.env("MIS_SYNC_CALLBACK_SECRET", secret()).stdin(Stdio::null());
    let mut server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the example listens", async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop)
    })
    .await;
    let other = "whsec_bm90IHRoZSBzZWNyZXQgb2YgdGhlIGV4YW1wbGUgIQ==".to_owned();
    for (secret, state) in [(secret(), "succeeded"), (other, "retrying")] {
        let secret = SigningSecret::parse(&secret.into()).unwrap();
        let callback_receiver = Some(Receiver::new(url.parse().unwrap(), secret).unwrap());
        let options = TestAppOptions { callback_receiver, ..TestAppOptions::default() };
        let app = TestApp::start_with(options).await;
        eventually("callbacks are on", async || {
            let is_on = "SELECT is_on::int::bigint FROM installation_callbacks";
            (number(&app, is_on).await == 1).then_some(())
        })
        .await;
        let school = app.connect_school(0).await;
        sync(&app, &school).await;
        let states = "SELECT state FROM job WHERE kind = 'send-callback'";
        eventually("the message was posted", async || {
            (texts(&app, states).await == [state]).then_some(())
        })
        .await;
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

#[tokio::test]
async fn callback_php() {
    if has_php() {
        accepts_what_is_signed(|port| {
            let mut command = Command::new("php");
            command.args(["-S", &format!("127.0.0.1:{port}"), &format!("{EXAMPLES}/callback.php")]);
            command
        })
        .await;
    }
}

#[tokio::test]
async fn callback_ts() {
    if has_node() {
        accepts_what_is_signed(|port| {
            let mut command = Command::new("node");
            command.args(["--experimental-strip-types", &format!("{EXAMPLES}/callback.ts")]);
            command.arg(port.to_string());
            command
        })
        .await;
    }
}

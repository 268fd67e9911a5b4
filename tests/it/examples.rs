//! The files of `examples/` do what they say, against the program as it is released.

use std::process::{Command, Stdio};

use mis_sync_store::SigningSecret;
use mis_sync_testing::{TestApp, TestAppOptions, eventually, free_port};
use mis_sync_worker::Receiver;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::{
    connections::serving,
    press::sync,
    process::MIS_SYNC,
    receiver::secret,
    rows::{number, texts},
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
const RUST: &str = env!("CARGO_BIN_EXE_example-press");

/// Runs an example for one school of a service of its own, and compares what it says with the job.
async fn presses_and_waits(program: &str, arguments: &[&str]) {
    let options = TestAppOptions { worker: false, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    let (_server, address) = serving(&app, &[]).await;
    let _worker = MIS_SYNC.start(&app, &["worker"], &[]);
    let run = async |school: &str, key: &str| {
        let mut command = Command::new(program);
        command.args(arguments).arg(school).stdin(Stdio::null());
        command.env("MIS_SYNC_URL", format!("http://{address}")).env("MIS_SYNC_KEY", key);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };

    let pressed = run(school.as_str(), app.admin_key.expose_secret()).await;
    let said = String::from_utf8_lossy(&pressed.stdout);
    assert_eq!(
        pressed.status.code(),
        Some(0),
        "{said}{}",
        String::from_utf8_lossy(&pressed.stderr)
    );
    let jobs: Value = app.get("/v1/jobs").send().await.unwrap().json().await.unwrap();
    let report = &jobs["jobs"][0]["report"];
    assert_eq!(said.trim(), format!("succeeded: {} new, 0 changed", report["created"]));
    assert!(report["created"].as_u64() > Some(20), "{report}");

    for (school, key) in [("no-such-school", app.admin_key.expose_secret()), ("oak", "wrong")] {
        let refused = run(school, key).await;
        assert!(!refused.status.success(), "{school}");
        let said = String::from_utf8_lossy(&refused.stdout);
        assert!(!said.contains("succeeded"), "{said}");
    }
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
async fn press_php() {
    if has("php", "8", |text| version(text) >= Some((8, 0))) {
        presses_and_waits("php", &[&format!("{EXAMPLES}/press.php")]).await;
    }
}

#[tokio::test]
async fn press_ts() {
    if has("node", "22.6", |text| version(text) >= Some((22, 6))) {
        let file = format!("{EXAMPLES}/press.ts");
        presses_and_waits("node", &["--experimental-strip-types", &file]).await;
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
    if has("php", "8", |text| version(text) >= Some((8, 0))) {
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
    if has("node", "22.6", |text| version(text) >= Some((22, 6))) {
        accepts_what_is_signed(|port| {
            let mut command = Command::new("node");
            command.args(["--experimental-strip-types", &format!("{EXAMPLES}/callback.ts")]);
            command.arg(port.to_string());
            command
        })
        .await;
    }
}

#[test]
fn the_page_shows_what_the_examples_do() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
    let mut shown = 0;
    for file in std::fs::read_dir(docs).unwrap() {
        let path = file.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("integration") {
            continue;
        }
        let page = std::fs::read_to_string(&path).unwrap();
        for language in ["php", "ts"] {
            let example =
                std::fs::read_to_string(format!("{EXAMPLES}/callback.{language}")).unwrap();
            let fence = format!("```{language}\n/** Whether the message is signed");
            for start in page.match_indices(&fence).map(|(at, _)| at + 4 + language.len()) {
                let block = page[start..].split("```").next().unwrap();
                assert!(example.contains(block), "{} shows another {language}", path.display());
                shown += 1;
            }
        }
    }
    assert!(shown >= 2);
}

//! The commands of the laboratory, as a shell sees them.

use std::process::Output;

use mis_sync_testing::{Program, TestApp, TestAppOptions, eventually, http_client};
use rustix::process::Signal;
use serde_json::Value;

const LAB: Program = Program(env!("CARGO_BIN_EXE_mis-sync-lab"));

type Variables<'a> = &'a [(&'a str, &'a str)];

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test]
async fn demo_syncs_a_school_and_proves_it() {
    let output = LAB.run(&["demo", "--exit", "--size", "40", "--school", "Arbor"], &[]).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for part in ["Pressing Sync Data", "(Arbor)", "people are the same"] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    for part in ["misk_", "curl", "/dashboard", "WARN"] {
        assert!(!text.contains(part), "`{part}` is gone when the command ends:\n{text}");
    }
}

#[tokio::test]
async fn a_killed_demo_is_not_in_the_way_of_the_next() {
    let options = TestAppOptions { worker: false, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let demo = LAB.start_alone(&["demo", "--size", "20"]);
    eventually("the demo is up", async || {
        demo.printed().contains("Running until Ctrl-C").then_some(())
    })
    .await;
    demo.signal(Signal::KILL);
    let output = LAB.run(&["demo", "--exit", "--size", "20"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    drop(app);
}

#[tokio::test]
async fn demo_ends_on_ctrl_c() {
    let mut demo = LAB.start_alone(&["demo", "--size", "20"]);
    eventually("the demo is up", async || {
        demo.printed().contains("Running until Ctrl-C").then_some(())
    })
    .await;
    for part in ["misk_", "curl", "/dashboard"] {
        assert!(demo.printed().contains(part), "`{part}` is missing in:\n{}", demo.printed());
    }
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await.code(), Some(0), "{}", demo.printed());
}

#[tokio::test]
async fn demo_hears_ctrl_c_while_the_first_sync_runs() {
    // A school so large that the signal comes long before the sync has ended.
    let mut demo = LAB.start_alone(&["demo", "--size", "20000"]);
    eventually("the button is pressed", async || {
        demo.printed().contains("Pressing Sync Data").then_some(())
    })
    .await;
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await.code(), Some(1), "{}", demo.printed());
    assert!(demo.printed().contains("interrupted"), "{}", demo.printed());
    assert!(!demo.printed().contains("people are the same"), "{}", demo.printed());
}

#[tokio::test]
async fn demo_says_at_once_what_is_wrong_with_how_it_was_started() {
    let one = |name| vec![(name, "redis://127.0.0.1:1")];
    let table: [(&[&str], Variables<'_>, &[&str]); 5] = [
        (&["demo"], &one("DATABASE_URL"), &["DATABASE_URL is set and REDIS_URL is not"]),
        (&["demo"], &one("REDIS_URL"), &["REDIS_URL is set and DATABASE_URL is not"]),
        (&["demo", "--config", "none.toml"], &[], &["there is no file none.toml"]),
        (&["demo", "--config", "Cargo.toml"], &[], &["takes no configuration file"]),
        (&["demo", "--school", "Hogwarts"], &[], &["Hogwarts", "scholarpack"]),
    ];
    for (arguments, variables, parts) in table {
        let output = LAB.run(arguments, variables).await;
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{arguments:?}: `{part}` is missing in {text}");
        }
        assert!(!text.contains("Starting"), "it started servers first: {text}");
    }
}

#[tokio::test]
async fn the_simulator_serves_wonde_and_its_own_list() {
    let simulator = LAB.start_alone(&["simulate", "--listen", "127.0.0.1:0", "--staff", "20"]);
    let url = eventually("the simulator is up", async || {
        let printed = simulator.printed();
        let (_, rest) = printed.split_once("schools: ")?;
        Some(rest.split(')').next()?.to_owned())
    })
    .await;
    let http = http_client();
    let schools: Value = http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(schools.as_array().unwrap().len(), 11);
    for field in ["id", "name", "mis", "token", "staff", "classes", "subjects"] {
        assert!(!schools[0][field].is_null(), "{field}");
    }
}

#[test]
fn what_no_command_can_mean_is_wrong_usage() {
    for wrong in [&["nonsense"][..], &["simulate", "--staff", "0"], &["demo", "--size", "200000"]] {
        assert_eq!(LAB.command(wrong).output().unwrap().status.code(), Some(2), "{wrong:?}");
    }
}

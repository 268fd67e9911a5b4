//! Which crate may depend on which, asserted from Cargo's own metadata, and that the architecture
//! page names exactly the existing crates.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// For each crate the siblings that its code may use. Tests of a crate may use more.
const MAY_KNOW: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("telemetry", &[]),
    ("wonde", &["telemetry"]),
    ("wonde-sim", &[]),
    ("devservices", &[]),
    ("browser", &["devservices"]),
    ("store", &["domain", "telemetry"]),
    ("queue", &["domain", "store", "telemetry"]),
    ("control", &["domain", "store", "queue", "telemetry"]),
    ("worker", &["control", "domain", "store", "queue", "telemetry", "wonde"]),
    ("api", &["control", "domain", "store", "queue", "telemetry"]),
    ("cli", &["api", "control", "domain", "queue", "store", "telemetry", "wonde", "worker"]),
    (
        "lab",
        &[
            "api",
            "cli",
            "control",
            "devservices",
            "domain",
            "queue",
            "store",
            "wonde-sim",
            "worker",
        ],
    ),
    (
        "testing",
        &["api", "devservices", "domain", "queue", "store", "wonde", "wonde-sim", "worker"],
    ),
];

/// Libraries that only one crate may name.
const ONLY: [(&str, &[&str]); 10] = [
    ("apalis", &["queue"]),
    ("apalis-core", &["queue"]),
    ("redis", &["queue"]),
    ("backoff", &["wonde"]),
    ("chromiumoxide", &["browser"]),
    ("axum", &["api", "wonde-sim"]),
    ("metrics", &["telemetry"]),
    ("metrics-exporter-prometheus", &["telemetry"]),
    ("metrics-process", &["telemetry"]),
    ("sqlx", &["store", "lab"]),
];

/// Normal dependencies of each of our crates, by short name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .packages
        .iter()
        .filter(|package| package.name.as_str() != "mis-sync-tests")
        .map(|package| {
            let names = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| short(&dependency.name))
                .collect();
            (short(package.name.as_str()), names)
        })
        .collect()
}

fn short(name: &str) -> String {
    name.strip_prefix("mis-sync-").unwrap_or(name).to_owned()
}

#[test]
fn crates_know_only_whom_they_may() {
    let found = dependencies();
    let siblings: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), siblings);
    for (name, allowed) in MAY_KNOW {
        for dependency in &found[name] {
            let is_sibling = siblings.contains(dependency.as_str());
            assert!(
                !is_sibling || allowed.contains(&dependency.as_str()),
                "{name} must not know {dependency}"
            );
        }
    }
}

/// The laboratory is a program of its own, so that a deployment has none of it.
#[test]
fn the_released_program_has_nothing_of_the_laboratory() {
    let found = dependencies();
    let mut linked = BTreeSet::new();
    let mut to_see = vec!["cli"];
    while let Some(name) = to_see.pop() {
        let siblings = found[name].iter().map(String::as_str);
        to_see.extend(siblings.filter(|name| found.contains_key(*name) && linked.insert(*name)));
    }
    assert!(linked.contains("store"), "{linked:?}");
    for laboratory in ["devservices", "lab", "testing", "wonde-sim"] {
        assert!(!linked.contains(laboratory), "mis-sync links {laboratory}");
    }
}

#[test]
fn a_library_with_one_home_stays_there() {
    for (name, dependencies) in dependencies() {
        for (library, homes) in ONLY {
            assert!(
                !dependencies.contains(library) || homes.contains(&name.as_str()),
                "{name} must not name {library}"
            );
        }
    }
}

/// What people do has one implementation, so that the same rules apply to every caller.
#[test]
fn what_people_do_is_done_through_one_door() {
    const ACTIONS: [&str; 12] = [
        "jobs::cancel(",
        "jobs::reject(",
        "jobs::approve(",
        "jobs::retry_now(",
        "jobs::retry_finished(",
        "undo::undo(",
        "pauses::pause(",
        "pauses::resume(",
        "workers::drain(",
        "workers::undrain(",
        "bulk::start(",
        "SyncSchool { school_id",
    ];
    // The scheduler presses for no person, by its own rules.
    const DOORS: [&str; 2] = ["control/src/lib.rs", "worker/src/scheduler.rs"];
    let crates = format!("{}/../crates", env!("CARGO_MANIFEST_DIR"));
    let mut seen = BTreeSet::new();
    for name in ["api", "cli", "control", "queue", "worker"] {
        for file in sources(&format!("{crates}/{name}/src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let found: Vec<&str> =
                ACTIONS.into_iter().filter(|action| text.contains(action)).collect();
            let is_door = DOORS.iter().any(|door| file.ends_with(door));
            assert!(is_door || found.is_empty(), "{} does {found:?}", file.display());
            seen.extend(found);
        }
    }
    let missed: Vec<_> = ACTIONS.iter().filter(|action| !seen.contains(*action)).collect();
    // These are passed on by name.
    assert_eq!(missed, [&"pauses::pause(", &"workers::drain(", &"workers::undrain("]);
}

fn sources(folder: &str) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(path.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `rustfmt` leaves long texts and what is inside macros alone, such as the dashboard's templates.
#[test]
fn no_line_is_longer_than_120_columns() {
    let root = format!("{}/..", env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    for file in ["crates", "tests"].iter().flat_map(|folder| sources(&format!("{root}/{folder}"))) {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120);
        long.extend(lines.map(|(at, _)| format!("{}:{}", file.display(), at + 1)));
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_architecture_page_names_every_crate_and_no_other() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let page = std::fs::read_to_string(format!("{root}/docs/ARCHITECTURE.md")).unwrap();
    let named: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    let folders: BTreeSet<String> = std::fs::read_dir(format!("{root}/crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(named, folders);
}

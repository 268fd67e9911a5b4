use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use mis_sync_devservices::{DATABASE, Error, Postgres, PostgresTemplate, TemplateState};

use crate::postgres::ask;
use crate::{binaries, binaries_with_templates_in, empty_cache};

#[test]
fn threads_that_race_build_it_once() {
    let cache = empty_cache();
    let binaries = binaries_with_templates_in(cache.path());
    let built = AtomicU32::new(0);
    let rows = || -> i64 {
        let template = match PostgresTemplate::open(&binaries, "race").unwrap() {
            TemplateState::Ready(template) => template,
            TemplateState::Empty(builder) => {
                built.fetch_add(1, Ordering::Relaxed);
                let migration = "CREATE TABLE pupil AS SELECT generate_series(1, 3)";
                ask(&builder.url(DATABASE), migration, "SELECT count(*) FROM pupil");
                builder.finish().unwrap()
            }
        };
        let postgres = template.launch().unwrap();
        ask(&postgres.url(DATABASE), "", "SELECT count(*) FROM pupil")
    };
    std::thread::scope(|scope| {
        let racers = [(); 3].map(|()| scope.spawn(rows));
        assert_eq!(racers.map(|racer| racer.join().unwrap()), [3, 3, 3]);
    });
    assert_eq!(built.into_inner(), 1);
}

#[test]
fn processes_that_race_build_it_once() {
    let cache = empty_cache();
    let racers = [(); 2].map(|()| {
        Command::new(env!("CARGO_BIN_EXE_mis-sync-devservices"))
            .args(["run", "--", "true"])
            .env("XDG_CACHE_HOME", cache.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let built = racers.map(|racer| {
        let output = racer.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        told.matches("initialising Postgres").count()
    });
    assert_eq!(built.iter().sum::<usize>(), 1);
}

#[test]
fn launches_are_independent() {
    let cache = empty_cache();
    let binaries = binaries_with_templates_in(cache.path());
    let TemplateState::Empty(builder) = PostgresTemplate::open(&binaries, "twice").unwrap() else {
        panic!("the cache is empty");
    };
    ask(&builder.url(DATABASE), "CREATE TABLE t (n int8)", "SELECT 0::int8");
    let template = builder.finish().unwrap();
    let count_after_insert = |rows: i64| {
        let start = Instant::now();
        let postgres = template.launch().unwrap();
        println!("launched in {:?}", start.elapsed());
        let insert = format!("INSERT INTO t SELECT generate_series(1, {rows})");
        let count = ask(&postgres.url(DATABASE), &insert, "SELECT count(*) FROM t");
        (postgres, count)
    };
    std::thread::scope(|scope| {
        let one = scope.spawn(|| count_after_insert(1));
        let two = scope.spawn(|| count_after_insert(2));
        let ((one, one_count), (two, two_count)): ((Postgres, i64), (Postgres, i64)) =
            (one.join().unwrap(), two.join().unwrap());
        assert_eq!((one_count, two_count), (1, 2));
        assert_ne!(one.url(DATABASE), two.url(DATABASE));
    });
    let (_third, count) = count_after_insert(0);
    assert_eq!(count, 0);
}

#[test]
fn a_builder_that_gives_up_leaves_it_empty() {
    let cache = empty_cache();
    let binaries = binaries_with_templates_in(cache.path());
    for _ in 0..2 {
        let state = PostgresTemplate::open(&binaries, "given-up").unwrap();
        assert!(matches!(state, TemplateState::Empty(_)));
    }
}

#[test]
fn a_key_is_no_path() {
    let error = PostgresTemplate::open(&binaries(), "../etc").unwrap_err();
    assert!(matches!(error, Error::Key));
}

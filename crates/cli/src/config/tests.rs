#![expect(clippy::result_large_err, reason = "the shape of figment's test harness")]

use std::sync::Arc;

use chrono::TimeDelta;
use figment::Jail;

use super::*;

fn load_with(variables: &[(&str, &str)]) -> Result<Config, String> {
    let mut loaded = Err(String::new());
    Jail::expect_with(|jail| {
        jail.clear_env();
        for (name, value) in variables {
            jail.set_env(name, value);
        }
        loaded = Config::load(None).map_err(|failure| failure.to_string());
        Ok(())
    });
    loaded
}

#[test]
fn the_compiled_in_reference_is_complete() {
    let config = load_with(&[]).unwrap();
    assert_eq!(config.api.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.worker.lease().unwrap(), Duration::from_secs(30));
    let (ours, theirs) = (config.wonde.client(), ClientConfig::default());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "the reference names the true defaults");
    assert_eq!(config.wonde.token_probe_after(), Duration::from_mins(15));
    assert_eq!(config.alerts.stale_after(), mis_sync_domain::STALE_AFTER);
}

#[test]
fn the_environment_wins_and_reaches_every_contracted_key() {
    let config = load_with(&[
        ("DATABASE_URL", "postgres://db.example/x"),
        ("REDIS_URL", "redis://cache.example"),
        ("MIS_SYNC__API__LISTEN", "127.0.0.1:9090"),
        ("MIS_SYNC__WONDE__BASE_URL", "http://127.0.0.1:1/v1.0"),
        ("MIS_SYNC__WONDE__RATE_PER_SECOND", "50"),
        ("MIS_SYNC__WORKER__CONCURRENCY", "9"),
        ("MIS_SYNC__WORKER__LEASE_SECONDS", "2"),
        ("MIS_SYNC__ENCRYPTION__KEY", &"0a".repeat(32)),
    ])
    .unwrap();
    assert_eq!(config.database.url().unwrap(), "postgres://db.example/x");
    assert_eq!(config.redis.url().unwrap(), "redis://cache.example");
    assert_eq!(config.api.listen.port(), 9090);
    assert_eq!(config.wonde.client().base_url.as_str(), "http://127.0.0.1:1/v1.0");
    assert_eq!(config.wonde.limit().per_second.get(), 50);
    assert_eq!(config.worker.concurrency.get(), 9);
    assert_eq!(config.worker.lease().unwrap(), Duration::from_secs(2));
    assert!(config.encryption.cipher().is_ok());
}

#[test]
fn syncs_leave_a_share_of_the_rate_and_logins_are_impatient() {
    let limits = |rate: &str, percent: &str| {
        let config = load_with(&[
            ("MIS_SYNC__WONDE__RATE_PER_SECOND", rate),
            ("MIS_SYNC__WONDE__RESERVED_FOR_LOGINS_PERCENT", percent),
        ])
        .unwrap();
        let kept = config.wonde.limit_of_syncs().ok().map(|limit| limit.kept_for_logins);
        (config.wonde.limit().per_second.get(), kept)
    };
    assert_eq!(limits("10", "30"), (10, Some(3)));
    assert_eq!(limits("10", "0"), (10, Some(0)));
    assert_eq!(limits("1", "30"), (1, Some(0)));
    assert_eq!(limits("10", "91"), (10, None));

    let config = load_with(&[]).unwrap();
    let timeout = config.worker.refresh_timeout();
    let client = config.wonde.client_at_login(timeout);
    assert_eq!((client.max_tries, client.request_timeout_ms), (2, 4000));
    assert_eq!(config.wonde.limit_at_login(timeout).longest_wait, timeout);
    assert_eq!(config.worker.probe_after(), Duration::from_secs(10));
    assert_eq!(config.worker.interactive_concurrency.get(), 64);
}

#[test]
fn a_wrong_value_is_named_with_key_found_and_wanted() {
    let wrong = |name, value| load_with(&[(name, value)]).unwrap_err();
    let text = wrong("MIS_SYNC__WORKER__CONCURRENCY", "many");
    for part in ["worker.concurrency", "MIS_SYNC__WORKER__CONCURRENCY", "\"many\"", "wanted"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(wrong("MIS_SYNC__WORKER__CONCURRENCY", "0").contains("worker.concurrency"));
    for (name, key) in
        [("MIS_SYNC__API__LISTEN", "api.listen"), ("MIS_SYNC__WONDE__BASE_URL", "wonde.base_url")]
    {
        let text = wrong(name, "here");
        assert!(text.contains(key) && text.contains("\"here\", wanted"), "{text}");
    }
    let unknown = wrong("MIS_SYNC__WORKER__CONCURENCY", "1");
    assert!(unknown.contains("worker.concurency") && unknown.contains("no such key"), "{unknown}");
}

#[test]
fn what_is_required_is_asked_for_and_secrets_are_not_repeated() {
    let config = load_with(&[]).unwrap();
    let missing = config.database.url().unwrap_err().to_string();
    assert!(missing.contains("database.url is not set") && missing.contains("DATABASE_URL"));
    assert!(config.encryption.cipher().unwrap_err().to_string().contains("openssl rand"));

    let config = load_with(&[
        ("DATABASE_URL", "mysql://user:hunter2@db.example"),
        ("MIS_SYNC__ENCRYPTION__KEY", "hunter2"),
    ])
    .unwrap();
    let wrong = config.database.url().unwrap_err().to_string();
    assert!(wrong.contains("postgres://") && !wrong.contains("hunter2"), "{wrong}");
    let wrong = config.encryption.cipher().unwrap_err().to_string();
    assert!(!wrong.contains("hunter2"), "{wrong}");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn webhooks_and_alerts_need_good_secrets_and_none_is_repeated() {
    let config = load_with(&[]).unwrap();
    assert!(config.webhooks.wonde_secrets().is_ok());
    assert!(config.alerts.receiver().unwrap().is_none());
    assert_eq!(config.alerts.options().stale_after, TimeDelta::hours(26));
    assert!(config.scheduler.options().enabled);

    let secret = format!("whsec_{}", "A".repeat(32));
    let url = ("MIS_SYNC__ALERTS__URL", "https://hooks.example/hunter2");
    let good = load_with(&[url, ("MIS_SYNC__ALERTS__SECRET", &secret)]).unwrap();
    assert!(good.alerts.receiver().unwrap().is_some());
    assert!(!format!("{good:?}").contains("hunter2") && !format!("{good:?}").contains("AAAA"));
    for (variables, part) in [
        (vec![url], "alerts.secret is not set"),
        (vec![url, ("MIS_SYNC__ALERTS__SECRET", "hunter2")], "alerts.secret holds something else"),
        (vec![("MIS_SYNC__ALERTS__URL", "ftp://hunter2")], "alerts.url holds something else"),
        (vec![("MIS_SYNC__WEBHOOKS__WONDE_SECRET", "hunter2")], "webhooks.wonde_secret"),
    ] {
        let config = load_with(&variables).unwrap();
        let wrong = [config.alerts.receiver().err(), config.webhooks.wonde_secrets().err()];
        let said = wrong.into_iter().flatten().next().unwrap().to_string();
        assert!(said.contains(part) && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn secrets_come_from_files_whose_last_line_break_is_no_part_of_them() {
    let key = "0a".repeat(32);
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file("url", "postgres://db.example/x\n")?;
        jail.create_file("key", &format!("{key}\r\n"))?;
        jail.create_file("short", "1234567890123456")?;
        jail.create_dir("credentials")?;
        jail.create_file("credentials/redis.url", "redis://cache.example")?;
        jail.set_env("DATABASE_URL_FILE", "url");
        // An empty line of an environment file sets nothing.
        jail.set_env("DATABASE_URL", "");
        jail.set_env("MIS_SYNC__ENCRYPTION__KEY_FILE", "key");
        jail.set_env("MIS_SYNC__WEBHOOKS__WONDE_SECRET_FILE", "short");
        jail.set_env("CREDENTIALS_DIRECTORY", "credentials");
        let config = Config::load(None).unwrap();
        assert_eq!(config.database.url().unwrap(), "postgres://db.example/x");
        assert_eq!(config.redis.url().unwrap(), "redis://cache.example");
        assert!(config.encryption.cipher().is_ok());
        assert!(config.webhooks.wonde_secrets().is_ok(), "digits are a text too");

        jail.set_env("MIS_SYNC__ENCRYPTION__KEY", &key);
        let twice = Config::load(None).unwrap_err().to_string();
        for part in ["encryption.key is set twice", "MIS_SYNC__ENCRYPTION__KEY_FILE"] {
            assert!(twice.contains(part), "{twice}");
        }
        assert!(!twice.contains("0a0a"), "{twice}");
        Ok(())
    });
}

#[test]
fn a_file_of_a_secret_that_cannot_be_read_is_named() {
    let missing = load_with(&[("REDIS_URL_FILE", "/nowhere/redis")]).unwrap_err();
    for part in ["redis.url", "/nowhere/redis", "REDIS_URL_FILE", "No such file"] {
        assert!(missing.contains(part), "{missing}");
    }
    let no_secret = load_with(&[("MIS_SYNC__API__LISTEN_FILE", "x")]).unwrap_err();
    assert!(no_secret.contains("api.listen_file") && no_secret.contains("no such key"));
}

#[test]
fn ipv6_addresses_and_every_form_of_redis_are_accepted() {
    for redis in [
        "redis://[::1]:6379",
        "rediss://[2001:db8::7]",
        "redis+sentinel://[::1]:26379,[2001:db8::7]/main",
        "rediss+sentinel://a.example/main",
        "redis+cluster://[::1]:7000,[::1]:7001",
        "rediss+cluster://[2001:db8::7]:7000",
        "unix:///run/redis.sock",
    ] {
        let config = load_with(&[
            ("DATABASE_URL", "postgres://ip@[2001:db8::5]:6432/ip"),
            ("REDIS_URL", redis),
            ("MIS_SYNC__API__LISTEN", "[::]:8080"),
            ("MIS_SYNC__WONDE__BASE_URL", "https://[2001:db8::9]/v1.0"),
            ("MIS_SYNC__WONDE__ALLOWED_HOSTS", "[\"2001:db8::a\", \"[2001:db8::b]\"]"),
        ])
        .unwrap();
        config.redis.open().unwrap();
        let address = config.database.address().unwrap();
        assert_eq!(address.to_string(), "[2001:db8::5]:6432");
        assert!(config.api.listen.is_ipv6());
        let hosts = config.wonde.hosts().unwrap();
        for good in ["https://[2001:db8::9]/v1.0", "https://[2001:db8::a]", "https://[2001:db8::b]"]
        {
            hosts.check(good).unwrap();
        }
        assert!(hosts.check("https://[2001:db8::c]").is_err());
    }
}

#[test]
fn what_needs_a_session_has_an_address_of_its_own() {
    let pooler = ("DATABASE_URL", "postgres://ip@pooler.example:6432/ip");
    let direct = |variables: &[(&str, &str)]| {
        load_with(variables).unwrap().database.direct_address().unwrap().to_string()
    };
    assert_eq!(direct(&[pooler]), "pooler.example:6432");
    let own = ("MIS_SYNC__DATABASE__DIRECT_URL", "postgres://ip@db.example/ip");
    assert_eq!(direct(&[pooler, own]), "db.example:5432");
}

#[test]
fn callbacks_have_a_receiver_and_a_list_of_hosts() {
    let config = load_with(&[]).unwrap();
    assert!(config.callbacks.receivers(Arc::default()).unwrap().installation.is_none());
    assert!(config.callbacks.hosts().unwrap().check_receiver("https://ip.example/x").is_err());
    assert_eq!(config.api.requests_per_second_per_key, 200);

    let secret = format!("whsec_{}", "A".repeat(32));
    let url = ("MIS_SYNC__CALLBACKS__URL", "https://ip.example/hunter2");
    let hosts = |list| ("MIS_SYNC__CALLBACKS__ALLOWED_HOSTS", list);
    let good = [url, ("MIS_SYNC__CALLBACKS__SECRET", &secret), hosts("[\"*.ip.example\"]")];
    let good = load_with(&good).unwrap();
    assert!(good.callbacks.receivers(Arc::default()).unwrap().installation.is_some());
    let allowed = good.callbacks.hosts().unwrap();
    assert!(allowed.check_receiver("https://hooks.ip.example/x").is_ok());
    let missing =
        load_with(&[url]).unwrap().callbacks.receivers(Arc::default()).unwrap_err().to_string();
    assert!(missing.contains("callbacks.secret is not set") && !missing.contains("hunter2"));
    let wrong = load_with(&[hosts("[\"*.example\"]")]).unwrap().callbacks.hosts().unwrap_err();
    assert!(wrong.to_string().contains("callbacks.allowed_hosts: found `*.example`"), "{wrong}");
}

#[test]
fn traces_and_metrics_of_a_worker_are_off_until_they_are_configured() {
    let config = load_with(&[]).unwrap();
    assert!(config.traces.options().unwrap().is_none());
    assert!(config.worker.metrics_listen.is_none());

    let endpoint = ("MIS_SYNC__TRACES__ENDPOINT", "http://127.0.0.1:4318/v1/traces");
    let listen = ("MIS_SYNC__WORKER__METRICS_LISTEN", "0.0.0.0:9090");
    let config = load_with(&[endpoint, listen]).unwrap();
    assert!(config.traces.options().unwrap().is_some_and(|on| on.service_name == "mis-sync"));
    assert_eq!(config.worker.metrics_listen.unwrap().port(), 9090);
    for (variable, part) in [
        (("MIS_SYNC__TRACES__ENDPOINT", "hunter2:4318"), "traces.endpoint holds something else"),
        (("MIS_SYNC__TRACES__SAMPLE_RATIO", "1.5"), "traces.sample_ratio: found 1.5"),
    ] {
        let wrong = load_with(&[endpoint, variable]).unwrap().traces.options().unwrap_err();
        assert!(matches!(wrong, Failure::Usage(_)), "exit code 2");
        let said = wrong.to_string();
        assert!(said.contains(part) && !said.contains("hunter2"), "{said}");
    }
    let wrong = load_with(&[("MIS_SYNC__WORKER__METRICS_LISTEN", "9090")]).unwrap_err();
    assert!(wrong.contains("worker.metrics_listen"), "{wrong}");
}

#[test]
fn a_file_comes_between_and_must_exist() {
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file("my.toml", "[worker]\nconcurrency = 2\nlease_seconds = 7\n")?;
        jail.set_env("MIS_SYNC__WORKER__CONCURRENCY", "3");
        let config = Config::load(Some(Path::new("my.toml"))).unwrap();
        assert_eq!(config.worker.concurrency.get(), 3);
        assert_eq!(config.worker.lease().unwrap(), Duration::from_secs(7));
        let missing = Config::load(Some(Path::new("no.toml"))).unwrap_err().to_string();
        assert!(missing.starts_with("--config: there is no file "), "{missing}");
        Ok(())
    });
}

#[test]
fn the_table_of_mis_is_a_file_or_compiled_in() {
    let named =
        |table: &MisTable| -> Vec<String> { table.iter().map(|mis| mis.name.clone()).collect() };
    let built_in = load_with(&[]).unwrap().mis.table().unwrap();
    assert_eq!(named(&built_in), named(&MisTable::built_in()));
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file(
            "own.toml",
            "[[mis]]\nid = \"own\"\nname = \"Our Own\"\nspellings = []\nunsupported = []\n",
        )?;
        jail.set_env("MIS_SYNC__MIS__TABLE", "own.toml");
        let own = Config::load(None).unwrap().mis.table().unwrap();
        assert_eq!(named(&own), ["Our Own"]);
        Ok(())
    });
}

#[test]
fn a_bad_table_of_mis_is_named_with_its_reason() {
    Jail::expect_with(|jail| {
        jail.clear_env();
        jail.create_file("bad.toml", "[[mis]]\nid = \"own\"\n")?;
        for (file, reason) in [("no.toml", "No such file"), ("bad.toml", "missing field")] {
            jail.set_env("MIS_SYNC__MIS__TABLE", file);
            let failure = Config::load(None).unwrap().mis.table().unwrap_err();
            assert!(matches!(failure, Failure::Usage(_)), "exit code 2");
            let text = failure.to_string();
            assert!(text.contains("mis.table") && text.contains(file), "{text}");
            assert!(text.contains(reason), "{text}");
        }
        Ok(())
    });
}

use super::*;

fn hosts(configured: &str, allowed: &[&str], allow_loopback: bool) -> WondeHosts {
    WondeHosts::new(configured.parse().unwrap(), allowed, allow_loopback).unwrap()
}

#[test]
fn wondes_hosts_are_allowed_over_https_and_no_look_alikes() {
    let hosts = WondeHosts::default();
    for good in [
        "https://api.wonde.com/v1.0",
        "https://api.wonde.com",
        "https://api-ap-southeast-2.wonde.com/v1.0/",
    ] {
        assert!(hosts.check(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "api.wonde.com",
        "//api.wonde.com",
        "http://api.wonde.com/v1.0",
        "ftp://api.wonde.com",
        "file:///etc/passwd",
        // Other people's names.
        "https://wonde.com.evil.example",
        "https://evilwonde.com",
        "https://api.wonde.com.evil.example/v1.0",
        "https://wonde.com",
        "https://.wonde.com",
        "https://api.wonde.co",
        // Odd spellings of the right one.
        "https://api.wonde.com.",
        "https://api.wonde.com./v1.0",
        "https://API.wonde.com/v1.0",
        "HTTPS://api.wonde.com/v1.0",
        "https://api.wonde.com:8443/v1.0",
        "https://api.wonde.com:443/v1.0",
        "https://api%2ewonde.com/v1.0",
        "https://api.wonde.com\\@evil.example",
        "https:\\\\api.wonde.com",
        "https://api.won\tde.com",
        " https://api.wonde.com",
        "https://api.wonde.com/\0",
        // Other scripts.
        "https://аpi.wonde.com",
        "https://api.wоnde.com",
        "https://api。wonde。com",
        "https://ａpi.wonde.com",
        "https://api.wonde.ⅽom",
        // Another host behind a user name.
        "https://api.wonde.com@evil.example",
        "https://user@api.wonde.com",
        "https://:word@api.wonde.com",
        "https://api.wonde.com/?a=b",
        "https://api.wonde.com/#a",
        // Addresses, however they are written.
        "https://169.254.169.254",
        "https://localhost:5432",
        "https://localhost",
        "http://127.0.0.1:9000/v1.0",
        "https://127.0.0.1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0177.0.0.1",
        "https://0.0.0.0",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:169.254.169.254]",
        "https://8.8.8.8",
        "https://api.wonde.com.127.0.0.1.nip.io",
    ] {
        assert!(hosts.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_configured_address_is_always_allowed_and_its_neighbours_are_not() {
    let hosts = hosts("http://127.0.0.1:9000/v1.0", &[], false);
    assert!(hosts.check("http://127.0.0.1:9000/v1.0").is_ok());
    for bad in [
        "http://127.0.0.1:5432",
        "https://127.0.0.1:9000",
        "http://localhost:9000/v1.0",
        "http://127.0.0.2:9000",
        "http://user@127.0.0.1:9000",
        "https://api.wonde.com",
    ] {
        assert!(hosts.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn this_machine_is_wonde_only_where_development_says_so() {
    let hosts = hosts("https://api.wonde.com/v1.0", &[], true);
    for good in ["http://127.0.0.1:9000/v1.0", "http://localhost:9000", "https://[::1]:9000"] {
        assert!(hosts.check(good).is_ok(), "{good}");
    }
    for bad in [
        "http://localhost.example",
        "http://127.0.0.1.nip.io",
        "http://0.0.0.0:9000",
        "http://[::ffff:127.0.0.1]:9000",
        "http://10.0.0.1:9000",
        "http://2130706433:9000",
    ] {
        assert!(hosts.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_address_that_is_listed_is_allowed() {
    let hosts = hosts("https://api.wonde.com/v1.0", &["10.0.0.7", "wonde.intranet"], false);
    for good in ["https://10.0.0.7/v1.0", "https://wonde.intranet"] {
        assert!(hosts.check(good).is_ok(), "{good}");
    }
    for bad in ["https://10.0.0.8", "http://10.0.0.7", "https://a.wonde.intranet"] {
        assert!(hosts.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_name_may_not_lead_into_a_private_network() {
    let private: IpAddr = "10.0.0.7".parse().unwrap();
    let public: IpAddr = "1.1.1.1".parse().unwrap();
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    let plain = WondeHosts::default();
    assert!(plain.may_connect("eu.wonde.com", public));
    assert!(!plain.may_connect("eu.wonde.com", private));
    assert!(!plain.may_connect("localhost", loopback));
    assert!(plain.may_connect("api.wonde.com", private), "it is the configured host");

    let listed = hosts("https://api.wonde.com", &["*.wonde.com", "10.0.0.7", "w.intranet"], false);
    assert!(listed.may_connect("eu.wonde.com", private), "the address is listed");
    assert!(listed.may_connect("w.intranet", loopback), "the name is listed");
    assert!(!listed.may_connect("eu.wonde.com", loopback));

    let development = hosts("https://api.wonde.com", &["*.wonde.com"], true);
    assert!(development.may_connect("localhost", loopback));
    assert!(development.may_connect("127.0.0.1", loopback));
    assert!(development.may_connect("[::1]", "::1".parse().unwrap()));
    assert!(!development.may_connect("eu.wonde.com", loopback));
    assert!(!development.may_connect("localhost", private));
}

#[test]
fn an_entry_that_means_nothing_or_everybody_is_refused() {
    let read = |entry: &str| WondeHosts::new("https://a.example".parse().unwrap(), &[entry], false);
    for good in ["*.wonde.com", "api.wonde.com", "localhost", "10.0.0.7", "fd00::7"] {
        assert!(read(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "*",
        "*.",
        "*.com",
        "*.*.com",
        "wonde.com.",
        ".wonde.com",
        "Wonde.com",
        "wönde.com",
        "https://api.wonde.com",
        "api.wonde.com:443",
        "api.wonde.com/v1.0",
        "10.0.0",
        "10.0.0.0/8",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_origin_says_where_a_school_is_asked() {
    let hosts = WondeHosts::default();
    assert_eq!(hosts.origin(None), "https://api.wonde.com");
    assert_eq!(hosts.origin(Some("https://api.wonde.com/v2.0")), hosts.origin(None));
    assert_eq!(hosts.origin(Some("https://eu.wonde.com/v1.0")), "https://eu.wonde.com");
}

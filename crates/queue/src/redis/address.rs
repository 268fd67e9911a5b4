//! The forms of a Redis URL: one server, a master that Sentinel names, or a cluster.

use std::time::Duration;

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use super::RedisError;

/// A peer that acknowledges nothing for this long counts as gone.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// Where Redis is.
pub(super) enum Address {
    One(ConnectionInfo),
    /// The master that these sentinels know by this name; `node` says how to log in there.
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        master: String,
        node: ConnectionInfo,
    },
    /// The nodes of a cluster from which the others are learnt.
    Cluster(Vec<ConnectionInfo>),
}

impl Address {
    /// Reads a URL. No part of it is repeated in an error, because it may contain a password.
    pub(super) fn parse(url: &str) -> Result<Self, RedisError> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        match scheme {
            "redis+sentinel" => sentinel(&Parts::read("redis", rest)?),
            "rediss+sentinel" => sentinel(&Parts::read("rediss", rest)?),
            "redis+cluster" => cluster(&Parts::read("redis", rest)?),
            "rediss+cluster" => cluster(&Parts::read("rediss", rest)?),
            _ => Ok(Self::One(info(url)?)),
        }
    }

    /// Whether connections to Redis itself use TLS.
    pub(super) fn uses_tls(&self) -> bool {
        let node = match self {
            Self::One(info) | Self::Sentinel { node: info, .. } => Some(info),
            Self::Cluster(nodes) => nodes.first(),
        };
        node.is_some_and(|info| matches!(info.addr(), ConnectionAddr::TcpTls { .. }))
    }
}

/// The parts of a URL with several hosts; everything is still percent-encoded.
struct Parts<'a> {
    /// `redis` or `rediss`.
    plain: &'static str,
    /// `user:password@`, or nothing.
    login: &'a str,
    hosts: Vec<&'a str>,
    path: &'a str,
    query: &'a str,
    /// `#insecure`, or nothing.
    fragment: &'a str,
}

impl<'a> Parts<'a> {
    fn read(plain: &'static str, rest: &'a str) -> Result<Self, RedisError> {
        let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let hosts: Vec<&str> = hosts.split(',').map(str::trim).collect();
        if hosts.iter().any(|host| host.is_empty()) {
            return Err(RedisError::Address("a host is empty".into()));
        }
        Ok(Self { plain, login, hosts, path: path.trim_end_matches('/'), query, fragment })
    }

    /// One of the hosts in the form of the `redis` crate.
    fn node(&self, login: &str, host: &str, database: &str) -> Result<ConnectionInfo, RedisError> {
        info(&format!("{}://{login}{host}/{database}{}", self.plain, self.fragment))
    }
}

fn sentinel(parts: &Parts<'_>) -> Result<Address, RedisError> {
    let (master, database) = parts.path.split_once('/').unwrap_or((parts.path, ""));
    if master.is_empty() {
        let form = "the name of the master is missing: redis+sentinel://host:26379/mymaster/0";
        return Err(RedisError::Address(form.into()));
    }
    let login = sentinel_login(parts.query)?;
    let sentinels = parts.hosts.iter().map(|host| {
        let has_port = host.rsplit(']').next().is_some_and(|tail| tail.contains(':'));
        let port = if has_port { "" } else { ":26379" };
        parts.node(&login, &format!("{host}{port}"), "")
    });
    let sentinels = sentinels.collect::<Result<_, _>>()?;
    // The sentinels say where it is; only how to log in there is used.
    let node = parts.node(parts.login, "localhost", database)?;
    Ok(Address::Sentinel { sentinels, master: master.to_owned(), node })
}

/// Sentinels have their own login, if any.
fn sentinel_login(query: &str) -> Result<String, RedisError> {
    let (mut user, mut password) = ("", None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("sentinel_username", value) => user = value,
            ("sentinel_password", value) => password = Some(value),
            _ => {
                let known = "after the ? only sentinel_username and sentinel_password are known";
                return Err(RedisError::Address(known.into()));
            }
        }
    }
    Ok(match password {
        Some(password) => format!("{user}:{password}@"),
        None => String::new(),
    })
}

fn cluster(parts: &Parts<'_>) -> Result<Address, RedisError> {
    if !parts.query.is_empty() || !["", "0"].contains(&parts.path) {
        let form = "a cluster has no database but 0, and no options: redis+cluster://host:6379";
        return Err(RedisError::Address(form.into()));
    }
    let nodes = parts.hosts.iter().map(|host| parts.node(parts.login, host, ""));
    Ok(Address::Cluster(nodes.collect::<Result<_, _>>()?))
}

fn info(url: &str) -> Result<ConnectionInfo, RedisError> {
    Ok(url.into_connection_info()?.set_tcp_settings(tcp_settings()))
}

/// The system, too, should notice a peer that vanished silently.
fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(DEAD_AFTER / 2)
        .with_interval(Duration::from_secs(1))
        .with_retries(3);
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(DEAD_AFTER);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(infos: &[ConnectionInfo]) -> Vec<String> {
        infos.iter().map(|info| info.addr().to_string()).collect()
    }

    fn login(info: &ConnectionInfo) -> (Option<&str>, Option<&str>) {
        let settings = info.redis_settings();
        (settings.username(), settings.password())
    }

    #[test]
    fn sentinels_and_their_master_are_read_with_both_logins() {
        let url = "rediss+sentinel://app:s%40fe@a.example,[::1]:26380/main/3\
                   ?sentinel_username=watch&sentinel_password=p%2Fw";
        let Address::Sentinel { sentinels, master, node } = Address::parse(url).unwrap() else {
            panic!()
        };
        assert_eq!(master, "main");
        assert_eq!(addresses(&sentinels), ["a.example:26379", "::1:26380"]);
        assert!(sentinels.iter().all(|info| login(info) == (Some("watch"), Some("p/w"))));
        assert_eq!(login(&node), (Some("app"), Some("s@fe")));
        assert_eq!(node.redis_settings().db(), 3);
        assert!(matches!(node.addr(), redis::ConnectionAddr::TcpTls { .. }));
    }

    #[test]
    fn a_cluster_is_read_with_its_login() {
        let url = "redis+cluster://:secret@a.example:7000,b.example";
        let Address::Cluster(nodes) = Address::parse(url).unwrap() else { panic!() };
        assert_eq!(addresses(&nodes), ["a.example:7000", "b.example:6379"]);
        assert!(nodes.iter().all(|info| login(info) == (None, Some("secret"))));
        assert!(nodes.iter().all(|info| info.tcp_settings().keepalive().is_some()));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "redis+sentinel://:secret@a",
            "redis+sentinel://:secret@/main",
            "redis+sentinel://:secret@a/main/x",
            "redis+sentinel://:secret@a/main?typo=secret",
            "redis+cluster://:secret@a,,b",
            "redis+cluster://:secret@a/4",
            "rediss+cluster://:secret@a:port",
            "redis+unknown://:secret@a",
            "secret",
        ] {
            let Err(error) = Address::parse(url) else { panic!("{url}") };
            assert!(error.is_configuration() && !error.to_string().contains("secret"), "{error}");
        }
    }
}

//! Where Postgres is, and how sessions there begin.

use std::{fmt, str::FromStr};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::Error;

/// The address of a database, with what it takes to log in there.
#[derive(Clone)]
pub struct Address(PgConnectOptions);

impl Address {
    /// Reads a URL. With `ca` (PEM) every connection uses TLS, and the server's certificate must come
    /// from one of these roots, or from one that the system trusts. A socket needs none.
    pub fn parse(url: &str, ca: Option<&[u8]>) -> Result<Self, Error> {
        let mut options = PgConnectOptions::from_str(url)?
            .application_name("mis-sync")
            // Poolers refuse this parameter, and no version of Postgres that we support needs it.
            .extra_float_digits(None);
        // The driver would look up the brackets of an IPv6 address as part of a name.
        let host = options.get_host().to_owned();
        if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            options = options.host(inner);
        }
        if let Some(ca) = ca
            && options.get_socket().is_none()
        {
            let names_a_mode = url.contains("sslmode=") || url.contains("ssl-mode=");
            options = match options.get_ssl_mode() {
                PgSslMode::VerifyCa | PgSslMode::VerifyFull => options,
                _ if !names_a_mode => options.ssl_mode(PgSslMode::VerifyFull),
                _ => {
                    let wanted = "with database.ca, sslmode is verify-full (the default then) or \
                                  verify-ca";
                    return Err(Error::Configuration(wanted.into()));
                }
            }
            .ssl_root_cert_from_pem(ca.to_vec());
        }
        Ok(Self(options))
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.0
    }
}

/// Where it is, without a login: host and port, or a socket.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.0.get_host(), self.0.get_port());
        match self.0.get_socket() {
            Some(folder) => write!(f, "{}/.s.PGSQL.{port}", folder.display()),
            None if host.starts_with('/') => write!(f, "{host}/.s.PGSQL.{port}"),
            None if host.contains(':') => write!(f, "[{host}]:{port}"),
            None => write!(f, "{host}:{port}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, ca: Option<&str>) -> Result<Address, Error> {
        Address::parse(url, ca.map(str::as_bytes))
    }

    #[test]
    fn it_is_shown_without_its_login() {
        for (url, shown) in [
            ("postgres://ada:hunter2@db.example/iP", "db.example:5432"),
            ("postgres://ada:hunter2@[2001:db8::7]:6432/iP", "[2001:db8::7]:6432"),
            ("postgres://ada:hunter2@%2Frun%2Fpg/iP", "/run/pg/.s.PGSQL.5432"),
            ("postgres:///iP?host=/run/pg&port=5433", "/run/pg/.s.PGSQL.5433"),
        ] {
            let address = parse(url, None).unwrap();
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("hunter2"));
        }
    }

    #[test]
    fn an_ipv6_address_has_no_brackets_for_the_driver() {
        assert_eq!(parse("postgres://[::1]/iP", None).unwrap().options().get_host(), "::1");
    }

    #[test]
    fn own_roots_mean_checked_certificates() {
        let mode =
            |url, ca| parse(url, ca).map(|address| format!("{:?}", address.0.get_ssl_mode()));
        let url = "postgres://db.example/iP";
        assert_eq!(mode(url, None).unwrap(), "Prefer");
        assert_eq!(mode(url, Some("PEM")).unwrap(), "VerifyFull");
        let verified = format!("{url}?sslmode=verify-ca");
        assert_eq!(mode(&verified, Some("PEM")).unwrap(), "VerifyCa");
        assert!(mode(&format!("{url}?sslmode=require"), Some("PEM")).is_err());
    }
}

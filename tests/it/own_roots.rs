//! Postgres and Redis with certificates of an authority of their own.

use mis_sync_testing::{another_postgres, another_redis, free_port};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::doctor::{app_without_worker, doctor};

/// A new authority, and the certificate and key of a server on loopback; all as files.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let server = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        for (name, pem) in [
            ("ca.pem", authority.pem()),
            ("server.pem", server.pem()),
            ("server.key", key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), pem).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn postgres_is_trusted_by_the_roots_of_database_ca() {
    let app = app_without_worker().await;
    let (files, other) = (Files::new(), Files::new());
    let port = free_port();
    let read = |name| std::fs::read(files.path(name)).unwrap();
    let _postgres = another_postgres(port, read("server.pem"), read("server.key")).await;
    let ca = files.path("ca.pem");
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("postgres://postgres@{host}:{port}/mis_sync");
        let (_, findings) =
            doctor(&app, &[("DATABASE_URL", &url), ("MIS_SYNC__DATABASE__CA", &ca)]).await;
        findings.expect("database", "ok");

        // These are checked: with another authority, or only the system's, there is no session.
        let wrong = other.path("ca.pem");
        let (code, findings) =
            doctor(&app, &[("DATABASE_URL", &url), ("MIS_SYNC__DATABASE__CA", &wrong)]).await;
        assert_eq!(code, 2);
        findings.expect_texts("database", "fail", &["certificate", "database.ca"]);
        let strict = format!("{url}?sslmode=verify-full");
        let (code, findings) = doctor(&app, &[("DATABASE_URL", &strict)]).await;
        assert_eq!(code, 2);
        findings.expect_texts("database", "fail", &["certificate", "database.ca"]);
    }
}

#[tokio::test]
async fn redis_is_trusted_by_the_roots_of_redis_ca() {
    let app = app_without_worker().await;
    let (files, other) = (Files::new(), Files::new());
    let port = free_port();
    let (pem, key, ca) = (files.path("server.pem"), files.path("server.key"), files.path("ca.pem"));
    let _redis = another_redis(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &pem,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let url = format!("rediss://localhost:{port}");
    let (code, findings) = doctor(&app, &[("REDIS_URL", &url), ("MIS_SYNC__REDIS__CA", &ca)]).await;
    assert_eq!(code, 0, "{findings:?}");
    findings.expect("redis", "ok");
    let wrong = other.path("ca.pem");
    for roots in [&wrong[..], ""] {
        let (code, findings) =
            doctor(&app, &[("REDIS_URL", &url), ("MIS_SYNC__REDIS__CA", roots)]).await;
        assert_eq!(code, 3);
        findings.expect_texts("redis", "fail", &["certificate"]);
    }
    let plain = format!("redis://localhost:{port}");
    let (code, findings) =
        doctor(&app, &[("REDIS_URL", &plain), ("MIS_SYNC__REDIS__CA", &ca)]).await;
    assert_eq!(code, 2);
    findings.expect_texts("configuration.redis", "fail", &["redis.ca", "rediss"]);
}

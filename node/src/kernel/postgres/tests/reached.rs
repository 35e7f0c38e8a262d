//! Connections over loopback: encrypted, with a password, and refused.

use super::cluster::Postgres;
use crate::kernel::postgres::session::Session;
use crate::kernel::postgres::{PostgresConfig, PostgresError, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A certificate authority, and its certificate as PEM.
fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate");
    (Issuer::new(params, key), certificate.pem())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn write(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    path
}

const PASSWORDS: &str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n";

/// A server on this machine with a role that has a password; with a certificate for `localhost`, if an
/// authority is given.
fn serve(authority: Option<&Issuer<'static, KeyPair>>) -> (Postgres, PostgresConfig) {
    let port = free_port();
    let listen = format!("port={port}");
    let mut settings = vec!["listen_addresses=localhost", listen.as_str()];
    if authority.is_some() {
        settings.push("ssl=on");
    }
    let cluster = Postgres::start_with(&settings, |data| {
        write(data, "pg_hba.conf", PASSWORDS, 0o600);
        if let Some(authority) = authority {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, authority).expect("a certificate");
            write(data, "server.crt", &certificate.pem(), 0o600);
            write(data, "server.key", &key.serialize_pem(), 0o600);
        }
        Ok(())
    })
    .expect("PostgreSQL");
    let config = PostgresConfig {
        host: "localhost".to_owned(),
        port,
        database: "postgres".to_owned(),
        user: "reader".to_owned(),
        schema: "stat".to_owned(),
        password_file: None,
        ca_file: None,
        tls: Tls::Full,
        statement_timeout: Duration::from_secs(10),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        use sqlx::Connection;
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .socket(cluster.folder())
            .port(port)
            .username("test")
            .database("postgres");
        let mut owner = sqlx::PgConnection::connect_with(&options).await.expect("a connection");
        sqlx::raw_sql("create role reader login password 'a good one'")
            .execute(&mut owner)
            .await
            .expect("a role");
    });
    (cluster, config)
}

fn refusal(config: &PostgresConfig) -> PostgresError {
    match Session::open(config) {
        Ok(_) => panic!("it connects"),
        Err(error) => error,
    }
}

fn says(error: &PostgresError, words: &[&str]) {
    let text = crate::daemon::explain(error);
    for word in words {
        assert!(text.contains(word), "{text} lacks {word}");
    }
    assert!(!text.contains("a good one") && !text.contains("a bad one"), "{text}");
}

#[test]
fn a_server_proves_who_it_is_and_a_role_has_a_password() {
    let (issuer, trusted) = authority();
    let (_other, stranger) = authority();
    let (_cluster, config) = serve(Some(&issuer));
    let folder = tempfile::tempdir().expect("a folder");
    let password = |text, mode| Some(write(folder.path(), "password", text, mode));
    let ca = |text| Some(write(folder.path(), "ca.pem", text, 0o644));
    let good = PostgresConfig {
        password_file: password("a good one\n", 0o600),
        ca_file: ca(&trusted),
        ..config
    };
    Session::open(&good).expect("a session").end();
    // The certificate is for the name, not for the address.
    let elsewhere = PostgresConfig { host: "127.0.0.1".to_owned(), ..good.clone() };
    let error = refusal(&elsewhere);
    assert!(matches!(error, PostgresError::Tls { .. }));
    says(&error, &["127.0.0.1", "records.postgres.ca_file", "certificate"]);
    ca(&stranger);
    let error = refusal(&good);
    assert!(matches!(error, PostgresError::Tls { .. }));
    says(&error, &["localhost", "not trusted"]);
    assert!(matches!(
        refusal(&PostgresConfig { ca_file: None, ..good.clone() }),
        PostgresError::Tls { .. }
    ));
    ca(&trusted);
    password("a bad one", 0o600);
    says(&refusal(&good), &["reader", "password_file", "pg_hba.conf"]);
    password("a good one", 0o644);
    says(&refusal(&good), &["records.postgres.password_file", "chmod 600"]);
    let missing =
        PostgresConfig { password_file: Some(folder.path().join("none")), ..good.clone() };
    says(&refusal(&missing), &["records.postgres.password_file", "none"]);
    let missing = PostgresConfig { ca_file: Some(folder.path().join("none")), ..good };
    password("a good one", 0o600);
    says(&refusal(&missing), &["records.postgres.ca_file", "none"]);
}

#[test]
fn a_server_without_tls_is_refused_and_none_at_all_is_said() {
    let (cluster, config) = serve(None);
    let folder = tempfile::tempdir().expect("a folder");
    let password_file = Some(write(folder.path(), "password", "a good one", 0o600));
    let config = PostgresConfig { password_file, ..config };
    let error = refusal(&config);
    assert!(matches!(error, PostgresError::Tls { .. }));
    says(&error, &["cannot be encrypted"]);
    let plain = PostgresConfig { tls: Tls::Off, ..config };
    Session::open(&plain).expect("this machine may go without").end();
    drop(cluster);
    let error = refusal(&plain);
    assert!(matches!(error, PostgresError::Unreachable { .. }));
    says(&error, &["cannot be reached", "records.postgres.host", "firewall"]);
}

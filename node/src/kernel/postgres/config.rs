//! Which database, and how it is reached.
//!
//! **Invariant:** no secret is in it: the password is in a file of its own, read when it is needed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A database that holds the records, from a checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// The server's name, or the folder of its Unix socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The role, which needs to read the schema and nothing else.
    pub user: String,
    /// The schema with the eight tables or views.
    pub schema: String,
    /// A file with the role's password, which only the node's user may read.
    pub password_file: Option<PathBuf>,
    /// A file of certificate authorities (PEM) that the server's certificate may come from.
    pub ca_file: Option<PathBuf>,
    /// Whether the connection is encrypted.
    pub tls: Tls,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Encrypted; the server's certificate and name are checked.
    Full,
    /// Plain; only for a Unix socket and for this machine itself.
    Off,
}

impl fmt::Display for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, database, schema, .. } = self;
        write!(f, "the schema {schema} of {database} on {host}:{port}")
    }
}

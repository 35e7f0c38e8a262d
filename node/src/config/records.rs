//! The section `[records]`: a folder, or a database.
//!
//! **Invariant:** exactly one of the two, and with a database nothing that only a folder can have; a
//! connection that leaves this machine is always encrypted and its server's name checked.

use crate::kernel::postgres::{PostgresConfig, Tls};
use crate::kernel::source::{Limits, Origin, RejectedRows};
use serde::Deserialize;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Least and most memory for records, in MiB.
const MEMORY_MIB: std::ops::RangeInclusive<u64> = 16..=1_048_576;
/// How long one statement may take at the database when the configuration does not say.
const STATEMENT_TIMEOUT_SECONDS: u32 = 300;
/// The longest that it may be given.
const MOST_SECONDS: u32 = 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    folder: Option<PathBuf>,
    sqlite: Option<PathBuf>,
    pub(super) mapping: Option<PathBuf>,
    pub(super) rejected_rows: RejectedRows,
    memory_mib: Option<u64>,
    threads: Option<NonZeroUsize>,
    postgres: Option<PostgresSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostgresSection {
    host: String,
    port: Option<u16>,
    database: String,
    user: String,
    schema: String,
    /// Refused: it is here so that the refusal does not quote it.
    password: Option<serde::de::IgnoredAny>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    statement_timeout_seconds: Option<u32>,
    #[serde(default)]
    without_tls: bool,
}

/// A key of the file, and what is wrong with it.
type Bad = (&'static str, &'static str);

impl Section {
    /// What reading may take.
    pub(super) fn limits(&self) -> Result<Limits, Bad> {
        let usual = Limits::default();
        let memory = match self.memory_mib {
            None => Some(usual.memory),
            Some(mib) => mib.checked_mul(1024 * 1024).filter(|_| MEMORY_MIB.contains(&mib)),
        };
        let bad = ("records.memory_mib", "must be from 16 to 1048576 (MiB)");
        let threads = self.threads.unwrap_or(usual.threads);
        Ok(Limits { memory: memory.ok_or(bad)?, threads, ..usual })
    }

    /// Where the records are.
    pub(super) fn origin(self, directory: &Path) -> Result<Origin, Bad> {
        match (self.folder, self.sqlite, self.postgres) {
            (Some(folder), None, None) => Ok(Origin::Folder(directory.join(folder))),
            (None, Some(file), None) => Ok(Origin::Sqlite(directory.join(file))),
            (None, None, Some(_)) if self.mapping.is_some() => Err((
                "records.mapping",
                "is for files and SQLite; with records.postgres, make views in the schema that have the standard names, columns and codes",
            )),
            (None, None, Some(_)) if self.rejected_rows == RejectedRows::Skip => Err((
                "records.rejected_rows",
                "must be \"refuse\" with records.postgres; leave rows out in the view instead",
            )),
            (None, None, Some(section)) => Ok(Origin::Postgres(section.check(directory)?)),
            (None, None, None) => Err((
                "records.folder",
                "is missing; name the folder of the export, or records.sqlite, or give the section [records.postgres]",
            )),
            _ => Err((
                "records.folder",
                "is not the only place of the records: keep one of folder, sqlite and the section [records.postgres]",
            )),
        }
    }
}

impl PostgresSection {
    fn check(self, directory: &Path) -> Result<PostgresConfig, Bad> {
        let named = [
            ("records.postgres.host", &self.host),
            ("records.postgres.database", &self.database),
            ("records.postgres.user", &self.user),
            ("records.postgres.schema", &self.schema),
        ];
        let is_name = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
        if let Some((key, _)) = named.into_iter().find(|(_, text)| !is_name(text)) {
            return Err((key, "is blank; write its name"));
        }
        if self.password.is_some() {
            return Err((
                "records.postgres.password",
                "does not belong in this file; write it into a file that only the node's user may read, and name that in records.postgres.password_file",
            ));
        }
        let seconds = self.statement_timeout_seconds.unwrap_or(STATEMENT_TIMEOUT_SECONDS);
        if !(1..=MOST_SECONDS).contains(&seconds) {
            return Err((
                "records.postgres.statement_timeout_seconds",
                "must be from 1 to 86400 seconds",
            ));
        }
        let tls = match (is_socket(&self.host), self.without_tls) {
            (true, _) => Tls::Off,
            (false, false) => Tls::Full,
            (false, true) if is_here(&self.host) => Tls::Off,
            (false, true) => {
                return Err((
                    "records.postgres.without_tls",
                    "is only for a server on this machine (\"localhost\", \"127.0.0.1\" or \"::1\"); take it out, and the connection is encrypted",
                ));
            }
        };
        Ok(PostgresConfig {
            host: self.host,
            port: self.port.unwrap_or(5432),
            database: self.database,
            user: self.user,
            schema: self.schema,
            password_file: self.password_file.map(|path| directory.join(path)),
            ca_file: self.ca_file.map(|path| directory.join(path)),
            tls,
            statement_timeout: Duration::from_secs(u64::from(seconds)),
        })
    }
}

/// The folder of a Unix socket.
fn is_socket(host: &str) -> bool {
    host.starts_with('/')
}

/// A name or address of this machine that no packet to leaves it.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests;

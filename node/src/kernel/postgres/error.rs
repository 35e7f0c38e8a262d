//! Why a database gives no count.
//!
//! **Invariant:** an error names the server, tables, columns and rules. What the server wrote is never
//! in it: its messages may quote a row. Of those it has the five characters of SQLSTATE.

use super::check::Flaw;
use crate::files::FileError;
use crate::kernel::source::Table;
use std::fmt;
use std::path::PathBuf;

/// A database that cannot be asked, or may not be counted as it is.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// A file that the configuration names.
    #[error("{key}: {} cannot be read", path.display())]
    File {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A password that cannot be read, or that others may read too.
    #[error("records.postgres.password_file")]
    Password(#[source] FileError),
    /// A password that is no text.
    #[error("records.postgres.password_file is not UTF-8; write the password into it as text")]
    PasswordText,
    /// A variable of the environment that would decide whom the connection trusts, or how it reads.
    #[error(
        "the variable {name} is set; the configuration alone says how the database is reached, so start the program without it"
    )]
    Surroundings {
        /// The variable.
        name: &'static str,
    },
    /// The program could not make ready to ask.
    #[error("the system does not let the program open a connection")]
    Runtime(#[source] std::io::Error),
    /// No server.
    #[error(
        "{place} cannot be reached; see that records.postgres.host and port are right, that the server runs, and that no firewall is between"
    )]
    Unreachable {
        /// The server and the database.
        place: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("{place} does not answer; see that the server runs, and that no firewall is between")]
    Silent {
        /// The server and the database.
        place: String,
    },
    /// A server that does not prove who it is.
    #[error(
        "{place}: the connection cannot be encrypted, or the server's certificate is not trusted ({why}); the server needs TLS with a certificate in the name that records.postgres.host has, from an authority that the system trusts or that is in records.postgres.ca_file"
    )]
    Tls {
        /// The server and the database.
        place: String,
        /// What the check of the certificate said.
        why: String,
    },
    /// A role that may not sign in.
    #[error(
        "{place} does not let the role {user} in; see records.postgres.user, its password_file, and the server's pg_hba.conf"
    )]
    SignIn {
        /// The server and the database.
        place: String,
        /// The role.
        user: String,
    },
    /// No such database.
    #[error("{place}: there is no such database; correct records.postgres.database")]
    NoDatabase {
        /// The server and the database.
        place: String,
    },
    /// A server that is too old.
    #[error("{place} is older than PostgreSQL 13; it has to be 13 or newer")]
    TooOld {
        /// The server and the database.
        place: String,
    },
    /// No such schema, or none that the role may use.
    #[error(
        "there is no schema {schema} that the role {user} may use; correct records.postgres.schema, or: GRANT USAGE ON SCHEMA {schema} TO {user}"
    )]
    NoSchema {
        /// The schema.
        schema: String,
        /// The role.
        user: String,
    },
    /// A table without which nothing can be counted.
    #[error(
        "the schema {schema} has no table or view {table}: nothing can be counted without it; make a view with that name"
    )]
    Required {
        /// The schema.
        schema: String,
        /// The table.
        table: Table,
    },
    /// A column that is not there, or not of the right type.
    #[error("{table}.{column}: {fault}")]
    Column {
        /// The table.
        table: Table,
        /// The column.
        column: &'static str,
        /// What is wrong.
        fault: ColumnFault,
    },
    /// Rows that cannot be used.
    #[error(
        "rows in the database cannot be used, and nothing is released while there are any; `fellestall-node check-data` says how many:{}", Lines(first, *more)
    )]
    Broken {
        /// The first rules that are broken.
        first: Vec<Flaw>,
        /// Whether there are more.
        more: bool,
    },
    /// A statement that took too long.
    #[error(
        "{what} took longer than the {seconds} seconds of records.postgres.statement_timeout_seconds; give it longer, or see with `fellestall-node plan` how PostgreSQL goes about it"
    )]
    Timeout {
        /// What was asked.
        what: What,
        /// How long it might take.
        seconds: u64,
    },
    /// A table that may not be read, or of which rows are hidden from the role.
    #[error(
        "{what}: the role {user} may not read a table that it needs, or not every row of it; GRANT SELECT on it, and leave rows out in a view, not by row security"
    )]
    Denied {
        /// What was asked.
        what: What,
        /// The role.
        user: String,
    },
    /// The server refused or failed.
    #[error(
        "{what} failed at the database (SQLSTATE {code}); the server's own log says more, and so does the same statement, which `fellestall-node plan` prints"
    )]
    Statement {
        /// What was asked.
        what: What,
        /// What kind of failure: five characters, as in appendix A of PostgreSQL's manual.
        code: String,
    },
    /// The connection broke, or the server answered with something else than was asked.
    #[error(
        "{what}: the connection to the database broke; nothing was charged, and it is asked again"
    )]
    Broke {
        /// What was asked.
        what: What,
    },
    /// Nobody has that identifier. It is not in here.
    #[error("nobody has this identifier")]
    Nobody,
}

/// What was asked of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// To begin.
    Session,
    /// Which tables and columns there are.
    Layout,
    /// Whether the rows of a table can be used.
    Check(Table),
    /// The count of a statistic.
    Count(String),
    /// Who is counted.
    Snapshot,
    /// How consents stand.
    Coverage,
    /// One participant's rows of a table.
    Person(Table),
    /// How a count would be gone about.
    Plan(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("beginning"),
            Self::Layout => f.write_str("looking for the tables"),
            Self::Check(table) => write!(f, "checking the table {table}"),
            Self::Count(statistic) => write!(f, "counting {statistic}"),
            Self::Snapshot => f.write_str("making the digest of who is counted"),
            Self::Coverage => f.write_str("counting the consents"),
            Self::Person(table) => write!(f, "reading one participant's rows of {table}"),
            Self::Plan(statistic) => write!(f, "planning the count of {statistic}"),
        }
    }
}

/// What is wrong with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFault {
    /// It is not there.
    Missing {
        /// What it should be.
        needs: &'static str,
    },
    /// It has another type.
    Type {
        /// What it should be.
        needs: &'static str,
    },
    /// The role may not read it.
    Denied,
    /// Its collation calls different texts equal.
    Collation,
}

impl fmt::Display for ColumnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { needs } => write!(
                f,
                "there is no such column; make it in the view (what is not recorded: null::{needs})"
            ),
            Self::Type { needs } => {
                write!(f, "the column has another type than {needs}; cast it in the view")
            }
            Self::Denied => f.write_str("the role may not read the column; GRANT SELECT on the table"),
            Self::Collation => f.write_str(
                "the column's collation is nondeterministic: it calls different texts equal; give it another in the view (COLLATE \"C\")",
            ),
        }
    }
}

struct Lines<'a>(&'a [Flaw], bool);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for flaw in self.0 {
            write!(f, "\n  {flaw}")?;
        }
        if self.1 { f.write_str("\n  and more") } else { Ok(()) }
    }
}

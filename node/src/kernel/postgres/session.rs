//! One connection with one read-only transaction, in which all statements see the same records.
//!
//! **Invariant:** the transaction can write nothing and is never committed; every wait has an end; no
//! environment variable and no file but those of the configuration decide where it connects.

use super::config::{PostgresConfig, Tls};
use super::error::{PostgresError, What};
use crate::files;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::query::{Query, QueryScalar};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Decode, Postgres, Type};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(20);
/// How much later than the statement's own timeout an answer is given up.
const GRACE: Duration = Duration::from_secs(15);
/// The oldest server that has all that is used.
const OLDEST: i64 = 130_000;

/// What is set for the transaction. Sums of a partition are made where it is, if it is on another
/// server too; parameters do not go into the server's log when a statement fails; what functions in views
/// have to say of rows is not sent; a policy that hides rows is an error, for a withdrawal may be among them.
const SETTINGS: &str = "set local search_path = pg_catalog; set local standard_conforming_strings = on;
set local enable_partitionwise_aggregate = on; set local enable_partitionwise_join = on; set local jit = off;
set local work_mem = '64MB'; set local client_min_messages = error; set local row_security = off;
set local log_parameter_max_length_on_error = 0; set local lock_timeout = '10s'";

/// What the driver takes from the environment and no call of it can set back: authorities and a
/// certificate of other files, and settings of the session.
const SURROUNDINGS: [&str; 4] = ["PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGOPTIONS"];

/// A transaction at the database.
pub(super) struct Session {
    connection: PgConnection,
    config: PostgresConfig,
    // After the connection: it is dropped while its runtime still is.
    runtime: Runtime,
}

impl Session {
    /// Connects, and begins.
    pub(super) fn open(config: &PostgresConfig) -> Result<Self, PostgresError> {
        let options = options(config)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(PostgresError::Runtime)?;
        let place = config.to_string();
        let connected =
            runtime.block_on(async { tokio::time::timeout(CONNECT, options.connect()).await });
        let connection = match connected {
            Err(_) => return Err(PostgresError::Silent { place }),
            Ok(Err(error)) => return Err(refused(error, config)),
            Ok(Ok(connection)) => connection,
        };
        let mut session = Self { connection, config: config.clone(), runtime };
        let version: String =
            session.one(What::Session, sqlx::query_scalar("show server_version_num"))?;
        if version.parse().unwrap_or(0) < OLDEST {
            return Err(PostgresError::TooOld { place });
        }
        let milliseconds = config.statement_timeout.as_millis();
        session.run(&format!(
            "begin isolation level repeatable read read only; set local statement_timeout = {milliseconds}; {SETTINGS}"
        ))?;
        Ok(session)
    }

    /// The configuration that it was opened with.
    pub(super) fn config(&self) -> &PostgresConfig {
        &self.config
    }

    /// All rows of an answer.
    pub(super) fn all(
        &mut self,
        what: What,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, PostgresError> {
        let limit = self.config.statement_timeout.saturating_add(GRACE);
        let asked = query.persistent(false).fetch_all(&mut self.connection);
        match self.runtime.block_on(async { tokio::time::timeout(limit, asked).await }) {
            Err(_) => Err(PostgresError::Broke { what }),
            Ok(answer) => answer.map_err(|error| failed(&error, what, &self.config)),
        }
    }

    /// The one value of an answer.
    pub(super) fn one<T>(
        &mut self,
        what: What,
        query: QueryScalar<'_, Postgres, T, PgArguments>,
    ) -> Result<T, PostgresError>
    where
        T: Send + Unpin + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        let limit = self.config.statement_timeout.saturating_add(GRACE);
        let asked = query.persistent(false).fetch_one(&mut self.connection);
        match self.runtime.block_on(async { tokio::time::timeout(limit, asked).await }) {
            Err(_) => Err(PostgresError::Broke { what }),
            Ok(answer) => answer.map_err(|error| failed(&error, what, &self.config)),
        }
    }

    fn run(&mut self, statements: &str) -> Result<(), PostgresError> {
        let asked =
            sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut self.connection);
        match self.runtime.block_on(async { tokio::time::timeout(CONNECT, asked).await }) {
            Err(_) => Err(PostgresError::Silent { place: self.config.to_string() }),
            Ok(answer) => {
                answer.map(drop).map_err(|error| failed(&error, What::Session, &self.config))
            }
        }
    }

    /// Ends the transaction and says goodbye. What was read stands, also if that fails.
    pub(super) fn end(self) {
        let Self { connection, runtime, .. } = self;
        let closed =
            runtime.block_on(async { tokio::time::timeout(CONNECT, connection.close()).await });
        drop(closed);
    }
}

/// Everything that could come from the environment is set here, or refused.
fn options(config: &PostgresConfig) -> Result<PgConnectOptions, PostgresError> {
    if let Some(name) = SURROUNDINGS.into_iter().find(|name| std::env::var_os(name).is_some()) {
        return Err(PostgresError::Surroundings { name });
    }
    let options = PgConnectOptions::new_without_pgpass()
        .port(config.port)
        .username(&config.user)
        .database(&config.database)
        .application_name("fellestall-node")
        .disable_statement_logging();
    let mut options = if config.host.starts_with('/') {
        options.socket(&config.host)
    } else {
        options.host(&config.host)
    };
    options = match config.tls {
        Tls::Full => options.ssl_mode(PgSslMode::VerifyFull),
        Tls::Off => options.ssl_mode(PgSslMode::Disable),
    };
    if let Some(path) = &config.ca_file {
        let key = "records.postgres.ca_file";
        let text = std::fs::read(path).map_err(|source| PostgresError::File {
            key,
            path: path.clone(),
            source,
        })?;
        options = options.ssl_root_cert_from_pem(text);
    }
    let password = match &config.password_file {
        None => Zeroizing::new(String::new()),
        Some(path) => password(path)?,
    };
    Ok(options.password(password.trim_end_matches(['\n', '\r'])))
}

fn password(path: &Path) -> Result<Zeroizing<String>, PostgresError> {
    let bytes = files::read_secret(path).map_err(PostgresError::Password)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| PostgresError::PasswordText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Why there is no connection.
fn refused(error: sqlx::Error, config: &PostgresConfig) -> PostgresError {
    let place = config.to_string();
    match error {
        sqlx::Error::Io(source) if is_of_tls(&source) => {
            PostgresError::Tls { place, why: source.to_string() }
        }
        sqlx::Error::Io(source) => PostgresError::Unreachable { place, source },
        sqlx::Error::Tls(why) => PostgresError::Tls { place, why: why.to_string() },
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some("28P01" | "28000") => PostgresError::SignIn { place, user: config.user.clone() },
            Some("3D000") => PostgresError::NoDatabase { place },
            code => {
                let code = code.unwrap_or("none").to_owned();
                PostgresError::Statement { what: What::Session, code }
            }
        },
        _ => PostgresError::Broke { what: What::Session },
    }
}

/// Whether the system's error is in truth one of the handshake.
fn is_of_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

/// Why a statement gives nothing. The server's message is left where it is: it may quote a row.
fn failed(error: &sqlx::Error, what: What, config: &PostgresConfig) -> PostgresError {
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else {
        return PostgresError::Broke { what };
    };
    match code.as_ref() {
        "57014" => PostgresError::Timeout { what, seconds: config.statement_timeout.as_secs() },
        "42501" => PostgresError::Denied { what, user: config.user.clone() },
        code => PostgresError::Statement { what, code: code.to_owned() },
    }
}

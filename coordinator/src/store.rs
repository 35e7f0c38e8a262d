//! The coordinator's memory: one store with one SQL text, over SQLite (the default) or PostgreSQL
//! (for several instances).
//!
//! **Invariant:** what a caller was told is durable before it was told; every race between two
//! callers, in one process or in several, is decided by the database (a unique constraint, a
//! guarded update, a row lock) and never by this process's memory.

use fellestall_shared::clock::Timestamp;
use fellestall_shared::limits::HEALTH_TIMEOUT;
use schema::Migration;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::error::DatabaseError;
use sqlx::{Any, AnyPool, Row, Transaction};
use std::str::FromStr;
use std::time::{Duration, Instant};

pub mod audit;
pub mod batches;
pub mod certificates;
pub mod directory_files;
pub mod enrolment;
pub mod insight;
pub mod jobs;
pub mod leases;
pub mod nodes;
pub mod presentations;
pub mod publications;
pub mod releases;
pub mod reports;
pub mod rounds;
pub mod saved_queries;
pub(crate) mod schema;
pub mod sessions;
pub mod sign_ins;
pub mod staff;
pub mod studies;
pub mod tasks;
pub mod witnesses;

/// Connections of one process to the database, at the most; with SQLite there is one more for who goes
/// first.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for a connection or for SQLite's only writer.
const WAIT: Duration = Duration::from_secs(20);
/// How often who goes first asks for SQLite's only writer.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// Which database it is: only locking and the schema's types differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// The store. A clone is another handle to the same one.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: AnyPool,
    /// The connection of who goes first: over SQLite one that does not wait for a lock, but is told.
    first: AnyPool,
    pub(crate) dialect: Dialect,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Neither a SQLite nor a PostgreSQL address.
    #[error("the store's address must start with sqlite: or postgres:")]
    Address,
    /// The database failed or cannot be reached.
    #[error("the database failed or cannot be reached")]
    Database(#[from] sqlx::Error),
    /// The schema was written by a later version of the program.
    #[error("the database has schema {found}, this program knows {known}: run the newer program")]
    Future {
        /// The version in the database.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The write-ahead log was read for so long that it could not be emptied.
    #[error("the database's log is being read and could not be emptied")]
    LogIsRead,
    /// A stored value that this program never writes.
    #[error("the database holds a value of {column} that this program never writes")]
    Damaged {
        /// Which column.
        column: &'static str,
    },
}

impl Store {
    /// Opens the store at `address` (`sqlite:PATH` or `postgres://...`), and brings its schema up to
    /// this program's version. Two processes may do so at once.
    ///
    /// # Errors
    /// [`StoreError`]: the address is none, the database fails, or it is from the future.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        Self::open_with(address, schema::MIGRATIONS).await
    }

    /// Opens a store of these tables: the helper has others than the coordinator.
    pub(crate) async fn open_with(
        address: &str,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let dialect = match address.split_once(':') {
            Some(("sqlite", _)) => Dialect::Sqlite,
            Some(("postgres" | "postgresql", _)) => Dialect::Postgres,
            _ => return Err(StoreError::Address),
        };
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(WAIT);
        let pool = options
            .clone()
            .after_connect(move |connection, _| Box::pin(prepare(connection, dialect)))
            .connect(address)
            .await?;
        let first = match dialect {
            Dialect::Sqlite => options
                .max_connections(1)
                .after_connect(|connection, _| Box::pin(prepare_first(connection)))
                .connect_lazy(address)?,
            Dialect::Postgres => pool.clone(),
        };
        let store = Self { pool, first, dialect };
        schema::migrate(&store, migrations).await?;
        Ok(store)
    }

    /// Asks the database for nothing, and waits a little for its answer.
    ///
    /// # Errors
    /// [`StoreError`]: it does not answer.
    pub async fn answers(&self) -> Result<(), StoreError> {
        let asked = sqlx::query("SELECT 1").execute(&self.pool);
        let answer = tokio::time::timeout(HEALTH_TIMEOUT, asked).await;
        answer.map_err(|_| sqlx::Error::PoolTimedOut)??;
        Ok(())
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        self.first.close().await;
        self.pool.close().await;
    }

    /// Empties `SQLite`'s write-ahead log, in which deleted rows stand until it is written over; what reads
    /// at this moment is waited for, as long as for any lock. `PostgreSQL` has no such request: there, deleted rows stay in its files
    /// and its log until it writes over them itself.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or if the log is still read: then it stands as it was.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await?;
            if row.try_get::<i64, _>(0)? != 0 {
                return Err(StoreError::LogIsRead);
            }
        }
        Ok(())
    }

    /// Begins a transaction that will write. SQLite takes its write lock at once, so that a
    /// transaction never fails half-way because another one wrote first.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin_with(self.dialect.begin()).await?)
    }

    /// Begins a transaction that will write, and that those who write without a pause do not keep
    /// waiting: closing a round must get in between its uploads.
    ///
    /// SQLite has no line for its write lock. Who waits for it asks ever more rarely, up to ten times a
    /// second, and whoever comes asks at once. So who goes first asks every millisecond. PostgreSQL has
    /// its lines at the locks that are taken next.
    pub(crate) async fn begin_first(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let started = Instant::now();
        loop {
            match self.first.begin_with(self.dialect.begin()).await {
                Err(error) if self.is_busy(&error) && started.elapsed() < WAIT => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                begun => return Ok(begun?),
            }
        }
    }

    /// Whether SQLite says that somebody else is writing. (`SQLITE_BUSY` is the lowest byte of its codes.)
    fn is_busy(&self, error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(DatabaseError::code);
        let code = code.and_then(|code| code.parse::<u32>().ok());
        self.dialect == Dialect::Sqlite && code.is_some_and(|code| code & 0xff == 5)
    }
}

impl Dialect {
    fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }
}

/// Settings of SQLite's connection for who goes first: once it has the write lock, nothing is waited for.
async fn prepare_first(connection: &mut sqlx::AnyConnection) -> sqlx::Result<()> {
    prepare(connection, Dialect::Sqlite).await?;
    sqlx::query("PRAGMA busy_timeout = 0").execute(connection).await?;
    Ok(())
}

/// Settings of each new connection.
async fn prepare(connection: &mut sqlx::AnyConnection, dialect: Dialect) -> sqlx::Result<()> {
    let settings: &[&'static str] = match dialect {
        Dialect::Sqlite => &[
            "PRAGMA busy_timeout = 20000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            // What is deleted is overwritten, and does not stay in the file's free pages.
            "PRAGMA secure_delete = ON",
        ],
        // An idle transaction of a dead process must not hold a round's lock for ever.
        Dialect::Postgres => &[
            "SET idle_in_transaction_session_timeout = '60s'",
            "SET statement_timeout = '60s'",
            "SET synchronous_commit = 'on'",
        ],
    };
    for setting in settings {
        sqlx::query(*setting).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A column that parses into its type.
pub(crate) fn parsed<T: FromStr>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    row.try_get::<String, _>(column)?.parse().map_err(|_| StoreError::Damaged { column })
}

/// A column that holds a moment.
pub(crate) fn moment(row: &AnyRow, column: &'static str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_unix(row.try_get(column)?))
}

/// A column that may hold a moment.
pub(crate) fn moment_or_none(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_unix))
}

/// A column that holds a number of 32 bits.
pub(crate) fn number(row: &AnyRow, column: &'static str) -> Result<u32, StoreError> {
    u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Damaged { column })
}

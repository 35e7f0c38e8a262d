//! The helper's memory: whom its operator admits, which tasks it takes part in, which reports are used
//! up, and half of every sum.
//!
//! **Invariant:** what changes a half of a sum is in one transaction with the answer that tells of it,
//! so that a repeated request finds its answer and changes nothing. No share of a single report is
//! ever stored.

use crate::store::audit::{self, Event, Line};
use crate::store::schema::Migration;
use crate::store::{Dialect, Store, StoreError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use sqlx::{Any, Row, Transaction};

mod batches;
mod jobs;
mod participants;
mod tasks;

pub use batches::{BatchLine, Opening};
pub use jobs::NewJob;
pub use participants::{Admission, Participant};
pub use tasks::{KeptTask, NewTaskRow, StoredTask};

/// All steps of the schema.
const MIGRATIONS: &[Migration] = &[Migration {
    common: include_str!("store/1.sql"),
    sqlite: &[
        "CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END",
        "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END",
        "CREATE TRIGGER task_keeps BEFORE UPDATE ON task BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER job_keeps BEFORE UPDATE ON job BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER used_keeps BEFORE UPDATE ON used_report BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER used_stays BEFORE DELETE ON used_report BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER batch_keeps BEFORE UPDATE ON batch WHEN OLD.opened IS NOT NULL BEGIN SELECT RAISE(ABORT, 'opened once'); END",
    ],
    postgres: &[
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'immutable'; END $$",
        "CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER task_keeps BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER job_keeps BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER used_keeps BEFORE UPDATE OR DELETE ON used_report FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER batch_keeps BEFORE UPDATE ON batch FOR EACH ROW WHEN (OLD.opened IS NOT NULL) EXECUTE FUNCTION refuse_change()",
    ],
}];

/// The store. A clone is another handle to the same one.
#[derive(Debug, Clone)]
pub struct HelperStore {
    store: Store,
}

/// What a request under a name is answered with.
pub enum Kept {
    /// The answer of the request that was done under this name, now or earlier.
    Answer(Vec<u8>),
    /// Another request was done under this name; its answer stands.
    Conflict,
}

impl HelperStore {
    /// Opens the store at `address` (`sqlite:PATH` or `postgres://...`), and brings its schema up to
    /// this program's version.
    ///
    /// # Errors
    /// [`StoreError`]: the address is none, the database fails, or it is from the future.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        Ok(Self { store: Store::open_with(address, MIGRATIONS).await? })
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// The last `most` lines of the audit log, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn audit(&self, most: u32) -> Result<Vec<Line>, StoreError> {
        self.store.audit(most).await
    }

    /// Writes one line into the audit log.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn note(
        &self,
        event: Event,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.note(event, subject, "", now).await
    }

    /// Begins a transaction that changes a task's rows: no other one does at the same time.
    async fn begin_on(&self, task: Digest) -> Result<Transaction<'static, Any>, StoreError> {
        let mut transaction = self.store.begin().await?;
        if self.store.dialect == Dialect::Postgres {
            sqlx::query("SELECT task FROM task WHERE task = $1 FOR UPDATE")
                .bind(task.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
        }
        Ok(transaction)
    }

    /// Writes down that something else came under a name that is taken.
    async fn conflict(
        mut transaction: Transaction<'static, Any>,
        event: Event,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        audit::append_once(&mut transaction, now, event, subject).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A column of bytes.
fn blob(row: &sqlx::any::AnyRow, column: &'static str) -> Result<Vec<u8>, StoreError> {
    Ok(row.try_get(column)?)
}

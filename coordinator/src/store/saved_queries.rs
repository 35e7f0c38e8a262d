//! Queries that readers have saved.
//!
//! **Invariant:** a saved query never changes, and there are never more than the caller allows.

use super::{Dialect, Store, StoreError};
use fellestall_shared::clock::Timestamp;
use sqlx::Row;

/// An arbitrary number that names the advisory lock under which PostgreSQL counts saved queries.
const SAVE_LOCK: i64 = 0x73_61_76_65;

impl Store {
    /// Keeps a query under its id, unless there are `most` already; whether it is kept. One that is
    /// there stands.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn save_query(
        &self,
        id: &str,
        query: &str,
        most: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Most repeat what is there: that needs no writer.
        if self.saved_query(id).await?.is_some() {
            return Ok(true);
        }
        let mut transaction = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(SAVE_LOCK)
                .execute(&mut *transaction)
                .await?;
        }
        let row = sqlx::query("SELECT COUNT(*) AS count FROM saved_query")
            .fetch_one(&mut *transaction)
            .await?;
        let kept: i64 = row.try_get("count")?;
        if kept >= i64::from(most) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO saved_query (id, query, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(query)
        .bind(now.unix())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The query that is kept under this id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn saved_query(&self, id: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT query FROM saved_query WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("query")?)).transpose()
    }
}

//! Leases: which of several instances does the work that one at a time should do.
//!
//! Time is the database's, so that the clocks of the instances do not matter.
//!
//! **Invariant:** at most one holder has a lease that has not run out. A holder that was held up may
//! find out late: what is done under a lease must be harmless when two do it.

use super::{Dialect, Store, StoreError};
use sqlx::AssertSqlSafe;
use std::time::Duration;

impl Store {
    /// Takes a lease for so long, or prolongs it; whether `holder` has it now. One that has run out may be
    /// taken by anybody. So may one that lasts longer than `length`, which is the same for every holder of
    /// one lease: the clock was set back.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then nothing is known.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        length: Duration,
    ) -> Result<bool, StoreError> {
        let now = match self.dialect {
            Dialect::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Dialect::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        };
        let statement = format!(
            "INSERT INTO lease (name, holder, until) VALUES ($1, $2, {now} + $3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE lease.holder = excluded.holder OR lease.until <= {now} OR lease.until > {now} + $3"
        );
        // Only the texts above; nothing from outside.
        let taken = sqlx::query(AssertSqlSafe(statement))
            .bind(name)
            .bind(holder)
            .bind(i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2))
            .execute(&self.pool)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Gives a lease up before it runs out, if `holder` has it.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then it runs out.
    pub async fn give_up_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM lease WHERE name = $1 AND holder = $2")
            .bind(name)
            .bind(holder)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Who has a lease, or had it last and did not give it up.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn lease_holder(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT holder FROM lease WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(sqlx::Row::try_get(&row, "holder")?)).transpose()
    }
}

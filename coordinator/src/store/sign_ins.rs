//! How often somebody may try to sign in by password, at all instances together.
//!
//! An attempt is counted before the password is looked at, and taken back when it was right: however
//! many try at once, no more passwords are looked at than are counted.
//!
//! **Invariant:** never more than `IN_ALL` rows; of what was typed as a name ten bits of a digest are
//! stored, for it may have been the password.

use super::{Dialect, Store, StoreError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::INSTANCE_SKEW;
use sqlx::{AnyConnection, Row};
use std::time::Duration;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(10);
/// Failures under one name within the window, at the most.
const PER_NAME: usize = 10;
/// Failures in all within the window, at the most.
const IN_ALL: usize = 30;
/// An arbitrary number that names the advisory lock under which PostgreSQL counts attempts.
const COUNT_LOCK: i64 = 0x73_69_67_6e;

/// Whether somebody may try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Yes, and it counts as a failure until it is taken back.
    Counted {
        /// What it is taken back by.
        id: i64,
    },
    /// Not before so many seconds have passed.
    Wait {
        /// The seconds.
        seconds: u64,
    },
}

/// Where a name is counted, in whatever case it is written.
fn place(name: &str) -> i64 {
    let name = name.trim().to_lowercase();
    let digest = Digest::of("fellestall/sign-in-place/1", name.as_bytes());
    let bytes = digest.as_bytes().iter().take(2);
    bytes.fold(0, |number, byte| number << 8 | i64::from(*byte)) % 1_024
}

/// How many seconds somebody who is counted here has to wait.
async fn wait(
    connection: &mut AnyConnection,
    place: i64,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    // A clock that was set back must not lock anybody out for much longer than the window; that of
    // another instance may be a little ahead.
    let rows = sqlx::query(
        "SELECT place, moment FROM sign_in_attempt WHERE moment > $1 AND moment <= $2
         ORDER BY moment, id",
    )
    .bind(now.minus(WINDOW).unix())
    .bind(now.plus(INSTANCE_SKEW).unix())
    .fetch_all(connection)
    .await?;
    let mut failures = Vec::with_capacity(rows.len());
    for row in &rows {
        failures.push((row.try_get::<i64, _>("place")?, row.try_get::<i64, _>("moment")?));
    }
    let under_name = failures.iter().filter(|(other, _)| *other == place);
    let oldest = if failures.len() >= IN_ALL {
        failures.first()
    } else if under_name.clone().count() >= PER_NAME {
        under_name.clone().next()
    } else {
        None
    };
    let again = |(_, moment): &(i64, i64)| {
        let end = Timestamp::from_unix(*moment).plus(WINDOW).unix();
        u64::try_from(end.saturating_sub(now.unix())).unwrap_or(1).max(1)
    };
    Ok(oldest.map(again))
}

impl Store {
    /// Counts an attempt to sign in under a name, unless there were too many.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then nobody may try.
    pub async fn count_sign_in(&self, name: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        let place = place(name);
        // Who has to wait shall not take the only writer. The connection is given back before another
        // is taken.
        let mut connection = self.pool.acquire().await?;
        let seconds = wait(&mut connection, place, now).await?;
        drop(connection);
        if let Some(seconds) = seconds {
            return Ok(Attempt::Wait { seconds });
        }
        let mut transaction = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(COUNT_LOCK)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query("DELETE FROM sign_in_attempt WHERE moment <= $1 OR moment > $2")
            .bind(now.minus(WINDOW).unix())
            .bind(now.plus(INSTANCE_SKEW).unix())
            .execute(&mut *transaction)
            .await?;
        if let Some(seconds) = wait(&mut transaction, place, now).await? {
            return Ok(Attempt::Wait { seconds });
        }
        let row =
            sqlx::query("INSERT INTO sign_in_attempt (place, moment) VALUES ($1, $2) RETURNING id")
                .bind(place)
                .bind(now.unix())
                .fetch_one(&mut *transaction)
                .await?;
        let id = row.try_get("id")?;
        transaction.commit().await?;
        Ok(Attempt::Counted { id })
    }

    /// Takes an attempt back: the password was right.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then it counts.
    pub async fn take_back_sign_in(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sign_in_attempt WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

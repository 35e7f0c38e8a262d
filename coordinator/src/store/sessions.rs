//! Who is signed in to the administration pages.
//!
//! **Invariant:** a session is stored under the digest of its token alone; it ends when it idles, when
//! it is old, and with whom it belongs to.

use super::audit::{self, Event};
use super::staff::{Staff, staff};
use super::{Store, StoreError, moment};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::INSTANCE_SKEW;
use sqlx::Row;
use std::time::Duration;

/// A session in which nothing is asked for so long is over.
pub const IDLE: Duration = Duration::from_mins(30);
/// No session lasts longer.
pub const LONGEST: Duration = Duration::from_hours(8);
/// How often it is noted that a session is in use: reading a page shall cost no write.
const NOTED_EVERY: Duration = Duration::from_mins(1);
/// Sessions of one person at once, at the most; the one that idles longest gives way.
const OPEN: i64 = 16;
/// An open session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose it is.
    pub staff: Staff,
    /// When it began.
    pub started: Timestamp,
    /// When it was last noted to be in use.
    pub seen: Timestamp,
    /// What the next page says.
    pub notice: String,
}

impl Store {
    /// Begins a session under the digest of its token. Sessions that are over are cleared away.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn begin_session(
        &self,
        token: Digest,
        who: &Staff,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM staff_session WHERE seen < $1 OR started < $2")
            .bind(now.minus(IDLE).unix())
            .bind(now.minus(LONGEST).unix())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM staff_session WHERE staff = $1 AND token NOT IN
             (SELECT token FROM staff_session WHERE staff = $1 ORDER BY seen DESC LIMIT $2)",
        )
        .bind(who.id)
        .bind(OPEN - 1)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO staff_session (token, staff, started, seen, notice)
             VALUES ($1, $2, $3, $3, '')",
        )
        .bind(token.to_string())
        .bind(who.id)
        .bind(now.unix())
        .execute(&mut *transaction)
        .await?;
        audit::append_by(&mut transaction, now, Event::SignedIn, "", &who.name).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The session with this token, if it is open. A clock that was set back ends it, unless by as little
    /// as the clocks of two instances may be apart.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then nobody is signed in.
    pub async fn session(
        &self,
        token: Digest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(
            "SELECT s.id, s.name, s.role, s.password, s.issuer, s.subject, s.added,
                    o.started, o.seen, o.notice
             FROM staff_session o JOIN staff s ON s.id = o.staff WHERE o.token = $1",
        )
        .bind(token.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let session = Session {
            staff: staff(&row)?,
            started: moment(&row, "started")?,
            seen: moment(&row, "seen")?,
            notice: row.try_get("notice")?,
        };
        // The instance that noted it may be a little ahead.
        let within =
            |since: Timestamp, limit| since <= now.plus(INSTANCE_SKEW) && now <= since.plus(limit);
        let is_open = within(session.seen, IDLE) && within(session.started, LONGEST);
        Ok(is_open.then_some(session))
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn use_session(
        &self,
        token: Digest,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if now < session.seen.plus(NOTED_EVERY) {
            return Ok(());
        }
        sqlx::query("UPDATE staff_session SET seen = $1 WHERE token = $2 AND seen < $1")
            .bind(now.unix())
            .bind(token.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Leaves a notice for the next page of a session, or takes it away.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn leave_notice(&self, token: Digest, notice: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE staff_session SET notice = $1 WHERE token = $2")
            .bind(notice)
            .bind(token.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends a session of the member of staff called `actor`.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn end_session(
        &self,
        token: Digest,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let ended = sqlx::query("DELETE FROM staff_session WHERE token = $1")
            .bind(token.to_string())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if ended == 1 {
            audit::append_by(&mut transaction, now, Event::SignedOut, "", actor).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

//! What happened, in order; alarms are what an operator must look at.
//!
//! **Invariant:** append only (the database itself refuses a change), and no line holds a figure, a
//! body, a key or a token.

use super::{Store, StoreError, moment};
use fellestall_shared::clock::Timestamp;
use sqlx::{AnyConnection, Row};

/// What happened. A closed list, so that nothing else can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An invitation was made.
    Invited,
    /// A node asked to be enrolled.
    Applied,
    /// The operator enrolled a node.
    Approved,
    /// The operator refused an enrolment.
    Refused,
    /// The operator shut a node out.
    Denied,
    /// A client certificate was issued.
    CertificateIssued,
    /// A study was published.
    StudyPublished,
    /// A node approved or refused a study.
    Decided,
    /// A round was opened.
    RoundOpened,
    /// A round was closed.
    RoundClosed,
    /// A release was stored.
    ReleaseStored,
    /// Another content came under the id of a stored release.
    ReleaseConflict,
    /// A node's ledger was behind what was witnessed of it, or another one.
    LedgerConflict,
    /// A version was published.
    Published,
}

impl Event {
    /// The name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Applied => "applied",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::CertificateIssued => "certificate-issued",
            Self::StudyPublished => "study-published",
            Self::Decided => "decided",
            Self::RoundOpened => "round-opened",
            Self::RoundClosed => "round-closed",
            Self::ReleaseStored => "release-stored",
            Self::ReleaseConflict => "release-conflict",
            Self::LedgerConflict => "ledger-conflict",
            Self::Published => "published",
        }
    }

    fn is_alarm(self) -> bool {
        matches!(self, Self::ReleaseConflict | Self::LedgerConflict)
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place.
    pub sequence: i64,
    /// When it was written.
    pub moment: Timestamp,
    /// What happened, by name.
    pub event: String,
    /// To which node, study, round or municipality.
    pub subject: String,
    /// Whether an operator must look at it.
    pub alarm: bool,
}

/// Writes one line within the caller's transaction.
pub(super) async fn append(
    connection: &mut AnyConnection,
    now: Timestamp,
    event: Event,
    subject: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO audit (moment, event, subject, alarm) VALUES ($1, $2, $3, $4)")
        .bind(now.unix())
        .bind(event.name())
        .bind(subject)
        .bind(i64::from(event.is_alarm()))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes one line within the caller's transaction, unless the same one is there: what a node says
/// again and again is one alarm.
pub(super) async fn append_once(
    connection: &mut AnyConnection,
    now: Timestamp,
    event: Event,
    subject: &str,
) -> Result<(), StoreError> {
    let known = sqlx::query("SELECT sequence FROM audit WHERE event = $1 AND subject = $2")
        .bind(event.name())
        .bind(subject)
        .fetch_optional(&mut *connection)
        .await?;
    if known.is_some() { Ok(()) } else { append(connection, now, event, subject).await }
}

impl Store {
    /// The last `most` lines, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn audit(&self, most: u32) -> Result<Vec<Line>, StoreError> {
        let rows = sqlx::query("SELECT sequence, moment, event, subject, alarm FROM audit ORDER BY sequence DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows.iter().rev() {
            lines.push(Line {
                sequence: row.try_get("sequence")?,
                moment: moment(row, "moment")?,
                event: row.try_get("event")?,
                subject: row.try_get("subject")?,
                alarm: row.try_get::<i64, _>("alarm")? != 0,
            });
        }
        Ok(lines)
    }
}

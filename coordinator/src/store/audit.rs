//! What happened, in order; alarms are what an operator must look at.
//!
//! **Invariant:** append only (the database itself refuses a change), and no line holds a figure, a
//! body, a key or a token.

use super::{Store, StoreError, moment};
use fellestall_shared::clock::Timestamp;
use sqlx::any::AnyRow;
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
    /// The helper takes part in a round's task.
    TaskAccepted,
    /// A report of a node's shared tables was stored.
    ReportStored,
    /// Another content came under the id of a stored report.
    ReportConflict,
    /// A report does not hold, and is in no sum: the subject says why.
    ReportRejected,
    /// A batch of reports is to be opened: it takes no more.
    BatchClaimed,
    /// A batch of reports was opened.
    BatchOpened,
    /// The helper answered what does not belong to what it was asked.
    HelperFault,
    /// A version was published.
    Published,
    /// Somebody may use the administration pages from now on.
    StaffAdded,
    /// Somebody may not use them any more.
    StaffRemoved,
    /// A member of staff signed in.
    SignedIn,
    /// Somebody failed to sign in.
    SignInFailed,
    /// A member of staff signed out.
    SignedOut,
    /// A member of staff set out to do something: the subject says what. The line of the deed itself
    /// follows, if it was done.
    Acted,
    /// A member of staff looked at figures that are not published yet.
    Previewed,
    /// The helper's operator named the leader that is trusted.
    LeaderTrusted,
    /// The helper's operator admitted a node and its key.
    Admitted,
    /// The helper's operator takes nothing more from a node.
    Expelled,
    /// The leader named participants that the helper does not know.
    TaskRefused,
    /// Other content came under the name of a task.
    TaskConflict,
    /// The helper verified the reports of a job.
    JobDone,
    /// Other content came under the number of a job.
    JobConflict,
    /// The leader claimed other reports of a batch than the helper holds.
    BatchConflict,
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
            Self::TaskAccepted => "task-accepted",
            Self::ReportStored => "report-stored",
            Self::ReportConflict => "report-conflict",
            Self::ReportRejected => "report-rejected",
            Self::BatchClaimed => "batch-claimed",
            Self::BatchOpened => "batch-opened",
            Self::HelperFault => "helper-fault",
            Self::Published => "published",
            Self::StaffAdded => "staff-added",
            Self::StaffRemoved => "staff-removed",
            Self::SignedIn => "signed-in",
            Self::SignInFailed => "sign-in-failed",
            Self::SignedOut => "signed-out",
            Self::Acted => "acted",
            Self::Previewed => "previewed",
            Self::LeaderTrusted => "leader-trusted",
            Self::Admitted => "admitted",
            Self::Expelled => "expelled",
            Self::TaskRefused => "task-refused",
            Self::TaskConflict => "task-conflict",
            Self::JobDone => "job-done",
            Self::JobConflict => "job-conflict",
            Self::BatchConflict => "batch-conflict",
        }
    }

    fn is_alarm(self) -> bool {
        matches!(
            self,
            Self::ReleaseConflict
                | Self::LedgerConflict
                | Self::ReportConflict
                | Self::ReportRejected
                | Self::HelperFault
                | Self::TaskConflict
                | Self::JobConflict
                | Self::BatchConflict
        )
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
    /// Which member of staff it was, on the administration pages; empty for nodes, for the service
    /// itself and for the command line.
    pub actor: String,
}

/// Writes one line within the caller's transaction.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    now: Timestamp,
    event: Event,
    subject: &str,
) -> Result<(), StoreError> {
    append_by(connection, now, event, subject, "").await
}

/// Writes one line about what a member of staff did, within the caller's transaction.
pub(super) async fn append_by(
    connection: &mut AnyConnection,
    now: Timestamp,
    event: Event,
    subject: &str,
    actor: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (moment, event, subject, alarm, actor) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(now.unix())
    .bind(event.name())
    .bind(subject)
    .bind(i64::from(event.is_alarm()))
    .bind(actor)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes an alarm within the caller's transaction, unless the same one is there: what a node says
/// again and again is one alarm. The caller holds whatever the subject is about, so that two at once
/// write one line.
pub(crate) async fn append_once(
    connection: &mut AnyConnection,
    now: Timestamp,
    event: Event,
    subject: &str,
) -> Result<(), StoreError> {
    let known =
        sqlx::query("SELECT sequence FROM audit WHERE event = $1 AND subject = $2 AND alarm <> 0")
            .bind(event.name())
            .bind(subject)
            .fetch_optional(&mut *connection)
            .await?;
    if known.is_some() { Ok(()) } else { append(connection, now, event, subject).await }
}

/// A line as it is stored.
pub(super) fn line(row: &AnyRow) -> Result<Line, StoreError> {
    Ok(Line {
        sequence: row.try_get("sequence")?,
        moment: moment(row, "moment")?,
        event: row.try_get("event")?,
        subject: row.try_get("subject")?,
        alarm: row.try_get::<i64, _>("alarm")? != 0,
        actor: row.try_get("actor")?,
    })
}

impl Store {
    /// The last `most` lines, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn audit(&self, most: u32) -> Result<Vec<Line>, StoreError> {
        let rows = sqlx::query(
            "SELECT sequence, moment, event, subject, alarm, actor FROM audit
             ORDER BY sequence DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().rev().map(line).collect()
    }

    /// Writes that a member of staff did, or set out to do, something.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then it must not be done.
    pub async fn note(
        &self,
        event: Event,
        subject: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        append_by(&mut transaction, now, event, subject, actor).await?;
        transaction.commit().await?;
        Ok(())
    }
}

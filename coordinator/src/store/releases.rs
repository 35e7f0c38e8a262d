//! Releases as they were sent.
//!
//! **Invariant:** one question has one release for ever: the first that came. A repeat is
//! recognised, other content is refused and written down as an alarm.

use super::audit::{self, Event};
use super::witnesses::{self, Link};
use super::{Store, StoreError, moment, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId, RoundId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRelease {
    /// The digest of the question.
    pub release: ReleaseId,
    /// The round.
    pub round: RoundId,
    /// The node.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The digest of the signed payload.
    pub digest: Digest,
    /// The envelope, in the bytes that were sent.
    pub envelope: Vec<u8>,
    /// When it came.
    pub received: Timestamp,
    /// Whether it came after the round was closed.
    pub late: bool,
}

/// A release that comes, with its place in its node's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease {
    /// The release.
    pub release: StoredRelease,
    /// Its place.
    pub link: Link,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// It was stored now.
    Stored,
    /// The same stood already.
    Stood,
    /// Other content stands under this question; it stays.
    Conflict,
    /// It does not continue its node's ledger as it is known here.
    Forked,
    /// The round is closed and takes no late releases.
    Closed,
}

/// Whether a closed round still takes releases, for a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// They are stored.
    Taken,
    /// They are refused.
    Refused,
}

fn release(row: &AnyRow) -> Result<StoredRelease, StoreError> {
    let digest: Digest = parsed(row, "release")?;
    Ok(StoredRelease {
        release: digest.into(),
        round: parsed(row, "round")?,
        node: parsed(row, "node")?,
        municipality: parsed(row, "municipality")?,
        digest: parsed(row, "digest")?,
        envelope: row.try_get("envelope")?,
        received: moment(row, "received")?,
        late: row.try_get::<i64, _>("late")? != 0,
    })
}

/// The releases of a round, by municipality.
pub(super) async fn of_round(
    connection: &mut AnyConnection,
    round: &RoundId,
) -> Result<Vec<StoredRelease>, StoreError> {
    let rows = sqlx::query(
        "SELECT release, round, node, municipality, digest, envelope, received, late FROM release
         WHERE round = $1 ORDER BY municipality",
    )
    .bind(round.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(release).collect()
}

async fn release_digest(
    connection: &mut AnyConnection,
    new: &StoredRelease,
) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query("SELECT digest FROM release WHERE release = $1")
        .bind(new.release.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(|row| parsed(row, "digest")).transpose()
}

impl Store {
    /// Stores a release that was checked; whether it is late is decided here, by whether the round is
    /// closed.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails: then nothing is known, and the node asks again.
    pub async fn add_release(
        &self,
        NewRelease { release: new, link }: &NewRelease,
        late: Late,
    ) -> Result<Upload, StoreError> {
        // Repeats are the common case on a bad line, and cost no write.
        if let Some(stands) = release_digest(&mut *self.pool.acquire().await?, new).await? {
            return self.repeated(stands, new).await;
        }
        let mut transaction = self.begin().await?;
        let round = self.share(&mut transaction, &new.round).await?;
        let closed = round.is_none_or(|round| round.closed.is_some());
        if closed && late == Late::Refused {
            drop(transaction);
            // It may have been stored between the two looks.
            return match release_digest(&mut *self.pool.acquire().await?, new).await? {
                Some(stands) => self.repeated(stands, new).await,
                None => Ok(Upload::Closed),
            };
        }
        self.hold(&mut transaction, &new.node).await?;
        if let Some(stands) = release_digest(&mut transaction, new).await? {
            drop(transaction);
            return self.repeated(stands, new).await;
        }
        if !witnesses::fits(&mut transaction, *link).await? {
            let subject = format!("{} {}", new.node, new.round);
            let event = Event::LedgerConflict;
            audit::append_once(&mut transaction, new.received, event, &subject).await?;
            transaction.commit().await?;
            return Ok(Upload::Forked);
        }
        let inserted = sqlx::query(
            "INSERT INTO release (release, round, node, municipality, digest, envelope, received, late)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(new.release.to_string())
        .bind(new.round.as_str())
        .bind(new.node.as_str())
        .bind(new.municipality.as_str())
        .bind(new.digest.to_string())
        .bind(new.envelope.as_slice())
        .bind(new.received.unix())
        .bind(i64::from(closed))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if inserted == 1 {
            witnesses::add_link(&mut transaction, new.release, *link).await?;
            let subject = format!("{} {}", new.node, new.round);
            audit::append(&mut transaction, new.received, Event::ReleaseStored, &subject).await?;
        }
        transaction.commit().await?;
        if inserted == 1 {
            return Ok(Upload::Stored);
        }
        let stands = release_digest(&mut *self.pool.acquire().await?, new).await?;
        let stands = stands.ok_or(StoreError::Damaged { column: "release" })?;
        self.repeated(stands, new).await
    }

    /// The releases of a round, by municipality.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn releases(&self, round: &RoundId) -> Result<Vec<StoredRelease>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        of_round(&mut connection, round).await
    }

    /// The rounds for which a municipality's release is stored, open or closed: a closed round may
    /// still take late releases, and is not asked again of who has answered.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn received(
        &self,
        municipality: &MunicipalityNumber,
    ) -> Result<Vec<RoundId>, StoreError> {
        let rows = sqlx::query("SELECT round FROM release WHERE municipality = $1 ORDER BY round")
            .bind(municipality.as_str())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| parsed(row, "round")).collect()
    }

    async fn repeated(&self, stands: Digest, new: &StoredRelease) -> Result<Upload, StoreError> {
        if stands == new.digest {
            return Ok(Upload::Stood);
        }
        let mut transaction = self.begin().await?;
        let subject = format!("{} {}", new.node, new.round);
        audit::append(&mut transaction, new.received, Event::ReleaseConflict, &subject).await?;
        transaction.commit().await?;
        Ok(Upload::Conflict)
    }
}

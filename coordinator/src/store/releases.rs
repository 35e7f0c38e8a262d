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

/// A release under an id that is taken: the same again, or an alarm.
async fn repeated(
    connection: &mut AnyConnection,
    stands: Digest,
    new: &StoredRelease,
) -> Result<Upload, StoreError> {
    if stands == new.digest {
        return Ok(Upload::Stood);
    }
    let subject = format!("{} {}", new.node, new.round);
    audit::append(connection, new.received, Event::ReleaseConflict, &subject).await?;
    Ok(Upload::Conflict)
}

/// Stores a release that is the first under its id, if it continues its node's ledger.
async fn insert(
    connection: &mut AnyConnection,
    new: &StoredRelease,
    link: Link,
    late: bool,
) -> Result<Upload, StoreError> {
    let subject = format!("{} {}", new.node, new.round);
    if !witnesses::fits(connection, link).await? {
        audit::append_once(connection, new.received, Event::LedgerConflict, &subject).await?;
        return Ok(Upload::Forked);
    }
    sqlx::query(
        "INSERT INTO release (release, round, node, municipality, digest, envelope, received, late)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.release.to_string())
    .bind(new.round.as_str())
    .bind(new.node.as_str())
    .bind(new.municipality.as_str())
    .bind(new.digest.to_string())
    .bind(new.envelope.as_slice())
    .bind(new.received.unix())
    .bind(i64::from(late))
    .execute(&mut *connection)
    .await?;
    witnesses::add_link(connection, new.release, link).await?;
    audit::append(connection, new.received, Event::ReleaseStored, &subject).await?;
    Ok(Upload::Stored)
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
        // Repeats are the common case on a bad line, and cost no write. The connection is given back
        // before another is taken: whoever held one while waiting for the next could wait for ever.
        let mut connection = self.pool.acquire().await?;
        let stands = release_digest(&mut connection, new).await?;
        drop(connection);
        if stands == Some(new.digest) {
            return Ok(Upload::Stood);
        }
        let mut transaction = self.begin().await?;
        let round = self.share(&mut transaction, &new.round).await?;
        let closed = round.is_none_or(|round| round.closed.is_some());
        self.hold(&mut transaction, &new.node).await?;
        let upload = match release_digest(&mut transaction, new).await? {
            Some(stands) => repeated(&mut transaction, stands, new).await?,
            None if closed && late == Late::Refused => Upload::Closed,
            None => insert(&mut transaction, new, *link, closed).await?,
        };
        transaction.commit().await?;
        Ok(upload)
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
}

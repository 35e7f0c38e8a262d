//! Opening a batch: the one moment at which a sum is seen.
//!
//! **Invariant:** a batch is claimed only if what is opened may be published at that moment; both halves
//! are for the same reports, or nothing is opened.

use super::{Aggregated, AggregationError, Leader};
use crate::publish::{self, PublishError};
use crate::rounds::{LoadedRound, press};
use crate::store::batches::{Claim, OpenedWith, StoredBatch};
use crate::store::reports::ReportState;
use crate::store::rounds::RoundContents;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::round::Round;
use fellestall_shared::signed::Verified;
use fellestall_shared::wire::v1::{BatchClaim, OpenedBatch};
use std::collections::BTreeSet;

/// How often a claim waits for reports that came meanwhile.
const ATTEMPTS: usize = 20;

/// Whether a batch was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A batch was opened, now or before.
    Opened,
    /// There was nothing to open.
    Nothing,
}

impl Leader {
    /// Opens what a round that is closed or revised next is published from: the first batch of an open
    /// round; the next one of a closed round, if enough late reports are in it. Everything that waits
    /// is verified first. Opening the same again gives what was opened. Does nothing for a round
    /// without shared tables.
    ///
    /// # Errors
    /// [`AggregationError`]: the batch stays sealed.
    pub async fn open(&self, loaded: &LoadedRound) -> Result<Opening, AggregationError> {
        let Some(of) = self.aggregated(loaded).await? else { return Ok(Opening::Nothing) };
        let (round, task) = (of.round.id(), of.task.digest());
        for _ in 0..ATTEMPTS {
            self.drive(loaded).await?;
            let check = |contents: &RoundContents, batch: &StoredBatch| {
                is_to_be_opened(&of.round, contents, batch)
            };
            match self.store.claim_batch(round, task, self.clock.now(), check).await? {
                Claim::Claimed(batch) => {
                    self.forget_shares().await;
                    self.unseal(&of, &batch).await?;
                    return Ok(Opening::Opened);
                }
                Claim::Nothing => return Ok(Opening::Nothing),
                Claim::Unfinished => {}
            }
        }
        Err(AggregationError::Busy)
    }

    /// Gets the helper's half of a claimed batch, joins both halves and stores the sums.
    async fn unseal(&self, of: &Aggregated, batch: &StoredBatch) -> Result<(), AggregationError> {
        let what = "half of the sum";
        let claim = BatchClaim { count: batch.count, checksum: batch.checksum.clone() };
        let answer = self.helper()?.batch(batch.task, batch.batch, &claim).await;
        let answer = answer.map_err(|source| AggregationError::Helper { what, source })?;
        let verified = answer.verify::<OpenedBatch>(&of.helper.signing_key).ok();
        let Some(half) = verified.filter(|half| belongs(half, batch)) else {
            return Err(self.fault(&of.round, what).await);
        };
        let own = of.vdaf.aggregate(&batch.share.0)?;
        let sums = of
            .vdaf
            .aggregate(&half.share.0)
            .and_then(|other| of.vdaf.open(&own, &other, batch.count));
        let values = sums.ok().and_then(|sums| {
            sums.into_iter().map(|sum| of.layout.value(sum, batch.count)).collect()
        });
        let Some(values) = values else { return Err(self.fault(&of.round, what).await) };
        let opened = OpenedWith { helper: half.envelope().to_json()?, values };
        self.store.open_batch(of.round.id(), batch, &opened, self.clock.now()).await?;
        tracing::info!(round = %of.round.id(), batch = batch.batch, "opened");
        Ok(())
    }
}

/// Whether the helper's half is of the batch that was claimed.
fn belongs(half: &Verified<OpenedBatch>, batch: &StoredBatch) -> bool {
    half.task == batch.task
        && half.batch == batch.batch
        && half.count == batch.count
        && half.checksum == batch.checksum
}

/// Whether a batch is to be opened: whatever would keep its sum from being published keeps it sealed.
fn is_to_be_opened(
    round: &Round,
    contents: &RoundContents,
    batch: &StoredBatch,
) -> Result<bool, AggregationError> {
    let is_first = !contents.published.iter().any(|head| head.round == *round.id());
    let is_opened = contents.batches.iter().any(|other| other.opened.is_some());
    if is_first && is_opened {
        // The first version is made from what was opened; the rest waits for the next.
        return Ok(false);
    }
    let minimum = round.study().document().minimum_nodes;
    if batch.count < minimum {
        let found = usize::try_from(batch.count).unwrap_or(usize::MAX);
        let too_few = PublishError::TooFewNodes { found, minimum };
        return if is_first { Err(too_few.into()) } else { Ok(false) };
    }
    let municipalities = municipalities(contents, batch.batch);
    let earlier = contents.published.iter().map(press::earlier);
    let earlier: Vec<_> = earlier.collect::<Result<_, _>>()?;
    publish::check_municipalities(round, &municipalities, &earlier)?;
    Ok(true)
}

/// The municipalities of every batch that is opened, and of the one that is about to be.
fn municipalities(contents: &RoundContents, next: u32) -> BTreeSet<MunicipalityNumber> {
    let opened = contents.batches.iter().filter(|batch| batch.opened.is_some());
    let batches: BTreeSet<u32> = opened.map(|batch| batch.batch).chain([next]).collect();
    let is_in =
        |state| matches!(state, ReportState::Verified { batch } if batches.contains(&batch));
    let counted = contents.reports.iter().filter(|report| is_in(report.state));
    counted.map(|report| report.municipality.clone()).collect()
}

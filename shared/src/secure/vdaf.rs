//! Splitting a vector in two, checking both halves without joining them, and adding halves up.
//!
//! `Prio3SumVec` over Field128 with two aggregators (IETF draft VDAF, version 18, section 7.4.3), by
//! the crate `prio`. The context of every computation is the task, the nonce is the report's id, so
//! that a share of one task or report is worth nothing in another.
//!
//! **Invariant:** a half alone, and every message between the servers, is as random as chance,
//! whatever the entries are. What holds a share has no `Debug`; no input makes anything here panic.

use super::Layout;
use crate::digest::Digest;
use crate::limits::SHARED_CELLS;
use crate::wire::v1::Rejection;
use prio::codec::{Encode, ParameterizedDecode};
use prio::field::Field128;
use prio::vdaf::prio3::{
    Prio3InputShare, Prio3PublicShare, Prio3SumVec, Prio3VerifierMessage, Prio3VerifierShare,
    Prio3VerifyState, optimal_chunk_length,
};
use prio::vdaf::{self, Aggregatable, Aggregator, Client, Collector, VerifyTransition};

/// Bytes of the key that both servers verify reports with.
pub const VERIFY_KEY_BYTES: usize = 32;
/// Bytes of a seed: of a part of the joint randomness, and of each half of the helper's share.
const SEED_BYTES: usize = 32;
/// Bits of one entry, at the most: sums of as many reports as there can be stay far below the field.
const BITS: u32 = 64;

const LEADER: usize = 0;
const HELPER: usize = 1;

type InputShare = Prio3InputShare<Field128, SEED_BYTES>;
type PublicShare = Prio3PublicShare<SEED_BYTES>;
type State = Prio3VerifyState<Field128, SEED_BYTES>;
type VerifierShare = Prio3VerifierShare<Field128, SEED_BYTES>;

/// A vector that cannot be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadVector {
    /// No entries, too many, or entries of no or too many bits.
    #[error("a shared vector has 1 to {SHARED_CELLS} entries of 1 to {BITS} bits")]
    Size,
    /// Another number of entries than the vector has, or one that is out of its range.
    #[error("the entries are not those of this vector, or one of them is out of its range")]
    Entries,
}

/// Halves of a sum that do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAggregate {
    /// Bytes that are no half of a sum of this vector, or a half of another vector's.
    #[error("this is not half of a sum of this vector")]
    Form,
    /// Their sum is none of so many reports.
    #[error("the two halves do not belong together: their sum is none of so many reports")]
    Range,
}

/// How a task's vectors are split, checked and added up.
pub struct Vdaf {
    prio: Prio3SumVec,
    highest: u128,
}

/// A vector in two halves: bytes that are of no use to anyone who has only one of them.
pub struct Shares {
    /// What both servers get: 64 bytes.
    pub public: Vec<u8>,
    /// The leader's half, with the proof: 16 bytes for each field element.
    pub leader: Vec<u8>,
    /// The helper's half: 64 bytes, to be sealed.
    pub helper: Vec<u8>,
}

/// What the leader keeps of a report until the helper has answered.
pub struct LeaderState {
    prio: Prio3SumVec,
    context: Vec<u8>,
    state: State,
}

/// One server's half of a vector that was checked.
pub struct OutputShare(vdaf::OutputShare<Field128>);

/// One server's half of a sum.
pub struct AggregateShare(vdaf::AggregateShare<Field128>);

impl Vdaf {
    /// For the vectors of a study.
    ///
    /// # Errors
    /// [`BadVector::Size`].
    pub fn of(layout: &Layout) -> Result<Self, BadVector> {
        Self::new(layout.length(), layout.bits())
    }

    /// For vectors of `length` entries in `0..2^bits`.
    ///
    /// # Errors
    /// [`BadVector::Size`].
    pub fn new(length: usize, bits: u32) -> Result<Self, BadVector> {
        if !(1..=SHARED_CELLS).contains(&length) || !(1..=BITS).contains(&bits) {
            return Err(BadVector::Size);
        }
        let width = usize::try_from(bits).map_err(|_| BadVector::Size)?;
        let chunk = optimal_chunk_length(length.saturating_mul(width));
        let highest = u128::MAX >> u128::BITS.saturating_sub(bits);
        Self::with(highest, length, chunk)
    }

    fn with(highest: u128, length: usize, chunk: usize) -> Result<Self, BadVector> {
        let prio =
            Prio3SumVec::new_sum_vec(2, highest, length, chunk).map_err(|_| BadVector::Size)?;
        Ok(Self { prio, highest })
    }

    /// Splits a vector in two, with a proof that every entry is in its range. The halves are drawn
    /// anew each time, from a generator that the system seeds; whoever splits keeps what left.
    ///
    /// # Errors
    /// [`BadVector::Entries`]; it does not say which.
    pub fn split(
        &self,
        task: Digest,
        id: &[u8; 16],
        entries: &[u128],
    ) -> Result<Shares, BadVector> {
        let (public, inputs) = self
            .prio
            .shard(&context(task), &entries.to_vec(), id)
            .map_err(|_| BadVector::Entries)?;
        let [leader, helper] = inputs.as_slice() else { return Err(BadVector::Entries) };
        let bytes = |part: Option<Vec<u8>>| part.ok_or(BadVector::Entries);
        Ok(Shares {
            public: bytes(public.get_encoded().ok())?,
            leader: bytes(leader.get_encoded().ok())?,
            helper: bytes(helper.get_encoded().ok())?,
        })
    }

    /// The leader's first step: its share of the verification, for the helper.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] or [`Rejection::Proof`].
    pub fn leader_start(
        &self,
        verify_key: &[u8; VERIFY_KEY_BYTES],
        task: Digest,
        id: &[u8; 16],
        public: &[u8],
        share: &[u8],
    ) -> Result<(LeaderState, Vec<u8>), Rejection> {
        self.start_in(&context(task), verify_key, id, public, share)
    }

    fn start_in(
        &self,
        context: &[u8],
        verify_key: &[u8; VERIFY_KEY_BYTES],
        id: &[u8; 16],
        public: &[u8],
        share: &[u8],
    ) -> Result<(LeaderState, Vec<u8>), Rejection> {
        let (state, verifier) = self.begin(LEADER, context, verify_key, id, public, share)?;
        let verifier = verifier.get_encoded().map_err(|_| Rejection::Malformed)?;
        let state = LeaderState { prio: self.prio.clone(), context: context.to_vec(), state };
        Ok((state, verifier))
    }

    /// The helper's only step: checks the proof with the leader's share of the verification, and gives
    /// the message that the leader finishes with. What passes here passes at an honest leader, too: so
    /// no report is in one server's sum alone.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] or [`Rejection::Proof`].
    pub fn helper_finish(
        &self,
        verify_key: &[u8; VERIFY_KEY_BYTES],
        task: Digest,
        id: &[u8; 16],
        public: &[u8],
        share: &[u8],
        leaders: &[u8],
    ) -> Result<(OutputShare, Vec<u8>), Rejection> {
        self.finish_in(&context(task), verify_key, id, public, share, leaders)
    }

    fn finish_in(
        &self,
        context: &[u8],
        verify_key: &[u8; VERIFY_KEY_BYTES],
        id: &[u8; 16],
        public: &[u8],
        share: &[u8],
        leaders: &[u8],
    ) -> Result<(OutputShare, Vec<u8>), Rejection> {
        let (state, own) = self.begin(HELPER, context, verify_key, id, public, share)?;
        let theirs = VerifierShare::get_decoded_with_param(&state, leaders)
            .map_err(|_| Rejection::Malformed)?;
        // The leader will compare what it derives from the helper's part as published with what comes
        // of the part as computed. Comparing both here, before anything is added, leaves nothing that
        // it could reject after us.
        let computed = own.get_encoded().map_err(|_| Rejection::Malformed)?;
        if public != [joint_part(leaders), joint_part(&computed)].concat() {
            return Err(Rejection::Proof);
        }
        let message = self
            .prio
            .verifier_shares_to_message(context, &(), [theirs, own])
            .map_err(|_| Rejection::Proof)?;
        let bytes = message.get_encoded().map_err(|_| Rejection::Malformed)?;
        Ok((complete(&self.prio, context, state, message)?, bytes))
    }

    fn begin(
        &self,
        role: usize,
        context: &[u8],
        verify_key: &[u8; VERIFY_KEY_BYTES],
        id: &[u8; 16],
        public: &[u8],
        share: &[u8],
    ) -> Result<(State, VerifierShare), Rejection> {
        let public = PublicShare::get_decoded_with_param(&self.prio, public)
            .map_err(|_| Rejection::Malformed)?;
        let share = InputShare::get_decoded_with_param(&(&self.prio, role), share)
            .map_err(|_| Rejection::Malformed)?;
        self.prio
            .verify_init(verify_key, context, role, &(), id, &public, &share)
            .map_err(|_| Rejection::Proof)
    }

    /// Half of the sum of no reports.
    #[must_use]
    pub fn nothing(&self) -> AggregateShare {
        AggregateShare(self.prio.aggregate_init(&()))
    }

    /// Half of a sum from the bytes that it was stored or sent in.
    ///
    /// # Errors
    /// [`BadAggregate::Form`].
    pub fn aggregate(&self, bytes: &[u8]) -> Result<AggregateShare, BadAggregate> {
        vdaf::AggregateShare::get_decoded_with_param(&(&self.prio, &()), bytes)
            .map(AggregateShare)
            .map_err(|_| BadAggregate::Form)
    }

    /// Bytes of half a sum.
    #[must_use]
    pub fn aggregate_bytes(&self) -> usize {
        self.prio.output_len().saturating_mul(size_of::<u128>())
    }

    /// Joins both halves of a sum of `reports` reports: the only place where a sum is seen.
    ///
    /// # Errors
    /// [`BadAggregate`].
    pub fn open(
        &self,
        leader: &AggregateShare,
        helper: &AggregateShare,
        reports: u32,
    ) -> Result<Vec<u128>, BadAggregate> {
        let halves = [leader.0.clone(), helper.0.clone()];
        let count = usize::try_from(reports).map_err(|_| BadAggregate::Range)?;
        let sums = self.prio.unshard(&(), halves, count).map_err(|_| BadAggregate::Form)?;
        let highest = self.highest.checked_mul(u128::from(reports));
        let highest = highest.ok_or(BadAggregate::Range)?;
        if sums.iter().all(|sum| *sum <= highest) { Ok(sums) } else { Err(BadAggregate::Range) }
    }
}

impl LeaderState {
    /// The leader's second step: with the helper's message, its half of the vector.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] or [`Rejection::Proof`].
    pub fn finish(self, message: &[u8]) -> Result<OutputShare, Rejection> {
        let message = Prio3VerifierMessage::get_decoded_with_param(&self.state, message)
            .map_err(|_| Rejection::Malformed)?;
        complete(&self.prio, &self.context, self.state, message)
    }
}

impl AggregateShare {
    /// Adds one vector's half.
    ///
    /// # Errors
    /// [`BadAggregate::Form`] if it is of another length; nothing is added then.
    pub fn add(&mut self, share: &OutputShare) -> Result<(), BadAggregate> {
        self.0.accumulate(&share.0).map_err(|_| BadAggregate::Form)
    }

    /// Adds half of another sum.
    ///
    /// # Errors
    /// [`BadAggregate::Form`] if it is of another length; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), BadAggregate> {
        self.0.merge(&other.0).map_err(|_| BadAggregate::Form)
    }

    /// The bytes to store or send it in, [`Vdaf::aggregate_bytes`] of them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Encoding field elements into memory has no way to fail.
        self.0.get_encoded().unwrap_or_default()
    }
}

/// The name of a leader's share in the signed report.
#[must_use]
pub fn leader_share_digest(share: &[u8]) -> Digest {
    Digest::of("fellestall/leader-share/1", share)
}

/// What every computation is bound to.
fn context(task: Digest) -> Vec<u8> {
    [b"fellestall".as_slice(), task.as_bytes()].concat()
}

/// The part of the joint randomness that ends a server's share of the verification.
fn joint_part(verifier: &[u8]) -> &[u8] {
    verifier.last_chunk::<SEED_BYTES>().map_or(&[], |part| part.as_slice())
}

fn complete(
    prio: &Prio3SumVec,
    context: &[u8],
    state: State,
    message: Prio3VerifierMessage<SEED_BYTES>,
) -> Result<OutputShare, Rejection> {
    match prio.verify_next(context, state, message) {
        Ok(VerifyTransition::Finish(share)) => Ok(OutputShare(share)),
        Ok(VerifyTransition::Continue(..)) | Err(_) => Err(Rejection::Proof),
    }
}

#[cfg(test)]
mod tests;

//! The noise of a table in the certificate, and what shared tables add to a publication: opened sums,
//! what the shares promise, and the batches.
//!
//! **Invariant:** what shared tables add is absent from the bytes of a publication whose study has none.

use super::super::number::Fixed;
use super::Certificate;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::privacy::{Loss, Rho};
use fellestall_shared::secure::Bytes;
use fellestall_shared::signed::Envelope;
use serde::{Deserialize, Serialize};

/// The opened sums behind a table: what its figures are recomputed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedShared {
    /// Counts were multiplied by this odd number before the shares of the noise were added.
    pub factor: u32,
    /// Reports in the sums.
    pub reports: u32,
    /// The opened sums over all batches, in row-major order, not divided by the factor.
    pub opened: Vec<i64>,
    /// What the opened sums were combined with, in a table that has noise of each node's own too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined: Option<Combined>,
}

/// How the local sums of a table entered its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combined {
    /// The sums of the nodes' noisy tables, in row-major order.
    pub local: Vec<i64>,
    /// The weight of the opened sum, in 0 to 1; that of the local sum is the rest. The variance of the
    /// local sum over the variances of both.
    pub weight: Fixed,
}

/// The noise of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableCertificate {
    /// Which statistic.
    pub statistic: StatisticId,
    /// The version of its definition.
    pub definition: u32,
    /// The digest of its definition.
    pub definition_digest: Digest,
    /// The mechanism and the loss of the noise that each node adds for itself; left out if nobody sees
    /// a node's table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// What the table is charged as, in millionths of rho: the losses of both of its noises together.
    pub charge_micro: Rho,
    /// Cells that one participant can change, at the most.
    pub l0: u32,
    /// Change of one cell by one participant, at the most.
    pub linf: u32,
    /// Sum of the changes by one participant, at the most.
    pub l1: u32,
    /// Sum of the squared changes by one participant, at the most.
    pub l2_squared: u64,
    /// The scale of the noise that each node adds for itself: sigma, or b for discrete Laplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Fixed>,
    /// The noise that nodes share, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedCertificate>,
}

/// Which noise a table carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each node's own: the coordinator sees each node's noisy table.
    Local,
    /// Shared by the nodes: nobody sees a single node's table.
    Shared,
    /// Both, combined.
    Both,
}

impl Mode {
    /// From which noises there are.
    #[must_use]
    pub fn of(local: Option<&Loss>, is_shared: bool) -> Self {
        match (local, is_shared) {
            (_, false) => Self::Local,
            (None, true) => Self::Shared,
            (Some(_), true) => Self::Both,
        }
    }
}

impl TableCertificate {
    /// Which noise the table carries.
    #[must_use]
    pub fn mode(&self) -> Mode {
        Mode::of(self.loss.as_ref(), self.shared.is_some())
    }
}

/// What the shares of a table's noise promise, for T reports of which c may collude or add no noise.
/// Every loss is rounded up; one that is left out is no promise at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedCertificate {
    /// The mechanism of the sum and its loss.
    pub loss: Loss,
    /// A batch is opened from so many reports on (T).
    pub minimum: u32,
    /// So many of them may collude or add no noise (c).
    pub tolerated: u32,
    /// So many shares make the whole noise (h = T - c).
    pub honest: u32,
    /// Counts are multiplied by this odd number before a share is added.
    pub factor: u32,
    /// The scale of one share in scaled units: its sigma; for discrete Laplace the scale b of the sum
    /// of `honest` shares.
    pub share_scale: Fixed,
    /// The loss of the sum, as long as `honest` shares are in it.
    pub rho_micro: Rho,
    /// The loss of the sum if one node more than `tolerated` colludes or adds no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_more_rho_micro: Option<Rho>,
    /// The loss of the sum if half of the minimum of reports add no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_rho_micro: Option<Rho>,
    /// The loss of one node's share alone, should both servers collude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rho_micro: Option<Rho>,
    /// The same as pure differential privacy; discrete Gaussian shares have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_epsilon: Option<Fixed>,
    /// No node contributes more than this to a cell's opened sum divided by the factor, up or down: the
    /// proof holds each entry within its range.
    pub node_can_shift_a_cell_by: i64,
}

impl Certificate {
    /// What the loss of shared tables rests on: of so many reports of a batch, so many may collude or add
    /// no noise, as `(tolerated, minimum)`; `None` without shared tables.
    #[must_use]
    pub fn condition(&self) -> Option<(u32, u32)> {
        let shared = self.tables.iter().find_map(|table| table.shared.as_ref());
        shared.map(|shared| (shared.tolerated, shared.minimum))
    }

    /// The loss of one participant's rows in one municipality should both servers collude: a node's own
    /// noises, and its shares alone. `None` without shared tables, or where it has no bound.
    #[must_use]
    pub fn together(&self) -> Option<Rho> {
        self.condition()?;
        self.tables.iter().try_fold(Rho::ZERO, |sum, table| {
            let own = table.loss.map_or(Some(Rho::ZERO), Loss::charge)?;
            let share = match &table.shared {
                Some(shared) => shared.own_rho_micro?,
                None => Rho::ZERO,
            };
            sum.plus(own)?.plus(share)
        })
    }
}

/// One opened batch of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchCertificate {
    /// The batch, from 1.
    pub batch: u32,
    /// Reports in it.
    pub reports: u32,
    /// The leader's share of the sum.
    pub leader_share: Bytes,
    /// The helper's signed share of the sum, its number of reports and their checksum.
    pub helper: Envelope,
}

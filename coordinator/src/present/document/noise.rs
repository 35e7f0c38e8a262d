//! The mechanism behind a presented table, and the law of its noise.
//!
//! **Invariant:** follows from the certificate and the opened sums of the publication alone.

use crate::publish::table_law::{SharedLaw, TableLaw, local};
use crate::publish::{Fixed, Mode, PublishedTable, TableCertificate};
use fellestall_shared::privacy::{Loss, Rho};
use serde::{Deserialize, Serialize};

/// The mechanism behind a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableNoise {
    /// The mechanism and the loss of the noise that each node adds for itself; left out if nobody sees
    /// a node's table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// What the table is charged as, in millionths of rho.
    pub charge_micro: Rho,
    /// Cells that one participant can change, at the most.
    pub l0: u32,
    /// Sum of the changes by one participant, at the most.
    pub l1: u32,
    /// Sum of the squared changes by one participant, at the most.
    pub l2_squared: u64,
    /// The scale of the noise that each node adds for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Fixed>,
    /// The noise that nodes share, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedNoise>,
}

/// The noise that nodes share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedNoise {
    /// The mechanism of the sum and its loss.
    pub loss: Loss,
    /// A batch is opened from so many reports on.
    pub minimum: u32,
    /// So many of them may collude or add no noise.
    pub tolerated: u32,
    /// Counts are multiplied by this odd number before a share is added.
    pub factor: u32,
    /// The scale of one share in scaled units; for discrete Laplace that of the sum.
    pub share_scale: Fixed,
    /// Reports in the sum.
    pub reports: u32,
    /// The variance of the opened sum over the factor, for one cell.
    pub variance: Fixed,
    /// The weight of the opened sum beside that of the nodes' own tables, in a table of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Fixed>,
}

/// One of the noises in a table's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisePart {
    /// Who adds it.
    pub whose: Whose,
    /// The mechanism.
    pub loss: Loss,
    /// Its scale in units of the count: in each municipality, or in the sum.
    pub scale: f64,
    /// The standard deviation in one cell, likewise.
    pub deviation: f64,
}

/// Who adds a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Each municipality for itself.
    Each,
    /// The municipalities together, each a share.
    Shared,
}

impl TableNoise {
    /// What a published table and its certificate say.
    #[must_use]
    pub fn of(table: &PublishedTable, noise: &TableCertificate) -> Self {
        let shared = noise.shared.as_ref().zip(table.shared.as_ref());
        Self {
            loss: noise.loss,
            charge_micro: noise.charge_micro,
            l0: noise.l0,
            l1: noise.l1,
            l2_squared: noise.l2_squared,
            scale: noise.scale,
            shared: shared.and_then(|(promised, opened)| {
                let law = SharedLaw::published(promised, opened.reports);
                Some(SharedNoise {
                    loss: promised.loss,
                    minimum: promised.minimum,
                    tolerated: promised.tolerated,
                    factor: promised.factor,
                    share_scale: promised.share_scale,
                    reports: opened.reports,
                    variance: Fixed::nearest(law.variance())?,
                    weight: opened.combined.as_ref().map(|own| own.weight),
                })
            }),
        }
    }

    /// Which noise the table carries.
    #[must_use]
    pub fn mode(&self) -> Mode {
        Mode::of(self.loss.as_ref(), self.shared.is_some())
    }

    /// The noises in the figures: each municipality's own first.
    #[must_use]
    pub fn parts(&self) -> Vec<NoisePart> {
        let own = self.loss.zip(self.scale).map(|(loss, scale)| {
            let deviation = local(loss, scale).variance().sqrt();
            NoisePart { whose: Whose::Each, loss, scale: scale.value(), deviation }
        });
        let shared = self.shared.as_ref().map(|shared| NoisePart {
            whose: Whose::Shared,
            loss: shared.loss,
            scale: shared.scale_of_sum(),
            deviation: shared.variance.value().sqrt(),
        });
        own.into_iter().chain(shared).collect()
    }

    /// The law of the noise; `None` if the table says too little, which none of this program does.
    #[must_use]
    pub fn law(&self) -> Option<TableLaw> {
        let own = self.loss.zip(self.scale).map(|(loss, scale)| local(loss, scale));
        let shared = self.shared.as_ref().map(SharedNoise::law);
        TableLaw::from_parts(own, shared, self.shared.as_ref().and_then(|shared| shared.weight))
    }
}

impl SharedNoise {
    /// The law of the shared noise.
    #[must_use]
    pub fn law(&self) -> SharedLaw {
        let honest = self.minimum.saturating_sub(self.tolerated);
        SharedLaw::new(self.loss, self.share_scale, honest, self.factor, self.reports)
    }

    /// The scale of the sum in units of the count: sigma, or b for discrete Laplace.
    #[must_use]
    pub fn scale_of_sum(&self) -> f64 {
        let scale = self.share_scale.value() / f64::from(self.factor);
        match self.loss {
            Loss::DiscreteGaussian { .. } => scale * f64::from(self.reports).sqrt(),
            Loss::DiscreteLaplace { .. } => scale,
        }
    }
}

//! The law of the noise in the figures of one table: of each node's own, shared, or both.
//!
//! With both, the local sum `L` of n nodes and the opened sum `O` tell the same count, with variances
//! `n v` and `v_s`. Generalised least squares gives the national figure `w O / S + (1 - w) L` with
//! `w = n v / (n v + v_s)`, and moves a sum over k of the nodes by `w k / n` of the difference between
//! the two: parts then add up to the whole, and each has less noise than it was released with.
//!
//! **Invariant:** a function of published numbers: publishing, verifying and presenting find the same.

use super::combine::{self, CellNoise, LEVEL};
use super::mixture::{Mixture, Part, Rounding};
use super::noise_law::{Noise, NoiseLaw};
use super::number::{Fixed, real_of};
use super::shared;
use super::{PublishedShared, SharedCertificate, TableCertificate};
use fellestall_shared::privacy::Loss;
use fellestall_shared::secure::noise::{Share, ShareNoise};
use fellestall_shared::study::Table;

/// How far a variance may be from a whole number of noises: published deviations have six decimals.
const ROUNDING: f64 = 1e-3;

/// The law of a table's noise in sums over nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TableLaw {
    /// Each node adds noise of its own.
    Local(Noise),
    /// Nodes share the noise.
    Shared(SharedLaw),
    /// Both, combined.
    Both {
        /// What each node adds for itself.
        local: Noise,
        /// What nodes share.
        shared: SharedLaw,
        /// The weight of the opened sum.
        weight: Fixed,
    },
}

/// The law of noise that nodes share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedLaw {
    /// A law of which `count` draws make the opened noise, in scaled units.
    pub noise: Noise,
    /// How many; a fraction for shares of a discrete Laplace.
    pub count: f64,
    /// The factor of the scaling.
    pub factor: u32,
    /// Reports in the sum: nodes in it.
    pub reports: u32,
}

impl SharedLaw {
    /// From the noise of a share, in a sum of so many reports.
    #[must_use]
    pub fn of(noise: &ShareNoise, reports: u32) -> Self {
        let factor = noise.factor();
        let count = f64::from(reports);
        match noise.share() {
            Share::DiscreteGaussian { sigma } => {
                Self { noise: Noise::DiscreteGaussian { sigma }, count, factor, reports }
            }
            Share::Polya { epsilon, l1, parts } => {
                let noise = Noise::DiscreteLaplace { b: f64::from(l1) / epsilon.value() };
                Self { noise, count: count / f64::from(parts), factor, reports }
            }
        }
    }

    /// From what is published: the loss, the scale of a share, how many shares make the whole noise, the
    /// factor, and the reports in the sum.
    #[must_use]
    pub fn new(loss: Loss, scale: Fixed, honest: u32, factor: u32, reports: u32) -> Self {
        let noise = local(loss, scale);
        let count = match loss {
            Loss::DiscreteGaussian { .. } => f64::from(reports),
            Loss::DiscreteLaplace { .. } => f64::from(reports) / f64::from(honest.max(1)),
        };
        Self { noise, count, factor, reports }
    }

    /// From a certificate.
    #[must_use]
    pub fn published(noise: &SharedCertificate, reports: u32) -> Self {
        Self::new(noise.loss, noise.share_scale, noise.honest, noise.factor, reports)
    }

    /// The variance of the opened sum over the factor.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.count * self.noise.variance() / f64::from(self.factor).powi(2)
    }

    fn part(&self, weight: f64) -> Part {
        Part { noise: self.noise, count: self.count, scale: weight / f64::from(self.factor) }
    }
}

impl TableLaw {
    /// The law of a study's table over so many nodes; `None` for a table without any noise, which no
    /// study has.
    #[must_use]
    pub fn of(table: &Table, nodes: u32) -> Option<Self> {
        let local = table.local.map(|loss| combine::noise(loss, table));
        let shared = table.shared.as_ref().map(|shared| SharedLaw::of(&shared.noise, nodes));
        match (local, shared) {
            (None, None) => None,
            (Some(local), None) => Some(Self::Local(local)),
            (None, Some(shared)) => Some(Self::Shared(shared)),
            (Some(local), Some(shared)) => {
                let sum = f64::from(nodes) * local.variance();
                let weight = shared::weight(sum, shared.variance())?;
                Some(Self::Both { local, shared, weight })
            }
        }
    }

    /// The law of a published table.
    #[must_use]
    pub fn published(noise: &TableCertificate, opened: Option<&PublishedShared>) -> Option<Self> {
        let local = noise.loss.zip(noise.scale).map(|(loss, scale)| local(loss, scale));
        let shared = noise.shared.as_ref().zip(opened);
        let shared = shared.map(|(noise, opened)| SharedLaw::published(noise, opened.reports));
        let weight = opened.and_then(|opened| opened.combined.as_ref()).map(|own| own.weight);
        Self::from_parts(local, shared, weight)
    }

    /// The law of these noises; `None` if there are none, or two without a weight.
    #[must_use]
    pub fn from_parts(
        local: Option<Noise>,
        shared: Option<SharedLaw>,
        weight: Option<Fixed>,
    ) -> Option<Self> {
        match (local, shared, weight) {
            (Some(local), None, _) => Some(Self::Local(local)),
            (None, Some(shared), _) => Some(Self::Shared(shared)),
            (Some(local), Some(shared), Some(weight)) => Some(Self::Both { local, shared, weight }),
            _ => None,
        }
    }

    /// The variance of a cell in the sum over so many nodes.
    #[must_use]
    pub fn variance(&self, nodes: usize) -> f64 {
        match self.cell(nodes) {
            Cell::Sums(noise) => noise.variance() * real_of(nodes),
            Cell::Mixture(mixture) => mixture.variance(),
        }
    }

    /// The variance of a cell in the sum over all of so many nodes, over their number.
    #[must_use]
    pub fn part(&self, nodes: usize) -> f64 {
        match self {
            Self::Local(noise) => noise.variance(),
            _ => self.variance(nodes) / real_of(nodes.max(1)),
        }
    }

    /// The noise in the sum of `cells` cells, each over the same `nodes` nodes. A shared table has
    /// figures over all of its nodes alone.
    #[must_use]
    pub fn of_sum(&self, nodes: usize, cells: usize) -> CellNoise {
        match self.cell(nodes) {
            Cell::Sums(noise) => {
                let law = NoiseLaw::of(&[(noise, nodes * cells)]);
                CellNoise { variance: law.variance(), half_width: law.half_width(LEVEL) }
            }
            Cell::Mixture(mixture) => CellNoise {
                variance: mixture.variance() * real_of(cells),
                half_width: Mixture::half_width(&[(&mixture, cells)]),
            },
        }
    }

    /// A figure whose noise has this variance; `None` if that is not one of a sum of cells.
    #[must_use]
    pub fn figure(&self, variance: f64) -> Option<Figure> {
        let of = |law, nodes, cells| Figure { law, nodes, cells };
        match self {
            Self::Local(noise) => Some(of(*self, whole(variance / noise.variance())?, 1)),
            Self::Shared(shared) | Self::Both { shared, .. } => {
                let nodes = usize::try_from(shared.reports).ok()?;
                Some(of(*self, nodes, whole(variance / self.variance(nodes))?))
            }
        }
    }

    /// Half the width of the interval of the difference between two figures of independent noise.
    #[must_use]
    pub fn of_difference(figures: [Figure; 2]) -> i64 {
        let cells = figures.map(|own| (own.law.cell(own.nodes), own.nodes, own.cells));
        if let [(Cell::Sums(one), n, m), (Cell::Sums(other), k, l)] = &cells {
            return NoiseLaw::of(&[(*one, n * m), (*other, k * l)]).half_width(LEVEL);
        }
        let mixtures = cells.map(|(cell, nodes, cells)| match cell {
            // The sum of integers needs no rounding.
            Cell::Sums(noise) => {
                let count = real_of(nodes);
                let part = Part { noise, count, scale: 1.0 };
                (Mixture { parts: vec![part], rounding: Rounding::Parts(1) }, cells)
            }
            Cell::Mixture(mixture) => (mixture, cells),
        });
        let [(one, m), (other, l)] = &mixtures;
        Mixture::half_width(&[(one, *m), (other, *l)])
    }

    fn cell(&self, nodes: usize) -> Cell {
        match self {
            Self::Local(noise) => Cell::Sums(*noise),
            Self::Shared(shared) => Cell::Mixture(Mixture {
                parts: vec![shared.part(1.0)],
                rounding: Rounding::Parts(shared.factor),
            }),
            Self::Both { local, shared, weight } => {
                let (nodes, all) = (real_of(nodes), f64::from(shared.reports));
                let moved = weight.value() * nodes / all;
                let own = |count, scale| Part { noise: *local, count, scale };
                let parts = vec![
                    own(nodes, 1.0 - moved),
                    own((all - nodes).max(0.0), -moved),
                    shared.part(moved),
                ];
                let parts_of_one = shared.factor.saturating_mul(shared::WEIGHTS);
                let is_whole = nodes >= all;
                let rounding =
                    if is_whole { Rounding::Parts(parts_of_one) } else { Rounding::Twice };
                Cell::Mixture(Mixture { parts, rounding })
            }
        }
    }
}

/// A figure: the sum of so many cells, each over so many nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    law: TableLaw,
    nodes: usize,
    cells: usize,
}

impl Figure {
    /// Half the width of the figure's own interval.
    #[must_use]
    pub fn half_width(&self) -> i64 {
        self.law.of_sum(self.nodes, self.cells).half_width
    }
}

/// A number that is whole but for the six decimals of what it was found from.
fn whole(count: f64) -> Option<usize> {
    let is_whole = (count - count.round()).abs() <= ROUNDING * count.max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be within the number of cells of all nodes"
    )]
    let found = (is_whole && (0.0..1e9).contains(&count.round())).then(|| count.round() as usize);
    found
}

/// One cell's noise.
enum Cell {
    /// A sum of as many noises as nodes.
    Sums(Noise),
    /// Anything else.
    Mixture(Mixture),
}

/// The noise of a published loss and scale.
#[must_use]
pub fn local(loss: Loss, scale: Fixed) -> Noise {
    let scale = scale.value();
    match loss {
        Loss::DiscreteGaussian { .. } => Noise::DiscreteGaussian { sigma: scale },
        Loss::DiscreteLaplace { .. } => Noise::DiscreteLaplace { b: scale },
    }
}

//! What the shared tables of a study give, and what their promise rests on.
//!
//! **Invariant:** computed from the study alone; whatever speaks for the protection is rounded against
//! it.

use super::half_width_of;
use fellestall_shared::privacy::{Delta, Rho};
use fellestall_shared::secure::noise::{Share, ShareNoise};
use fellestall_shared::study::{Study, Table};
use serde::Serialize;

/// What the coordinator sees of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each municipality's table, with noise of its own.
    Local,
    /// The sum over municipalities, and no single one.
    Shared,
    /// Both.
    Both,
}

impl Mode {
    /// The mode of a table.
    #[must_use]
    pub fn of(table: &Table) -> Self {
        match (table.local, table.shared) {
            (_, None) => Self::Local,
            (None, Some(_)) => Self::Shared,
            (Some(_), Some(_)) => Self::Both,
        }
    }
}

/// A loss, and the same as epsilon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guarantee {
    /// In rho, rounded up.
    pub rho: String,
    /// As epsilon at the node's delta, rounded up.
    pub epsilon: f64,
}

impl Guarantee {
    fn of(rho: Rho, delta: Delta) -> Self {
        Self { rho: rho.to_string(), epsilon: rho.epsilon_ceil(delta) }
    }
}

/// What the shared tables of a study rest on, all of them together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Promise {
    /// The sum is opened from so many reports on (T).
    pub minimum: u32,
    /// So many of their nodes may collude or add no noise (c).
    pub tolerated: u32,
    /// So many shares of the noise keep the promise (h = T - c).
    pub honest: u32,
    /// Who holds the other half of every report.
    pub helper: String,
    /// The fingerprint of the helper's signing key.
    pub helper_key: String,
    /// What the sums cost a participant as long as h shares are honest.
    pub sum: Guarantee,
    /// What they cost if one node more than c colludes or adds no noise; `None` if it is beyond every
    /// account.
    pub one_more: Option<Guarantee>,
    /// What this node's tables cost if the two servers join what they hold of it: its own share of the
    /// noise protects alone then, beside the noise of tables that it releases; `None` if it is beyond
    /// every account.
    pub joined: Option<Guarantee>,
}

impl Promise {
    /// What a study's shared tables rest on; `None` if it has none.
    #[must_use]
    pub fn of(study: &Study, delta: Delta) -> Option<Self> {
        let aggregation = study.document().aggregation.as_ref()?;
        let sharing = study.layout()?.sharing();
        let noises = || study.tables().iter().filter_map(|table| Some(table.shared?.noise));
        let sum = |rho: &dyn Fn(ShareNoise) -> Option<Rho>| {
            noises().try_fold(Rho::ZERO, |sum, noise| sum.plus(rho(noise)?))
        };
        let own = study.tables().iter().filter_map(|table| table.local?.charge());
        let own = own.into_iter().try_fold(Rho::ZERO, Rho::plus);
        // At least the share of this node itself is in every sum that tells of its participants.
        let fewer = sharing.honest().saturating_sub(1).max(1);
        let joined = sum(&|noise| noise.guarantee(1)).and_then(|shared| own?.plus(shared));
        Some(Self {
            minimum: sharing.minimum(),
            tolerated: sharing.tolerated(),
            honest: sharing.honest(),
            helper: aggregation.helper.name.clone(),
            helper_key: aggregation.helper.signing_key.fingerprint().to_string(),
            sum: Guarantee::of(sum(&|noise| noise.loss().charge())?, delta),
            one_more: sum(&|noise| noise.guarantee(fewer)).map(|rho| Guarantee::of(rho, delta)),
            joined: joined.map(|rho| Guarantee::of(rho, delta)),
        })
    }
}

/// What one shared table rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharedForecast {
    /// What it costs, in rho.
    pub charge: String,
    /// The standard deviation of this node's share of the noise, in units of the count.
    pub own_noise: f64,
    /// Half of the 95 % interval of the opened sum if all nodes report; rounded up.
    pub half_width: u64,
    /// The same if as many fail to report as the study allows for.
    pub half_width_fewer: u64,
    /// What this table costs if the two servers join what they hold of this node.
    pub own: Option<Guarantee>,
    /// The same as pure differential privacy, if its noise has that.
    pub own_pure_epsilon: Option<f64>,
}

impl SharedForecast {
    /// The shared part of a table for so many nodes, all of them and fewer; `None` if it has none.
    pub(crate) fn of(table: &Table, (nodes, fewer): (u32, u32), delta: Delta) -> Option<Self> {
        let noise = table.shared?.noise;
        Some(Self {
            charge: noise.loss().charge()?.to_string(),
            own_noise: share_variance(&noise).sqrt() / f64::from(noise.factor()),
            half_width: half_width_of(sum_variance(&noise, nodes)),
            half_width_fewer: half_width_of(sum_variance(&noise, fewer)),
            own: noise.guarantee(1).map(|rho| Guarantee::of(rho, delta)),
            own_pure_epsilon: noise.own_epsilon().map(|epsilon| (epsilon * 1000.0).ceil() / 1000.0),
        })
    }
}

/// The variance of the opened sum of so many shares in units of the count, with that of rounding to whole
/// ones.
pub(super) fn sum_variance(noise: &ShareNoise, shares: u32) -> f64 {
    let factor = f64::from(noise.factor());
    let rounding = if noise.factor() > 1 { 1.0 / 12.0 } else { 0.0 };
    f64::from(shares) * share_variance(noise) / (factor * factor) + rounding
}

/// The variance of one share in scaled units. Discrete Gaussian: at most sigma squared (Canonne, Kamath
/// and Steinke 2020, corollary 9). Polya: two negative binomials of `r = 1 / parts` successes at
/// `q = exp(-1/b)`, of variance `r q / (1 - q)^2` each.
pub(super) fn share_variance(noise: &ShareNoise) -> f64 {
    match noise.share() {
        Share::DiscreteGaussian { sigma } => sigma * sigma,
        Share::Polya { epsilon, l1, parts } => {
            let q = (-epsilon.value() / f64::from(l1)).exp();
            2.0 * q / (f64::from(parts) * (1.0 - q).powi(2))
        }
    }
}
